"""Several processes draw one catalogue: each every n-th batch, put together in order.

Batches are handed out in turn, so at most one a process waits to be written: memory is bounded,
and the bytes do not depend on how many draw.
"""

import subprocess
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle
from typing import IO, cast

from shared.errors import Unavailable
from shared.runtime.children import start

BATCH = 256
"""Products; so many share designs, and a process paints a design once for all of its batch."""
LENGTH_BYTES = 8


def drawn(seed: int, start: int, stop: int, processes: int) -> Generator[tuple[int, bytes]]:
    """The records of these products in order, a batch at a time: how many, and their bytes."""
    batches = range(start, stop, BATCH)
    with ExitStack() as stack:
        artists = [
            stack.enter_context(_artist(seed, first, stop, processes * BATCH))
            for first in batches[:processes]
        ]
        for first, artist in zip(batches, cycle(artists), strict=False):
            yield min(BATCH, stop - first), _batch(artist)


@contextmanager
def _artist(seed: int, first: int, stop: int, step: int) -> Iterator[IO[bytes]]:
    """A process that draws the batches which begin at `first` and at every `step` after it."""
    asked = map(str, (seed, first, stop, step))
    with start("lookalike.sample.artist", *asked, stdout=subprocess.PIPE) as process:
        try:
            yield cast("IO[bytes]", process.stdout)
        finally:
            process.terminate()


def _batch(artist: IO[bytes]) -> bytes:
    length = int.from_bytes(artist.read(LENGTH_BYTES))
    data = artist.read(length)
    if not data or len(data) < length:
        raise Unavailable(
            "A process that draws the sample ended before its work was done. Run the same "
            "command again: it goes on from what is written."
        )
    return data
