"""A small network in eight bits, and what a test asks of it; it loads TensorFlow."""

from pathlib import Path
from typing import Any

import keras  # type: ignore[import-untyped]  # it brings no types
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from services.embedder.model import WEIGHTS, load
from services.embedder.training import int8
from services.embedder.training.exporting import About, export, whole_network

SIDE = 32


def content() -> Any:
    """Convolutions, one of them added to what it was given, and a dense layer of their mean."""
    keras.utils.set_random_seed(2)
    pictures = keras.Input(batch_shape=(1, SIDE, SIDE, 3), dtype="uint8")
    prepared = keras.ops.cast(pictures, "float32") / 127.5 - 1
    stem = keras.layers.Conv2D(16, 3, 2, "same", activation="relu")(prepared)
    added = stem + keras.layers.Conv2D(16, 3, 1, "same")(stem)
    pooled = keras.layers.GlobalAveragePooling2D()(added)
    return keras.Model(pictures, keras.layers.Dense(8)(pooled))


def kinds(weights: bytes) -> dict[str, list[str]]:
    """How often each operator's answer is of each type."""
    interpreter = Interpreter(model_content=weights)
    types = {one["index"]: one["dtype"].__name__ for one in interpreter.get_tensor_details()}
    told: dict[str, list[str]] = {}
    for one in interpreter._get_ops_details():
        told.setdefault(types[one["outputs"][0]], []).append(one["op_name"])
    return told


def answers(folder: Path) -> dict[str, Any]:
    """Makes `small` and `small-int8` in the folder."""
    network = content()
    export(network, folder / "small", About("small", "1", "made up"))
    pictures = int8.samples(None, 8)
    manifest = int8.beside(folder / "small", whole_network(network, SIDE)[0], pictures)
    weights = (folder / "small-int8" / WEIGHTS).read_bytes()
    vectors = [[m.vector(one) for one in pictures] for m in map(load, folder.glob("small*"))]
    likeness = np.prod(vectors, axis=0)
    found = {
        name: float(likeness[:, part].sum(axis=1).mean())
        for name, part in manifest.spaces.slices().items()
    }
    return {"likeness": found, "kinds": kinds(weights)}
