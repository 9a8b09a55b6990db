"""Networks that others made, as models' folders: `python -m benchmarks.raw_networks OUT [DATA]`.

The teacher as it came, and ResNet50. Where DATA holds the teacher's weights it has them, and comes in eight
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
from services.embedder.training.bundled.seen import network_of
from services.embedder.training.exporting import converted
from services.embedder.training.folders import drawn, finish, whole

SIDE = recipes.TEACHER_SIDE

CALIBRATED_ON = 100


def random_teacher() -> Any:
    return keras.applications.MobileNetV2((SIDE, SIDE, 3), include_top=False, weights=None)


def resnet() -> Any:
    return keras.applications.ResNet50(input_shape=(SIDE, SIDE, 3), include_top=False, weights=None)


def of_pictures(network: Any) -> Any:
    """From a picture of bytes to the mean of the network's features."""
    pictures = keras.Input(batch_shape=(1, *network.input_shape[1:]), dtype="uint8")
    prepared = keras.ops.cast(pictures, "float32") / 127.5 - 1
    features = network(prepared, training=False)
    return keras.Model(pictures, keras.layers.GlobalAveragePooling2D()(features))


def as_it_came(backbone: str, side: int, data: Path, out: Path) -> Path:
    """The folder of one whose weights are there, for pictures of that side."""
    network = of_pictures(network_of(backbone, side, data))
    return write(network, f"{backbone}-raw", recipes.WEIGHTS[backbone], out)


def write(network: Any, name: str, weights: str, out: Path) -> Path:
    """With what a model has: content alone, and drawn pictures to check itself on."""
    data, preprocessing = converted(network), Preprocessing(network.input_shape[1])
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
    return out / name


def main(out: Path, data: Path | None) -> None:
    keras.utils.set_random_seed(1)
    if data and (data / "weights" / recipes.WEIGHTS[recipes.TEACHER]).is_file():
        folder = as_it_came(recipes.TEACHER, SIDE, data, out)
        # Not of random weights: their numbers are so small that eight bits have none of them left.
        pictures = int8.samples(data / "clothing" / "train", CALIBRATED_ON)
        int8.beside(folder, of_pictures(network_of(recipes.TEACHER, SIDE, data)), pictures)
    else:
        write(of_pictures(random_teacher()), f"{recipes.TEACHER}-raw", RANDOM, out)
    write(of_pictures(resnet()), "resnet50-raw", RANDOM, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else None)
