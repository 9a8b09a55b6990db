"""The last blocks of a backbone learn too, at a low rate, once the layers on top of it have.

Batch norm keeps the statistics that came with the weights: a few photos a step know no better ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from services.embedder.decode import Pixels
from services.embedder.preprocess import Preprocessing
from services.embedder.training.backbones import Backbone
from services.embedder.training.classifier.head import (
    Epoch,
    Ints,
    Layer,
    Learnt,
    Lesson,
    balanced,
    check_loss,
    optimizer,
    schedule,
    softmax_loss,
)
from services.embedder.training.judging import Quality
from services.embedder.training.pictures import Photo, pixels_of
from services.embedder.training.saving import save, saved
from services.embedder.training.views import some_view
from shared.vectors import Floats

_LOWER: Final = 0.1
"""Of the head's rate: what others learnt from a million pictures is not to be lost at once."""
_CHECKPOINT: Final = "unfrozen.npz"
_TOLD_EVERY: Final = 10

Arrays = list[NDArray[Any]]
Judge = Callable[[Callable[[Pixels], Floats], Layer], Quality]
"""What network and layer make of the held-out photos."""


@dataclass(frozen=True, eq=False, slots=True)
class Labelled:
    """Photos to learn from; `categories` are numbers."""

    photos: Sequence[Photo]
    categories: Ints


def unfreeze(
    backbone: Backbone,
    begun: Learnt,
    labelled: Labelled,
    judge: Judge,
    *,
    groups: int,
    lesson: Lesson,
    scratch: Path,
    told: Callable[[Epoch], None],
    tell_step: Callable[[int, int], None],
) -> Learnt:
    """The best of what it began with and of each epoch; `backbone` holds that state afterwards.

    Every epoch is saved, so that after a kill the same call goes on with the next one.
    """
    tuning = _Tuning(backbone, begun, groups, labelled, lesson)
    best, best_numbers, first = replace(begun, epoch=0), tuning.numbers(), 1
    if (state := saved(scratch / _CHECKPOINT)) is not None:
        tuning.restore(_listed(state, "now"))
        best_numbers, first = _listed(state, "best"), int(state["epoch"]) + 1
        best = tuning.learnt_with(best_numbers, judge, int(state["best_epoch"]))
    for number in range(first, lesson.epochs + 1):
        if number - 1 - best.epoch >= lesson.patience:
            break
        loss = tuning.epoch(number, tell_step)
        quality = judge(tuning.look, tuning.layer())
        told(Epoch(number, loss, tuning.rate(), quality))
        if quality.worth > best.quality.worth:
            best = Learnt(tuning.layer(), tuning.classes(), quality, number)
            best_numbers = tuning.numbers()
        save(scratch / _CHECKPOINT, _state(tuning.memory(), best_numbers, number, best.epoch))
    tuning.put(best_numbers)
    return best


class _Tuning:
    """Variables of backbone and head together, and their steps."""

    def __init__(
        self, backbone: Backbone, begun: Learnt, groups: int, labelled: Labelled, lesson: Lesson
    ) -> None:
        self._backbone = backbone
        self._labelled = labelled
        self._lesson = lesson
        self._preprocessing = Preprocessing(backbone.side)
        self._steps = max(1, round(len(labelled.photos) / lesson.batch))
        own = (begun.layer.mean, begun.layer.matrix, begun.classes)
        self._head = [tf.Variable(numbers) for numbers in own]
        self._variables = [*backbone.unfreeze(groups), *self._head]
        self._schedule = schedule(lesson.rate * _LOWER, self._steps * lesson.epochs)
        self._optimizer = optimizer(self._schedule, self._variables)
        self._learn = tf.function(self._learn_batch, reduce_retracing=True)
        self.look = backbone.looking()

    def epoch(self, number: int, tell_step: Callable[[int, int], None]) -> float:
        """The mean loss. The same photos in the same views whenever this epoch is learnt."""
        rng = np.random.default_rng([self._lesson.seed, number])
        losses = []
        for step in range(self._steps):
            if step % _TOLD_EVERY == 0:
                tell_step((number - 1) * self._steps + step, self._lesson.epochs * self._steps)
            losses.append(self._one(rng))
        return float(np.mean(losses))

    def rate(self) -> float:
        return float(self._schedule(self._optimizer.iterations))

    def layer(self) -> Layer:
        return Layer(self._head[0].numpy(), self._head[1].numpy())

    def classes(self) -> Floats:
        classes: Floats = tf.nn.l2_normalize(self._head[2], -1).numpy()
        return classes

    def numbers(self) -> Arrays:
        return [np.array(variable) for variable in self._variables]

    def put(self, numbers: Arrays) -> None:
        for variable, value in zip(self._variables, numbers, strict=True):
            variable.assign(value)

    def memory(self) -> Arrays:
        """All that the next step depends on, the optimizer's own numbers too."""
        return [np.array(one) for one in (*self._variables, *self._optimizer.variables)]

    def restore(self, memory: Arrays) -> None:
        variables = (*self._variables, *self._optimizer.variables)
        for variable, value in zip(variables, memory, strict=True):
            variable.assign(value)

    def learnt_with(self, numbers: Arrays, judge: Judge, epoch: int) -> Learnt:
        """Judged again by what it was when these were its numbers."""
        now = self.numbers()
        self.put(numbers)
        learnt = Learnt(self.layer(), self.classes(), judge(self.look, self.layer()), epoch)
        self.put(now)
        return learnt

    def _one(self, rng: np.random.Generator) -> float:
        chosen = balanced(self._labelled.categories, self._lesson.batch, rng)
        pictures = np.stack([self._seen(self._labelled.photos[one], rng) for one in chosen])
        wanted = tf.constant(self._labelled.categories[chosen])
        loss = float(self._learn(tf.constant(pictures), wanted))
        check_loss(loss, int(self._optimizer.iterations), self.rate())
        return loss

    def _seen(self, photo: Photo, rng: np.random.Generator) -> Pixels:
        pixels = pixels_of(photo)
        if isinstance(pixels, str):  # it could be read before: the file was changed since
            side = self._backbone.side
            return np.zeros((side, side, 3), np.uint8)
        return self._preprocessing(some_view(pixels, rng))

    def _learn_batch(self, pictures: Any, wanted: Any) -> Any:
        mean, matrix, classes = self._head
        with tf.GradientTape() as tape:
            features = self._backbone.network(pictures, training=False)
            vectors = tf.nn.l2_normalize(tf.linalg.matmul(features - mean, matrix), -1)
            loss = softmax_loss(vectors, classes, wanted)
        gradients = tape.gradient(loss, self._variables)
        self._optimizer.apply_gradients(zip(gradients, self._variables, strict=True))
        return loss


def _state(now: Arrays, best: Arrays, epoch: int, best_epoch: int) -> dict[str, NDArray[Any]]:
    arrays = {f"now.{number}": one for number, one in enumerate(now)}
    arrays |= {f"best.{number}": one for number, one in enumerate(best)}
    return arrays | {"epoch": np.array(epoch), "best_epoch": np.array(best_epoch)}


def _listed(state: dict[str, NDArray[Any]], what: str) -> Arrays:
    count = sum(name.startswith(f"{what}.") for name in state)
    return [state[f"{what}.{number}"] for number in range(count)]
