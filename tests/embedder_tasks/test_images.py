from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from services.embedder.announce import announce
from services.embedder.canary import CANARY
from services.embedder.decode import decode
from services.embedder.images import embed_images
from services.embedder.verdicts import give_up_image
from shared.blobs.fsspec import FsspecBlobs
from shared.catalogue.images import VectorWrite
from shared.errors import Unavailable
from shared.images import MAX_ATTEMPTS, Place, sha256_of
from shared.seams.embedder import Failure
from shared.tasks import EmbedImages, SyncShard
from shared.vectors import from_bytes
from tests.embedder_tasks.conftest import SPACES, TinyEmbedder

EMBED = EmbedImages("f1")


def test_a_picture_gets_its_vector_and_its_products_are_bumped(house: Any) -> None:
    sha256 = house.upload("one")
    before = house.put("p", sha256).product
    assert embed_images(house.ports, EMBED) == 1
    image, product = house.image(sha256), house.product("p")
    expected = np.frombuffer(house.embedder.embed([house.picture("one")])[0].vector, np.float32)
    assert np.allclose(from_bytes(image.vectors["f1"]), expected, atol=1e-3)
    assert product.revision > before.revision
    assert product.images_revision == product.revision
    assert product.version == before.version
    assert "idx_1/segments" in product.pending
    assert {SyncShard("idx_1", 0), SyncShard("idx_1", 1)} <= set(house.queue.rung)
    assert house.left() == 0


def test_a_picture_of_many_products_is_embedded_once(house: Any) -> None:
    sha256 = house.upload("shared")
    before = {pid: house.put(pid, sha256).product.revision for pid in "abc"}
    house.embed_until_quiet()
    assert house.embedder.seen[sha256] == 1
    assert all(house.product(pid).images_revision > revision for pid, revision in before.items())


def test_one_truncated_picture_among_ten_gets_a_verdict_at_once_and_hurts_no_other(
    house: Any,
) -> None:
    names = [f"p{n}" for n in range(9)]
    good = [house.upload(name) for name in names]
    torn = house.upload("torn")
    house.put("p", torn, good[0])
    revision = house.product("p").revision
    while house.ports.catalogue.images.claimable("f1", 1):
        embed_images(house.ports, EMBED)
    assert all("f1" in house.image(sha256).vectors for sha256 in good)
    assert house.error(torn) == "undecodable_image: The picture is cut off."
    assert house.letters() == {f"image/{torn}/f1": "undecodable_image"}
    assert house.product("p").revision > revision
    assert house.embedder.seen[torn] == 1


@pytest.mark.parametrize("dies", ["child", "worker"])
def test_a_poison_is_bisected_until_it_is_alone_and_its_neighbours_are_embedded(
    house: Any, dies: str
) -> None:
    house = house.with_ports(batch=32)
    house.embedder.kills_process = dies == "worker"
    good = [house.upload(f"p{n}") for n in range(12)]
    poison = house.upload("poison")
    house.put("p", poison)
    house.embed_until_quiet()
    assert house.left() == 0
    assert all("f1" in house.image(sha256).vectors for sha256 in good)
    assert house.error(poison).startswith("kills_decoder: ")
    assert house.letters() == {f"image/{poison}/f1": "kills_decoder"}
    (letter,) = house.ports.catalogue.dead.page("shop")
    assert letter.attempts == MAX_ATTEMPTS + 1


def _embed_for_ever(house: Any) -> None:
    while True:
        embed_images(house.ports, EMBED)


def test_a_batch_that_killed_its_worker_is_halved(house: Any) -> None:
    house.embedder.kills_process = True
    for name in ("poison", *(f"p{n}" for n in range(7))):
        house.upload(name)
    for most in (8, 4, 2):
        house.embedder.batches.clear()
        with pytest.raises(house.killed):
            _embed_for_ever(house)
        assert max(house.embedder.batches) <= most
        house.clock.forward(minutes=2)


