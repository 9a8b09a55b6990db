"""`lookalike model`: over a folder of the demo, and over a server."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.embedder.model import DEFAULT, read_manifest
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from tests.command.conftest import Run
from tests.model_folders import turned


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The demo's folder, as it is before anything was put in."""
    folder = tmp_path / "data"
    folder.mkdir()
    SqliteCatalogue(folder / "catalogue.sqlite").close()
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    told: dict[str, Any] = {"quality": {"precision_at_10": 0.61}}
    pace = {"pictures_per_second": 40, "processor": "one core"}
    return turned(tmp_path / "turned", seed=21, pace=pace, **told)


def test_a_folder_is_added_listed_shown_tested_and_removed(
    alone: Run, data: Path, folder: Path
) -> None:
    told = json.loads(alone("model", "add", folder, "--data", data, "--json").out)
    assert told["model"] == "turned@21"
    assert told["fingerprint"] == read_manifest(folder).spaces.fingerprint
    header, *rows = (
        line.split("\t") for line in alone("model", "list", "--data", data).out.splitlines()
    )
    listed = {row[0]: dict(zip(header, row, strict=True)) for row in rows}
    assert listed[DEFAULT]["id"] == "bundled"
    assert listed["turned"]["id"] == told["model_id"]
    assert (listed["turned"]["quality"], listed["turned"]["pace"]) == (
        "precision_at_10 0.61",
        "40/s",
    )
    for name in ("turned@21", told["model_id"]):
        shown = json.loads(alone("model", "show", name, "--data", data, "--json").out)
        assert shown["fingerprint"] == told["fingerprint"]
        assert alone("model", "test", name, "--data", data).code == 0
    assert alone("model", "remove", "turned@21", "--data", data).code == 0
    gone = alone("model", "show", "turned@21", "--data", data)
    assert (gone.code, "There is no model 'turned@21' here" in gone.err) == (1, True)


def test_a_folder_that_is_not_right_is_told_kindly(alone: Run, data: Path, folder: Path) -> None:
    weights = folder / "model.tflite"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    for ran in (alone("model", "add", folder, "--data", data), alone("model", "test", folder)):
        assert (ran.code, "is not the file that model.json describes" in ran.err) == (1, True)
    nowhere = alone("model", "add", folder, "--data", folder)
    assert (nowhere.code, nowhere.err.count("\n")) == (1, 2)


def test_a_model_is_added_to_a_server_and_removed_there(lookalike: Run, folder: Path) -> None:
    told = json.loads(lookalike("model", "add", folder, "--json").out)
    assert told["model"] == "turned@21"
    listed = json.loads(lookalike("model", "list", "--json").out)
    assert {one["name"] for one in listed} == {"base", DEFAULT, "turned"}
    shown = json.loads(lookalike("model", "show", "turned@21", "--json").out)
    assert (shown["model_id"], shown["quality"]) == (told["model_id"], {"precision_at_10": 0.61})
    assert lookalike("model", "remove", told["model_id"]).code == 0
    assert lookalike("model", "show", "turned@21").code == 1


def test_a_server_and_its_folder_tell_of_the_same_models(
    lookalike: Run, alone: Run, data: Path
) -> None:
    here, there = (
        run("model", "list", *at).out for run, at in ((alone, ["--data", data]), (lookalike, []))
    )
    assert here == there
    assert here.count("\tbundled\n") == 2


def test_what_is_bundled_is_not_removed_and_the_reason_is_told(
    lookalike: Run, alone: Run, data: Path
) -> None:
    for ran in (
        lookalike("model", "remove", DEFAULT),
        alone("model", "remove", DEFAULT, "--data", data),
    ):
        assert (ran.code, "comes with the installation" in ran.err) == (1, True)


def test_a_torn_folder_is_told_by_its_files_and_not_where_the_server_had_them(
    lookalike: Run, folder: Path
) -> None:
    weights = folder / "model.tflite"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    refused = lookalike("model", "add", folder)
    assert refused.err.splitlines()[-1].startswith("model.tflite is not the file")


def test_what_cannot_be_reembedded_with_is_told_before_anything_is_made(
    lookalike: Run, tmp_path: Path
) -> None:
    absent = lookalike("reembed", tmp_path / "nowhere")
    assert (absent.code, "there is no model.json in it" in absent.err) == (1, True)
    for name in ("nobody", "nobody@7"):
        unknown = lookalike("reembed", name)
        assert (unknown.code, "there are: base, small" in unknown.err) == (1, True)
    again = lookalike("reembed", DEFAULT)
    assert (again.code, "lookalike index create" in again.err) == (1, True)


def test_an_index_sits_an_exam_when_it_is_told_to(lookalike: Run) -> None:
    (live,) = json.loads(lookalike("index", "list", "--json").out)
    alone = lookalike("index", "examine", live["index_id"], "--json")
    told = json.loads(alone.out)
    assert (told["index"], told["state"]) == (live["index_id"], "succeeded")
    assert alone.code == {True: 0, False: 1, None: 3}[told["passed"]]
    people = lookalike("index", "examine", live["index_id"])
    assert f"index\t{live['index_id']}" in people.out
    assert lookalike("index", "examine", "idx_none").code == 1


def test_what_a_server_refuses_is_the_commands_failure(lookalike: Run, folder: Path) -> None:
    (folder / "golden" / "0.png").unlink()
    refused = lookalike("model", "add", folder)
    assert (refused.code, "a vector for each" in refused.err) == (1, True)
    unknown = lookalike("model", "add", "nobody")
    assert (unknown.code, DEFAULT in unknown.err) == (1, True)


def test_models_are_measured_against_each_other(alone: Run, folder: Path) -> None:
    ran = alone("model", "bench", DEFAULT, folder, "--pictures", 12, "--json")
    first, second = json.loads(ran.out)
    assert {first["name"], second["name"]} == {DEFAULT, "turned"}
    assert first["pictures/s"] >= second["pictures/s"] > 1
    told = alone("model", "bench", DEFAULT, folder, "--pictures", 4)
    assert "is the fastest here" in told.err


def test_embedding_takes_a_model_by_any_of_its_names(
    alone: Run,
    data: Path,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alone("model", "add", folder, "--data", data)
    monkeypatch.setenv("LOOKALIKE_DATA", str(data))
    monkeypatch.setenv("LOOKALIKE_MODEL", "turned@21")
    out = tmp_path / "vectors.npz"
    assert (
        json.loads(alone("embed", folder / "golden" / "0.png", "--out", out, "--json").out)["model"]
        == "turned@21"
    )
    assert alone("embed", folder / "golden" / "0.png", "--out", out, "--model", "other@1").code == 1
