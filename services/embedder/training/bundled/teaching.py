"""What is learnt: to see as the teacher does, and which photos are of one kind, both at once.

Knowing kinds alone makes a network good at these kinds and worse at all others. The teacher holds
it back; what it forgets all the same is remembered by the same layers as they came, beside it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import keras  # type: ignore[import-untyped]  # it brings no types
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from services.embedder.training.bundled.recipes import LAST, Recipe
from services.embedder.training.bundled.seen import Ints, Network, Seen
from services.embedder.training.progress import Progress, Tell
from services.embedder.training.views import VIEWS

Floats = NDArray[np.float32]
Tensor = Any

_WARM: Final = 0.05
_DECAY: Final = 1e-4
_CLIP: Final = 1.0
_SHARPNESS: Final = 16.0
_NEAR: Final = 0.1
_TEACHERS_NEAR: Final = 0.05
"""Temperatures: how much nearer the nearest counts."""
_SEEING: Final = 5.0
"""What seeing as the teacher does weighs beside the kinds; and who is near whom."""
_AS_NEAR: Final = 1.5
_SAME_PHOTO: Final = 0.5
_SAID_EVERY: Final = 25


@dataclass(eq=False)
class Student:
    """`network` takes what the frozen layers give, and gives vectors."""

    network: Network
    features: Network
    head: Any


def student_of(whole: Network, recipe: Recipe) -> Student:
    """The layers after the frozen one, pooled, and a head; batch norm keeps its statistics."""
    features = pooled_after(whole, recipe.frozen)
    head = keras.layers.Dense(recipe.learnt, name="content")
    return Student(keras.Model(features.input, head(features.output)), features, head)


def pooled_after(whole: Network, frozen: str) -> Network:
    """From what the frozen layers give to the means of what the last ones see."""
    cut = whole.get_layer(frozen).output
    after = keras.Model(cut, whole.get_layer(LAST).output)
    for layer in after.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    stem = keras.Input(cut.shape[1:])
    seen = after(stem, training=False)
    return keras.Model(stem, keras.layers.GlobalAveragePooling2D()(seen))


def as_it_came(whole: Network, seen: Seen, recipe: Recipe) -> Network:
    """From what the frozen layers give to the strongest directions of what is seen untaught."""
    features = pooled_after(whole, recipe.frozen)
    some, _ = _some_of(features, seen, np.random.default_rng(recipe.seed))
    head = keras.layers.Dense(recipe.came, use_bias=False, name="came")
    network = keras.Model(features.input, head(features.output))
    head.set_weights([_strongest(_unit(some), recipe.came)])
    network.trainable = False
    return network


def teach(student: Student, seen: Seen, recipe: Recipe, tell: Tell) -> None:
    """All steps of a recipe, in place."""
    rng = np.random.default_rng(recipe.seed)
    features, chosen = _some_of(student.features, seen, rng)
    _begin_with_what_it_sees(student, features)
    lesson = _Lesson.of(student, features, chosen, seen, recipe)
    for step in range(recipe.steps):
        loss = lesson(*_batch(seen, recipe.photos, rng))
        if not np.isfinite(loss):
            raise ValueError(f"the loss of step {step} is {loss}")
        if step % _SAID_EVERY == 0 or step + 1 == recipe.steps:
            tell(Progress(f"teaching {recipe.name}", step + 1, recipe.steps, {"loss": loss}))


def _some_of(
    features: Network, seen: Seen, rng: np.random.Generator, most: int = 3500
) -> tuple[Floats, tuple[Ints, Ints]]:
    """Of photos by lot, each in a view by lot."""
    photos = rng.permutation(len(seen.kinds))[:most]
    views = rng.integers(VIEWS, size=len(photos))
    given = [
        np.asarray(features(seen.stems[photos[part], views[part]].astype(np.float32)))
        for part in np.array_split(np.arange(len(photos)), 1 + len(photos) // 64)
    ]
    return np.concatenate(given), (photos, views)


def _begin_with_what_it_sees(student: Student, features: Floats) -> None:
    """The head begins as the projection that keeps most of what the features tell."""
    unit = _unit(features)
    count = student.network.output.shape[-1]
    axes = _strongest(unit, count)
    student.head.set_weights([axes / (10 * (unit @ axes).std()), np.zeros(count)])


def _strongest(unit: Floats, count: int) -> Floats:
    """Directions, a column each."""
    return np.asarray(np.linalg.svd(unit, full_matrices=False)[2][:count].T)


@dataclass(eq=False)
class _Lesson:
    """One step; what it has beside the student is thrown away when it is over."""

    step: Callable[..., Any]

    def __call__(self, stems: Floats, taught: Floats, kinds: Ints) -> float:
        return float(self.step(stems, taught, kinds))

    @classmethod
    def of(
        cls,
        student: Student,
        features: Floats,
        chosen: tuple[Ints, Ints],
        seen: Seen,
        recipe: Recipe,
    ) -> "_Lesson":
        vectors = _unit(np.asarray(student.head(features)))
        middle = seen.taught.mean((0, 1))
        decoder = tf.Variable(_ridge(vectors, _unit(seen.taught[chosen] - middle)))
        kinds = tf.Variable(_means(vectors, seen.kinds[chosen[0]], int(seen.kinds.max()) + 1))
        variables = [*student.network.trainable_variables, decoder, kinds]
        optimiser = _optimiser(recipe)
        optimiser.build(variables)

        @tf.function  # type: ignore[untyped-decorator]
        def step(stems: Tensor, taught: Tensor, names: Tensor) -> Tensor:
            with tf.GradientTape() as tape:
                vectors = tf.math.l2_normalize(student.network(stems, training=False), -1)
                loss = (
                    by_kind(vectors, kinds, names)
                    + _SAME_PHOTO * by_photo(vectors)
                    + _SEEING * as_seen(vectors, decoder, taught - middle)
                    + _AS_NEAR * as_near(vectors, taught)
                )
            gradients = tape.gradient(loss, variables)
            optimiser.apply_gradients(zip(gradients, variables, strict=True))
            return loss

        return cls(step)


def by_kind(vectors: Tensor, kinds: Tensor, names: Tensor) -> Tensor:
    """Near the middle of its kind, and nearer those of its kind than others."""
    middles = tf.math.l2_normalize(kinds, -1)
    told = _SHARPNESS * tf.linalg.matmul(vectors, middles, transpose_b=True)
    classified = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=names, logits=told)
    others = _others(vectors)
    same = tf.cast(names[:, None] == names[None, :], tf.float32) * others
    logits = _nearness(vectors, others, _NEAR)
    log_shares = logits - tf.reduce_logsumexp(logits, 1, keepdims=True)
    count = tf.maximum(tf.reduce_sum(same, 1), 1)
    contrasted = -tf.reduce_sum(log_shares * same, 1) / count
    return tf.reduce_mean(classified) + 0.5 * tf.reduce_mean(contrasted)


def by_photo(vectors: Tensor) -> Tensor:
    """Nearest the other view of the same photo; the second half of a batch are those views."""
    count = tf.shape(vectors)[0]
    partner = tf.math.floormod(tf.range(count) + count // 2, count)
    logits = _nearness(vectors, _others(vectors), _NEAR)
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=partner, logits=logits)
    )


def as_seen(vectors: Tensor, decoder: Tensor, taught: Tensor) -> Tensor:
    """What the teacher saw can be told from the vector by a linear map."""
    told = tf.math.l2_normalize(tf.linalg.matmul(vectors, decoder), -1)
    return 1 - tf.reduce_mean(tf.reduce_sum(told * tf.math.l2_normalize(taught, -1), -1))


def as_near(vectors: Tensor, taught: Tensor) -> Tensor:
    """Who is near whom, as the teacher has it."""
    others = _others(vectors)
    ours = tf.nn.log_softmax(_nearness(vectors, others, _TEACHERS_NEAR))
    theirs = tf.nn.softmax(_nearness(taught, others, _TEACHERS_NEAR))
    apart = theirs * (tf.math.log(theirs + 1e-9) - ours) * others
    return tf.reduce_mean(tf.reduce_sum(apart, 1))


def _nearness(vectors: Tensor, others: Tensor, temperature: float) -> Tensor:
    """Nobody is near to itself."""
    return tf.linalg.matmul(vectors, vectors, transpose_b=True) / temperature - 1e9 * (1 - others)


def _others(vectors: Tensor) -> Tensor:
    return 1 - tf.eye(tf.shape(vectors)[0])


def _optimiser(recipe: Recipe) -> Any:
    rate = keras.optimizers.schedules.CosineDecay(
        1e-5,
        recipe.steps,
        warmup_target=recipe.rate,
        warmup_steps=max(1, round(_WARM * recipe.steps)),
    )
    return keras.optimizers.AdamW(rate, weight_decay=_DECAY, clipnorm=_CLIP)


def _batch(seen: Seen, photos: int, rng: np.random.Generator) -> tuple[Floats, Floats, Ints]:
    """Half by kind, every kind as often as another, half as they come; each in two views."""
    kinds = rng.integers(seen.kinds.max() + 1, size=photos // 2)
    of_kind = [rng.choice(np.flatnonzero(seen.kinds == kind)) for kind in kinds]
    any_ = rng.integers(len(seen.kinds), size=photos - len(of_kind))
    twice = np.tile(np.concatenate([of_kind, any_]), 2)
    views = rng.integers(VIEWS, size=len(twice))
    return (
        seen.stems[twice, views].astype(np.float32),
        seen.taught[twice, views],
        seen.kinds[twice],
    )


def _means(vectors: Floats, kinds: Ints, count: int) -> Floats:
    """Of each kind; the middle of all for one that was not drawn."""
    middle = vectors.mean(0)
    return np.stack(
        [
            vectors[kinds == kind].mean(0) if (kinds == kind).any() else middle
            for kind in range(count)
        ]
    )


def _ridge(inputs: Floats, outputs: Floats) -> Floats:
    """The linear map that tells the outputs best, held back a little."""
    square = inputs.T @ inputs
    held_back = square + 0.01 * np.trace(square) * np.eye(len(square))
    return np.linalg.solve(held_back, inputs.T @ outputs).astype(np.float32)


def _unit(lines: Floats) -> Floats:
    return np.asarray(lines / np.linalg.norm(lines, axis=-1, keepdims=True), dtype=np.float32)
