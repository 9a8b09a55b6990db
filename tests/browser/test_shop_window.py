"""What a shopper meets, from the first page on."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.house import until

ALL_LOADED = """() => {
    const images = [...document.querySelectorAll("#shelf img")].slice(0, 12);
    return images.length > 0 && images.every((image) => image.complete && image.naturalWidth > 0);
}"""
UNNAMED = """() => [...document.querySelectorAll("a, button, input, select, summary")]
    .filter((e) => e.checkVisibility() && !e.ariaLabel && !e.labels?.length && !e.innerText.trim())
    .map((e) => e.outerHTML)"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def test_the_first_page_shows_products(window: Any) -> None:
    page = window.open()
    expect(page.get_by_role("heading", name="Find what looks like it.")).to_be_visible()
    assert page.locator("#shelf .card").count() >= 24
    until(page, ALL_LOADED)


def test_the_shelves_go_on_at_the_end(window: Any) -> None:
    page = window.open()
    cards = page.locator("#shelf .card")
    expect(cards).to_have_count(48)
    page.get_by_role("button", name="Show more").click()
    expect(cards).to_have_count(96)
    assert len(set(_hrefs(page))) == 96


def test_clicking_a_product_shows_similar_ones_that_are_not_itself(window: Any) -> None:
    page = window.open()
    chosen = _choose(page, 0)
    assert page.locator("#shelf .card").count() == 24
    until(page, ALL_LOADED)
    until(page, "document.querySelector('#picture img').naturalWidth > 0")
    assert chosen not in [_product_of(href) for href in _hrefs(page)]
    shares = _shares(page)
    assert shares == sorted(shares, reverse=True)
    expect(page.locator("#meta")).to_contain_text("rows looked at")


def test_similarity_by_space_is_told_when_a_product_has_the_focus(window: Any) -> None:
    page = window.open()
    _choose(page, 0)
    page.locator("#shelf .card a").first.focus()
    page.keyboard.press("Tab")
    told = page.locator("#shelf .card .spaces").nth(1)
    expect(told).to_have_css("opacity", "1")
    expect(told).to_contain_text(re.compile(r"Shape\s*\d+%\s*Style\s*\d+%\s*Colour\s*\d+%"))


def test_an_uploaded_picture_finds_the_product_that_it_shows(window: Any) -> None:
    page = window.open()
    page.set_input_files("#file", [_file("mine.jpg", _picture_of(page, 3))])
    _found(page)
    expect(page.locator("#query-title")).to_have_text("Your picture")
    assert page.evaluate("document.querySelector('#picture canvas').width") > 1
    assert _shares(page)[0] >= 97
    until(page, ALL_LOADED)


def test_a_pasted_picture_is_searched_by(window: Any) -> None:
    page = window.open()
    page.evaluate(
        """async (source) => {
            const carried = new DataTransfer();
            const blob = await (await fetch(source)).blob();
            carried.items.add(new File([blob], "pasted.jpg", { type: blob.type }));
            dispatchEvent(new ClipboardEvent("paste", { clipboardData: carried, bubbles: true }));
        }""",
        page.locator("#shelf img").nth(5).get_attribute("src"),
    )
    _found(page)
    assert _shares(page)[0] >= 97


def test_a_text_file_named_jpg_is_refused_with_a_kind_sentence(window: Any) -> None:
    page = window.open()
    page.set_input_files("#file", [_file("notes.jpg", b"dear diary, this is no picture")])
    complaint = page.get_by_role("alert")
    expect(complaint).to_contain_text("Choose a JPEG, PNG or WebP picture.")
    expect(page.get_by_role("heading", name="Find what looks like it.")).to_be_visible()
    page.set_input_files("#file", [_file("mine.jpg", _picture_of(page, 0))])
    _found(page)
    expect(complaint).to_be_hidden()