def test_where_a_child_dies_the_neighbours_do_not_wait_for_a_lease(house: Any) -> None:
    good = [house.upload(f"p{n}") for n in range(6)]
    house.upload("poison")
    assert embed_images(house.ports, EMBED) == 6
    assert all("f1" in house.image(sha256).vectors for sha256 in good)


def test_no_picture_is_blamed_while_the_embedder_is_down(house: Any) -> None:
    shas = [house.upload(f"p{n}") for n in range(3)]
    house.embedder.down = True
    for _ in range(3 * MAX_ATTEMPTS):
        with pytest.raises(Unavailable):
            embed_images(house.ports, EMBED)
        house.clock.forward(minutes=2)
    house.embedder.down = False
    house.embed_until_quiet()
    assert all("f1" in house.image(sha256).vectors for sha256 in shas)
    assert house.letters() == {}


def test_no_picture_is_blamed_while_the_blob_store_is_down(house: Any) -> None:
    class Down(FsspecBlobs):
        def read(self, key: str, *_: object) -> bytes:
            raise Unavailable(f"The blob store is down and {key} with it.")

    sha256 = house.upload("one")
    down = house.with_ports(blobs=Down(f"file://{house.folder}/blobs"))
    for _ in range(3 * MAX_ATTEMPTS):
        with pytest.raises(Unavailable):
            embed_images(down.ports, EMBED)
        house.clock.forward(minutes=2)
    house.embed_until_quiet()
    assert "f1" in house.image(sha256).vectors


def test_missing_bytes_are_no_verdict_and_stand_in_nobodys_way(house: Any) -> None:
    gone = [house.upload(f"gone{n}") for n in range(10)]
    for sha256 in gone:
        house.ports.blobs.delete(house.image(sha256).place.blob)
    there = house.upload("there")
    for _ in range(30):
        embed_images(house.ports, EMBED)
        house.clock.forward(minutes=0.2)
    assert "f1" in house.image(there).vectors
    assert {house.error(sha256) for sha256 in gone} == {None}
    assert house.letters() == {}


def test_two_workers_at_once_do_not_share_a_picture(house: Any) -> None:
    sha256 = house.upload("one")
    (claim,) = house.ports.catalogue.images.claimable("f1", 1)
    assert house.ports.catalogue.images.claim(claim, 60_000)
    assert embed_images(house.ports, EMBED) == 0
    assert house.embedder.seen[sha256] == 0


def test_thumbnails_of_a_batch_lie_in_one_blob_and_only_where_they_were_made(house: Any) -> None:
    large = [house.upload(f"large{n}") for n in range(3)]
    small = house.upload("tiny")
    embed_images(house.ports, EMBED)
    places = [house.image(sha256).thumbnail for sha256 in large]
    assert len({place.blob for place in places}) == 1
    for n, place in enumerate(places):
        data = house.ports.blobs.read(place.blob, place.offset, place.length)
        assert data == b"small " + house.picture(f"large{n}")
    assert house.image(small).thumbnail is None


def test_it_rings_again_while_more_is_claimable(house: Any) -> None:
    for n in range(10):
        house.upload(f"p{n}")
    assert embed_images(house.ports, EMBED) == 8
    assert house.queue.rung.count(EMBED) == 1
    assert embed_images(house.ports, EMBED) == 2
    assert house.queue.rung.count(EMBED) == 1


def test_named_pictures_are_embedded_and_no_others(house: Any) -> None:
    first, second = house.upload("one"), house.upload("two")
    assert embed_images(house.ports, EmbedImages("f1", "shop", (second,))) == 1
    assert "f1" in house.image(second).vectors
    assert "f1" not in house.image(first).vectors


def test_another_models_ring_is_not_answered(house: Any) -> None:
    sha256 = house.upload("one")
    assert embed_images(house.ports, EmbedImages("f2")) == 0
    assert house.image(sha256).vectors == {}


