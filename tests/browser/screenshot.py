"""`python -m tests.browser.screenshot OUT.png`: the shop window of a fresh demo, found products in view."""

import sys
import tempfile
from pathlib import Path

from tests.browser.house import chromium, running_demo

WIDTH, HEIGHT = 1320, 860


def main(out: Path) -> None:
    with (
        tempfile.TemporaryDirectory() as data,
        running_demo(Path(data)) as demo,
        chromium() as browser,
    ):
        page = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce"
        )
        page.goto(demo.url)
        page.locator("#shelf .card a").nth(3).click()
        page.wait_for_selector("body[data-view=found] #shelf:not([aria-busy]) .likeness")
        page.wait_for_load_state("networkidle")
        page.locator("#shelf .card a").nth(1).hover()
        page.screenshot(path=out)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
