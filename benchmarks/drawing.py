"""Pictures that are quickly drawn and as hard to decode as a shop's photos."""

import cv2
import numpy as np


def jpegs(count: int, side: int = 180, seed: int = 3) -> list[bytes]:
    """Blots on soft ground with some grain, about 7.5 kB each."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        rough = rng.integers(120, 255, (5, 5, 3)).astype(np.float32)
        pixels = cv2.resize(rough, (side, side), interpolation=cv2.INTER_CUBIC)
        points = rng.integers(20, side - 20, (7, 2)).astype(np.int32)
        cv2.fillPoly(pixels, [points], [int(value) for value in rng.integers(0, 200, 3)])
        grainy = np.clip(pixels + rng.normal(0, 6, pixels.shape), 0, 255).astype(np.uint8)
        made.append(cv2.imencode(".jpg", grainy, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())
    return made
