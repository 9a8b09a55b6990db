"""The losses of TensorFlow against loops over numbers."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.embedder.training.triplet.mining import Bools
from tests.training.processes import talking
from tests.training.triplet import teaching
from tests.training.triplet.teaching import Losses

Cosines = NDArray[np.float64]


@pytest.fixture(scope="module")
def losses() -> Iterator[Losses]:
    with talking(teaching.__name__, "losses") as pipe:
        yield Losses(pipe)


def _plain_triplet(cosines: Cosines, positive: Bools, negative: Bools, margin: float) -> float:
    lacking = []
    for anchor, near in np.argwhere(positive):
        others = cosines[anchor][negative[anchor]]
        if not len(others):
            continue
        farther = others[others < cosines[anchor, near]]
        against = farther.max() if len(farther) else others.min()
        lacking.append(max(0.0, margin - cosines[anchor, near] + against))
    return float(np.mean(lacking)) if lacking else 0.0


def _plain_multi_similarity(
    cosines: Cosines, positive: Bools, negative: Bools, margin: float
) -> float:
    each = []
    for anchor in range(len(cosines)):
        near, far = cosines[anchor][positive[anchor]], cosines[anchor][negative[anchor]]
        if not len(near) or not len(far):
            continue
        drawn = near[near - margin < far.max()]
        pushed = far[far + margin > near.min()]
        each.append(
            np.log1p(np.exp(-2 * (drawn - 0.5)).sum()) / 2
            + np.log1p(np.exp(50 * (pushed - 0.5)).sum()) / 50
        )
    return float(np.mean(each)) if each else 0.0


_PLAIN = {"triplet": _plain_triplet, "multi_similarity": _plain_multi_similarity}


@pytest.mark.parametrize("name", _PLAIN)
@settings(deadline=None, max_examples=60)
@given(
    groups=st.lists(st.integers(0, 3), min_size=1, max_size=10),
    silent=st.floats(0, 1),
    margin=st.floats(0, 0.5),
    seed=st.integers(0, 10_000),
)
def test_a_loss_is_what_a_loop_would_find(
    losses: Losses, name: str, *, groups: list[int], silent: float, margin: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((len(groups), 3))
    # In the numbers that TensorFlow reckons with, so that no comparison falls the other way.
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    same = np.equal.outer(groups, groups)
    said = rng.random(same.shape) >= silent
    positive, negative = same & said & ~np.eye(len(groups), dtype=bool), ~same & said
    cosines = (vectors @ vectors.T).astype(np.float64)
    loss, slopes = losses(name, margin, vectors, positive, negative)
    assert loss == pytest.approx(_PLAIN[name](cosines, positive, negative, margin), abs=2e-4)
    assert np.isfinite(slopes).all()


@pytest.mark.parametrize("name", _PLAIN)
def test_a_step_down_a_loss_draws_together_what_belongs_together(losses: Losses, name: str) -> None:
    vectors = np.array([[1, 0, 0], [0.6, 0.8, 0], [0.8, 0, 0.6]])
    positive, negative = np.zeros((3, 3), bool), np.zeros((3, 3), bool)
    positive[0, 1] = negative[0, 2] = True
    _, slopes = losses(name, 0.2, vectors, positive, negative)
    moved = vectors - 0.1 * np.array(slopes)
    assert moved[0] @ moved[1] > vectors[0] @ vectors[1]
    assert moved[0] @ moved[2] < vectors[0] @ vectors[2]


@pytest.mark.parametrize("name", _PLAIN)
def test_a_batch_that_says_nothing_costs_nothing(losses: Losses, name: str) -> None:
    nothing = np.zeros((2, 2), bool)
    loss, slopes = losses(name, 0.2, np.eye(2), nothing, nothing)
    assert loss == 0
    assert not np.array(slopes).any()