@dataclass(frozen=True)
class Candidates:
    """One model beside the house's own."""

    other: TinyEmbedder

    def of(self, fingerprint: str) -> TinyEmbedder | None:
        return self.other if self.other.spaces.fingerprint == fingerprint else None


def test_a_ring_for_another_model_is_answered_with_that_model(house: Any) -> None:
    sha256 = house.upload("one")
    house.put("p", sha256)
    revision = house.product("p").images_revision
    house = house.with_ports(embedders=Candidates(TinyEmbedder(replace(SPACES, fingerprint="f2"))))
    assert embed_images(house.ports, EmbedImages("f2")) == 1
    assert set(house.image(sha256).vectors) == {"f2"}
    assert house.product("p").images_revision > revision
    assert embed_images(house.ports, EmbedImages("f3")) == 0
    assert embed_images(house.ports, EMBED) == 1
    assert set(house.image(sha256).vectors) == {"f1", "f2"}


def test_what_another_model_cannot_decode_is_a_verdict_of_that_model(house: Any) -> None:
    sha256 = house.upload("torn")
    house = house.with_ports(embedders=Candidates(TinyEmbedder(replace(SPACES, fingerprint="f2"))))
    assert embed_images(house.ports, EmbedImages("f2")) == 1
    assert house.image(sha256).state["f2"].error
    assert house.error(sha256) is None


def test_a_crash_between_vector_and_bump_is_made_good(house: Any) -> None:
    sha256 = house.upload("one")
    house.put("p", sha256)
    write = VectorWrite("shop", sha256, "f1", b"\0" * 24)
    assert house.ports.catalogue.images.store_vector(write)
    house.ports.blobs.delete(house.image(sha256).place.blob)
    revision = house.product("p").images_revision
    assert house.left() == 1
    assert embed_images(house.ports, EMBED) == 1
    assert house.product("p").images_revision > revision
    assert house.embedder.seen[sha256] == 0
    assert house.left() == 0


def test_an_announcement_that_came_too_late_is_made_again(house: Any) -> None:
    sha256 = house.upload("one")
    house.put("p", sha256)

    class Late:
        def fresh(self, tenant: str) -> Any:
            fresh = house.ports.targets.fresh(tenant)
            house.clock.forward(minutes=30)
            return fresh

    revision = house.product("p").revision
    late = house.with_ports(targets=Late())
    assert embed_images(late.ports, EMBED) == 0
    assert house.product("p").revision == revision
    assert house.left() == 1
    house.embed_until_quiet()
    assert house.product("p").images_revision > revision


def test_an_announcement_names_every_target_there_is(house: Any) -> None:
    sha256 = house.upload("one")
    house.put("p", sha256)
    product = house.product("p")
    house.ports.catalogue.products.mark("shop", "idx_1/segments", [("p", product.revision)])
    assert announce(house.ports, "shop", [sha256], "f1")
    assert house.product("p").pending == {"idx_1/segments"}


def test_a_failure_never_takes_the_place_of_a_vector(house: Any) -> None:
    sha256 = house.upload("one")
    place = house.image(sha256).place
    house.embed_until_quiet()
    failure = Failure("undecodable_image", "read from a broken disk")
    assert not give_up_image(house.ports, "shop", sha256, place, failure)
    assert house.error(sha256) is None
    assert house.letters() == {}


def test_a_failure_of_other_bytes_is_not_this_pictures(house: Any) -> None:
    sha256 = house.upload("one")
    failure = Failure("undecodable_image", "")
    assert not give_up_image(house.ports, "shop", sha256, Place("elsewhere", 0, 1), failure)
    assert house.error(sha256) is None
    house.embed_until_quiet()
    assert "f1" in house.image(sha256).vectors


def test_the_canary_is_a_good_picture() -> None:
    assert decode(CANARY).width == 32
    assert sha256_of(CANARY)
