"""The way of the systems that Lookalike replaces: BSON, Pillow, one `predict` a picture, MobileNetV2 224.

    PYTHON benchmarks/source_way.py FILE.bson [COUNT]

Run by any Python that has TensorFlow, Pillow and pymongo. It prints how many pictures a second went
through, after the first ones, and the processor's seconds for each. Without a count it says `ready` after
the first ones and then reads counts, a line each. The weights are random, which costs the same.
"""

import importlib
import io
import itertools
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

WARMING = 3


def pictures(path: Path) -> Any:
    import bson  # noqa: PLC0415 - of the Python that runs this

    with path.open("rb") as file:
        for record in bson.decode_file_iter(file):
            yield from (image["picture"] for image in record["imgs"])


def embedder() -> Callable[[bytes], Any]:
    import numpy as np  # noqa: PLC0415
    import tensorflow as tf  # noqa: PLC0415

    pillow: Any = importlib.import_module("PIL.Image")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    network = tf.keras.applications.MobileNetV2(weights=None, include_top=False, pooling="avg")

    def embed(data: bytes) -> Any:
        picture = pillow.open(io.BytesIO(data)).convert("RGB").resize((224, 224))
        pixels = np.asarray(picture, np.float32)[None] / 127.5 - 1
        return network.predict(pixels, verbose=0)

    return embed


def run(path: Path, counts: Iterable[int]) -> None:
    embed = embedder()
    again_and_again = itertools.chain.from_iterable(pictures(path) for _ in itertools.count())
    for data in itertools.islice(again_and_again, WARMING):
        embed(data)
    for count in counts:
        begun, before = time.perf_counter(), time.process_time()
        done = sum(
            1 for data in itertools.islice(again_and_again, count) if embed(data) is not None
        )
        taken, worked = time.perf_counter() - begun, time.process_time() - before
        print(done / taken, worked / done, flush=True)


def asked() -> Iterator[int]:
    """Only begun once the first pictures went through."""
    print("ready", flush=True)
    yield from map(int, sys.stdin)


if __name__ == "__main__":
    run(Path(sys.argv[1]), map(int, sys.argv[2:]) if sys.argv[2:] else asked())
