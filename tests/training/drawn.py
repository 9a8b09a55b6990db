"""Drawn pictures in folders by category: everything of one category has one shape."""

from pathlib import Path

import numpy as np
import simplejpeg

from services.embedder.training.drawings import draw, draw_palette, draw_pattern, draw_shape


def draw_folders(folder: Path, categories: int = 3, each: int = 6, seed: int = 5) -> Path:
    """`kind/0/0.jpg` and so on; the same for the same seed."""
    rng = np.random.default_rng(seed)
    for category in range(categories):
        shape = draw_shape(rng)
        inside = folder / "kind" / str(category)
        inside.mkdir(parents=True)
        for number in range(each):
            pixels = draw(shape, draw_pattern(rng), draw_palette(rng), rng)
            data = simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=90)
            (inside / f"{number}.jpg").write_bytes(data)
    return folder
