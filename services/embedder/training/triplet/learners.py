"""What is taught to rank: a network of Keras, or a linear map of what a model's network gives.

A model that was trained here is gone on with as the network that it was, from numbers kept beside
it; any other, bundled or adapted, gets or goes on with a head. Both look at a photo once.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol

import keras  # type: ignore[import-untyped]  # it brings no types
import numpy as np
from numpy.typing import NDArray

from services.embedder.decode import Pixels
from services.embedder.heads import read_heads
from services.embedder.model import Manifest, Model, load
from services.embedder.networks import weights_of
from services.embedder.preprocess import Preprocessing
from services.embedder.training import saving
from services.embedder.training.backbones import RANDOM, model_or_backbone
from services.embedder.training.exporting import About, export, export_head
from services.embedder.training.features import Extractor, of_model
from services.embedder.training.folders import TRAINED, drawn
from services.embedder.training.triplet.ranking import VGG, Ranking, begin_at, is_ranking, ranking
from services.embedder.training.views import VIEWS
from shared.errors import Invalid
from shared.trainings import TripletRequest
from shared.vectors import Floats

RANKING: Final = "ranking"
"""Where a manifest's `training` says which network that was."""
_SAME: Final = 0.99
_BEGUN_AT: Final = 2_000
_BLOCK: Final = 32
_HEAD: Final = "head"

Inputs = NDArray[Any]
Network = Any


class Learner(Protocol):
    """A network with its own way to look at photos, and to become a model."""

    parent: Manifest | None
    extractor: Extractor
    """What `learnt` takes of a photo; worked out once, for it does not change."""

    @property
    def learnt(self) -> Network:
        """What the steps change: what the extractor gives to unit vectors."""
        ...

    @property
    def views(self) -> int:
        """How many of each photo it is taught by."""
        ...

    def begin(self, inputs: Inputs) -> None:
        """Called before the first step with a line of each photo; the same lines, the same start."""
        ...

    def described(self) -> dict[str, Any]:
        """For a manifest's `training`."""
        ...

    def write(self, out: Path, about: About) -> Manifest: ...


def learner(request: TripletRequest, folder: Callable[[str], Path]) -> Learner:
    """`folder` gives a model's, of the one that it goes on from or that serves as its backbone."""
    if request.from_model is None and is_ranking(request.backbone):
        weights = Path(request.weights) if request.weights is not None else None
        made = ranking(
            request.backbone,
            weights,
            side=request.side,
            dim=request.dim,
            unfreeze=request.unfreeze,
            seed=request.seed,
        )
        return KerasLearner(request.backbone, made)
    if request.from_model is not None:
        parent = folder(request.from_model)
    else:
        parent = model_or_backbone(request.backbone, folder, *VGG)
    manifest = load(parent).manifest
    if (parent / TRAINED).is_file():
        return _again(parent, manifest, request)
    return HeadLearner(parent, manifest)


class KerasLearner:
    """A ranking network; `parent` is the model that holds what it begins with, if it is none's weights."""

    def __init__(self, name: str, made: Ranking, parent: Manifest | None = None) -> None:
        self.parent = parent
        self._name = name
        self._made = made
        width = made.side * made.side * 3 if made.open else int(made.frozen.output_shape[-1])
        look = _as_they_are if made.open else self._features
        self.extractor = Extractor(Preprocessing(made.side), width, look)

    @property
    def learnt(self) -> Network:
        return self._made.learnt

    @property
    def views(self) -> int:
        """Whole pictures take room: where these are learnt from, each is seen as it is."""
        return 1 if self._made.open else VIEWS

    def begin(self, inputs: Inputs) -> None:
        if self.parent is not None:
            return
        some = inputs[:: -(-len(inputs) // _BEGUN_AT)]
        if self._made.open:
            side = self._made.side
            some = self._features(some.astype(np.uint8).reshape(-1, side, side, 3))
        begin_at(self._made.head, some.astype(np.float32))

    def described(self) -> dict[str, Any]:
        side, dim = self._made.side, int(self._made.head.output_shape[-1])
        told = {"backbone": self._name, "side": side, "dim": dim, "weights": self._made.weights}
        return {RANKING: told}

    def write(self, out: Path, about: About) -> Manifest:
        numbers = {str(n): np.asarray(one) for n, one in enumerate(self._made.weighed)}
        return export(
            self._made.whole,
            out,
            about,
            beside=lambda folder: saving.save(folder / TRAINED, numbers),
        )

    def _features(self, framed: Pixels) -> Floats:
        parts = np.array_split(framed, -(-len(framed) // _BLOCK))
        found = [np.asarray(self._made.frozen(part, training=False)) for part in parts]
        return np.concatenate(found).astype(np.float32)


class HeadLearner:
    """A square linear map of a model's content vectors; its network stays as it is."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.parent: Manifest | None = manifest
        self._folder = folder
        own = read_heads(folder).get("content")
        _, network = weights_of(folder, manifest.runtime)
        self.extractor = of_model(Model(manifest, network()))
        dim = self.extractor.width
        self._mean = own.mean if own else np.zeros(dim, np.float32)
        self._network = _linear(self._mean, own.matrix if own else np.eye(dim, dtype=np.float32))

    @property
    def learnt(self) -> Network:
        return self._network

    @property
    def views(self) -> int:
        return VIEWS

    def begin(self, inputs: Inputs) -> None:
        """As the parent's own head, or as no change at all."""

    def described(self) -> dict[str, Any]:
        return {}

    def write(self, out: Path, about: About) -> Manifest:
        matrix = np.asarray(self._network.get_layer(_HEAD).kernel)
        return export_head(self._folder, self._mean, matrix, out, about)


def _linear(mean: Floats, matrix: Floats) -> Network:
    vectors = keras.Input((len(mean),))
    dense = keras.layers.Dense(len(mean), use_bias=False, name=_HEAD)
    network = keras.Model(vectors, keras.layers.UnitNormalization()(dense(vectors - mean)))
    dense.set_weights([matrix])
    return network


def _as_they_are(framed: Pixels) -> Floats:
    return framed.reshape(len(framed), -1).astype(np.float32)


def _again(parent: Path, manifest: Manifest, request: TripletRequest) -> KerasLearner:
    """The network that the parent was made of, held against the parent before it is trusted."""
    told = manifest.training.get(RANKING, {})
    arrays = saving.saved(parent / TRAINED)
    if arrays is None or not is_ranking(str(told.get("backbone"))):
        raise _not_its_own(parent)
    made = ranking(
        told["backbone"],
        RANDOM,
        side=told["side"],
        dim=told["dim"],
        unfreeze=request.unfreeze,
        seed=request.seed,
    )
    made = replace(made, weights=told["weights"])
    try:
        for number, variable in enumerate(made.weighed):
            variable.assign(arrays[str(number)])
    except (KeyError, ValueError) as error:
        raise _not_its_own(parent) from error
    _check_same(parent, manifest, made)
    return KerasLearner(told["backbone"], made, manifest)


def _check_same(parent: Path, manifest: Manifest, made: Ranking) -> None:
    model, part = load(parent), manifest.spaces.slices()["content"]
    for picture in drawn():
        found = np.asarray(made.whole(manifest.preprocessing(picture)[None], training=False))[0]
        # Written so that a NaN fails as well.
        if not float(found @ model.vector(picture)[part]) >= _SAME:
            raise _not_its_own(parent)


def _not_its_own(parent: Path) -> Invalid:
    return Invalid(
        f"{parent / TRAINED} does not hold the network that the model beside it was made of. Take "
        f"the whole folder again from where it came; without {TRAINED} only a head can be trained.",
        code="bad_model",
    )
