"""Networks that others trained, as a start: pictures in, pooled features out.

Nothing is ever downloaded: weights are a file that its owner names. What a family wants of its
input (a range, a mean, blue first) is part of the network, so that pictures are plain RGB for all.
"""

import hashlib
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import keras  # type: ignore[import-untyped]  # it brings no types
import numpy as np
import tensorflow as tf

from services.embedder.decode import Pixels
from shared import trainings
from shared.errors import Invalid, NotFound
from shared.vectors import Floats

RANDOM: Final = Path(trainings.RANDOM)
SIDE: Final = 224
"""What most weights were trained with; others are possible."""
_NAMED: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "mobilenetv2-1.0": ("MobileNetV2", {"alpha": 1.0}),
    "mobilenetv2-0.35": ("MobileNetV2", {"alpha": 0.35}),
    "efficientnet-b0": ("EfficientNetB0", {}),
    "resnet50": ("ResNet50", {}),
}
_GROUP: Final = re.compile(r".*?(?:block_?|expanded_conv_)\d+[a-z]?")
"""The part of a layer's name that it shares with the others of its block."""

Network = Any
"""A `keras.Model`."""


@dataclass(frozen=True, eq=False, slots=True)
class Backbone:
    """`network` takes uint8 RGB (n, side, side, 3) and gives features (n, width).

    Call it with `training=False`: batch norm keeps the statistics that came with its weights.
    """

    name: str
    side: int
    network: Network
    groups: tuple[tuple[Any, ...], ...]
    """Layers block by block, the last first, those of batch norm left out; all of them frozen."""
    weights: str
    """Name and hash of the file, or `random`."""

    @property
    def width(self) -> int:
        return int(self.network.output_shape[-1])

    def looking(self) -> Callable[[Pixels], Floats]:
        """Framed pictures, any number of them, to features; compiled once."""
        shape = tf.TensorSpec((None, self.side, self.side, 3), tf.uint8)
        look = tf.function(lambda seen: self.network(seen, training=False), input_signature=[shape])

        def looked(framed: Pixels) -> Floats:
            features: Floats = look(tf.constant(framed)).numpy()
            return features

        return looked

    def unfreeze(self, groups: int) -> list[Any]:
        """The variables of the last so many groups, which may learn from here on."""
        layers = [layer for group in self.groups[:groups] for layer in group]
        for layer in layers:
            layer.trainable = True
        return [variable for layer in layers for variable in layer.trainable_variables]


def is_backbone(name: str) -> bool:
    """Whether `backbone` knows it; other names are those of models."""
    return name in _NAMED or (name[:1].isupper() and callable(_made_by(name)))


def model_or_backbone(name: str, folder: Callable[[str], Path], *more: str) -> Path:
    """Of the model that `folder` knows; else what backbones there are is told, `more` among them."""
    try:
        return folder(name)
    except NotFound as error:
        raise NotFound(
            f"{error.detail} Nor is it a backbone: {', '.join([*more, *_NAMED])} are, and the "
            "classes of keras.applications.",
            code=error.kind,
        ) from error


def names() -> list[str]:
    """All that `backbone` takes."""
    return [*_NAMED, *(name for name in sorted(dir(keras.applications)) if name[0].isupper())]


def backbone(name: str, weights: Path | None, side: int = SIDE) -> Backbone:
    """`weights` is a file (.weights.h5, .keras, .h5) without the classifier, or `RANDOM`."""
    if not is_backbone(name):
        raise NotFound(f"There is no backbone {name!r}; there are: {', '.join(names())}.")
    family, options = _NAMED.get(name, (name, {}))
    if weights is None:
        raise Invalid(
            f"{name} comes without weights: name a file of them, made for "
            f"{_spelled(family, options)}, with --weights FILE; or --weights {RANDOM} to begin "
            "from random numbers, which takes far more photos.",
            code="weights_missing",
        )
    made = _made_by(family)
    base = made(
        include_top=False, weights=None, input_shape=(side, side, 3), pooling="avg", **options
    )
    if weights != RANDOM:
        _load(base, weights, f"{name} ({_spelled(family, options)})")
    base.trainable = False
    for layer in base.layers:
        layer.trainable = False
    pictures = keras.Input((side, side, 3), dtype="uint8")
    prepared = sys.modules[made.__module__].preprocess_input(keras.ops.cast(pictures, "float32"))
    network = keras.Model(pictures, base(prepared, training=False))
    return Backbone(name, side, network, _groups(base.layers), _told(weights))


def _made_by(family: str) -> Any:
    return getattr(keras.applications, family, None)


def _spelled(family: str, options: Mapping[str, Any]) -> str:
    said = [f"{name}={value}" for name, value in options.items()]
    return f"keras.applications.{family}({', '.join([*said, 'include_top=False'])})"


def _load(base: Network, weights: Path, wanted: str) -> None:
    """Whole or not at all: a file that leaves a layer as it was made is of another network."""
    if not weights.is_file():
        raise NotFound(f"{weights} is no file: --weights names the weights of {wanted}.")
    before = _kernels(base)
    try:
        with warnings.catch_warnings():
            # Keras tells of containers of its own that a file may lack; layers are checked below.
            warnings.simplefilter("ignore")
            base.load_weights(weights)
    except (ValueError, OSError, KeyError, AttributeError, BadZipFile) as error:
        raise _misfit(weights, wanted, _reason(error)) from error
    untouched = [
        name for name, kernel in _kernels(base).items() if np.array_equal(kernel, before[name])
    ]
    if untouched:
        raise _misfit(weights, wanted, f"it has none for {', '.join(untouched[:3])}")


def _kernels(base: Network) -> dict[str, np.ndarray[Any, Any]]:
    """What random numbers were drawn for: no file has the same by chance."""
    return {
        variable.path: variable.numpy() for variable in base.variables if len(variable.shape) >= 2
    }


def _reason(error: Exception) -> str:
    """In one line, without Keras' list of every layer that it concerns."""
    told = " ".join(str(error).partition("List of objects")[0].split())
    return told[:300] or repr(error)


def _misfit(weights: Path, wanted: str, reason: str) -> Invalid:
    return Invalid(
        f"{weights} does not hold the weights of {wanted}: {reason.rstrip('.')}. Name the file "
        "made for it, without the classifier (`no_top`).",
        code="weights_do_not_fit",
    )


def _groups(layers: Iterable[Any]) -> tuple[tuple[Any, ...], ...]:
    learning = [
        layer
        for layer in layers
        if layer.weights and not isinstance(layer, keras.layers.BatchNormalization)
    ]
    return tuple(tuple(group) for _, group in groupby(reversed(learning), key=_group))


def _group(layer: Any) -> str:
    block = _GROUP.match(layer.name)
    return block[0] if block else str(layer.name)


def _told(weights: Path) -> str:
    if weights == RANDOM:
        return "random"
    return f"{weights.name} ({hashlib.sha256(weights.read_bytes()).hexdigest()[:16]})"
