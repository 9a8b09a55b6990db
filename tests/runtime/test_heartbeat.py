import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shared.runtime.heartbeat import touch


def probed(heartbeat: Path, max_age_s: float) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "shared.runtime.heartbeat", str(heartbeat), str(max_age_s)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_a_probe_passes_as_long_as_the_file_is_young(tmp_path: Path) -> None:
    heartbeat = tmp_path / "heartbeat"
    touch(heartbeat)
    assert probed(heartbeat, 60).returncode == 0
    then = time.time() - 61
    os.utime(heartbeat, (then, then))
    old = probed(heartbeat, 60)
    assert old.returncode == 1
    assert "was not touched for 60 s" in old.stderr
    touch(heartbeat)
    assert probed(heartbeat, 60).returncode == 0


def test_a_process_that_never_beat_is_not_alive(tmp_path: Path) -> None:
    assert probed(tmp_path / "heartbeat", 60).returncode == 1


def test_a_folder_that_is_gone_stops_nobody(tmp_path: Path) -> None:
    touch(tmp_path / "gone" / "heartbeat")


def test_a_probe_imports_nothing_but_the_standard_library(tmp_path: Path) -> None:
    touch(tmp_path / "heartbeat")
    script = "import sys, shared.runtime.heartbeat; print(*sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    bare = subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    )
    loaded = {
        name.partition(".")[0] for name in set(told.stdout.split()) - set(bare.stdout.split())
    }
    assert loaded - sys.stdlib_module_names == {"shared"}


@pytest.mark.parametrize("arguments", [[], ["heartbeat"], ["heartbeat", "soon"]])
def test_a_probe_that_was_told_nonsense_fails(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "shared.runtime.heartbeat", *arguments]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 1
