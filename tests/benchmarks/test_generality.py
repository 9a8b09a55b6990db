import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.generality import FASHION, THE_TEACHER, Found, apart, line, origins, unseen
from benchmarks.quality import answered, leave_one_out, of_its_kind
from benchmarks.report import ROOT
from services.embedder.model import BUNDLED, DEFAULT, read_manifest
from services.embedder.training.bundled.recipes import DOMAINS
from shared.vectors import Floats
from tests.model_folders import turned

SMALL = replace(read_manifest(BUNDLED / DEFAULT), name="small")
KINDS = np.array(["tea", "tea", "soup", "soup"])


def directions(*degrees: float) -> Floats:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_a_photo_is_judged_by_others_and_never_by_itself() -> None:
    vectors = directions(0, 10, 12, 90)
    np.testing.assert_array_equal(of_its_kind(vectors, KINDS, 1), [1, 0, 0, 1])
    np.testing.assert_allclose(of_its_kind(vectors, KINDS, 3), [1 / 3] * 4)
    assert leave_one_out(vectors, KINDS) == 0.5


def test_a_query_is_judged_by_its_nearest_answer() -> None:
    right = answered(directions(0, 10, 80, 90), KINDS, directions(1, 50), np.array(["tea", "tea"]))
    np.testing.assert_array_equal(right, [1, 0])


def test_a_model_is_judged_on_what_its_manifest_does_not_name() -> None:
    without = {"photos": {"clothing": DOMAINS["clothing"]}}
    assert unseen(replace(SMALL, training=without)) == ["grocery", FASHION]
    assert unseen(replace(SMALL, training={"photos": dict(DOMAINS)})) == [FASHION]


def test_beside_a_model_stands_what_it_began_from_and_the_teacher_once() -> None:
    began, teacher = origins(SMALL)
    assert str(began) == "mobilenetv2-0.35 at 160"
    assert teacher == THE_TEACHER
    assert origins(replace(SMALL, name="base")) == [THE_TEACHER]


def found(*shares: float, kinds: NDArray[np.str_] = KINDS) -> Found:
    return Found(np.array(shares, np.float32), kinds)


def test_a_difference_is_surer_the_less_kinds_differ_in_it() -> None:
    none = found(0, 0, 0, 0)
    assert apart(found(1, 0, 1, 0), none) == (0.5, 0)
    more, error = apart(found(1, 1, 0, 0), none)
    assert more == 0.5
    assert error == pytest.approx(np.sqrt(2) / 4)


def test_a_line_leaves_the_teachers_cells_empty_where_it_is_what_the_model_began_from() -> None:
    assert (
        line("base", "grocery", "nearest", found(1, 1, 1, 1), [found(1, 1, 0, 0)])
        == "| base | grocery | nearest | 4 | 1.000 | 0.500 | +0.500 ± 0.354 |  |  |"
    )


def test_a_folder_that_no_recipe_made_is_refused(tmp_path: Path) -> None:
    stranger = turned(tmp_path / "stranger", name="stranger")
    command = [sys.executable, "-m", "benchmarks.generality", str(stranger)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={"LOOKALIKE_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert str(stranger) in done.stderr
