import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.generality import FASHION, THE_TEACHER, apart, line, origins, unseen
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
    found = directions(0, 10, 12, 90)
    np.testing.assert_array_equal(of_its_kind(found, KINDS, 1), [1, 0, 0, 1])
    np.testing.assert_allclose(of_its_kind(found, KINDS, 3), [1 / 3] * 4)
    assert leave_one_out(found, KINDS) == 0.5


def test_a_query_is_judged_by_its_nearest_answer() -> None:
    found = answered(directions(0, 10, 80, 90), KINDS, directions(1, 50), np.array(["tea", "tea"]))
    np.testing.assert_array_equal(found, [1, 0])


def test_a_model_is_judged_on_what_its_manifest_does_not_name() -> None:
    without = {"photos": {"clothing": DOMAINS["clothing"]}}
    assert unseen(replace(SMALL, training=without)) == ["grocery", FASHION]
    assert unseen(replace(SMALL, training={"photos": dict(DOMAINS)})) == [FASHION]


def test_beside_a_model_stands_what_it_began_from_and_the_teacher_once() -> None:
    began, teacher = origins(SMALL)
    assert str(began) == "mobilenetv2-0.35 at 160"
    assert teacher == THE_TEACHER
    assert origins(replace(SMALL, name="base")) == [THE_TEACHER]


def test_a_difference_of_the_same_photos_is_surer_than_that_of_others() -> None:
    rng = np.random.default_rng(1)
    one = (rng.random(1_000) < 0.5).astype(np.float32)
    other = one.copy()
    other[:10] = 1 - other[:10]
    more, error = apart(one, other)
    assert more == pytest.approx(one.mean() - other.mean(), abs=1e-6)
    assert error == pytest.approx(np.sqrt(10) / 1_000, rel=0.1)


def test_a_line_leaves_the_teachers_cells_empty_where_it_is_what_the_model_began_from() -> None:
    own, raw = np.ones(4, np.float32), np.array([1, 1, 0, 0], np.float32)
    assert (
        line("base", "grocery", "nearest", own, [raw])
        == "| base | grocery | nearest | 4 | 1.000 | 0.500 | +0.500 ± 0.289 |  |  |"
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
