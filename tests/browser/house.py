"""A running demo and a real browser, for the tests and for the screenshot."""

import json
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
COMMAND = Path(sys.executable).with_name("lookalike")
START_S = 240.0
STOP_S = 30.0
# the sandbox wants rights that containers lack; the rest keeps the browser from calling home
ARGUMENTS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True, slots=True)
class Demo:
    """What `lookalike demo --json` says when all is ready."""

    url: str
    search_key: str
    products: int


@contextmanager
def running_demo(data: Path) -> Iterator[Demo]:
    """The demo as a person starts it, on a free port, with the sample catalogue."""
    arguments = ["demo", "--port", "0", "--data", str(data), "--no-browser", "--json"]
    data.mkdir(parents=True, exist_ok=True)
    with (data / "demo.log").open("w+b") as log:
        process = subprocess.Popen([COMMAND, *arguments], stdout=subprocess.PIPE, stderr=log)
        try:
            yield _announced(process, data / "demo.log")
        finally:
            process.terminate()
            process.communicate(timeout=STOP_S)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        yield browser
        browser.close()


def until(page: Page, script: str, within: float = 20.0) -> None:
    """Waits for the script to be true; Playwright's own way needs an `eval` that the page forbids."""
    deadline = time.monotonic() + within
    while not page.evaluate(script):
        assert time.monotonic() < deadline, f"never came true: {script}"
        page.wait_for_timeout(50)


def _announced(process: subprocess.Popen[bytes], log: Path) -> Demo:
    assert process.stdout is not None
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        if select.select([process.stdout], [], [], 0.5)[0] and (line := process.stdout.readline()):
            said = json.loads(line)
            return Demo(said["url"], said["search_key"], said["products"])
    raise RuntimeError(f"The demo did not get ready: {log.read_text()[-2_000:]}")
