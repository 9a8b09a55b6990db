import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.sample.drawing import SIDE, View, draw
from lookalike.sample.kinds import KINDS
from lookalike.sample.painting import Design, paint
from lookalike.sample.palettes import COLOURS
from lookalike.sample.paths import points
from lookalike.sample.patterns import PATTERNS, tile

Picture = NDArray[np.uint8]
FORMS = ((-1.0, -1.0, -1.0), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (1.0, -1.0, 0.5))


def difference(one: Picture, other: Picture) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@pytest.mark.parametrize("kind", KINDS)
def test_a_thing_of_any_form_stands_free_in_the_middle(kind: str) -> None:
    for form in FORMS:
        opacity = paint(kind, Design(), form)[..., 3] / 255
        border = np.concatenate([opacity[0], opacity[-1], opacity[:, 0], opacity[:, -1]])
        assert border.max() == 0
        assert 0.06 < opacity.mean() < 0.75


@pytest.mark.parametrize("kind", KINDS)
def test_pattern_colour_and_form_show_on_every_kind(kind: str) -> None:
    plain = draw(kind, "plain", ("navy", "white"))
    assert plain.shape == (SIDE, SIDE, 3)
    assert plain.dtype == np.uint8
    assert difference(plain, draw(kind, "dotted", ("navy", "white"))) > 0.5
    assert difference(plain, draw(kind, "plain", ("yellow", "white"))) > 2
    assert difference(plain, draw(kind, "plain", ("navy", "white"), form=(1.0, 1.0, 1.0))) > 0.5


def test_kinds_have_silhouettes_of_their_own() -> None:
    masks = {kind: paint(kind, Design())[..., 3] > 127 for kind in KINDS}
    for one, mask in masks.items():
        for other, against in masks.items():
            overlap = (mask & against).sum() / (mask | against).sum()
            assert one == other or overlap < 0.97, (one, other)


@pytest.mark.parametrize("pattern", [name for name in PATTERNS if name != "plain"])
def test_a_pattern_repeats_without_a_seam(pattern: str) -> None:
    repeat = tile(pattern, (COLOURS["navy"], COLOURS["cream"], COLOURS["coral"])).astype(int)
    for axis in (0, 1):
        steps = np.abs(np.diff(repeat, axis=axis)).mean(axis=(1 - axis, 2))
        seam = np.abs(repeat.take(0, axis) - repeat.take(-1, axis)).mean()
        assert seam <= steps.max() + 12


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_differ_from_each_other(pattern: str) -> None:
    colours = (COLOURS["navy"], COLOURS["cream"], COLOURS["coral"])
    mine = tile(pattern, colours)
    others = [tile(name, colours) for name in PATTERNS if name != pattern]
    assert min(difference(mine, other) for other in others) > 4


def test_a_plain_thing_has_the_colour_that_was_asked_for() -> None:
    red, green, blue = draw("cushion", "plain", ("teal",))[SIDE // 2, SIDE // 2].astype(int)
    assert np.abs(np.array([red, green, blue]) - COLOURS["teal"]).max() < 40


def test_a_mirrored_view_shows_the_mirror_image() -> None:
    straight = draw("mug", "striped")
    mirrored = draw("mug", "striped", view=View(mirrored=True))
    assert difference(straight, mirrored[:, ::-1]) < difference(straight, mirrored) / 3


def test_edges_are_smooth() -> None:
    opacity = paint("ball", Design())[..., 3] / 255
    between = (opacity > 0.05) & (opacity < 0.95)
    assert between.sum() > 200


def test_a_path_is_read_like_that_of_an_svg() -> None:
    outline = points("M 0 0 L 10 0 Q 20 0 20 10 C 20 20 10 20 0 20 Z")
    assert outline[0].tolist() == [0, 0]
    assert outline[1].tolist() == [10, 0]
    assert outline[15].tolist() == pytest.approx([20, 10])
    assert outline[-1].tolist() == pytest.approx([0, 20])
