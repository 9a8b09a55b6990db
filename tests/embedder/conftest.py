import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

MODEL = Path("services/embedder/models/small").resolve()


@pytest.fixture
def model_folder() -> Path:
    return MODEL


@pytest.fixture
def own_model_folder(tmp_path: Path) -> Path:
    """A copy of the bundled model that a test may damage."""
    return shutil.copytree(MODEL, tmp_path / "model")


@pytest.fixture
def scene() -> NDArray[np.uint8]:
    """RGB, 96 x 64, each quarter another colour, so that every turn of it looks different."""
    pixels = np.empty((64, 96, 3), np.uint8)
    pixels[:32, :48] = (220, 30, 30)
    pixels[:32, 48:] = (30, 200, 30)
    pixels[32:, :48] = (30, 30, 220)
    pixels[32:, 48:] = (240, 240, 60)
    return pixels
