import json
import resource
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from services.gateway.keys import well_formed
from tests.command.conftest import Run

_COMMAND = [sys.executable, "-c", "from lookalike.command.app import main; main()"]


def test_help_is_quick_and_loads_no_service() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*_COMMAND, "--help"], check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "demo" in done.stdout
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0
    check = "import lookalike.command.app, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", check], check=True, capture_output=True, text=True
    )
    heavy = {"numpy", "cv2", "httpx", "fastapi", "pydantic", "rich.progress", "services"}
    assert heavy.isdisjoint(loaded.stdout.split())


def test_a_sample_is_drawn_and_embedded_offline(alone: Run, tmp_path: Path) -> None:
    sample = tmp_path / "sample.bson"
    drawn = alone("sample", "make", "--products", 2, "--seed", 3, "--out", sample, "--json")
    assert json.loads(drawn.out)["products"] == 2
    assert (tmp_path / "category_names.csv").exists()
    out = tmp_path / "vectors.npz"
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"text")
    partly = alone("embed", sample, broken, "--out", out)
    assert partly.code == 3
    assert str(broken) in partly.err
    with np.load(out, allow_pickle=False) as arrays:
        assert arrays["paths"][0].endswith("/0")
        assert len(arrays["content"]) == len(arrays["paths"]) >= 2
    assert alone("embed", sample, "--out", out, "--json").code == 0


def test_the_bundled_models_are_listed_shown_and_right(alone: Run) -> None:
    named = [line.partition("\t")[0] for line in alone("model", "list").out.splitlines()[1:]]
    assert named == ["base", "small"]
    assert "Apache-2.0" in json.loads(alone("model", "show", "small", "--json").out)["licence"]
    assert alone("model", "test", "small").code == 0
    unknown = alone("model", "show", "other")
    assert (unknown.code, "small" in unknown.err) == (1, True)


def test_no_server_is_told_in_one_kind_line(alone: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lookalike.client.synchronous.time.sleep", lambda _seconds: None)
    told = alone("product", "get", "1", "--server", "http://127.0.0.1:9")
    assert told.code == 1
    assert told.err.count("\n") == 1
    assert "Is the server running?" in told.err


def test_a_port_in_use_is_told_in_one_kind_line(alone: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*_COMMAND, "demo", "--port", str(port), "--data", str(tmp_path), "--no-browser"],
            check=False,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("That port is in use")
    assert done.stderr.count("\n") == 1


def test_a_file_that_cannot_be_written_is_told_kindly(alone: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    told = alone("sample", "make", "--products", 1, "--out", tmp_path / "file" / "x.bson")
    assert told.code == 1
    assert told.err.splitlines()[-1].startswith(str(tmp_path / "file"))


def test_a_key_made_here_is_one_that_a_gateway_takes(alone: Run) -> None:
    made = alone("key", "make", "admin")
    assert made.code == 0
    assert made.out.startswith("lk_admin_")
    assert well_formed(made.out.strip())
