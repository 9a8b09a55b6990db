"""What holds for every test: where nothing may be missing, to skip is to fail; folders are in memory."""

import os
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest

pytest_plugins = ["tests.servers.fixtures"]

REFERENCE_DATA = "LOOKALIKE_DATA"
"""Photos that stand beside the project; whoever has none may always skip."""

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - as Linux has it
_ROOM_BYTES: Final = 4 * 1024**3


def pytest_configure() -> None:
    """Only speed depends on it: a sync keeps what a machine loses, and tests kill processes alone."""
    if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    required = os.environ.get("LOOKALIKE_REQUIRE_ALL") == "1"
    if required and report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr)
        if REFERENCE_DATA not in reason:
            report.outcome = "failed"
            report.longrepr = f"LOOKALIKE_REQUIRE_ALL=1 and yet skipped: {reason}"
    return report
