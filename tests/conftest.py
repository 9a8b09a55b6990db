"""What holds for every test: where nothing may be missing, to skip is to fail."""

import os
from collections.abc import Generator

import pytest

pytest_plugins = ["tests.servers.fixtures"]

REFERENCE_DATA = "LOOKALIKE_DATA"
"""Photos that stand beside the project; whoever has none may always skip."""


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
