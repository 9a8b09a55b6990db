"""Catalogues of every kind, as the command brings them in."""

import json
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lookalike.client import uploads
from lookalike.command import watching
from lookalike.command.bringing import FEEDS
from lookalike.command.unfinished import Unfinished, usual_file
from lookalike.command.watching import line
from shared.sources.bson import encode
from tests.client.house import House
from tests.command.conftest import Run


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache, which begins empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "lookalike" / "uploads.json"


@pytest.fixture
def feed(tmp_path: Path, photos: list[Path]) -> Path:
    """Three lamps, and a line that is none."""
    import base64

    picture = base64.b64encode(photos[0].read_bytes()).decode()
    lamps = [
        {"ean": f"lamp-{number}", "name": "Lamp", "room": "Hall", "photo": {"base64": picture}}
        for number in range(3)
    ]
    file = tmp_path / "feed.jsonl"
    file.write_text("".join(json.dumps(lamp) + "\n" for lamp in lamps) + "no JSON\n")
    return file


MAPPING = '{"id": "ean", "title": "name", "category": "room", "images": "photo"}'


@pytest.mark.parametrize("kind", [*FEEDS, "folder", "imaterialist"])
def test_every_format_takes_the_same_options(kind: str, alone: Run) -> None:
    told = alone("import", kind, "--help").out
    for option in ("categories", "mapping", "sample", "dry-run", "replace", "server-path", "wait"):
        assert f"--{option} " in told
    assert ("--download" in told) == (kind == "imaterialist")


def test_a_dry_run_counts_names_what_is_bad_and_writes_nothing(lookalike: Run, feed: Path) -> None:
    done = lookalike("import", "jsonl", feed, "--mapping", MAPPING, "--dry-run", "--wait")
    assert done.code == 3
    assert "state\tpartially_succeeded, nothing was written\n" in done.out
    assert "Hall\t3\n" in done.out
    assert "is no JSON" in done.out
    assert "1 failed; with the reason each: lookalike dead list --import imp_" in done.err
    assert lookalike("product", "get", "lamp-0").code == 1


