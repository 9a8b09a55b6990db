"""The way of the systems that Lookalike replaces: BSON, Pillow, one `predict` a picture, MobileNetV2 224.

    PYTHON benchmarks/source_way.py FILE.bson COUNT

Run by any Python that has TensorFlow, Pillow and pymongo, which this project's own has not; it prints how
many pictures a second went through, after the first ones. The weights are random, which costs the same.
"""

import importlib
import io
import itertools
import sys
import time
from collections.abc import Callable
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


def main(path: Path, count: int) -> None:
    embed, found = embedder(), pictures(path)
    for data in itertools.islice(found, WARMING):
        embed(data)
    begun, before = time.perf_counter(), time.process_time()
    done = sum(1 for data in itertools.islice(found, count) if embed(data) is not None)
    taken, worked = time.perf_counter() - begun, time.process_time() - before
    print(done / taken, worked / done)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
