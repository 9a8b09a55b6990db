"""What a model's vectors are worth, and how near a variant's are to those of the model it comes from."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.drawing import jpegs
from benchmarks.quality import leave_one_out, read
from services.embedder.decode import Pixels, decode
from services.embedder.model import Manifest, load, read_manifest
from shared.vectors import Floats

FP32 = "fp32"
RANDOM = "random"
COMPARED = 60
"""Pictures that both a variant and its model are given."""


def quality(folder: Path, data: Path | None) -> Mapping[str, float]:
    """As the manifest tells it; else how often the nearest other photo by content is of the same kind."""
    manifest = read_manifest(folder)
    if manifest.quality or data is None or manifest.training.get("weights") == RANDOM:
        return manifest.quality
    photos, kinds = _validation(data)
    content = manifest.spaces.slices()["content"]
    return {"same kind": leave_one_out(_vectors(folder, photos)[:, content], kinds)}


def remark(folder: Path, others: Collection[Path], data: Path | None) -> str:
    """Of a variant how near it is to the model that it comes from; of random weights, that they are."""
    manifest = read_manifest(folder)
    if manifest.training.get("weights") == RANDOM:
        return "random weights: its pace only"
    original = next((one for one in others if _comes_from(manifest, read_manifest(one))), None)
    if original is None:
        return ""
    told = (f"{name} {near:.3f}" for name, near in nearness(folder, original, data).items())
    return f"cosine to {FP32}: {', '.join(told)} ({'photos' if data else 'drawings'})"


def nearness(variant: Path, original: Path, data: Path | None) -> dict[str, float]:
    """The mean cosine by space, over photos that nobody learnt from, or over drawings."""
    pictures = _some(data)
    product = _vectors(variant, pictures) * _vectors(original, pictures)
    slices = read_manifest(original).spaces.slices()
    return {name: float(product[:, part].sum(axis=1).mean()) for name, part in slices.items()}


def _comes_from(variant: Manifest, model: Manifest) -> bool:
    return variant.variant != FP32 == model.variant and variant.name == model.name


def _some(data: Path | None) -> Sequence[Pixels]:
    if data is None:
        return [decode(one).pixels for one in jpegs(COMPARED)]
    photos = _validation(data)[0]
    return photos[:: max(1, len(photos) // COMPARED)]


def _vectors(folder: Path, pictures: Sequence[Pixels]) -> Floats:
    model = load(folder)
    return np.stack([model.vector(picture) for picture in pictures])


@cache
def _validation(data: Path) -> tuple[Sequence[Pixels], NDArray[np.str_]]:
    paths = sorted((data / "clothing" / "validation").rglob("*.jpg"))
    return read(paths), np.array([path.parent.name for path in paths])
