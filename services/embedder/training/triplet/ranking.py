"""Ranking networks: pictures in, one unit vector out, nearer the more alike.

Each is in two parts. `frozen` makes of pictures what never changes while `learnt` is taught, so that
it is worked out once for every photo. Networks with more outputs than an index holds end in one more
linear map to `dim` of them: it begins as an orthonormal one, which keeps cosines nearly, and learns
with the rest.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import keras  # type: ignore[import-untyped]  # it brings no types
import numpy as np

from services.embedder.training.backbones import Backbone, backbone, is_backbone
from shared.errors import Invalid
from shared.vectors import Floats

Network = Any
"""A `keras.Model`."""
SIDE: Final = 224
"""What the two networks with VGG inside are described with; they take no other."""
VGG: Final[Mapping[str, str]] = {"ranknet": "VGG19", "mildnet": "VGG16"}
_BLOCKS: Final = 5
_FEW: Final = 1e-6


@dataclass(frozen=True, eq=False)
class Ranking:
    """A network in its two parts; `open` says that groups of the frozen one's layers learn too."""

    side: int
    frozen: Network
    """uint8 pictures of `side` x `side` to a line of numbers each."""
    head: Network
    """Such lines to unit vectors."""
    weights: str
    """Of its backbone, as `Backbone` tells them."""
    open: bool

    @cached_property
    def whole(self) -> Network:
        """Pictures to unit vectors."""
        pictures = keras.Input((self.side, self.side, 3), dtype="uint8")
        return keras.Model(pictures, self.head(self.frozen(pictures)))

    @property
    def learnt(self) -> Network:
        """What is taught: the head, or all of it."""
        return self.whole if self.open else self.head

    @property
    def weighed(self) -> list[Any]:
        """Every variable that a vector depends on, in an order that is always the same."""
        return [*self.frozen.weights, *self.head.weights]


def ranking(
    name: str, weights: Path | None, *, side: int | None, dim: int, unfreeze: int, seed: int
) -> Ranking:
    """`ranknet`, `mildnet`, or any of `backbones` under one linear layer."""
    keras.utils.set_random_seed(seed)
    if name in VGG and side not in (None, SIDE):
        raise Invalid(f"{name} takes pictures of {SIDE} pixels a side, not {side}.")
    base = backbone(VGG.get(name, name), weights, side or SIDE)
    frozen, head = _PARTS.get(name, _mobile)(base, dim, seed)
    base.unfreeze(unfreeze)
    return Ranking(base.side, frozen, head, base.weights, open=unfreeze > 0)


def is_ranking(name: str) -> bool:
    """Whether `ranking` knows it; other names are those of models."""
    return name in VGG or is_backbone(name)


def begin_at(head: Network, features: Floats) -> None:
    """A linear layer begins as the directions in which the features differ most, from their middle.

    Only where a network is nothing but that layer; `features` are those of a few photos or more.
    """
    layers = [layer for layer in head.layers if layer.weights]
    if [layer.name for layer in layers] != [_EMBEDDING] or not len(features):
        return
    middle = features.mean(axis=0).astype(np.float64)
    spread = (features - middle).T @ (features - middle) / len(features)
    directions = np.linalg.eigh(spread + _FEW * np.eye(len(spread)))[1][:, ::-1]
    kernel = directions[:, : layers[0].units]
    # An eigenvector may come out either way round.
    kernel = kernel * np.where(
        kernel[np.abs(kernel).argmax(axis=0), range(kernel.shape[1])] < 0, -1, 1
    )
    layers[0].set_weights([kernel.astype(np.float32), (-middle @ kernel).astype(np.float32)])


def _mobile(base: Backbone, dim: int, seed: int) -> tuple[Network, Network]:
    """Pooled features under one linear layer."""
    if dim > base.width:
        raise Invalid(
            f"{base.name} gives {base.width} features, no {dim}: choose --dim {base.width} or less."
        )
    features = keras.Input((base.width,))
    kernel = keras.initializers.Orthogonal(seed=seed)
    vector = keras.layers.Dense(dim, kernel_initializer=kernel, name=_EMBEDDING)(features)
    return base.network, keras.Model(features, keras.layers.UnitNormalization()(vector))


