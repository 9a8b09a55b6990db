"""Two pictures as an import sees them: the same bytes, the same photo, or different ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from services.embedder.local import ChildEmbedder
from services.embedder.twins import NEAR, alike, likeness
from shared.errors import Invalid
from shared.seams.embedder import Embedding, Failure
from shared.spaces import SpaceName, Spaces


@dataclass(frozen=True, slots=True)
class Comparison:
    """`distance` in bits of the perceptual hash; `similarity` by space."""

    verdict: Literal["identical", "same photo", "different"]
    distance: int
    similarity: Mapping[SpaceName, float]


def compare_files(one: Path, other: Path, model: Path) -> Comparison:
    """`Invalid`, with the file's name, where one of them is no picture."""
    data = one.read_bytes(), other.read_bytes()
    with ChildEmbedder(model) as embedder:
        first, second = (
            _checked(path, found)
            for path, found in zip((one, other), embedder.embed(data), strict=True)
        )
        found = compared(first, second, embedder.spaces)
    if data[0] == data[1]:
        return Comparison("identical", found.distance, found.similarity)
    return found


def compared(one: Embedding, other: Embedding, spaces: Spaces) -> Comparison:
    distance = (int(one.phash, 16) ^ int(other.phash, 16)).bit_count()
    first, second = (np.frombuffer(each.vector, np.float32)[None] for each in (one, other))
    cosines = likeness(first, second, spaces)
    similarity = {name: round(float(cosine[0]), 4) for name, cosine in cosines.items()}
    same = distance <= NEAR and bool(alike(cosines)[0])
    return Comparison("same photo" if same else "different", distance, similarity)


def _checked(path: Path, found: Embedding | Failure) -> Embedding:
    if isinstance(found, Failure):
        raise Invalid(f"{path}: {found.detail}", code=found.code)
    return found
