import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from services.embedder.local import ChildEmbedder
from shared.errors import Invalid, Unavailable
from shared.images import sha256_of
from shared.seams.embedder import Embedding


def _picture(shade: int) -> bytes:
    pixels = np.full((60, 60, 3), 255, np.uint8)
    cv2.circle(pixels, (30, 30), 20, (shade, 10, 10), -1)
    data: bytes = cv2.imencode(".png", pixels)[1].tobytes()
    return data


GOOD, POISON = _picture(10), _picture(200)


def _fails_on_poison(monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    point = f"embedder.decode:{action}:{sha256_of(POISON)[:12]}"
    monkeypatch.setenv("LOOKALIKE_FAILPOINT", point)


def _wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def _gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def _pids(embedder: ChildEmbedder) -> list[int]:
    return [child._process.pid for child in embedder._idle.queue]


def test_a_poison_picture_kills_only_the_child(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fails_on_poison(monkeypatch, "kill")
    with ChildEmbedder(model_folder) as embedder:
        (before,) = embedder.embed([GOOD])
        for _ in range(2):
            with pytest.raises(Unavailable, match="fewer"):
                embedder.embed([GOOD, POISON, GOOD])
        assert embedder.embed([GOOD]) == [before]


def test_a_hung_child_is_killed_and_replaced(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fails_on_poison(monkeypatch, "sleep-60")
    with ChildEmbedder(model_folder, timeout_s=3) as embedder:
        (hung,) = _pids(embedder)
        with pytest.raises(Unavailable, match="silent for 3 s"):
            embedder.embed([POISON])
        assert _gone(hung)
        assert isinstance(embedder.embed([GOOD])[0], Embedding)


def test_a_frozen_child_cannot_freeze_a_caller_with_much_to_send(model_folder: Path) -> None:
    with ChildEmbedder(model_folder, timeout_s=2) as embedder:
        (frozen,) = _pids(embedder)
        os.kill(frozen, signal.SIGSTOP)
        with pytest.raises(Unavailable, match="silent"):
            embedder.embed([GOOD + bytes(5_000_000)])
        assert _gone(frozen)


def test_calls_beyond_the_children_wait_their_turn(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fails_on_poison(monkeypatch, "sleep-0.5")
    found: list[object] = []
    with ChildEmbedder(model_folder, children=2) as embedder:
        threads = [
            threading.Thread(target=lambda: found.extend(embedder.embed([POISON])))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [type(one) for one in found] == [Embedding] * 3


def test_children_ignore_an_interrupt(model_folder: Path) -> None:
    with ChildEmbedder(model_folder) as embedder:
        os.kill(_pids(embedder)[0], signal.SIGINT)
        assert isinstance(embedder.embed([GOOD])[0], Embedding)


def test_closing_ends_the_children_and_refuses_calls(model_folder: Path) -> None:
    embedder = ChildEmbedder(model_folder, children=2)
    pids = _pids(embedder)
    embedder.close()
    embedder.close()
    assert all(_gone(pid) for pid in pids)
    with pytest.raises(Unavailable, match="closed"):
        embedder.embed([GOOD])


_PARENT = """
import sys, threading
from pathlib import Path
from services.embedder.local import ChildEmbedder
embedder = ChildEmbedder(Path(sys.argv[1]))
print(*(child._process.pid for child in embedder._idle.queue), flush=True)
embedder.embed([Path(sys.argv[2]).read_bytes()])
"""


def test_even_a_busy_child_dies_with_a_parent_that_is_killed(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _fails_on_poison(monkeypatch, "sleep-60")
    (tmp_path / "poison.png").write_bytes(POISON)
    command = [sys.executable, "-c", _PARENT, str(model_folder), str(tmp_path / "poison.png")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert not _gone(child)
        parent.kill()
    _wait_until(lambda: _gone(child))


def test_a_model_that_does_not_fit_is_refused_at_the_start(own_model_folder: Path) -> None:
    (own_model_folder / "model.tflite").write_bytes(b"something else")
    with pytest.raises(Invalid, match=r"is not the file that model\.json describes"):
        ChildEmbedder(own_model_folder)


def test_a_model_that_broke_later_makes_the_embedder_unavailable(own_model_folder: Path) -> None:
    with ChildEmbedder(own_model_folder) as embedder:
        (own_model_folder / "model.tflite").write_bytes(b"something else")
        os.kill(_pids(embedder)[0], signal.SIGKILL)
        with pytest.raises(Unavailable, match="died"):
            embedder.embed([GOOD])
        with pytest.raises(Unavailable, match="cannot be loaded again"):
            embedder.embed([GOOD])