def test_back_and_forward_walk_through_what_was_looked_at(window: Any) -> None:
    page = window.open()
    first = _choose(page, 0)
    title = page.locator("#query-title").inner_text()
    second = _choose(page, 2)
    assert (_product_of(page.url), first != second) == (second, True)
    page.go_back()
    expect(page.locator("#query-title")).to_have_text(title)
    assert _product_of(page.url) == first
    page.go_back()
    expect(page.get_by_role("heading", name="Find what looks like it.")).to_be_visible()
    page.go_forward()
    expect(page.locator("#query-title")).to_have_text(title)


def test_back_to_an_uploaded_picture_shows_it_again(window: Any) -> None:
    page = window.open()
    page.set_input_files("#file", [_file("mine.jpg", _picture_of(page, 3))])
    _found(page)
    _choose(page, 4)
    page.go_back()
    expect(page.locator("#query-title")).to_have_text("Your picture")
    expect(page.locator("#picture canvas")).to_be_visible()


def test_a_product_that_is_not_there_is_told_and_not_a_blank_page(window: Any) -> None:
    window.page.goto(f"{window.url}/?product=no-such-product")
    expect(window.page.locator(".notice")).to_contain_text("no-such-product")


def test_everything_can_be_done_with_the_keyboard_alone(window: Any) -> None:
    page = window.open()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the products")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#shelf .card a").first).to_be_focused()
    page.keyboard.press("Enter")
    _found(page)
    expect(page.locator("#results-title")).to_be_focused()
    page.locator("#crop-start").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("crop="))
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("crop=0.29"))
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("crop="))


def test_every_control_has_a_name(window: Any) -> None:
    page = window.open()
    assert page.evaluate(UNNAMED) == []
    _choose(page, 0)
    assert page.evaluate(UNNAMED) == []


def test_a_whole_visit_leaves_the_console_clean(window: Any) -> None:
    page = window.open()
    _choose(page, 1)
    page.get_by_label("Side by side").check()
    page.wait_for_selector(".column .card[data-product]")
    page.get_by_label("Side by side").uncheck()
    _found(page)
    page.get_by_role("link", name="Lookalike").click()
    expect(page.get_by_role("heading", name="Find what looks like it.")).to_be_visible()
    assert window.complaints == []


def test_a_narrow_window_never_scrolls_sideways(visit: Callable[..., Any]) -> None:
    page = visit(380, 760, has_touch=True).open()
    assert page.evaluate(OVERFLOW) == 0
    _choose(page, 0)
    assert page.evaluate(OVERFLOW) == 0
    page.locator("summary").click()
    page.get_by_label("Side by side").check()
    page.wait_for_selector(".column .card[data-product]")
    assert page.evaluate(OVERFLOW) == 0


def test_a_dark_room_gets_a_dark_page(visit: Callable[..., Any]) -> None:
    light = visit(color_scheme="light").open()
    dark = visit(color_scheme="dark").open()
    colour = "getComputedStyle(document.body).backgroundColor"
    assert _brightness(light.evaluate(colour)) > 240
    assert _brightness(dark.evaluate(colour)) < 40


def _choose(page: Page, number: int) -> str:
    link = page.locator("#shelf .card a").nth(number)
    product = _product_of(link.get_attribute("href") or "")
    link.click()
    page.wait_for_url(re.compile(f"product={re.escape(product)}(&|$)"))
    _found(page)
    return product


def _found(page: Page) -> None:
    page.wait_for_selector("body[data-view=found] #shelf:not([aria-busy]) .likeness")


def _product_of(address: str) -> str:
    found = re.search(r"product=([^&]+)", address)
    return found[1] if found else ""


def _hrefs(page: Page) -> list[str]:
    return [link.get_attribute("href") or "" for link in page.locator("#shelf .card a").all()]


def _shares(page: Page) -> list[int]:
    texts = page.locator("#shelf .likeness .percent").all_inner_texts()
    return [int(text.partition("%")[0]) for text in texts]


def _picture_of(page: Page, number: int) -> bytes:
    source = page.locator("#shelf img").nth(number).get_attribute("src") or ""
    return page.request.get(page.url.partition("?")[0].rstrip("/") + source).body()


def _file(name: str, data: bytes) -> Any:
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}


def _brightness(colour: str) -> int:
    return max(int(part) for part in re.findall(r"\d+", colour)[:3])
