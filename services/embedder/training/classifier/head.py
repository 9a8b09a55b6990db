"""A feature layer and a classifier, learnt on features that a frozen network gave once.

The layer begins as the features themselves, so that nothing is lost that is not gained elsewhere;
held-out products say when to stop and which state was best.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import keras  # type: ignore[import-untyped]  # it brings no types
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from services.embedder.training.features import Halves
from services.embedder.training.judging import Quality
from services.embedder.training.nearest import units
from shared.errors import Invalid
from shared.vectors import Floats

Ints = NDArray[np.int64]

SCALE: Final = 16.0
"""Cosines are multiplied by it before the softmax."""
_FITTED_ON: Final = 20_000
_WARM_UP: Final = 0.05
_STEPS_LEAST: Final = 20
"""Of an epoch, however few photos there are."""
_WEIGHT_DECAY: Final = 1e-4


@dataclass(frozen=True, eq=False, slots=True)
class Layer:
    """Features are taken from their `mean` on and go through `matrix`; then length one."""

    mean: Floats
    matrix: Floats

    def __call__(self, features: NDArray[Any]) -> Floats:
        return units(((features.astype(np.float32) - self.mean) @ self.matrix).astype(np.float32))


Judge = Callable[[Layer], Quality]
"""What a layer makes of the held-out photos."""


@dataclass(frozen=True, eq=False, slots=True)
class Taught:
    """`values` has a line a photo and view; `categories` are numbers from 0 on, none left out."""

    values: Halves
    categories: Ints


@dataclass(frozen=True, eq=False, slots=True)
class Learnt:
    """The best state by held-out products, `epoch` 0 for the start; `classes` has a unit line each."""

    layer: Layer
    classes: Floats
    quality: Quality
    epoch: int


@dataclass(frozen=True, slots=True)
class Lesson:
    """How it is learnt."""

    epochs: int
    patience: int
    batch: int
    rate: float
    seed: int


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one pass gave; told after each."""

    number: int
    loss: float
    rate: float
    quality: Quality


def start(values: Halves, dim: int) -> Layer:
    """The features as they are, in the `dim` directions that keep the most of their cosines.

    Starting whitened gains at once and overfits sooner: measured, it ends lower.
    """
    some = values[:: -(-len(values) // _FITTED_ON)].astype(np.float64)
    directions = np.linalg.eigh(some.T @ some)[1][:, ::-1][:, :dim]
    return Layer(np.zeros(values.shape[1], np.float32), directions.astype(np.float32))


def learn(
    begun: Layer, taught: Taught, judge: Judge, lesson: Lesson, told: Callable[[Epoch], None]
) -> Learnt:
    """What it began with may stay the best."""
    learning = _Learning(begun, taught, lesson)
    best = Learnt(begun, learning.classes(), judge(begun), 0)
    rng = np.random.default_rng(lesson.seed)
    for number in range(1, lesson.epochs + 1):
        loss = learning.epoch(taught, rng)
        layer = learning.layer()
        quality = judge(layer)
        told(Epoch(number, loss, learning.rate(), quality))
        if quality.worth > best.quality.worth:
            best = Learnt(layer, learning.classes(), quality, number)
        elif number - best.epoch >= lesson.patience:
            break
    return best


def balanced(categories: Ints, count: int, rng: np.random.Generator) -> Ints:
    """Photos by lot, half of them by a category by lot first, so that small ones are seen too."""
    wanted = rng.integers(categories.max() + 1, size=count // 2)
    order = np.argsort(categories, kind="stable")
    firsts = np.searchsorted(categories[order], wanted)
    lasts = np.searchsorted(categories[order], wanted, side="right")
    by_category = order[rng.integers(firsts, lasts)]
    return np.concatenate([by_category, rng.integers(len(categories), size=count - count // 2)])


def softmax_loss(vectors: Any, classes: Any, wanted: Any) -> Any:
    """Of unit vectors against unit classes, both TensorFlow's."""
    cosines = tf.linalg.matmul(vectors, tf.nn.l2_normalize(classes, -1), transpose_b=True)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=wanted, logits=SCALE * cosines)
    return tf.reduce_mean(losses)


def check_loss(loss: float, step: int, rate: float) -> None:
    if not math.isfinite(loss):
        raise Invalid(
            f"The loss is no number any more at step {step:,}, learning rate {rate:g}; nothing is "
            "written. Learn at a lower rate.",
            code="loss_not_finite",
        )


def first_classes(vectors: Floats, categories: Ints) -> Floats:
    """Each category in the middle of its photos."""
    sums = np.zeros((int(categories.max()) + 1, vectors.shape[1]), np.float32)
    np.add.at(sums, categories, vectors)
    return units(sums)


def schedule(rate: float, steps: int) -> Any:
    """Warm-up and cosine, over so many steps."""
    warm = max(1, int(steps * _WARM_UP))
    return keras.optimizers.schedules.CosineDecay(
        rate / 100, max(1, steps - warm), warmup_target=rate, warmup_steps=warm
    )


def optimizer(rates: Any, variables: Sequence[Any]) -> Any:
    made = keras.optimizers.AdamW(rates, weight_decay=_WEIGHT_DECAY, clipnorm=1.0)
    made.build(variables)
    return made


class _Learning:
    """Variables, optimizer and step; counts its steps."""

    def __init__(self, begun: Layer, taught: Taught, lesson: Lesson) -> None:
        self._batch = lesson.batch
        self._steps = max(_STEPS_LEAST, round(len(taught.values) / lesson.batch))
        self._step = 0
        classes = first_classes(begun(taught.values[:, 0]), taught.categories)
        self._variables = [tf.Variable(one) for one in (begun.mean, begun.matrix, classes)]
        self._schedule = schedule(lesson.rate, self._steps * lesson.epochs)
        self._optimizer = optimizer(self._schedule, self._variables)
        self._learn = tf.function(self._learn_batch, reduce_retracing=True)

    def epoch(self, taught: Taught, rng: np.random.Generator) -> float:
        """The mean loss over about as many photos as there are, two views of each."""
        return float(np.mean([self._one(taught, rng) for _ in range(self._steps)]))

    def _one(self, taught: Taught, rng: np.random.Generator) -> float:
        photos = np.tile(balanced(taught.categories, self._batch, rng), 2)
        views = rng.integers(taught.values.shape[1], size=len(photos))
        batch = taught.values[photos, views].astype(np.float32)
        loss = float(self._learn(tf.constant(batch), tf.constant(taught.categories[photos])))
        self._step += 1
        check_loss(loss, self._step, self.rate())
        return loss

    def _learn_batch(self, features: Any, wanted: Any) -> Any:
        mean, matrix, classes = self._variables
        with tf.GradientTape() as tape:
            vectors = tf.nn.l2_normalize(tf.linalg.matmul(features - mean, matrix), -1)
            loss = softmax_loss(vectors, classes, wanted)
        gradients = tape.gradient(loss, self._variables)
        self._optimizer.apply_gradients(zip(gradients, self._variables, strict=True))
        return loss

    def layer(self) -> Layer:
        return Layer(self._variables[0].numpy(), self._variables[1].numpy())

    def classes(self) -> Floats:
        return units(self._variables[2].numpy())

    def rate(self) -> float:
        return float(self._schedule(self._step))
