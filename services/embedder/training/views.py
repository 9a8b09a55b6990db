"""One photo in several views, so that what does not matter is seen to vary.

Whole, cropped and mirrored, shrunk onto a flat ground; all but the whole one with other light,
tilt, blur, noise and loss, as another camera, a crop by hand or a saving anew would give.
"""

from typing import Final

import cv2
import numpy as np

from services.embedder.decode import Pixels

Rng = np.random.Generator

VIEWS: Final = 5
_CROPS: Final = 3


def views(pixels: Pixels, rng: Rng) -> list[Pixels]:
    """`VIEWS` of them, RGB of any size; the first is the photo itself."""
    seen = [*(cropped(pixels, rng) for _ in range(_CROPS)), shrunk(pixels, rng)]
    return [pixels, *(distorted(view, rng) for view in seen)]


def some_view(pixels: Pixels, rng: Rng) -> Pixels:
    """One of those by lot, where a photo is looked at anew each time."""
    kind = rng.random()
    if kind < 1 / VIEWS:
        return pixels
    seen = shrunk(pixels, rng) if kind < 2 / VIEWS else cropped(pixels, rng)
    return distorted(seen, rng)


def cropped(pixels: Pixels, rng: Rng) -> Pixels:
    """55 to 95 % of each side, the shape nearly kept, mirrored half of the time."""
    height, width = pixels.shape[:2]
    share = rng.uniform(0.55, 0.95)
    tall = max(1, int(height * share))
    wide = max(1, int(width * min(0.98, share * rng.uniform(0.9, 1.1))))
    top, left = rng.integers(height - tall + 1), rng.integers(width - wide + 1)
    part = pixels[top : top + tall, left : left + wide]
    return np.ascontiguousarray(part[:, ::-1] if rng.random() < 0.5 else part)


def shrunk(pixels: Pixels, rng: Rng) -> Pixels:
    """Somewhere on a light square, as pictures of shops often are."""
    height, width = pixels.shape[:2]
    scale, side = rng.uniform(0.45, 0.8), max(height, width)
    size = max(1, int(width * scale)), max(1, int(height * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    ground = np.empty((side, side, 3), np.uint8)
    ground[:] = rng.integers(150, 256, 3) if rng.random() < 0.5 else 255
    top, left = rng.integers(side - size[1] + 1), rng.integers(side - size[0] + 1)
    ground[top : top + size[1], left : left + size[0]] = small
    return ground


def distorted(pixels: Pixels, rng: Rng) -> Pixels:
    """The same thing under another light, by another camera, saved by another program."""
    seen = _lit(pixels, rng)
    if rng.random() < 0.6:
        seen = _tilted(seen, rng.uniform(-15, 15))
    if rng.random() < 0.25:
        seen = cv2.GaussianBlur(seen, (0, 0), rng.uniform(0.5, 1.8)).astype(np.uint8)
    if rng.random() < 0.25:
        noisy = seen + rng.normal(0, rng.uniform(2, 10), seen.shape)
        seen = np.clip(noisy, 0, 255).astype(np.uint8)
    return _saved(seen, int(rng.integers(25, 90))) if rng.random() < 0.6 else seen


def _lit(pixels: Pixels, rng: Rng) -> Pixels:
    light = pixels * rng.uniform(0.75, 1.25, 3) * rng.uniform(0.8, 1.2) + rng.uniform(-15, 15)
    return np.clip(light, 0, 255).astype(np.uint8)


def _tilted(pixels: Pixels, degrees: float) -> Pixels:
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    turned = cv2.warpAffine(pixels, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return turned.astype(np.uint8, copy=False)


def _saved(pixels: Pixels, quality: int) -> Pixels:
    """Channels in their order: what JPEG does to colours is the same for blue first, nearly."""
    data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
