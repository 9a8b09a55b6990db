"""The ways of looking at a picture, and which vectors may meet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

SpaceName = Literal["content", "style", "colour"]
SPACES: tuple[SpaceName, ...] = get_args(SpaceName)
SAME_PHOTO: Final[Mapping[SpaceName, float]] = {"content": 0.8, "colour": 0.92}
"""The least cosines of two savings of one photo, where hashes of both are near already.

Hashes are grey, and those of plain things the same: colour tells a red dress from the blue one.
Style changes when a photo shrinks, and judges nobody.
"""


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
