"""The ways of looking at a picture, and which vectors may meet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

SpaceName = Literal["content", "style", "colour"]
SPACES: tuple[SpaceName, ...] = get_args(SpaceName)


@dataclass(frozen=True, slots=True)
class Space:
    """One way of looking: its vectors have `dim` numbers, unit length, and belong to `fingerprint`."""

    name: SpaceName
    dim: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Spaces:
    """What one model gives for a picture: its spaces' vectors one after the other.

    `fingerprint` covers all of them; it is the key under which catalogue and segments keep vectors.
    """

    fingerprint: str
    spaces: tuple[Space, ...]

    @property
    def dim(self) -> int:
        """How many numbers the spaces have together."""
        return sum(space.dim for space in self.spaces)

    def slices(self) -> Mapping[SpaceName, slice]:
        """Where each space lies in the vector of all."""
        found: dict[SpaceName, slice] = {}
        start = 0
        for space in self.spaces:
            found[space.name] = slice(start, start + space.dim)
            start += space.dim
        return found
