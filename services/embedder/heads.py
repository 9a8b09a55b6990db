"""What adapting a model adds to its network: a linear map of a space's vectors."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast
from zipfile import BadZipFile

import numpy as np

from shared.errors import Invalid
from shared.spaces import SPACES, SpaceName
from shared.vectors import Floats

HEADS: Final = "heads.npz"
Heads = Mapping[SpaceName, "Head"]


@dataclass(frozen=True, eq=False)
class Head:
    """Vectors are taken from their `mean` on and go through a square `matrix`; length is another's."""

    mean: Floats
    matrix: Floats

    def __call__(self, vectors: Floats) -> Floats:
        """One, or a line each."""
        return np.asarray((vectors - self.mean) @ self.matrix, dtype=np.float32)

    @property
    def sha256(self) -> str:
        """Of the numbers, however they are stored."""
        numbers = (self.mean.astype("<f4").tobytes(), self.matrix.astype("<f4").tobytes())
        return hashlib.sha256(b"".join(numbers)).hexdigest()


def write_heads(folder: Path, heads: Heads) -> None:
    arrays = {f"{name}.mean": head.mean for name, head in heads.items()}
    arrays |= {f"{name}.matrix": head.matrix for name, head in heads.items()}
    np.savez(folder / HEADS, **arrays)  # type: ignore[arg-type]


def read_heads(folder: Path) -> Heads:
    """Empty where the folder has no such file; that they are the right ones, fingerprints tell."""
    path = folder / HEADS
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            names = {name.partition(".")[0] for name in arrays} & set(SPACES)
            return {
                cast("SpaceName", name): Head(arrays[f"{name}.mean"], arrays[f"{name}.matrix"])
                for name in sorted(names)
            }
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise Invalid(f"{path} cannot be read: {error}.", code="bad_model") from error