def _ranknet(base: Backbone, dim: int, seed: int) -> tuple[Network, Network]:
    """Three streams: what VGG19 sees, and two coarse looks at the picture itself."""
    pictures = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    light = keras.layers.Rescaling(1 / 127.5, offset=-1)(pictures)
    coarse = [keras.layers.MaxPooling2D(size, size)(light) for size in (4, 8)]
    flat = [keras.layers.Flatten()(maps) for maps in coarse]
    parts = [base.network(pictures, training=False), *flat]
    frozen = keras.Model(pictures, keras.layers.Concatenate()(parts))

    ends = np.cumsum([part.shape[-1] for part in parts])
    seen = keras.Input((int(ends[-1]),))
    features = seen[:, : int(ends[0])]
    second = keras.layers.Reshape(coarse[0].shape[1:])(seen[:, int(ends[0]) : int(ends[1])])
    third = keras.layers.Reshape(coarse[1].shape[1:])(seen[:, int(ends[1]) :])
    looks = [
        _look(second, padding=2, pool=7, strides=4),
        _look(third, padding=1, pool=3, strides=2),
    ]
    low = keras.layers.UnitNormalization()(keras.layers.Concatenate()(looks))
    high = _dense_and_dropout(features, 4096, 0.5, seed)
    high = keras.layers.UnitNormalization()(_dense_and_dropout(high, 4096, 0.5, seed + 1))
    joined = keras.layers.Dense(4096)(keras.layers.Concatenate()([low, high]))
    described = keras.layers.UnitNormalization()(joined)
    return frozen, keras.Model(seen, _projected(described, dim, seed))


def _look(maps: Any, padding: int, pool: int, strides: int) -> Any:
    maps = keras.layers.ZeroPadding2D(4)(maps)
    maps = keras.layers.Conv2D(96, 8, strides=4)(maps)
    maps = keras.layers.ZeroPadding2D(padding)(maps)
    return keras.layers.Flatten()(keras.layers.MaxPooling2D(pool, strides)(maps))


def _mildnet(base: Backbone, dim: int, seed: int) -> tuple[Network, Network]:
    """One VGG16, whose blocks are all listened to: averages of their maps, the last first."""
    vgg = next(layer for layer in base.network.layers if isinstance(layer, keras.Model))
    blocks = [vgg.get_layer(f"block{n}_pool").output for n in range(_BLOCKS, 0, -1)]
    inner = keras.Model(vgg.input, blocks)
    pictures = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    prepared = keras.applications.vgg16.preprocess_input(keras.ops.cast(pictures, "float32"))
    maps = inner(prepared, training=False)
    means = [keras.layers.GlobalAveragePooling2D()(one) for one in maps]
    frozen = keras.Model(pictures, keras.layers.Concatenate()(means))

    seen = keras.Input((int(frozen.output_shape[-1]),))
    vector = _dense_and_dropout(seen, 512, 0.6, seed)
    vector = keras.layers.Dense(512, activation="relu")(vector)
    described = keras.layers.UnitNormalization()(vector)
    return frozen, keras.Model(seen, _projected(described, dim, seed))


def _dense_and_dropout(inputs: Any, units: int, rate: float, seed: int) -> Any:
    dense = keras.layers.Dense(units, activation="relu")(inputs)
    return keras.layers.Dropout(rate, seed=seed)(dense)


def _projected(vector: Any, dim: int, seed: int) -> Any:
    """As it is where an index can hold it."""
    if dim >= vector.shape[-1]:
        return vector
    kernel = keras.initializers.Orthogonal(seed=seed)
    dense = keras.layers.Dense(dim, use_bias=False, kernel_initializer=kernel, name="projection")
    return keras.layers.UnitNormalization()(dense(vector))


_EMBEDDING: Final = "embedding"
_PARTS: Final[Mapping[str, Callable[[Backbone, int, int], tuple[Network, Network]]]] = {
    "ranknet": _ranknet,
    "mildnet": _mildnet,
}
