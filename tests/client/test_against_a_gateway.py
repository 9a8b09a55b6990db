import asyncio
from pathlib import Path

import pytest

from lookalike import AsyncLookalike, Lookalike
from lookalike.client import Conflict, Invalid, NotFound, Unauthorised, Unreachable
from tests.client.house import House


def test_a_product_is_found_by_its_picture_and_gone_once_deleted(
    shop: Lookalike, photos: list[Path]
) -> None:
    written = shop.put_product(
        "lamp-no", {"title": "Brass lamp", "price": 39.9}, photos[:1], within_s=20
    )
    assert (written.status, written.state) == ("created", "searchable")
    found = shop.search(image=photos[0], limit=1)
    assert found.hits[0].product_id == "lamp-no"
    assert found.hits[0].similarity == pytest.approx(1, abs=0.01)
    shop.delete("lamp-no")
    assert "lamp-no" not in [hit.product_id for hit in shop.search(image=photos[0]).hits]


def test_a_product_is_read_changed_and_located(shop: Lookalike, photos: list[Path]) -> None:
    shop.put_product(
        "été 1", {"title": "Chair", "custom": {"legs": 4}}, [photos[0].read_bytes(), photos[1]]
    )
    changed = shop.patch("été 1", {"price": 12.5, "custom": {"legs": None}})
    assert changed.status == "changed"
    product = shop.get("été 1")
    assert (product.title, product.price, dict(product.custom)) == ("Chair", 12.5, {})
    assert len(product.images) == 2
    assert product.updated_at.tzinfo is not None
    seen = shop.presence("été 1", within_s=20)
    assert seen.state == "searchable"
    assert seen.indexes[0].targets[0].searchable


def test_similar_products_carry_blend_and_limit(shop: Lookalike, photos: list[Path]) -> None:
    for number, photo in enumerate(photos):
        shop.put_product(f"sim-{number}", {"title": f"{number}"}, [photo], within_s=20)
    found = shop.similar("sim-0", blend={"colour": 1.0}, limit=2)
    assert 1 <= len(found.hits) <= 2
    assert found.hits[0].similarity == pytest.approx(found.hits[0].spaces["colour"], abs=1e-3)
    mixed = shop.search(product={"sim-0": 1.0, "sim-1": -0.5}, crop=None, limit=3)
    assert mixed.hits[0].product_id not in {"sim-0", "sim-1"}


def test_a_filter_holds_and_a_crop_is_understood(shop: Lookalike, photos: list[Path]) -> None:
    shop.put_product("cheap", {"price": 1.0}, photos[:1], within_s=20)
    shop.put_product("dear", {"price": 99.0}, photos[:1], within_s=20)
    found = shop.search(
        image=photos[0], crop=(0, 0, 0.9, 0.9), filter={"field": "price", "lte": 40.0}
    )
    ids = [hit.product_id for hit in found.hits]
    assert "cheap" in ids
    assert "dear" not in ids


def test_a_catalogue_is_imported_with_progress(shop: Lookalike, house: House) -> None:
    told: list[tuple[int, int]] = []
    begun = shop.import_bson(
        house.sample,
        categories=house.categories,
        progress=lambda sent, total: told.append((sent, total)),
    )
    job = shop.wait(begun, timeout_s=60)
    assert job.state == "succeeded"
    size = house.sample.stat().st_size
    assert told[-1] == (size, size)
    status = shop.import_status(begun.import_id)
    assert status.counters.read == house.products
    with pytest.raises(Conflict, match="nothing to try again"):
        shop.retry_import(begun.import_id)
    with pytest.raises(Conflict, match="succeeded"):
        shop.pause_import(begun.import_id)


def test_an_upload_can_be_bytes(shop: Lookalike, photos: list[Path]) -> None:
    upload = shop.upload(photos[0].read_bytes())
    assert (upload.media_type, upload.size) == ("image/jpeg", photos[0].stat().st_size)


def test_backends_totals_and_readiness_are_told(shop: Lookalike) -> None:
    named = {backend.name: backend for backend in shop.backends().backends}
    assert named["exact"].healthy
    assert not named["elasticsearch"].configured
    assert shop.stats().products >= 0
    assert shop.ready().status == "ready"


def test_what_is_refused_carries_the_problem(shop: Lookalike, photos: list[Path]) -> None:
    with pytest.raises(NotFound, match="nothing-here") as caught:
        shop.get("nothing-here")
    assert (caught.value.problem.status, caught.value.problem.code) == (404, "not_found")
    assert caught.value.problem.request_id
    with pytest.raises(Invalid) as wrong:
        shop.put_product("1", {"price": -1.0}, photos[:1])
    assert wrong.value.problem.errors[0]["pointer"] == "/price"


@pytest.mark.parametrize("name", [".", "..", "a?b", "a#b", "50%"])
def test_no_id_leads_to_another_path(shop: Lookalike, name: str, photos: list[Path]) -> None:
    shop.put_product(name, {}, photos[:1])
    assert shop.get(name).product_id == name


def test_a_wrong_key_is_told_as_such(shop: Lookalike, house: House) -> None:
    with (
        Lookalike(house.url, key="lk_admin_no") as stranger,
        pytest.raises(Unauthorised),
    ):
        stranger.backends()


def test_a_key_is_made_used_and_revoked(shop: Lookalike, house: House) -> None:
    made = shop.create_key("search", label="window", expires_in_days=1)
    assert made.key
    with Lookalike(house.url, key=made.key) as window:
        assert window.backends().backends
        shop.revoke_key(made.key_id)
        with pytest.raises(Unauthorised):
            window.backends()
    assert {key.key_id: key.revoked for key in shop.keys().keys}[made.key_id]


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with Lookalike("http://127.0.0.1:9", retries=0) as nobody, pytest.raises(Unreachable):
        nobody.ready()


def test_awaited_it_does_the_same(house: House, photos: list[Path]) -> None:
    async def story() -> None:
        async with AsyncLookalike(house.url, key=house.admin_key) as shop:
            written = await shop.put_product("a1", {"title": "Vase"}, photos[2:], within_s=20)
            assert written.state == "searchable"
            found = await shop.search(image=photos[2], filter={"field": "title", "eq": "Vase"})
            assert [hit.product_id for hit in found.hits] == ["a1"]
            begun = await shop.import_bson(house.sample, limit=2)
            ended = await shop.wait(begun, timeout_s=60)
            assert ended.progress["read"] == 2
            assert (await shop.picture(found.hits[0].thumbnail_url))[:2] == b"\xff\xd8"

    asyncio.run(story())
