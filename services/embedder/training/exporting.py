"""A trained network as a model's folder: LiteRT, one picture a run, weights kept as float16.

What was learnt is the content space; style and colour are looked at beside it, in the same file.
"""

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import keras  # type: ignore[import-untyped]  # it brings no types
import numpy as np
import tensorflow as tf

from services.embedder.decode import Pixels
from services.embedder.heads import Head
from services.embedder.model import (
    GOLDEN_LIKENESS,
    WEIGHTS,
    Manifest,
    Model,
    fingerprinted,
    read_manifest,
)
from services.embedder.preprocess import Preprocessing
from services.embedder.training import streams
from services.embedder.training.folders import drawn, finish, whole, with_head
from shared.errors import Invalid
from shared.spaces import SpaceName
from shared.vectors import Floats

_LICENCE: Final = "as the weights that it began from, and the photos that it learnt from"

Network = Any
"""A `keras.Model`."""
Tensor = Any


@dataclass(frozen=True, slots=True)
class About:
    """What a manifest tells of a network beside what the network itself does."""

    name: str
    version: str
    provenance: str
    licence: str = _LICENCE
    training: Mapping[str, Any] = field(default_factory=dict)
    quality: Mapping[str, float] = field(default_factory=dict)


def export(
    content: Network,
    out: Path,
    about: About,
    *,
    beside: Callable[[Path], None] | None = None,
) -> Manifest:
    """`content`: uint8 (n, side, side, 3) to one vector, and to its textures where it has them.

    Refused where LiteRT computes another one.
    `beside` puts files of its own into the folder before it is there for others.
    """
    side = int(content.input_shape[1])
    network, dims = whole_network(content, side)
    preprocessing = Preprocessing(side)
    with whole(out) as folder:
        weights = converted(network)
        manifest = Manifest(
            name=about.name,
            version=about.version,
            variant="fp32",
            weights_sha256=hashlib.sha256(weights).hexdigest(),
            preprocessing=preprocessing,
            spaces=fingerprinted(weights, preprocessing, dims),
            provenance=about.provenance,
            licence=about.licence,
            sizes={WEIGHTS: len(weights)},
            training=about.training,
            quality=about.quality,
        )
        (folder / WEIGHTS).write_bytes(weights)
        _check_same(Model(manifest, weights), network, drawn())
        if beside is not None:
            beside(folder)
        return finish(folder, manifest, drawn())


def export_head(parent: Path, mean: Floats, matrix: Floats, out: Path, about: About) -> Manifest:
    """The model in `parent` with another head to its content; its network stays as it is."""
    known = read_manifest(parent)
    told = replace(
        known,
        name=about.name,
        version=about.version,
        provenance=f"{known.provenance} {about.provenance}",
        training=about.training,
        quality=about.quality,
    )
    # Lengths are unit afterwards: the scale is free, and this one keeps well in float32.
    scaled = (matrix / np.abs(matrix).max()).astype(np.float32)
    return with_head(parent, out, Head(mean, scaled), told)


def whole_network(content: Network, side: int) -> tuple[Network, dict[SpaceName, int]]:
    """One uint8 picture to [content | style | colour], and how long each is."""
    pictures = keras.Input(batch_shape=(1, side, side, 3), dtype="uint8")
    given = content(pictures, training=False)
    learnt, textures = given if isinstance(given, list) else (given, None)
    parts = [learnt, *_Looking(textures is None)(pictures, textures)]
    dims: dict[SpaceName, int] = {
        "content": int(parts[0].shape[-1]),
        "style": int(parts[1].shape[-1]),
        "colour": int(parts[2].shape[-1]),
    }
    return keras.Model(pictures, keras.ops.concatenate(parts, -1)), dims


def converted(network: Network) -> bytes:
    """By way of a SavedModel, where variables are frozen; converting Keras 3 directly gave NaNs."""
    with tempfile.TemporaryDirectory() as folder:
        network.export(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
        return bytes(converter.convert())


class _Looking(keras.layers.Layer):  # type: ignore[misc]  # Keras brings no types
    """Style and colour as part of the network; `alone`, where it has none of the early layers in it."""

    def __init__(self, alone: bool) -> None:  # noqa: FBT001 - Keras makes it again from what it was given
        super().__init__(trainable=False)
        self._early = streams.texture_network() if alone else None

    def call(self, pictures: Tensor, textures: Tensor | None = None) -> list[Tensor]:
        light = tf.cast(pictures, tf.float32)
        if pictures.shape[1] != streams.SIDE:
            light = tf.image.resize(light, (streams.SIDE, streams.SIDE))
        if self._early is not None:
            textures = self._early(light / 127.5 - 1, training=False)
        return list(streams.style_and_colour(light, textures))


def _check_same(model: Model, network: Network, pictures: list[Pixels]) -> None:
    """By the network that was trained: a golden vector only repeats what LiteRT says."""
    for picture in pictures:
        framed = model.manifest.preprocessing(picture)[None]
        expected = np.asarray(network(framed, training=False))[0]
        found = model.vector(picture)
        for name, part in model.spaces.slices().items():
            # Written so that a NaN fails as well.
            if not _likeness(found[part], expected[part]) >= GOLDEN_LIKENESS:
                raise Invalid(
                    f"The network's {name} vectors did not survive their way into LiteRT; "
                    "nothing is written. Another backbone, or other weights, may.",
                    code="not_converted",
                )


def _likeness(first: Floats, second: Floats) -> float:
    return float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))
