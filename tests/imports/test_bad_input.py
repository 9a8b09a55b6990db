"""Bad input never takes its neighbours down and never vanishes: from a file to what a shop sees of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import pytest

from tests.imports.bad_records import CASES, CSV_HEADER, Case, good
from tests.imports.pictures import jpeg
from tests.imports.shop import Shop


@dataclass(frozen=True)
class Begun:
    """An import of a bad entry with a good product on either side."""

    import_id: str
    offset: int
    before: int
    bad: int
    after: int


@pytest.fixture(scope="module")
def begun(shop: Shop) -> Mapping[str, Begun]:
    """All at once, as shops do."""
    secret = shop.folder.parent / "secret.jpg"
    secret.write_bytes(jpeg(0))
    (shop.folder / "link.jpg").symlink_to(secret)
    return {case.name: _begin(shop, n, case) for n, case in enumerate(CASES, 1)}


def _begin(shop: Shop, n: int, case: Case) -> Begun:
    before, bad, after = range(100 * n, 100 * n + 3)
    for number in (before, bad, after):
        shop.file(f"{number}.jpg", jpeg(number))
    head = CSV_HEADER if case.form == "csv" else b""
    parts = [good(case.form, before), case.entry(bad), good(case.form, after)]
    if case.last:
        parts = [parts[0], parts[2], parts[1]]
    offset = len(head) + sum(map(len, parts[: parts.index(case.entry(bad))]))
    path = shop.file(f"{n}.{case.form}", head + b"".join(parts))
    return Begun(shop.begin(path, case.form), offset, before, bad, after)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.form}: {case.name}")
def test_a_bad_entry_has_its_outcome_and_its_neighbours_are_found(
    shop: Shop, begun: Mapping[str, Begun], case: Case
) -> None:
    one = begun[case.name]
    ended = shop.ended(one.import_id)
    left_out = case.fate == "left out"
    assert ended["state"] == ("partially_succeeded" if left_out else "succeeded"), ended
    assert (ended["counters"]["imported"], ended["counters"]["failed"]) == (3 - left_out, left_out)
    _told(shop, one, case)
    _became(shop, one.bad, case)
    for neighbour in (one.before, one.after):
        shop.finds(str(neighbour), jpeg(neighbour))


def _told(shop: Shop, one: Begun, case: Case) -> None:
    """One dead letter with code, reason and offset; a picture that is stored can be looked at."""
    letters = shop.failures(one.import_id)
    expected = [] if case.code is None else [(case.code, one.offset)]
    assert [(letter["code"], letter["offset"]) for letter in letters] == expected
    for letter in letters:
        assert letter["detail"].endswith(".")
        assert letter["kind"] == ("image" if letter["thumbnail_url"] else "record")
        if letter["thumbnail_url"]:
            shown = shop.admin.get(letter["thumbnail_url"], headers={"Authorization": ""})
            assert shown.status_code == httpx.codes.OK
            assert shown.headers["content-type"] in {"image/jpeg", "application/octet-stream"}
            assert shown.headers["x-content-type-options"] == "nosniff"


def _became(shop: Shop, number: int, case: Case) -> None:
    product = shop.product(str(number))
    if case.fate == "left out":
        assert product is None
        return
    assert product is not None
    if case.fate == "rejected":
        presence = shop.admin.get(f"/v1/products/{number}/presence").json()
        assert (presence["state"], bool(presence["reason"])) == ("rejected", True)
    else:
        shop.finds(str(number), jpeg(number), at_least=0.97)
