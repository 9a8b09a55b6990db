"""Pixels to a model's input. Part of the fingerprint: a change here makes other vectors."""

from dataclasses import asdict, dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


_MUCH: Final = 2 / 3
"""A picture that is made smaller than this loses something unless what is left out is averaged in."""
_RESIZED: Final = "averaged below 2/3, else interpolated"


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a picture is brought to `side` x `side`: its shape kept and padded, or stretched."""

    side: int
    frame: Literal["letterbox", "stretch"] = "letterbox"

    def described(self) -> dict[str, object]:
        """As it enters a model's fingerprint: another way of resizing makes other vectors."""
        return asdict(self) | {"resized": _RESIZED}

    def __call__(self, pixels: Pixels) -> Pixels:
        """RGB uint8 of `side` x `side`, values untouched: scaling them belongs to the network."""
        if self.frame == "stretch":
            return _resized(pixels, self.side, self.side)
        return self._letterboxed(pixels)

    def _letterboxed(self, pixels: Pixels) -> Pixels:
        height, width = pixels.shape[:2]
        scale = self.side / max(height, width)
        small = _resized(pixels, max(1, round(width * scale)), max(1, round(height * scale)))
        height, width = small.shape[:2]
        top, left = (self.side - height) // 2, (self.side - width) // 2
        below, right = self.side - height - top, self.side - width - left
        # Twenty times as fast as filling an array and writing into it.
        colour = _border_colour(small).tolist()
        framed = cv2.copyMakeBorder(
            small, top, below, left, right, cv2.BORDER_CONSTANT, value=colour
        )
        return framed.astype(np.uint8, copy=False)


def _resized(pixels: Pixels, width: int, height: int) -> Pixels:
    # Averaging keeps what is between the pixels, and takes four times as long where they are not halved.
    share = min(width / pixels.shape[1], height / pixels.shape[0])
    way = cv2.INTER_AREA if share < _MUCH else cv2.INTER_LINEAR
    return cv2.resize(pixels, (width, height), interpolation=way).astype(np.uint8, copy=False)


def _border_colour(pixels: Pixels) -> Pixels:
    """The middle value of the border's pixels, so that padding looks like background."""
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    border.partition(len(border) // 2, axis=0)
    middle: Pixels = border[len(border) // 2]
    return middle
