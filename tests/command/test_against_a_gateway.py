import json
from pathlib import Path

import pytest

from tests.client.house import House
from tests.command.conftest import Run


def test_a_product_lives_and_dies_by_the_command(lookalike: Run, photos: list[Path]) -> None:
    put = ("product", "put", "lamp", "--image", photos[0])
    made = lookalike(
        *put, "--set", "title=Brass lamp", "--set", "price=39.90", "--wait", 20, "--json"
    )
    assert (made.code, json.loads(made.out)["state"]) == (0, "searchable")
    assert lookalike("product", "patch", "lamp", "--set", "price=9.5").code == 0
    assert json.loads(lookalike("product", "get", "lamp", "--json").out)["price"] == 9.5
    assert "title\tBrass lamp\n" in lookalike("product", "get", "lamp").out
    assert lookalike("product", "presence", "lamp", "--wait", 10).out.startswith(
        "lamp: searchable\n"
    )
    assert lookalike("product", "rm", "lamp").code == 0
    gone = lookalike("product", "get", "lamp")
    assert (gone.code, gone.out) == (1, "")
    assert "lamp" in gone.err
    assert "Traceback" not in gone.err


def test_a_catalogue_is_imported_watched_and_searched(
    lookalike: Run, house: House, photos: list[Path], tmp_path: Path
) -> None:
    bring = ("import", "bson", house.sample, "--categories", house.categories)
    done = lookalike(*bring, "--wait", "--json")
    assert done.code == 0, done.err
    stated = json.loads(done.out)
    assert (stated["state"], stated["counters"]["read"]) == ("succeeded", house.products)
    import_id = stated["import_id"]
    assert "state\tsucceeded\n" in lookalike("import", "status", import_id).out
    assert lookalike("import", "watch", import_id).code == 0
    assert "nothing to try again" in lookalike("import", "retry", import_id).err
    assert lookalike("import", "cancel", import_id).code == 1

    lookalike("product", "put", "extra", "--image", photos[1], "--set", "price=5", "--wait", 20)
    sheet = tmp_path / "sheet.html"
    query = ("search", "--image", photos[1], "--top", 3)
    found = lookalike(*query, "--blend", "content=.6,style=.4", "--sheet", sheet, "--json")
    assert json.loads(found.out)["hits"][0]["product_id"] == "extra"
    page = sheet.read_text()
    assert page.count("<img") == 1 + len(json.loads(found.out)["hits"])
    assert 'src="http' not in page
    assert "extra" not in lookalike(*query, "--filter", "price>5").out
    assert "\textra\t" in lookalike(*query, "--crop", "0,0,1,1", "--filter", "price<=5").out
    assert "extra" not in lookalike("search", "--product", "extra", "--backend", "exact").out


def test_a_record_that_is_none_makes_an_import_partly_done(
    lookalike: Run, house: House, tmp_path: Path
) -> None:
    from shared.sources.bson import encode

    broken = tmp_path / "broken.bson"
    broken.write_bytes(encode(990_001, []) + house.sample.read_bytes())
    done = lookalike("import", "bson", broken, "--limit", 3, "--wait", "--json")
    assert done.code == 3
    import_id = json.loads(done.out)["import_id"]
    listed = lookalike("dead", "list", "--import", import_id, "--json")
    letters = json.loads(listed.out)["dead_letters"]
    assert len(letters) == 1
    assert letters[0]["key"] in lookalike("dead", "list").out
    assert lookalike("dead", "replay", letters[0]["key"]).code == 0
    assert lookalike("dead", "replay").code == 2


def test_a_key_is_made_listed_and_revoked(lookalike: Run) -> None:
    made = json.loads(lookalike("key", "create", "search", "--label", "window", "--json").out)
    assert made["key"].startswith("lk_search_")
    assert lookalike("search", "--product", "none", "--key", made["key"]).code == 1
    assert "window" in lookalike("key", "list").out
    assert lookalike("key", "revoke", made["key_id"]).code == 0
    listed = json.loads(lookalike("key", "list", "--json").out)
    assert {key["key_id"]: key["revoked"] for key in listed}[made["key_id"]]


def test_the_doctor_finds_all_well_and_says_what_is_not(lookalike: Run, house: House) -> None:
    well = lookalike("doctor", "--json")
    findings = {finding["what"]: finding["good"] for finding in json.loads(well.out)}
    assert findings["server"]
    assert findings["key"]
    assert findings["exact"]
    assert findings["elasticsearch"] is None
    ill = lookalike("doctor", "--key", "lk_admin_wrong")
    assert ill.code == 1
    assert "server\tgood" in ill.out
    assert "WRONG" in ill.out
    assert lookalike("doctor", "--key", house.search_key).code == well.code


def test_a_wrong_key_is_told_with_what_to_do(lookalike: Run) -> None:
    told = lookalike("product", "get", "1", "--key", "lk_admin_wrong")
    assert told.code == 1
    assert "--key or LOOKALIKE_KEY" in told.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("search",),
        ("search", "--product", "1", "--image", "absent.jpg"),
        ("search", "--product", "1", "--crop", "0,0,1,1"),
        ("search", "--product", "1", "--filter", "colour=red"),
        ("search", "--product", "1", "--blend", "taste=1"),
        ("search", "--product", "1", "--blend", "style"),
        ("search", "--product", "1", "--server", "nowhere"),
        ("product", "patch", "1", "--set", "price"),
        ("product", "put", "1"),
        ("nonsense",),
    ],
)
def test_what_cannot_be_understood_is_usage(lookalike: Run, arguments: tuple[str, ...]) -> None:
    told = lookalike(*arguments)
    assert told.code == 2
    assert told.err
    assert told.out == ""
