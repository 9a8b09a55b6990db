"""What a classifier is learnt on: a backbone of Keras, or a model that is here already.

A backbone becomes a model with a feature layer on top; a model stays as it is, and what is learnt
becomes the head of its content space.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import keras  # type: ignore[import-untyped]  # it brings no types
import numpy as np

from services.embedder.heads import read_heads
from services.embedder.model import Manifest, Model, load
from services.embedder.networks import weights_of
from services.embedder.preprocess import Preprocessing
from services.embedder.training.backbones import SIDE, Backbone, backbone
from services.embedder.training.classifier.head import Layer, start
from services.embedder.training.exporting import About, export, export_head
from services.embedder.training.features import Extractor, Halves, of_model
from shared.errors import Invalid
from shared.trainings import ClassifierRequest
from shared.vectors import Floats


class Learner(Protocol):
    """A frozen network, where learning begins on top of it, and how it becomes a model."""

    extractor: Extractor
    backbone: Backbone | None
    """None where no layer of the network can be unfrozen."""

    def start(self, values: Halves) -> Layer:
        """The layer before anything is learnt, for features like these."""
        ...

    def as_it_is(self, features: Floats) -> Floats:
        """What it would be searched by without a training."""
        ...

    def described(self) -> Mapping[str, Any]:
        """For a manifest's `training`."""
        ...

    def write(self, layer: Layer, out: Path, about: About) -> Manifest: ...


def learner(request: ClassifierRequest, parent: Path | None) -> Learner:
    """`parent`: the folder of the model that is named as backbone, or to go on from."""
    if parent is None:
        weights = Path(request.weights) if request.weights is not None else None
        return KerasLearner(backbone(request.backbone, weights, request.side or SIDE), request.dim)
    for option in ("weights", "side", "unfreeze"):
        if getattr(request, option):
            raise Invalid(
                f"{option} is for backbones of Keras: {parent.name} is a model, whose network "
                "stays as it is.",
                code="not_for_models",
            )
    return HeadLearner(parent)


class KerasLearner:
    """A backbone; `dim` numbers are kept of its features, or all where there are no more."""

    def __init__(self, made: Backbone, dim: int) -> None:
        self.backbone: Backbone | None = made
        self._made = made
        self._dim = min(dim, made.width)
        self.extractor = Extractor(Preprocessing(made.side), made.width, made.looking())

    def start(self, values: Halves) -> Layer:
        return start(values, self._dim)

    def as_it_is(self, features: Floats) -> Floats:
        return features

    def described(self) -> Mapping[str, Any]:
        made = self._made
        return {
            "backbone": made.name,
            "weights": made.weights,
            "side": made.side,
            "dim": self._dim,
        }

    def write(self, layer: Layer, out: Path, about: About) -> Manifest:
        dense = keras.layers.Dense(self._dim)
        vectors = keras.layers.UnitNormalization()(dense(self._made.network.output))
        dense.set_weights([layer.matrix, -layer.mean @ layer.matrix])
        return export(keras.Model(self._made.network.input, vectors), out, about)


class HeadLearner:
    """A model's folder; its head, if it has one, is where learning begins."""

    backbone: Backbone | None = None

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._manifest = load(folder).manifest
        _, network = weights_of(folder, self._manifest.runtime)
        self.extractor = of_model(Model(self._manifest, network()))
        dim, own = self.extractor.width, read_heads(folder).get("content")
        self._layer = (
            Layer(own.mean, own.matrix)
            if own is not None
            else Layer(np.zeros(dim, np.float32), np.eye(dim, dtype=np.float32))
        )

    def start(self, values: Halves) -> Layer:  # noqa: ARG002 - it begins where the model is
        return self._layer

    def as_it_is(self, features: Floats) -> Floats:
        return self._layer(features)

    def described(self) -> Mapping[str, Any]:
        parent = self._manifest
        return {"backbone": parent.name, "parent": parent.spaces.fingerprint}

    def write(self, layer: Layer, out: Path, about: About) -> Manifest:
        return export_head(self._folder, layer.mean, layer.matrix, out, about)
