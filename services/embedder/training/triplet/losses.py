"""What a ranking network is taught by: losses on the cosines of a batch.

`vectors` have unit length; `positive[i, j]` says that j belongs with i, `negative[i, j]` that it does
not; what is neither says nothing. A batch without a pair to learn from costs nothing.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import tensorflow as tf

Tensor = Any
LossOf = Callable[[Tensor, Tensor, Tensor], Tensor]

_FAR: Final = 4.0
"""More than two cosines can ever differ by."""


def triplet(vectors: Tensor, positive: Tensor, negative: Tensor, *, margin: float = 0.2) -> Tensor:
    """By how much a semi-hard negative lacks `margin` to each positive pair, on average.

    Semi-hard: of what does not belong, the nearest that is farther than the positive; where all are
    nearer, the farthest of them, since the nearest of those teaches a network to collapse.
    """
    cosines = tf.linalg.matmul(vectors, vectors, transpose_b=True)
    pairs = tf.where(positive & tf.reduce_any(negative, 1, keepdims=True))
    anchor = tf.gather(cosines, pairs[:, 0])
    others = tf.gather(negative, pairs[:, 0])
    near = tf.gather_nd(cosines, pairs)
    farther = others & (anchor < near[:, None])
    semi_hard = tf.reduce_max(tf.where(farther, anchor, -_FAR), 1)
    easiest = tf.reduce_min(tf.where(others, anchor, _FAR), 1)
    against = tf.where(tf.reduce_any(farther, 1), semi_hard, easiest)
    lacking = tf.nn.relu(margin - near + against)
    return tf.math.divide_no_nan(tf.reduce_sum(lacking), tf.cast(tf.shape(pairs)[0], lacking.dtype))


def multi_similarity(
    vectors: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    margin: float = 0.1,
    alpha: float = 2.0,
    beta: float = 50.0,
    base: float = 0.5,
) -> Tensor:
    """All pairs of a batch that say something, the harder the more (Wang et al., CVPR 2019).

    A positive says something unless it is nearer than every negative by `margin`, a negative unless it
    is farther than every positive by as much; `alpha` and `beta` weigh them around the cosine `base`.
    """
    cosines = tf.linalg.matmul(vectors, vectors, transpose_b=True)
    nearest = tf.reduce_max(tf.where(negative, cosines, -_FAR), 1, keepdims=True)
    farthest = tf.reduce_min(tf.where(positive, cosines, _FAR), 1, keepdims=True)
    drawn = positive & (cosines - margin < nearest)
    pushed = negative & (cosines + margin > farthest)
    drawing = tf.where(drawn, tf.exp(-alpha * (cosines - base)), 0.0)
    pushing = tf.where(pushed, tf.exp(beta * (cosines - base)), 0.0)
    each = (
        tf.math.log1p(tf.reduce_sum(drawing, 1)) / alpha
        + tf.math.log1p(tf.reduce_sum(pushing, 1)) / beta
    )
    teaching = tf.reduce_any(positive, 1) & tf.reduce_any(negative, 1)
    each = tf.where(teaching, each, 0.0)
    count = tf.reduce_sum(tf.cast(teaching, each.dtype))
    return tf.math.divide_no_nan(tf.reduce_sum(each), count)


_LOSSES: Final[Mapping[str, Callable[..., Tensor]]] = {
    "triplet": triplet,
    "multi_similarity": multi_similarity,
}


def loss_of(name: str, margin: float) -> LossOf:
    """One of `shared.trainings.Loss` with its margin."""
    return partial(_LOSSES[name], margin=margin)
