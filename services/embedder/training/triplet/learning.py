"""The steps of a ranking network's training: the same, killed and begun again or not."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras  # type: ignore[import-untyped]  # it brings no types
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from services.embedder.training import saving
from services.embedder.training.progress import Progress, Tell
from services.embedder.training.triplet.losses import loss_of
from services.embedder.training.triplet.mining import Ints, Lessons
from shared.errors import Invalid
from shared.vectors import Floats

Network = Any
"""A `keras.Model`."""
Inputs = NDArray[Any]
"""What a network takes: photos x views x numbers, the plain view first."""

CHECKPOINT: Final = "checkpoint.npz"
EVERY: Final = 100
"""Steps between checkpoints: what a kill costs."""
_WARM: Final = 0.1
"""Share of the steps in which the rate rises."""
_DECAY: Final = 1e-4
_CLIP: Final = 1.0
_BLOCK: Final = 128


@dataclass(frozen=True, slots=True)
class Course:
    """How long, how fast, and by which loss."""

    steps: int
    batch: int
    rate: float
    loss: str
    margin: float
    seed: int


def learn(
    network: Network,
    inputs: Inputs,
    lessons: Lessons,
    course: Course,
    *,
    scratch: Path,
    tell: Tell,
) -> None:
    """Teaches the network in place; goes on from the checkpoint in `scratch` where there is one.

    Raises `Invalid` where the loss is no number any more.
    """
    tf.config.experimental.enable_op_determinism()
    optimiser = _optimiser(course)
    optimiser.build(network.trainable_variables)
    variables = [*network.variables, *optimiser.variables]
    at = _Place.found(scratch / CHECKPOINT, variables)
    step = _step(network, optimiser, loss_of(course.loss, course.margin))
    while at.step < course.steps:
        if not at.plan:
            rng = np.random.default_rng([course.seed, 1, at.passes])
            at.plan = lessons.plan(vectors_of(network, inputs[:, 0]), rng, course.batch)
            at.passes += 1
        batch = lessons.batch(at.plan.pop(0))
        seen = _some_views(inputs, batch.photos, np.random.default_rng([course.seed, 0, at.step]))
        loss = float(step(_as_taken(network, seen), batch.positive, batch.negative))
        if not math.isfinite(loss):
            raise diverged(at.step)
        at.step += 1
        if at.step % EVERY == 0 or at.step == course.steps:
            at.save(scratch / CHECKPOINT, variables)
        tell(Progress("learning", at.step, course.steps, {"loss": round(loss, 4)}))


def vectors_of(network: Network, inputs: Inputs) -> Floats:
    """Of one view of each photo, in order."""
    blocks = (inputs[at : at + _BLOCK] for at in range(0, len(inputs), _BLOCK))
    found = [network(_as_taken(network, block), training=False) for block in blocks]
    return np.concatenate([np.asarray(one) for one in found])


def diverged(step: int) -> Invalid:
    return Invalid(
        f"The network's numbers went out of range after {step:,} steps, and nothing is written: "
        "choose a lower --learning-rate.",
        code="diverged",
    )


def _some_views(inputs: Inputs, photos: Ints, rng: np.random.Generator) -> Inputs:
    return inputs[photos, rng.integers(inputs.shape[1], size=len(photos))]


def _as_taken(network: Network, lines: Inputs) -> Inputs:
    """Kept as halves in one line a view; pictures are whole numbers, which halves keep."""
    return lines.astype(network.input.dtype).reshape(-1, *network.input_shape[1:])


@dataclass(eq=False)
class _Place:
    """How far a training is: steps, passes over the lessons, and what is left of the last pass."""

    step: int
    passes: int
    plan: list[Ints]

    @classmethod
    def found(cls, path: Path, variables: list[Any]) -> "_Place":
        """As it was saved, the variables too; or at the beginning."""
        arrays = saving.saved(path)
        if arrays is None:
            return cls(0, 0, [])
        for number, variable in enumerate(variables):
            variable.assign(arrays[f"variable_{number}"])
        step, passes = (int(number) for number in arrays["place"])
        ends = np.cumsum(arrays["lengths"])[:-1]
        plan = np.split(arrays["members"], ends) if len(arrays["lengths"]) else []
        return cls(step, passes, plan)

    def save(self, path: Path, variables: list[Any]) -> None:
        values = {f"variable_{n}": np.asarray(one) for n, one in enumerate(variables)}
        members = np.concatenate(self.plan) if self.plan else np.empty(0, np.int64)
        lengths = np.array([len(one) for one in self.plan], np.int64)
        place = np.array([self.step, self.passes])
        told = {"place": place, "members": members, "lengths": lengths}
        saving.save(path, values | told)


def _optimiser(course: Course) -> Any:
    warm = max(1, round(course.steps * _WARM))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, course.steps - warm), warmup_target=course.rate, warmup_steps=warm
    )
    return keras.optimizers.AdamW(rate, weight_decay=_DECAY, global_clipnorm=_CLIP)


def _step(
    network: Network, optimiser: Any, loss_of_batch: Callable[[Any, Any, Any], Any]
) -> Callable[[Any, Any, Any], Any]:
    """One batch learnt from; gives its loss."""

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(inputs: Any, positive: Any, negative: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of_batch(network(inputs, training=True), positive, negative)
        gradients = tape.gradient(loss, network.trainable_variables)
        optimiser.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        return loss

    return step  # type: ignore[no-any-return]
