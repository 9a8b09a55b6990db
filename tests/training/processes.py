"""How tests start processes that load TensorFlow."""

import os
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


def environment() -> dict[str, str]:
    """One thread: many tests share the machine."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
