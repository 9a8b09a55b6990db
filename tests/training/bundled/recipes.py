"""What tests ask of the bundled models' teaching; it loads TensorFlow."""

from typing import Any

import keras  # type: ignore[import-untyped]  # it brings no types
import numpy as np

from services.embedder.training.bundled.__main__ import content_of
from services.embedder.training.bundled.recipes import LAST, Recipe
from services.embedder.training.bundled.seen import Seen
from services.embedder.training.bundled.teaching import (
    as_it_came,
    as_near,
    by_photo,
    student_of,
    teach,
)
from services.embedder.training.progress import Progress
from services.embedder.training.streams import TEXTURES
from services.embedder.training.views import VIEWS

PHOTOS, KINDS = 264, 4
RECIPE = Recipe(
    "tiny", "none", 16, "frozen", steps=120, rate=1e-2, came=24, learnt=40, share=0.36, photos=16
)


def network() -> Any:
    pictures = keras.Input((16, 16, 3))
    frozen = keras.layers.Conv2D(4, 3, strides=2, activation="relu", name="frozen")(pictures)
    textures = keras.layers.ReLU(name=TEXTURES)(frozen)
    return keras.Model(pictures, keras.layers.Conv2D(64, 3, activation="relu", name=LAST)(textures))


def seen() -> Seen:
    """Kinds differ in one channel, photos of a kind in noise; the teacher sees kinds and photos."""
    rng = np.random.default_rng(3)
    kinds = np.repeat(np.arange(KINDS), PHOTOS // KINDS)
    stems = rng.random((PHOTOS, VIEWS, 7, 7, 4)) + 0.2 * np.eye(4)[kinds][:, None, None, None]
    taught = np.eye(8)[kinds][:, None] + 0.3 * rng.random((PHOTOS, VIEWS, 8))
    unit = taught / np.linalg.norm(taught, axis=-1, keepdims=True)
    return Seen(stems.astype(np.float16), unit.astype(np.float32), kinds)


def answers() -> dict[str, Any]:
    keras.utils.set_random_seed(1)
    whole, taught = network(), network()
    photos, told = seen(), list[Progress]()
    student, came = student_of(taught, RECIPE), as_it_came(whole, photos, RECIPE)
    before = [[np.asarray(one) for one in part.weights] for part in (came, student.network)]
    teach(student, photos, RECIPE, told.append)
    after = [[np.asarray(one) for one in part.weights] for part in (came, student.network)]
    first, last = (told[at].figures["loss"] for at in (0, -1))
    content = content_of(whole, came, student.network, RECIPE)
    pictures = np.random.default_rng(5).integers(256, size=(2, 1, 16, 16, 3), dtype=np.uint8)
    vectors = [np.asarray(content(picture, training=False))[0] for picture in pictures]
    apart = np.eye(8, dtype=np.float32)
    pairs = np.tile(apart[:4], (2, 1))
    return {
        "loss": (first, last),
        "moved": [_farthest(*both) for both in zip(before, after, strict=True)],
        "squares": [[float((part**2).sum()) for part in np.split(v, [24])] for v in vectors],
        "numbers": len(vectors[0]),
        "by_photo": (float(by_photo(pairs)), float(by_photo(apart))),
        "as_near": (float(as_near(pairs, pairs)), float(as_near(pairs, np.roll(apart, 1, 0)))),
    }


def _farthest(before: list[Any], after: list[Any]) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(before, after, strict=True))
