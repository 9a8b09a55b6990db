"""Networks that others made, as models' folders: `python -m benchmarks.raw_networks OUT [DATA]`.

The teacher as it is, and ResNet50. Where DATA holds the teacher's weights it has them, and comes in eight
bits as well; all other weights are random, which costs the same and finds nothing.
"""

import hashlib
import sys
from pathlib import Path
from typing import Any

import keras  # type: ignore[import-untyped]  # it brings no types

from benchmarks.worth import FP32, RANDOM
from services.embedder.model import WEIGHTS, Manifest, fingerprinted
from services.embedder.preprocess import Preprocessing
from services.embedder.training import int8
from services.embedder.training.bundled import recipes
from services.embedder.training.exporting import converted
from services.embedder.training.folders import drawn, finish, whole

SIDE = 224

CALIBRATED_ON = 100


def teacher(weights: Path | None) -> Any:
    network = keras.applications.MobileNetV2(
        (SIDE, SIDE, 3), include_top=False, pooling="avg", weights=None
    )
    if weights is not None:
        network.load_weights(weights)
    return network


def resnet() -> Any:
    return keras.applications.ResNet50(
        input_shape=(SIDE, SIDE, 3), include_top=False, pooling="avg", weights=None
    )


def of_pictures(network: Any) -> Any:
    pictures = keras.Input(batch_shape=(1, SIDE, SIDE, 3), dtype="uint8")
    prepared = keras.ops.cast(pictures, "float32") / 127.5 - 1
    return keras.Model(pictures, network(prepared, training=False))


def write(network: Any, name: str, weights: str, out: Path) -> None:
    """With what a model has: content alone, and drawn pictures to check itself on."""
    data, preprocessing = converted(network), Preprocessing(SIDE)
    with whole(out / name) as folder:
        (folder / WEIGHTS).write_bytes(data)
        manifest = Manifest(
            name=name,
            version="0",
            variant=FP32,
            weights_sha256=hashlib.sha256(data).hexdigest(),
            preprocessing=preprocessing,
            spaces=fingerprinted(data, preprocessing, {"content": int(network.output_shape[-1])}),
            provenance="made to be measured beside others",
            licence="that of its weights",
            sizes={WEIGHTS: len(data)},
            training={"weights": weights},
        )
        finish(folder, manifest, drawn())


def main(out: Path, data: Path | None) -> None:
    keras.utils.set_random_seed(1)
    file = data / "weights" / recipes.WEIGHTS[recipes.TEACHER] if data else None
    weights = file if file is not None and file.is_file() else None
    name, network = f"{recipes.TEACHER}-raw", of_pictures(teacher(weights))
    write(network, name, weights.name if weights else RANDOM, out)
    if data and weights:
        # Not of random weights: their numbers are so small that eight bits have none of them left.
        pictures = int8.samples(data / "clothing" / "train", CALIBRATED_ON)
        int8.beside(out / name, network, pictures)
    write(of_pictures(resnet()), "resnet50-raw", RANDOM, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else None)
