"""Vectors as numbers: every space is unit length; float32 in memory, float16 at rest.

A vector of all spaces is their vectors one after the other, in the order of `Spaces`.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from shared.errors import Invalid
from shared.spaces import SpaceName, Spaces

Floats = NDArray[np.float32]


def to_bytes(vector: Floats) -> bytes:
    """As the catalogue keeps it: little-endian float16."""
    return vector.astype("<f2").tobytes()


def from_bytes(data: bytes) -> Floats:
    """Back from float16; what comes is writable and float32."""
    return np.frombuffer(data, dtype="<f2").astype(np.float32)


def unit(vector: Floats) -> Floats:
    """The same direction at length one; a zero vector stays zero."""
    length = float(np.linalg.norm(vector))
    return vector / np.float32(length) if length > 0 else vector


def unit_spaces(vector: Floats, spaces: Spaces) -> Floats:
    """Every space of a whole vector brought to unit length."""
    whole = np.empty(spaces.dim, dtype=np.float32)
    for part in spaces.slices().values():
        whole[part] = unit(vector[part])
    return whole


def blended(vector: Floats, spaces: Spaces, weights: Mapping[SpaceName, float]) -> Floats:
    """A query whose inner product with a stored vector is the weighted mean of the spaces' cosines."""
    total = sum(abs(weight) for weight in weights.values())
    if total == 0:
        raise Invalid("A blend needs at least one weight other than zero.", code="bad_blend")
    whole = np.zeros(spaces.dim, dtype=np.float32)
    for name, part in spaces.slices().items():
        whole[part] = unit(vector[part]) * np.float32(weights.get(name, 0.0) / total)
    return whole
