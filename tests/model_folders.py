"""Folders of models for tests: small, honest, and each with vectors of its own."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from services.embedder.decode import decode
from services.embedder.heads import Head, write_heads
from services.embedder.model import (
    BUNDLED,
    DEFAULT,
    GOLDEN,
    GOLDEN_VECTORS,
    Manifest,
    Model,
    fingerprinted_by,
    read_manifest,
    write_manifest,
)
from services.embedder.networks import weights_of
from shared.spaces import SpaceName


def turned(out: Path, seed: int = 1, **changes: Any) -> Path:
    """The bundled model with a head that turns its content about, so that its vectors are others."""
    shutil.copytree(BUNDLED / DEFAULT, out)
    parent = read_manifest(out)
    dim = next(space.dim for space in parent.spaces.spaces if space.name == "content")
    turn, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((dim, dim)))
    heads: dict[SpaceName, Head] = {
        "content": Head(np.zeros(dim, np.float32), turn.astype(np.float32))
    }
    write_heads(out, heads)
    dims = {space.name: space.dim for space in parent.spaces.spaces}
    spaces = fingerprinted_by(parent.weights_sha256, parent.preprocessing, dims, heads)
    told: dict[str, Any] = {"name": "turned", "version": str(seed), "spaces": spaces}
    manifest = replace(parent, **(told | changes))
    write_manifest(out, manifest)
    write_golden(out, manifest, heads)
    return out


def write_golden(folder: Path, manifest: Manifest, heads: dict[SpaceName, Head]) -> None:
    """Vectors for the pictures that are there, as this machine computes them."""
    _, network = weights_of(folder, manifest.runtime)
    model = Model(manifest, network(), heads)
    pictures = sorted((folder / GOLDEN).glob("*.png"))
    found = [model.vector(decode(picture.read_bytes()).pixels) for picture in pictures]
    np.save(folder / GOLDEN_VECTORS, np.stack(found))


def rewrite(folder: Path, **changes: Any) -> None:
    """Other words in the manifest."""
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
