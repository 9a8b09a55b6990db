"""Makes a model's folder around a SavedModel: `python -m tests.embedder.saved_model FOLDER`.

A process of its own, for it loads TensorFlow.
"""

import shutil
import sys
from pathlib import Path

import tensorflow as tf

from services.embedder.model import (
    BUNDLED,
    DEFAULT,
    GOLDEN,
    Manifest,
    fingerprinted_by,
    write_manifest,
)
from services.embedder.networks import SAVEDMODEL, tree_sha256
from services.embedder.preprocess import Preprocessing
from tests.model_folders import write_golden

SIDE = 32


class Quarters(tf.Module):  # type: ignore[misc]  # TensorFlow brings no types
    """Mean colours of four quarters, weighted by a variable so that there is something to load."""

    def __init__(self) -> None:
        self.weights = tf.Variable(tf.range(1.0, 13.0))

    @tf.function(input_signature=[tf.TensorSpec((None, SIDE, SIDE, 3), tf.uint8)])  # type: ignore[untyped-decorator]
    def look(self, pictures: tf.Tensor) -> tf.Tensor:
        quarters = tf.nn.avg_pool2d(tf.cast(pictures, tf.float32), SIDE // 2, SIDE // 2, "VALID")
        return (tf.reshape(quarters, (-1, 12)) + 1.0) * self.weights


def main(folder: Path) -> None:
    quarters = Quarters()
    tf.saved_model.save(quarters, str(folder / SAVEDMODEL), {"serving_default": quarters.look})
    shutil.copytree(BUNDLED / DEFAULT / GOLDEN, folder / GOLDEN)
    weights, preprocessing = tree_sha256(folder / SAVEDMODEL), Preprocessing(SIDE)
    manifest = Manifest(
        name="quarters",
        version="1",
        variant="fp32",
        weights_sha256=weights,
        preprocessing=preprocessing,
        spaces=fingerprinted_by(weights, preprocessing, {"content": 12}),
        provenance="Made by a test.",
        licence="Apache-2.0",
        sizes={str(SAVEDMODEL): sum(p.stat().st_size for p in (folder / SAVEDMODEL).rglob("*"))},
        runtime="savedmodel",
    )
    write_manifest(folder, manifest)
    write_golden(folder, manifest, {})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
