"""What tests ask of the bundled models' teaching; it loads TensorFlow."""

from typing import Any

import keras  # type: ignore[import-untyped]  # it brings no types
import numpy as np

from services.embedder.training.bundled.recipes import Recipe
from services.embedder.training.bundled.seen import Seen
from services.embedder.training.bundled.teaching import as_near, by_photo, student_of, teach
from services.embedder.training.progress import Progress
from services.embedder.training.views import VIEWS

PHOTOS, KINDS = 264, 4
RECIPE = Recipe("tiny", "none", 16, "frozen", steps=120, rate=1e-2, share=0.5, photos=16)


def network() -> Any:
    pictures = keras.Input((16, 16, 3))
    frozen = keras.layers.Conv2D(4, 3, strides=2, activation="relu", name="frozen")(pictures)
    return keras.Model(pictures, keras.layers.Conv2D(260, 3, activation="relu")(frozen))


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
    student, told = student_of(network(), RECIPE.frozen), list[Progress]()
    learnt = teach(student, seen(), RECIPE, told.append)
    first, last = (told[at].figures["loss"] for at in (0, -1))
    learnt.take(student, 0.25)
    variables = [np.asarray(one) for one in student.network.trainable_variables]
    between = [0.75 * a + 0.25 * b for a, b in zip(learnt.before, learnt.after, strict=True)]
    apart = np.eye(8, dtype=np.float32)
    pairs = np.tile(apart[:4], (2, 1))
    return {
        "loss": (first, last),
        "moved": float(
            max(np.abs(a - b).max() for a, b in zip(learnt.before, learnt.after, strict=True))
        ),
        "between": float(max(np.abs(a - b).max() for a, b in zip(variables, between, strict=True))),
        "by_photo": (float(by_photo(pairs)), float(by_photo(apart))),
        "as_near": (float(as_near(pairs, pairs)), float(as_near(pairs, np.roll(apart, 1, 0)))),
    }
