"""Every photo in several views, looked at once: by the teacher clean, by the student as shops have them.

The student's layers up to the frozen one never change, so that what comes out of them is kept, and
a step costs only what is taught.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras  # type: ignore[import-untyped]  # it brings no types
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from services.embedder.decode import Pixels, decode
from services.embedder.preprocess import Preprocessing
from services.embedder.training.bundled.recipes import (
    DOMAINS,
    TEACHER,
    TEACHER_SIDE,
    WEIGHTS,
    Recipe,
)
from services.embedder.training.pictures import Photo, in_folders
from services.embedder.training.progress import Progress, Tell
from services.embedder.training.views import VIEWS, cropped, distorted, shrunk

Halves = NDArray[np.float16]
Ints = NDArray[np.int64]
Network = Any
"""A `keras.Model`."""

_BATCH: Final = 12
"""Photos looked at together, each in all its views."""


@dataclass(frozen=True, eq=False, slots=True)
class Seen:
    """Line by line a photo: what the student's frozen layers and the teacher gave of its views."""

    stems: Halves
    taught: NDArray[np.float32]
    """Of unit length."""
    kinds: Ints


@dataclass(frozen=True, eq=False, slots=True)
class _Look:
    """How a photo is looked at: in which views, how large, by which network."""

    network: Network
    side: int
    views: Callable[[Pixels, np.random.Generator], list[Pixels]]


def network_of(backbone: str, side: int, data: Path) -> Network:
    """MobileNetV2 without its classifier, for pictures from -1 to 1."""
    alpha = float(backbone.rpartition("-")[2])
    network = keras.applications.MobileNetV2(
        (side, side, 3), alpha=alpha, include_top=False, weights=None
    )
    network.load_weights(data / "weights" / WEIGHTS[backbone])
    return network


def looked_at(
    data: Path, recipe: Recipe, domains: Sequence[str], scratch: Path, tell: Tell
) -> Seen:
    """All photos of these domains; each domain is looked at once, and kept in `scratch`."""
    found = [_domain(data, recipe, name, scratch, tell) for name in domains]
    kinds, before = [], 0
    for one in found:
        kinds.append(one.kinds + before)
        before = int(kinds[-1].max()) + 1
    return Seen(
        np.concatenate([one.stems for one in found]),
        np.concatenate([one.taught for one in found]),
        np.concatenate(kinds),
    )


def _domain(data: Path, recipe: Recipe, domain: str, scratch: Path, tell: Tell) -> Seen:
    photos = in_folders(data / DOMAINS[domain])
    kinds = np.unique([photo.category for photo in photos], return_inverse=True)[1]
    student = scratch / f"{recipe.name}-{recipe.frozen}-{domain}.npy"
    teacher = scratch / f"teacher-{domain}.npy"
    if not student.is_file():
        stem = _frozen(network_of(recipe.backbone, recipe.side, data), recipe.frozen)
        _keep(student, photos, _Look(stem, recipe.side, _as_shops_have_them), tell)
    if not teacher.is_file():
        features = _pooled(network_of(TEACHER, TEACHER_SIDE, data))
        _keep(teacher, photos, _Look(features, TEACHER_SIDE, _clean), tell)
    taught = np.load(teacher).astype(np.float32)
    taught /= np.linalg.norm(taught, axis=-1, keepdims=True)
    return Seen(np.load(student), taught, kinds)


def _frozen(network: Network, layer: str) -> Network:
    return keras.Model(network.input, network.get_layer(layer).output)


def _pooled(network: Network) -> Network:
    return keras.Model(network.input, keras.layers.GlobalAveragePooling2D()(network.output))


def _clean(pixels: Pixels, rng: np.random.Generator) -> list[Pixels]:
    """Whole, three crops, once shrunk: the same as the student sees, for the same lot."""
    return [pixels, *(cropped(pixels, rng) for _ in range(VIEWS - 2)), shrunk(pixels, rng)]


def _as_shops_have_them(pixels: Pixels, rng: np.random.Generator) -> list[Pixels]:
    whole, *others = _clean(pixels, rng)
    return [whole, *(distorted(view, rng) for view in others)]


def _keep(path: Path, photos: Sequence[Photo], look: _Look, tell: Tell) -> None:
    """What a network gives of every view, in a file that is there whole or not at all."""
    given_by = tf.function(
        lambda pictures: look.network(tf.cast(pictures, tf.float32) / 127.5 - 1, training=False)
    )
    half_written = path.with_suffix(".part")
    shape = (len(photos), VIEWS, *look.network.output.shape[1:])
    kept = np.lib.format.open_memmap(half_written, "w+", np.float16, shape)
    preprocessing = Preprocessing(look.side)
    for at in range(0, len(photos), _BATCH):
        group = photos[at : at + _BATCH]
        framed = [
            preprocessing(view)
            for number, photo in enumerate(group, at)
            for view in look.views(decode(photo.read()).pixels, np.random.default_rng(number))
        ]
        given = given_by(tf.constant(np.stack(framed))).numpy()
        kept[at : at + len(group)] = given.reshape(len(group), VIEWS, *given.shape[1:])
        tell(Progress(f"looking at {path.stem}", at + len(group), len(photos)))
    kept.flush()
    half_written.replace(path)
