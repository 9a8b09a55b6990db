"""The reconciler as a process: it makes the first index, then rings for whatever is pending.

`python -m services.indexer.reconcile` or `lookalike reconciler`. Several may run: one of them rings.
"""

import logging
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

from services.indexer.build import ensure_index
from services.indexer.installed import ports_of
from services.indexer.lease import held
from services.indexer.ports import MINUTE_MS, Ports
from services.indexer.reconciler import Reconciler
from shared.errors import LookalikeError
from shared.ids import new_id
from shared.indexes import Index, TargetKind
from shared.runtime.arguments import nothing
from shared.runtime.heartbeat import touch
from shared.runtime.logs import configure
from shared.runtime.settings import Installation
from shared.seams.embedder import Embedder
from shared.seams.remote_embedder import RemoteEmbedder

PAUSE_S: Final = 1.0
_log: Final = logging.getLogger(__name__)


def run() -> int:
    """Until SIGTERM."""
    known = Installation()
    configure(known.log_level, sys.stdout)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ports_of(known) as ports, closing(RemoteEmbedder(known.embedder_url)) as embedder:
        beat = partial(touch, known.heartbeat) if known.heartbeat else _unseen
        make_first_index(known, ports, embedder, stop, beat)
        Reconciler(ports, beat=beat).run(stop)
    return 0


def _unseen() -> None:
    """Nobody looks at the heart of a process without a heartbeat file."""


def make_first_index(
    known: Installation,
    ports: Ports,
    embedder: Embedder,
    stop: threading.Event,
    beat: Callable[[], object],
) -> None:
    """For the model that the embedder has, once both it and the catalogue can be asked."""
    while not stop.is_set():
        beat()
        try:
            with held(ports, "first-index", MINUTE_MS) as ours:
                if ours:
                    made = ensure_index(ports, _wanted(known, embedder))
                    if made:
                        _log.info("made index %s for model %s", made.index_id, made.model)
                    return
        except LookalikeError as error:
            _log.warning("the first index has to wait: %s", error)
        stop.wait(PAUSE_S)


def _wanted(known: Installation, embedder: Embedder) -> Index:
    targets: tuple[TargetKind, ...] = ("segments",)
    if known.elasticsearch is not None:
        targets = ("segments", "elasticsearch")
    return Index(
        index_id=new_id("idx"),
        tenant=known.tenant,
        model=Path(known.model).name,
        spaces=embedder.spaces,
        shards=known.shards,
        targets=targets,
        declared=(),
        state="building",
        created=0,
    )


if __name__ == "__main__":
    nothing(__doc__)
    sys.exit(run())
