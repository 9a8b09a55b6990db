"""Every lookup has an index."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shared.catalogue.office import Part
from shared.catalogue.products import ProductWrite
from shared.catalogue.sqlite.catalogue import SqliteCatalogue

Write = Callable[..., ProductWrite]


def test_no_lookup_walks_a_whole_table(path: Path, write: Write, clock: Any) -> None:
    """Counts may walk an index; documents, pending and embeddings are always sought."""
    asked: list[str] = []
    with SqliteCatalogue(path, clock=clock) as catalogue:
        store = catalogue._store
        with store.reading() as db:
            db.set_trace_callback(asked.append)
        store._db.set_trace_callback(asked.append)
        look_everything_up(catalogue, write, clock)
        store._db.set_trace_callback(None)
        store._idle[0].set_trace_callback(None)
        plans = {sql: plan(store._db, sql) for sql in set(asked) if sql.lstrip()[:6] in VERBS}
    assert len(plans) > 20
    assert {sql: steps for sql, steps in plans.items() if walks(steps)} == {}


VERBS = ("SELECT", "UPDATE", "DELETE")


def plan(db: sqlite3.Connection, sql: str) -> list[str]:
    return [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")]


def walks(steps: list[str]) -> list[str]:
    return [
        step
        for step in steps
        if ("SCAN" in step and "json_each" not in step and "CONSTANT" not in step)
        or "TEMP B-TREE FOR ORDER" in step
    ]


def look_everything_up(catalogue: SqliteCatalogue, write: Write, clock: Any) -> None:
    products, images, imports = catalogue.products, catalogue.images, catalogue.imports
    products.upsert([write()])
    products.upsert([write(title="Changed", urgent=True)])
    products.get("shop", ["p"])
    products.page("shop")
    products.pending("shop", "one/segments", range(9), 9)
    products.mark("shop", "one/segments", [("p", 1)])
    products.bump_showing("shop", ["a" * 64], targets=frozenset(), not_after=clock())
    products.shown("shop", "a" * 64)
    products.showing("shop", ["a" * 64], 9)
    products.tombstones(0, 9)
    products.digests("shop", "one/segments", range(9))
    products.count("shop")
    products.count_pending("one/segments")
    products.categories("shop")
    images.claimable("f1", 9)
    images.claimable("f1", 9, tenant="shop", images=["a"])
    images.unembedded("f1", "shop")
    images.names_blob("blob")
    images.touch("shop", ["a"])
    images.get("shop", ["a"])
    images.page()
    images.hashes("shop", "", 9)
    images.vectors("shop", ["a" * 64], "f1")
    images.count("shop")
    images.announced("shop", ["a"], "f1")
    imports.waiting("i", 9)
    imports.recent("shop")
    catalogue.dead.page("shop", source="i")
    catalogue.office.uploads_before(9)
    catalogue.office.upload("shop", "u")
    catalogue.office.append_part("u", 0, Part("blob", 1))
    catalogue.office.declare_size("u", 1)
    catalogue.office.drop_upload("u")
    catalogue.office.upload_names_blob("blob")
    catalogue.models.get("shop", "m")
    catalogue.models.named("shop", "shoes", "1")
    catalogue.models.of_fingerprint("f1")
    catalogue.models.all("shop")
    catalogue.models.names_blob("blob")
    catalogue.models.remove("shop", "m")
    catalogue.office.jobs("shop")
    catalogue.office.unfinished_jobs("build")
    catalogue.fetches.known("shop", ["https://cdn.example/lamp.jpg"])
    catalogue.fetches.remember("shop", {"https://cdn.example/lamp.jpg": "a" * 64})
