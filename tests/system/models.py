"""Models made from the bundled one in a moment, without training anything."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from services.embedder.heads import Head
from services.embedder.model import BUNDLED, DEFAULT, read_manifest
from services.embedder.training.folders import with_head

PARENT = BUNDLED / DEFAULT


def turned(out: Path, *, seed: int = 1) -> Path:
    """Its content space turned: every vector differs, every similarity is the same."""
    dim = _content_dim()
    numbers = np.random.default_rng(seed).standard_normal((dim, dim))
    return _with(out, np.linalg.qr(numbers)[0])


def blinded(out: Path) -> Path:
    """Of its content space one direction is left, by which hardly anything can be told apart."""
    matrix = np.zeros((_content_dim(), _content_dim()))
    matrix[0, 0] = 1.0
    return _with(out, matrix)


def _content_dim() -> int:
    (content,) = (s for s in read_manifest(PARENT).spaces.spaces if s.name == "content")
    return content.dim


def _with(out: Path, matrix: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> Path:
    numbers = matrix.astype(np.float32)
    head = Head(np.zeros(len(numbers), dtype=np.float32), numbers)
    told = replace(read_manifest(PARENT), name=out.name, version="1")
    with_head(PARENT, out, head, told)
    return out
