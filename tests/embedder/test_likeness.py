"""What is near what, on drawings made here and, where LOOKALIKE_DATA names them, on real photos."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.quality import CHANGES, leave_one_out, raw_pixels, read
from services.embedder.model import Model, load
from shared.spaces import SPACES, SpaceName

Pixels = NDArray[Any]
Floats = NDArray[np.float32]

SHAPES = {
    "shirt": "-40,-80 40,-80 100,-30 80,0 45,-20 45,90 -45,90 -45,-20 -80,0 -100,-30",
    "trousers": "-45,-90 45,-90 55,90 15,90 0,-20 -15,90 -55,90",
    "skirt": "-30,-60 30,-60 90,70 -90,70",
    "boot": "-40,-90 10,-90 15,20 90,50 90,80 -40,80",
    "lamp": "-25,-90 25,-90 70,-10 6,-10 6,80 40,90 -40,90 -6,80 -6,-10 -70,-10",
}
COLOURS = {"red": (200, 40, 40), "green": (40, 150, 60), "blue": (40, 60, 190)}
PATTERNS = ("plain", "stripes", "dots", "checks")


def _paint(pattern: str, colour: tuple[int, int, int]) -> Pixels:
    y, x = np.mgrid[:240, :240]
    pale = {
        "plain": np.zeros((240, 240), bool),
        "stripes": y % 16 < 8,
        "dots": (x % 20 - 10) ** 2 + (y % 20 - 10) ** 2 < 30,
        "checks": (x // 12 + y // 12) % 2 == 0,
    }[pattern]
    return np.where(pale[..., None], np.array(colour) * 0.3 + 170, colour).astype(np.uint8)


def _thing(shape: str, pattern: str, colour: str) -> Pixels:
    points = np.array([point.split(",") for point in SHAPES[shape].split()], float) * 0.85 + 120
    cover = np.zeros((240, 240), np.uint8)
    cv2.fillPoly(cover, [points.round().astype(np.int32)], 1)
    return np.where(cover[..., None] == 1, _paint(pattern, COLOURS[colour]), 250).astype(np.uint8)


@pytest.fixture(scope="module")
def model() -> Model:
    return load(Path("services/embedder/models/small"))


def _likeness(model: Model, space: SpaceName, one: Pixels, other: Pixels) -> float:
    part = model.spaces.slices()[space]
    return float(model.vector(one)[part] @ model.vector(other)[part])


def _vectors(model: Model, pictures: list[Pixels]) -> Floats:
    return np.stack([model.vector(picture) for picture in pictures])


def test_the_same_shape_in_another_colour_is_near_in_content(model: Model) -> None:
    for shape in SHAPES:
        one = _thing(shape, "plain", "red")
        same = _likeness(model, "content", one, _thing(shape, "plain", "blue"))
        others = [
            _likeness(model, "content", one, _thing(other, "plain", "red"))
            for other in SHAPES
            if other != shape
        ]
        assert same > max(others), shape


def test_the_same_pattern_on_another_shape_is_near_in_style(model: Model) -> None:
    for pattern in PATTERNS:
        one = _thing("shirt", pattern, "red")
        same = _likeness(model, "style", one, _thing("skirt", pattern, "blue"))
        others = [
            _likeness(model, "style", one, _thing("shirt", other, "red"))
            for other in PATTERNS
            if other != pattern
        ]
        assert same > max(others), pattern


def test_the_same_palette_on_another_shape_is_near_in_colour(model: Model) -> None:
    for colour in COLOURS:
        one = _thing("shirt", "plain", colour)
        same = _likeness(model, "colour", one, _thing("boot", "plain", colour))
        others = [
            _likeness(model, "colour", one, _thing("shirt", "plain", other))
            for other in COLOURS
            if other != colour
        ]
        assert same > max(others) + 0.2, colour


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_saving_of_a_picture_is_nearest_to_it(
    model: Model, change: Callable[[Pixels], Pixels]
) -> None:
    pictures = [
        _thing(shape, pattern, colour)
        for shape in SHAPES
        for pattern in PATTERNS[:3]
        for colour in COLOURS
    ]
    originals = _vectors(model, pictures)
    changed = _vectors(model, [change(picture) for picture in pictures])
    nearest = (changed @ originals.T).argmax(axis=1)
    assert (nearest == np.arange(len(pictures))).mean() >= 0.95


def test_a_blank_picture_has_a_vector_too(model: Model) -> None:
    for shade in (0, 128, 255):
        vector = model.vector(np.full((50, 40, 3), shade, np.uint8))
        assert np.isfinite(vector).all()
        for space in SPACES:
            assert np.linalg.norm(vector[model.spaces.slices()[space]]) == pytest.approx(
                1, abs=1e-5
            )


@pytest.fixture(scope="module")
def photos() -> Path:
    folder = os.environ.get("LOOKALIKE_DATA")
    if not folder:
        pytest.skip("LOOKALIKE_DATA names no folder with the reference photos")
    return Path(folder) / "clothing"


def test_photos_are_found_again_after_small_changes(model: Model, photos: Path) -> None:
    paths = sorted((photos / "train").rglob("*.jpg"))
    pictures = read(paths[:: len(paths) // 300][:300])
    originals = _vectors(model, pictures)
    content = model.spaces.slices()["content"]
    for change in CHANGES.values():
        changed = _vectors(model, [change(picture) for picture in pictures])
        for part in (content, slice(None)):
            nearest = (changed[:, part] @ originals[:, part].T).argmax(axis=1)
            assert (nearest == np.arange(len(pictures))).mean() >= 0.95, (change, part)


def test_a_photo_of_clothes_is_near_others_of_its_kind(model: Model, photos: Path) -> None:
    paths = sorted((photos / "validation").rglob("*.jpg"))
    kinds = np.array([path.parent.name for path in paths])
    pictures = read(paths)
    content = _vectors(model, pictures)[:, model.spaces.slices()["content"]]
    assert leave_one_out(content, kinds) >= 0.5
    assert leave_one_out(content, kinds) >= leave_one_out(raw_pixels(pictures), kinds) + 0.1