def test_a_mapping_may_lie_in_a_file(lookalike: Run, feed: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.json"
    mapping.write_text(MAPPING)
    done = lookalike(
        "import", "jsonl", feed, "--mapping", mapping, "--limit", 2, "--wait", "--json"
    )
    stated = json.loads(done.out)
    assert (stated["state"], stated["counters"]["read"]) == ("succeeded", 2)
    assert "lamp-1" in lookalike("product", "get", "lamp-1").out


def test_what_cannot_be_understood_is_told_before_anything_is_sent(
    lookalike: Run, feed: Path, tmp_path: Path
) -> None:
    missing = lookalike("import", "csv", tmp_path / "nothing.csv")
    assert (missing.code, "--server-path" in missing.err) == (2, True)
    broken = lookalike("import", "jsonl", feed, "--mapping", "{id}")
    assert (broken.code, "The mapping is no JSON" in broken.err) == (2, True)
    empty = lookalike("import", "folder", tmp_path / "nowhere")
    assert (empty.code, "nowhere" in empty.err) == (1, True)


def test_a_path_of_the_server_is_not_looked_for_here(lookalike: Run) -> None:
    for arguments in (("bson", "/nowhere/a.bson"), ("folder", "s3://nobody/pictures")):
        refused = lookalike("import", *arguments, "--server-path")
        assert refused.code == 1
        assert "--server-path" not in refused.err


def test_a_folder_is_brought_in_and_what_is_no_picture_is_named(
    lookalike: Run, tmp_path: Path, photos: list[Path]
) -> None:
    folder = tmp_path / "shelf" / "lamps"
    folder.mkdir(parents=True)
    (folder / "brass.jpg").write_bytes(photos[0].read_bytes())
    (folder / "prices.txt").write_bytes(b"1")
    done = lookalike("import", "folder", folder.parent, "--wait")
    assert done.code == 0, done.err
    assert f"left out: {folder / 'prices.txt'} is no picture by its name\n" in done.err
    assert "category\tlamps\n" in lookalike("product", "get", "lamps~brass").out


def test_an_upload_whose_import_was_refused_is_not_sent_again(
    lookalike: Run, house: House, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "PART_BYTES", 10_000)
    refused = lookalike("import", "bson", house.sample, "--mapping", '{"nonsense": 1}')
    assert refused.code == 1
    assert "upl_" in cache.read_text()
    monkeypatch.setattr(uploads, "_create", None)
    done = lookalike("import", "bson", house.sample, "--wait")
    assert done.code == 0, done.err
    assert json.loads(cache.read_text()) == {}


def test_an_upload_is_remembered_for_the_file_as_it_was(tmp_path: Path, cache: Path) -> None:
    assert usual_file() == cache
    memory, file = Unfinished("http://shop"), tmp_path / "feed.csv"
    file.write_text("a")
    memory.remember(file, "upl_1")
    assert memory.find(file) == "upl_1"
    assert Unfinished("http://other").find(file) is None
    file.write_text("ab")
    assert memory.find(file) is None


@pytest.mark.parametrize("text", ["", "[]", "no JSON", '{"a": 1}', '{"a": {"at": "now"}}'])
def test_a_memory_that_is_broken_is_none(text: str, tmp_path: Path, cache: Path) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text(text)
    memory, file = Unfinished("http://shop"), tmp_path / "feed.csv"
    file.write_text("a")
    assert memory.find(file) is None
    memory.remember(file, "upl_1")
    assert memory.find(file) == "upl_1"


def test_an_upload_is_forgotten_when_the_server_has_dropped_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, file = Unfinished("http://shop"), tmp_path / "feed.csv"
    file.write_text("a")
    memory.remember(file, "upl_1")
    later = time.time() + 25 * 3_600
    clock = SimpleNamespace(time=lambda: later)
    monkeypatch.setattr("lookalike.command.unfinished.time", clock)
    assert memory.find(file) is None


def test_where_nothing_can_be_written_nothing_is_remembered(tmp_path: Path) -> None:
    file = tmp_path / "feed.csv"
    file.write_text("a")
    memory = Unfinished("http://shop", file / "below" / "uploads.json")
    memory.remember(file, "upl_1")
    assert memory.find(file) is None


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        ({"read": 0, "records": 0}, "0 of 0 records"),
        (
            {"read": 640, "records": 6_400, "failed": 6, "records_per_second": 812.4}
            | {"eta_seconds": 7.2},
            "640 of 6,400 records, 812/s, 7 s to go, 6 failed",
        ),
        ({"read": 1, "records": 2, "eta_seconds": 150}, "1 of 2 records, 2 min to go"),
        ({"read": 1, "records": 2, "eta_seconds": 9_000}, "1 of 2 records, 2 h 30 min to go"),
    ],
)
def test_an_import_on_its_way_is_one_line(progress: dict[str, float], text: str) -> None:
    assert line(progress) == text


PROGRESS = {"read": 640, "records": 6_400, "failed": 6}


def watched(shop: Any, capsys: pytest.CaptureFixture[str]) -> str:
    """What a watcher sees on standard error until the watching ends."""
    with pytest.raises(KeyboardInterrupt):
        watching.watch(shop, "imp_1", as_json=False)
    return capsys.readouterr().err


class Interrupted:
    """A client whose import never ends; its watcher does."""

    def wait(self, _import_id: str, *, progress: Callable[[Any], None]) -> None:
        for _ in range(3):
            progress(SimpleNamespace(progress=PROGRESS))
        raise KeyboardInterrupt


def test_off_a_terminal_an_import_says_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = SimpleNamespace(monotonic=count(0, 6).__next__)
    monkeypatch.setattr("lookalike.command.live.time", clock)
    lines = watched(Interrupted(), capsys).splitlines()
    assert lines == [
        "importing …",
        "640 of 6,400 records, 6 failed",
        "The import goes on without you: lookalike import watch imp_1",
    ]


def test_on_a_terminal_an_import_is_one_live_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    told = watched(Interrupted(), capsys)
    assert "640 of 6,400 records, 6 failed" in told
    assert "lookalike import watch imp_1" in told


def test_what_failed_is_told_with_how_to_see_it(
    lookalike: Run, house: House, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.bson"
    broken.write_bytes(encode(990_002, []) + house.sample.read_bytes())
    done = lookalike("import", "bson", broken, "--limit", 2, "--wait")
    assert done.code == 3
    assert "failed\t1\n" in done.out
    assert "lookalike dead list --import imp_" in done.err
