"""Blend, filters, backends and parts of the picture: other ways to look for the same thing."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.house import Demo

SETTLED = "body[data-view=found] #shelf:not([aria-busy])"


@pytest.fixture
def page(window: Any) -> Page:
    """Looking at what is similar to the first product."""
    opened: Page = window.open()
    opened.locator("#shelf .card a").first.click()
    opened.wait_for_selector(f"{SETTLED} .likeness")
    return opened


@pytest.fixture
def backends(demo: Demo, page: Page) -> list[dict[str, Any]]:
    """As the API has them."""
    headers = {"Authorization": f"Bearer {demo.search_key}"}
    found: list[dict[str, Any]] = page.request.get(
        f"{demo.url}/v1/backends", headers=headers
    ).json()["backends"]
    return found


def test_a_backend_that_is_not_configured_is_off_and_says_why(
    page: Page, backends: list[dict[str, Any]]
) -> None:
    assert "elasticsearch" in [b["name"] for b in backends if not b["configured"]]
    for backend in backends:
        choice = page.locator(f"input[name=backend][value={backend['name']}]")
        if backend["configured"] and backend["healthy"]:
            expect(choice).to_be_enabled()
        else:
            row = page.locator("label.backend", has=choice)
            expect(choice).to_be_disabled()
            expect(row).to_contain_text(backend["reason"])
            expect(row).to_have_attribute("title", backend["reason"])


def test_the_backend_that_is_chosen_answers_and_survives_a_reload(page: Page) -> None:
    page.locator("input[name=backend][value=exact]").check()
    expect(page.locator("#meta")).to_contain_text("exact:")
    expect(page).to_have_url(re.compile("backend=exact"))
    page.reload()
    page.wait_for_selector(f"{SETTLED} .likeness")
    expect(page.locator("input[name=backend][value=exact]")).to_be_checked()


def test_how_one_looks_stays_when_one_goes_on_to_another_product(page: Page) -> None:
    page.locator("input[name=backend][value=exact]").check()
    page.get_by_role("button", name="Style").click()
    expect(page).to_have_url(re.compile("blend=0%2C100%2C0"))
    page.wait_for_selector(f"{SETTLED} .likeness")
    title = page.locator("#shelf .card .title").first.inner_text()
    page.locator("#shelf .card a").first.click()
    expect(page.locator("#query-title")).to_have_text(title)
    expect(page.locator("input[name=backend][value=exact]")).to_be_checked()
    expect(page.get_by_role("button", name="Style")).to_have_attribute("aria-pressed", "true")


def test_side_by_side_shows_a_column_for_each_backend_with_time_and_overlap(
    page: Page, backends: list[dict[str, Any]]
) -> None:
    asked = [b["name"] for b in backends if b["configured"] and b["healthy"]][:3]
    page.get_by_label("Side by side").check()
    columns = page.locator(".column")
    expect(columns).to_have_count(len(asked))
    for number, name in enumerate(asked):
        column = columns.nth(number)
        expect(column.locator("h3")).to_have_text(name)
        expect(column.locator(".time")).to_have_text(re.compile(r"\d ms$"))
        said = r"^12 found$" if number == 0 else rf"^\d+ of 12 as in {asked[0]}$"
        expect(column.locator(".column-head p")).to_have_text(re.compile(said))
        expect(column.locator(".card[data-product]")).to_have_count(12)
    page.reload()
    expect(page.locator(".column .card[data-product]")).to_have_count(12 * len(asked))


def test_another_blend_gives_another_order(page: Page) -> None:
    before = _order(page)
    page.get_by_role("button", name="Colour").click()
    expect(page).to_have_url(re.compile(r"blend=0%2C0%2C100"))
    page.wait_for_selector(f"{SETTLED} .likeness")
    assert _order(page) != before
    expect(page.get_by_label("Colour")).to_have_value("100")


def test_a_slider_searches_anew(page: Page) -> None:
    with page.expect_response(re.compile("/similar")) as answered:
        page.get_by_label("Style").fill("90")
    assert "style=0.9" in answered.value.url
    expect(page).to_have_url(re.compile("blend=80%2C90%2C10"))


def test_a_category_narrows_the_shelf(page: Page) -> None:
    options = page.locator("#category option")
    name = re.sub(r"\s*\(\d+\)$", "", (options.nth(1).text_content() or "").strip())
    with page.expect_response(re.compile("/similar")) as answered:
        page.get_by_label("Category").select_option(index=1)
    hits = answered.value.json()["hits"]
    assert hits
    assert {hit["category"][0] for hit in hits} == {name}


def test_a_category_with_a_slash_in_its_name_can_be_asked_for(page: Page) -> None:
    with page.expect_response("**/v1/search") as answered:
        page.goto(f"{page.url}&category=Bath%2FShower")
    assert answered.value.ok
    expect(page.locator(".notice")).to_contain_text("No product passes these filters")


def test_filters_that_nothing_passes_can_be_cleared_again(page: Page) -> None:
    page.get_by_label("Price to").fill("0")
    expect(page.locator(".notice")).to_contain_text("No product passes these filters")
    page.get_by_role("button", name="Clear the filters").click()
    page.wait_for_selector(f"{SETTLED} .likeness")
    expect(page.get_by_label("Price to")).to_have_value("")


def test_dragging_over_the_picture_searches_by_that_part(page: Page) -> None:
    box = page.locator("#stage").bounding_box()
    assert box is not None
    with page.expect_response("**/v1/search") as answered:
        page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.3)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.9, steps=4)
        page.mouse.up()
    crop = (answered.value.request.post_data_json or {})["query"]["image"]["crop"]
    wanted = {"x": 0.2, "y": 0.3, "width": 0.5, "height": 0.6}
    assert crop == pytest.approx(wanted, abs=0.02)
    assert answered.value.ok
    expect(page.locator("#crop")).to_be_visible()
    looked_for = page.url.partition("product=")[2].partition("&")[0]
    page.wait_for_selector(f"{SETTLED} .likeness")
    assert not any(f"product={looked_for}" in href for href in _order(page))
    page.get_by_role("button", name="Whole picture").click()
    expect(page.locator("#crop")).to_be_hidden()
    expect(page).not_to_have_url(re.compile("crop="))


def _order(page: Page) -> list[str]:
    return [link.get_attribute("href") or "" for link in page.locator("#shelf .card a").all()]
