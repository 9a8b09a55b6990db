"""Read by mypy alone: what callers' programs may rely on, and what they are warned of."""

from pathlib import Path
from typing import assert_type

from lookalike import AsyncLookalike, Lookalike
from lookalike.client.answers import Found, Hit, Import, Job, Product, Upload, Written


def plain(shop: Lookalike) -> None:
    written = shop.put_product("1", {"title": "Lamp", "price": 1.0}, images=[Path("a"), b"b"])
    assert_type(written, Written)
    assert_type(shop.get("1"), Product)
    assert_type(shop.search(image=b"", limit=3, blend={"style": 1.0}).hits[0], Hit)
    assert_type(shop.wait(shop.import_bson(Path("f")), progress=print), Job)
    assert_type(shop.import_catalogue("s3://feeds/a.csv", format="csv", dry_run=True), Import)
    assert_type(shop.upload(Path("f"), begun=print), Upload)
    shop.import_catalogue(Path("f"), format="xml")  # type: ignore[arg-type]
    shop.import_folder(Path("f"), on_error="ask")  # type: ignore[arg-type]
    shop.put_product("1", {"titel": "Lamp"}, images=[])  # type: ignore[typeddict-unknown-key]
    shop.put_product("1", {"price": "1"}, images=[])  # type: ignore[typeddict-item]
    shop.search(product="1", backend="lucene")  # type: ignore[arg-type]
    shop.search(product="1", limits=3)  # type: ignore[call-arg]
    shop.similar("1", filter={})  # type: ignore[call-arg]
    written.version = 2  # type: ignore[misc]


async def awaited(shop: AsyncLookalike) -> None:
    assert_type(await shop.search(product="1"), Found)
    assert_type(await shop.import_bson(Path("f"), limit=1), Import)
    shop.get("1")  # type: ignore[unused-coroutine]
