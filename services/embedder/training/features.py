"""What a frozen network says of photos, asked once: several views of each, kept as float16.

Blocks are files, so that a training that was killed asks only for the rest.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.embedder.decode import Pixels
from services.embedder.model import Model
from services.embedder.preprocess import Preprocessing
from services.embedder.training.pictures import Photo, pixels_of
from services.embedder.training.progress import Progress, Tell
from services.embedder.training.saving import save, saved
from services.embedder.training.views import VIEWS, views
from shared.errors import Invalid
from shared.vectors import Floats

Halves = NDArray[np.float16]

_BLOCK: Final = 32


@dataclass(frozen=True, eq=False, slots=True)
class Extractor:
    """A frozen network: framed uint8 pictures (n, side, side, 3) to features (n, width)."""

    preprocessing: Preprocessing
    width: int
    look: Callable[[Pixels], Floats]


@dataclass(frozen=True, eq=False, slots=True)
class Features:
    """`values` has a line a photo and view; photos that cannot be read are sentences instead."""

    photos: Sequence[Photo]
    values: Halves
    unreadable: Sequence[str]


def of_model(model: Model) -> Extractor:
    """Its content vectors."""
    content = model.spaces.slices()["content"]

    def look(framed: Pixels) -> Floats:
        return np.stack([model.vector(picture)[content] for picture in framed])

    width = next(space.dim for space in model.spaces.spaces if space.name == "content")
    return Extractor(model.manifest.preprocessing, width, look)


def features(
    photos: Sequence[Photo],
    extractor: Extractor,
    scratch: Path,
    tell: Tell,
    *,
    of_each: int = VIEWS,
    stage: str = "looking",
) -> Features:
    """`of_each` views of each photo, the plain one first. The same views for the same names."""
    scratch.mkdir(parents=True, exist_ok=True)
    kept: list[Photo] = []
    values = [np.empty((0, of_each, extractor.width), np.float16)]
    unreadable: list[str] = []
    for start in range(0, len(photos), _BLOCK):
        block = photos[start : start + _BLOCK]
        tell(Progress(stage, start, len(photos)))
        found, faults = _block(block, extractor, scratch / _name(block, of_each), of_each)
        values.append(found)
        kept += [photo for photo, fault in zip(block, faults, strict=True) if not fault]
        unreadable += [f"{one.name}: {why}" for one, why in zip(block, faults, strict=True) if why]
    tell(Progress(stage, len(photos), len(photos)))
    return Features(kept, np.concatenate(values), unreadable)


def framed_views(photo: Photo, preprocessing: Preprocessing, of_each: int) -> list[Pixels] | str:
    """As the network takes them; or why there are none."""
    pixels = pixels_of(photo)
    if isinstance(pixels, str):
        return pixels
    rng = np.random.default_rng(zlib.crc32(photo.name.encode()))
    seen = views(pixels, rng) if of_each > 1 else [pixels]
    return [preprocessing(view) for view in seen[:of_each]]


def _block(
    photos: Sequence[Photo], extractor: Extractor, file: Path, of_each: int
) -> tuple[Halves, list[str]]:
    if (known := saved(file)) is not None:
        return known["values"], known["faults"].tolist()
    faults: list[str] = []
    pictures: list[Pixels] = []
    for photo in photos:
        seen = framed_views(photo, extractor.preprocessing, of_each)
        faults.append(seen if isinstance(seen, str) else "")
        pictures += [] if isinstance(seen, str) else seen
    values = _looked(pictures, extractor).reshape(-1, of_each, extractor.width)
    save(file, {"values": values, "faults": np.array(faults, np.str_)})
    return values, faults


def _looked(pictures: Sequence[Pixels], extractor: Extractor) -> Halves:
    if not pictures:
        return np.empty((0, extractor.width), np.float16)
    found = np.concatenate([extractor.look(np.stack(some)) for some in _batches(pictures)])
    if not np.isfinite(found).all():
        raise Invalid(
            "The backbone gives features that are no numbers: its weights are damaged, or of "
            "another network.",
            code="not_finite",
        )
    halves: Halves = np.clip(found, -60_000, 60_000).astype(np.float16)
    return halves


def _batches(pictures: Sequence[Pixels]) -> Iterator[Sequence[Pixels]]:
    for start in range(0, len(pictures), _BLOCK):
        yield pictures[start : start + _BLOCK]


def _name(photos: Sequence[Photo], of_each: int) -> str:
    names = "\n".join([str(of_each), *(photo.name for photo in photos)])
    return hashlib.sha256(names.encode()).hexdigest()[:24] + ".npz"
