"""A failpoint is set for a whole process, so each test starts one."""

import os
import signal
import subprocess
import sys

import pytest

SCRIPT = """
from shared.runtime.failpoints import reach
reach("worker.other")
reach("worker.step", "b2")
reach("worker.step", "a1")
print("survived", flush=True)
"""


def run(setting: str | None) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if "FAILPOINT" not in key}
    if setting is not None:
        environment["LOOKALIKE_FAILPOINT"] = setting
    return subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("setting", [None, "", "elsewhere:kill", "worker.step:kill:c"])
def test_a_place_that_is_not_named_does_nothing(setting: str | None) -> None:
    assert run(setting).stdout == "survived\n"


def test_kill_is_a_real_signal() -> None:
    assert run("worker.step:kill").returncode == -signal.SIGKILL


def test_exit_ends_the_process() -> None:
    done = run("worker.step:exit:a")
    assert (done.returncode, done.stdout) == (1, "")


def test_raise_names_the_place() -> None:
    assert "FailpointReached: worker.step" in run("worker.step:raise:a1").stderr


def test_sleep_goes_on_afterwards() -> None:
    assert run("worker.step:sleep-0.01,elsewhere:kill").stdout == "survived\n"
