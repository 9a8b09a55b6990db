"""Where a training stands, in one file that is replaced whole: after a kill it goes on from there."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from shared.errors import Unavailable

Arrays = Mapping[str, NDArray[Any]]


def save(path: Path, arrays: Arrays) -> None:
    """Durable once it returns; what was there before stays until then, on a full disk too."""
    half_written = path.with_name(path.name + ".part")
    try:
        with half_written.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # the stubs take them for options
            file.flush()
            os.fsync(file.fileno())
        half_written.replace(path)
    except OSError as error:
        half_written.unlink(missing_ok=True)
        raise Unavailable(
            f"What was learnt so far could not be kept in {path.parent}: {error.strerror or error}.",
            code="not_written",
        ) from error


def saved(path: Path) -> dict[str, NDArray[Any]] | None:
    """None where nothing is there, or nothing that can be read: then a training begins anew."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except FileNotFoundError:
        return None
    except (ValueError, EOFError, BadZipFile):
        return None
