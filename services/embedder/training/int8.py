"""A model's variant that counts in eight bits, as a folder of its own beside the model.

    python -m services.embedder.training.int8 SAVEDMODEL MODEL OUT --pictures FOLDER|drawn

SAVEDMODEL is the whole network of MODEL as Keras exports it, which its LiteRT file no longer tells.
Convolutions and what follows them are put into eight bits, style's and colour's arithmetic is not:
it divides by numbers that eight bits round to nothing.
"""

import argparse
import hashlib
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from services.embedder.decode import Pixels, decode
from services.embedder.model import WEIGHTS, Manifest, fingerprinted, read_manifest
from services.embedder.preprocess import Preprocessing
from services.embedder.training.drawings import draw, draw_palette, draw_pattern, draw_shape
from services.embedder.training.folders import drawn, finish, whole
from services.embedder.training.pictures import in_folders

VARIANT: Final = "int8"
PICTURES: Final = 200
"""So many are looked at to know how far every layer's numbers reach."""
_SEED: Final = 23
_CONVOLUTIONS: Final = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D"})
_AFTER: Final = frozenset({"ADD", "FULLY_CONNECTED", "MEAN", "PAD"})
"""In eight bits where all that they take is what such operators answer."""

Network = Any
"""A `keras.Model`."""


def quantised(network: Network | Path, pictures: Sequence[Pixels]) -> bytes:
    """A LiteRT file that takes uint8 and gives float32, as the network does.

    `network`: one uint8 picture of its side to a vector, as `exporting.whole_network` makes it, or the
    SavedModel of one. `pictures` of any size are framed as a model's are.
    """
    if isinstance(network, Path):
        return _quantised(network, pictures)
    with tempfile.TemporaryDirectory() as folder:
        network.export(folder, verbose=False)
        return _quantised(Path(folder), pictures)


def beside(model: Path, network: Network | Path, pictures: Sequence[Pixels]) -> Manifest:
    """The variant of a model's folder, whose network this is, as a folder next to it."""
    out = model.with_name(f"{model.name}-{VARIANT}")
    return variant(model, quantised(network, pictures), out, len(pictures))


def variant(model: Path, weights: bytes, out: Path, pictures: int) -> Manifest:
    """`model` with these weights, its spaces under fingerprints of their own, as a folder `out`."""
    parent = read_manifest(model)
    with whole(out) as folder:
        (folder / WEIGHTS).write_bytes(weights)
        manifest = replace(
            parent,
            variant=VARIANT,
            weights_sha256=hashlib.sha256(weights).hexdigest(),
            spaces=fingerprinted(
                weights,
                parent.preprocessing,
                {space.name: space.dim for space in parent.spaces.spaces},
            ),
            sizes={WEIGHTS: len(weights)},
            training=dict(parent.training)
            | {"parent": parent.spaces.fingerprint, "calibrated_on": pictures},
            quality={},
        )
        return finish(folder, manifest, drawn())


def samples(folder: Path | None, count: int = PICTURES) -> list[Pixels]:
    """Photos of a folder by lot, or drawings where there is none."""
    if folder is None:
        return list(islice(_drawings(), count))
    photos = in_folders(folder)
    chosen = random.Random(_SEED).sample(photos, min(count, len(photos)))  # noqa: S311 - no secret
    return [decode(photo.read()).pixels for photo in chosen]


def _drawings() -> Iterator[Pixels]:
    rng = np.random.default_rng(_SEED)
    while True:
        yield draw(draw_shape(rng), draw_pattern(rng), draw_palette(rng), rng)


def _quantised(saved: Path, pictures: Sequence[Pixels]) -> bytes:
    plan = _plan(bytes(tf.lite.TFLiteConverter.from_saved_model(str(saved)).convert()))
    framed = [Preprocessing(plan.side)(picture)[None] for picture in pictures]
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([picture] for picture in framed)
    # Nothing is debugged: this is the one way of TensorFlow's to name what stays as it is.
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter,
        debug_dataset=converter.representative_dataset,
        debug_options=tf.lite.experimental.QuantizationDebugOptions(
            denylisted_ops=plan.kinds, denylisted_nodes=plan.names
        ),
    )
    return bytes(debugger.get_nondebug_quantized_model())


@dataclass(frozen=True, slots=True)
class _Plan:
    """The side of a network's pictures, and what of it is left as it is: whole kinds, and by name."""

    side: int
    kinds: list[str]
    names: list[str]


def _plan(weights: bytes) -> _Plan:
    interpreter = Interpreter(model_content=weights)
    named = {one["index"]: one["name"] for one in interpreter.get_tensor_details()}
    operators = interpreter._get_ops_details()  # noqa: SLF001 - no public function tells operators
    computed = {tensor for one in operators for tensor in one["outputs"]}
    counted: set[int] = set()
    left: list[str] = []
    for one in operators:
        taken = computed.intersection(one["inputs"])
        if one["op_name"] in _CONVOLUTIONS or (one["op_name"] in _AFTER and taken <= counted):
            counted.update(one["outputs"])
        elif one["op_name"] in _AFTER:
            left += [named[tensor] for tensor in one["outputs"]]
    kinds = {one["op_name"] for one in operators} - _CONVOLUTIONS - _AFTER
    side = int(interpreter.get_input_details()[0]["shape"][1])
    return _Plan(side, sorted(kinds), left)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="int8", description=__doc__)
    parser.add_argument("savedmodel", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--pictures", required=True, help="a folder of photos, or `drawn`")
    asked = parser.parse_args(arguments)
    pictures = samples(None if asked.pictures == "drawn" else Path(asked.pictures))
    weights = quantised(asked.savedmodel, pictures)
    variant(asked.model, weights, asked.out, len(pictures))


if __name__ == "__main__":
    main(sys.argv[1:])
