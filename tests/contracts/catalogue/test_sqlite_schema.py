"""Files of earlier and of later schemas."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from shared.catalogue.office import Part, Upload
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.catalogue.sqlite.schema import MIGRATIONS
from shared.errors import Conflict
from shared.indexes import Alias
from shared.jobs import Counters


def test_a_file_of_a_later_schema_is_refused_and_left_alone(path: Path) -> None:
    SqliteCatalogue(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(Conflict, match=r"schema 99.*upgrade Lookalike") as refused:
        SqliteCatalogue(path)
    assert refused.value.kind == "newer_schema"
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (99,)


def test_an_upload_of_the_first_schema_is_one_of_a_single_part(path: Path) -> None:
    names = {"upload_id": "u", "tenant": "shop", "blob": "b", "media_type": "image/png"}
    body = {**names, "size": 7, "sha256": "a" * 64, "created": 5}
    with closing(sqlite3.connect(path)) as db:
        db.executescript(f"{MIGRATIONS[0]}; PRAGMA user_version = 1")
        db.execute("INSERT INTO uploads VALUES ('u', 'shop', 'b', 5, ?)", (json.dumps(body),))
        db.commit()
    with SqliteCatalogue(path) as catalogue:
        expected = Upload("u", "shop", (Part("b", 7),), 7, "a" * 64, "image/png", 5, 5)
        assert catalogue.office.upload("shop", "u") == expected
        assert catalogue.office.upload_names_blob("b")
        assert catalogue.office.append_part("u", 0, Part("c", 1)) is None


def test_an_import_of_the_first_schema_goes_on(path: Path) -> None:
    body = {"format": "bson", "source": "b", "size": 900, "categories": [], "limit": 5}
    old = {"imported": 60, "unchanged": 1, "superseded": 1, "duplicate": 1, "failed": 1}
    counters = json.dumps(old | {"pictures": 90, "embedded": 80})
    none = json.dumps(dict.fromkeys([*old, "pictures", "embedded"], 0))
    with closing(sqlite3.connect(path)) as db:
        db.executescript(f"{MIGRATIONS[0]}; PRAGMA user_version = 1")
        imports = ("i", "shop", 5, "running", 200, 1, None, json.dumps(body))
        db.execute("INSERT INTO imports VALUES (?, ?, ?, ?, ?, ?, ?, ?)", imports)
        chunks = [("i", 0, 0, 100, 64, "done", 1, 0, counters)]
        chunks += [("i", 1, 100, 100, 64, "waiting", 0, 0, none)]
        db.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", chunks)
        db.commit()
    with SqliteCatalogue(path) as catalogue:
        found = catalogue.imports.get("i")
        assert found is not None
        assert (found.options.limit, found.chunks, found.records) == (5, 2, 128)
        assert [chunk.number for chunk in catalogue.imports.waiting("i", 9)] == [1]
        assert catalogue.imports.tally("i").counters == Counters(
            60, 1, 1, 1, 1, pictures=90, embedded=80
        )


def test_an_alias_of_an_earlier_schema_can_go_back_to_where_it_was(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.executescript(f"{MIGRATIONS[0]}; PRAGMA user_version = 1")
        db.execute("INSERT INTO aliases VALUES ('shop', 'live', 'one', 3)")
        db.commit()
    with SqliteCatalogue(path) as catalogue:
        assert catalogue.indexes.alias("shop", "live") == Alias("shop", "live", "one", 3)
        moved = catalogue.indexes.move_alias("shop", "live", "two", expected=3)
        assert moved is not None
        assert (moved.version, moved.before) == (4, "one")
