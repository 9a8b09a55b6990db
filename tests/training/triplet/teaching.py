"""What tests ask of TensorFlow, in a process of its own: `python -m tests.training.triplet.teaching VERB`."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from tests.training.processes import answered


def ask(verb: str, *arguments: object, timeout: float = 250) -> Any:
    """What the verb below answers, in a process of its own."""
    return answered(__name__, "said", verb, *map(str, arguments), timeout=timeout)


class Losses:
    """Asked for a loss as often as a test likes, in one process."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def __call__(self, name: str, margin: float, *arrays: Any) -> tuple[float, list[list[float]]]:
        """The loss, and its slopes by the vectors."""
        self._pipe.send((name, margin, *arrays))
        loss, slopes = self._pipe.recv()
        return loss, slopes


def losses(pipe: Connection) -> None:
    """The other end of `Losses`."""
    import tensorflow as tf

    from services.embedder.training.triplet.losses import loss_of

    while True:
        name, margin, vectors, positive, negative = pipe.recv()
        seen = tf.constant(vectors, tf.float32)
        masks = tf.constant(positive, tf.bool), tf.constant(negative, tf.bool)
        with tf.GradientTape() as tape:
            tape.watch(seen)
            loss = loss_of(name, margin)(seen, *masks)
        pipe.send((float(loss), tape.gradient(loss, seen).numpy().tolist()))


def _shapes() -> Iterator[dict[str, Any]]:
    from services.embedder.training.backbones import RANDOM
    from services.embedder.training.triplet.ranking import ranking

    for name in ("ranknet", "mildnet"):
        made = ranking(name, RANDOM, side=None, dim=256, unfreeze=0, seed=1)
        layers = {layer.name: list(layer.output.shape[1:]) for layer in made.head.layers}
        vector = np.asarray(made.whole(np.full((1, 224, 224, 3), 90, np.uint8), training=False))
        yield {
            "name": name,
            "count": made.whole.count_params(),
            "projection": made.head.get_layer("projection").count_params(),
            "frozen": made.frozen.output_shape[1],
            "learnt": made.head.count_params(),
            "shapes": sorted(layers.values()),
            "length": float(np.linalg.norm(vector)),
            "dim": vector.shape[1],
        }


def pictures() -> Iterator[tuple[int, int, bytes]]:
    """Eight drawn shapes in twelve views each, as PNG: shape, view, bytes."""
    import cv2

    from services.embedder.training.drawings import draw, draw_palette, draw_pattern, draw_shape

    rng = np.random.default_rng(5)
    for shape in range(8):
        drawn = draw_shape(rng)
        for view in range(12):
            picture = draw(drawn, draw_pattern(rng), draw_palette(rng), rng)
            yield shape, view, cv2.imencode(".png", picture[..., ::-1])[1].tobytes()


def colours() -> Iterator[tuple[int, int, bytes]]:
    """Eight hues in twelve lights each, as PNG."""
    import cv2

    rng = np.random.default_rng(6)
    for hue in range(8):
        for view in range(12):
            flat = np.full((32, 32, 3), (hue * 22, *rng.integers(60, 256, 2)), np.uint8)
            picture = cv2.cvtColor(flat, cv2.COLOR_HSV2BGR) * rng.uniform(0.6, 1, (32, 32, 1))
            yield hue, view, cv2.imencode(".png", picture.astype(np.uint8))[1].tobytes()


def _subject(what: str) -> Any:
    """`shapes` or `colours`: each a category of products with one photo each.

    `other`: products of three photos. Half of them are old and told apart by shape, and the new ones
    by view alone, across shapes: what is learnt about these is wrong for the others.
    """
    from services.embedder.training.pictures import Photo
    from services.embedder.training.triplet.subjects import Subject

    photos, fresh = [], set()
    for shape, view, data in colours() if what == "colours" else pictures():
        name = f"{shape}/{view}"
        if what != "other":
            photos.append(Photo(name, str(shape), name, partial(bytes, data)))
            continue
        product = f"old{shape}/{view // 3}" if view < 6 else f"new{shape // 3}/{view}"
        fresh |= {product} if view >= 6 else set()
        photos.append(Photo(product, "c", name, partial(bytes, data)))
    return Subject(photos, frozenset(fresh) if what == "other" else None, None)


def _train(out: str, scratch: str, what: str, options: str) -> dict[str, Any]:
    from services.embedder.model import DEFAULT, folder_of
    from services.embedder.training.progress import tell_nobody
    from services.embedder.training.triplet.train import train
    from shared.errors import LookalikeError
    from shared.trainings import TripletRequest

    told = {"name": "ours", "backbone": DEFAULT, "steps": 120, "learning_rate": 1e-3}
    values = {**told, **json.loads(options)}
    rate = values.pop("learning_rate")
    request = TripletRequest(**values)
    # Any rate: what a request would refuse is how numbers go out of range in a test.
    object.__setattr__(request, "learning_rate", rate)
    try:
        trained = train(
            request,
            Path(out),
            Path(scratch),
            tell_nobody,
            gather=partial(_subject, what),
            folder=folder_of,
        )
    except LookalikeError as error:
        return {"refused": error.kind, "detail": error.detail}
    return {
        "written": trained.manifest is not None,
        "sentence": trained.sentence,
        **trained.verdict.figures,
    }


def _few_steps(name: str, scratch: str, out: str) -> dict[str, Any]:
    """A network of full size: steps on numbers by chance, and its way into a model's folder."""
    from services.embedder.training.backbones import RANDOM
    from services.embedder.training.exporting import About
    from services.embedder.training.progress import tell_nobody
    from services.embedder.training.triplet.learners import KerasLearner
    from services.embedder.training.triplet.learning import Course, learn, vectors_of
    from services.embedder.training.triplet.mining import Groups
    from services.embedder.training.triplet.ranking import ranking

    made = ranking(name, RANDOM, side=None, dim=256, unfreeze=0, seed=1)
    inputs = np.random.default_rng(1).random((8, 1, made.frozen.output_shape[1]))
    numbers = np.arange(8)
    lessons = Groups(numbers, numbers // 2, numbers * 0, numbers >= 0)
    before = vectors_of(made.learnt, inputs[:, 0])
    course = Course(steps=3, batch=8, rate=1e-3, loss="triplet", margin=0.2, seed=1)
    Path(scratch).mkdir()
    learn(made.learnt, inputs, lessons, course, scratch=Path(scratch), tell=tell_nobody)
    after = vectors_of(made.learnt, inputs[:, 0])
    about = About("ours", "1", "Nothing was learnt.")
    manifest = KerasLearner(name, made).write(Path(out), about)
    return {
        "moved": float(np.abs(after - before).max()),
        "lengths": np.linalg.norm(after, axis=1).tolist(),
        "dims": {space.name: space.dim for space in manifest.spaces.spaces},
    }


_VERBS: dict[str, Callable[..., Any]] = {
    "shapes": lambda: list(_shapes()),
    "train": _train,
    "few_steps": _few_steps,
}


def said(verb: str, *arguments: str) -> Any:
    return _VERBS[verb](*arguments)
