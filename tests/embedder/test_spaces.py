"""What each space is for, on drawings of another seed than any that something was fitted on."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from services.embedder.decode import Pixels
from services.embedder.model import Model, folder_of, load
from services.embedder.training.drawings import (
    Palette,
    Pattern,
    Shape,
    draw,
    draw_palette,
    draw_pattern,
    draw_shape,
)
from shared.spaces import SpaceName
from shared.vectors import Floats

KINDS, EACH = 24, 6
"""Of whatever is asked for, and pictures that show it; everything else differs."""
Ints = NDArray[np.int64]


@pytest.fixture(scope="module", params=["small", "base"])
def model(request: pytest.FixtureRequest) -> Model:
    return load(folder_of(request.param))


def _drawn(
    shape: Callable[[int], Shape],
    pattern: Callable[[int], Pattern],
    palette: Callable[[int], Palette],
) -> tuple[list[Pixels], Ints]:
    """By kind; a picture's place, dirt and ground are by lot."""
    rng = np.random.default_rng(1911)
    kinds = np.repeat(np.arange(KINDS), EACH)
    return [draw(shape(kind), pattern(kind), palette(kind), rng) for kind in kinds.tolist()], kinds


def _found(model: Model, space: SpaceName, pictures: list[Pixels], kinds: Ints) -> float:
    """The share of pictures whose nearest other shows the same."""
    vectors = _vectors(model, space, pictures)
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -2)
    return float((kinds[likeness.argmax(axis=1)] == kinds).mean())


def _vectors(model: Model, space: SpaceName, pictures: list[Pixels]) -> Floats:
    part = model.spaces.slices()[space]
    return np.stack([model.vector(picture)[part] for picture in pictures])


def test_one_pattern_on_other_things_is_found_by_style(model: Model) -> None:
    rng = np.random.default_rng(5)
    patterns = [draw_pattern(rng) for _ in range(KINDS)]
    pictures, kinds = _drawn(
        lambda _: draw_shape(rng), lambda kind: patterns[kind], lambda _: draw_palette(rng)
    )
    assert _found(model, "style", pictures, kinds) >= 0.4
    assert _found(model, "colour", pictures, kinds) <= 0.2


def test_one_palette_on_other_things_is_found_by_colour(model: Model) -> None:
    rng = np.random.default_rng(6)
    palettes = [draw_palette(rng) for _ in range(KINDS)]
    pictures, kinds = _drawn(
        lambda _: draw_shape(rng), lambda _: draw_pattern(rng), lambda kind: palettes[kind]
    )
    assert _found(model, "colour", pictures, kinds) >= 0.4
    assert _found(model, "style", pictures, kinds) <= 0.2


def test_one_thing_at_another_scale_is_found_by_content_and_colour(model: Model) -> None:
    rng = np.random.default_rng(7)
    pictures = [draw(draw_shape(rng), draw_pattern(rng), draw_palette(rng), rng) for _ in range(48)]
    smaller = [
        cv2.resize(one, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA).astype(np.uint8)
        for one in pictures
    ]
    for space in ("content", "colour"):
        likeness = _vectors(model, space, smaller) @ _vectors(model, space, pictures).T
        assert (likeness.argmax(axis=1) == np.arange(len(pictures))).mean() >= 0.9, space


def test_one_thing_in_another_colour_is_near_in_content(model: Model) -> None:
    """Nearer, taken over all, than another thing in the same colours."""
    rng = np.random.default_rng(8)
    pattern = draw_pattern(rng)
    shapes, first, second = (
        [draw_shape(rng) for _ in range(KINDS)],
        [draw_palette(rng) for _ in range(KINDS)],
        [draw_palette(rng) for _ in range(KINDS)],
    )
    ones, others = (
        _vectors(
            model,
            "content",
            [
                draw(shape, pattern, palette, rng)
                for shape, palette in zip(shapes, worn, strict=True)
            ],
        )
        for worn in (first, second)
    )
    likeness = ones @ others.T
    elsewhere = likeness[~np.eye(KINDS, dtype=bool)].mean()
    assert np.diag(likeness).mean() >= elsewhere + 0.05
