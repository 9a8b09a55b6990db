"""Closed-form fits: which directions of a descriptor tell classes apart. No steps, no chance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LinearMap:
    """`(x - middle) @ matrix`."""

    middle: Floats
    matrix: Floats


def discriminant(
    features: Floats, classes: NDArray[np.int64], dim: int, shrink: float
) -> LinearMap:
    """Linear discriminant analysis: what varies inside a class is damped, what separates is kept.

    `shrink` times the mean variance is added everywhere, so that what the classes never showed is
    neither trusted nor thrown away.
    """
    middle = features.mean(axis=0)
    means = np.stack([features[classes == one].mean(axis=0) for one in np.unique(classes)])
    within = features - means[classes]
    inside = within.T @ within / len(within)
    inside += shrink * np.trace(inside) / len(inside) * np.eye(len(inside))
    between = (means - middle).T @ (means - middle) / len(means)
    values, vectors = np.linalg.eigh(inside)
    white = vectors / np.sqrt(values)
    strongest = np.linalg.eigh(white.T @ between @ white)[1][:, ::-1][:, :dim]
    return LinearMap(middle, _signed(white @ strongest))


def _signed(matrix: Floats) -> Floats:
    """An eigenvector may come out either way round; the largest number of each is made positive."""
    largest = matrix[np.abs(matrix).argmax(axis=0), np.arange(matrix.shape[1])]
    signed: Floats = matrix * np.sign(largest)
    return signed
