"""Who embeds an image: what waits is claimed by one at a time, the least tried first."""

from collections.abc import Callable
from typing import Any

from shared.catalogue.port import Catalogue
from shared.images import Claim, Place, Progress
from tests.contracts.catalogue.conftest import MINUTE
from tests.contracts.catalogue.embedding import (
    VECTOR,
    Store,
    embedded,
    given_up,
    open_now,
    progress,
)


def test_images_without_vector_are_claimable_whenever_they_came(
    catalogue: Catalogue, store: Store
) -> None:
    before = store("before")
    assert open_now(catalogue) == [(before.sha256, 0, False)]
    after = store("after")
    assert {sha256 for sha256, *_ in open_now(catalogue)} == {before.sha256, after.sha256}
    ready = store("ready", vectors=(("f2", VECTOR),))
    assert (ready.sha256, 0, False) in open_now(catalogue)
    assert catalogue.images.claimable("f3", 100)


def test_a_claim_carries_what_its_holder_needs(catalogue: Catalogue, store: Store) -> None:
    image = store(place=Place("pack", 40, 60))
    (claim,) = catalogue.images.claimable("f1", 10)
    assert claim == Claim("shop", image.sha256, "f1", Place("pack", 40, 60), 0, unannounced=False)


def test_fewest_attempts_are_first(
    catalogue: Catalogue, store: Store, clock: Any, claimed: Callable[[], Claim]
) -> None:
    tried = store("tried")
    claimed()
    fresh = [store(name).sha256 for name in ("a", "b", "c")]
    clock.advance(MINUTE + 1)
    expected = [(sha256, 0, False) for sha256 in sorted(fresh)]
    assert open_now(catalogue) == [*expected, (tried.sha256, 1, False)]
    assert [c.sha256 for c in catalogue.images.claimable("f1", 2)] == sorted(fresh)[:2]


def test_attempts_are_counted_without_end(
    catalogue: Catalogue, store: Store, clock: Any, claimed: Callable[[], Claim]
) -> None:
    image = store()
    for attempts in range(14):
        assert claimed().attempts == attempts
        assert open_now(catalogue) == []
        clock.advance(MINUTE + 1)
    assert catalogue.images.unembedded("f1", "shop") == 1
    assert embedded(catalogue, image)
    assert open_now(catalogue) == [(image.sha256, 14, True)]
    catalogue.images.announced("shop", [image.sha256], "f1")
    assert open_now(catalogue) == []


def test_claimable_is_narrowed_to_a_tenant_and_to_images(
    catalogue: Catalogue, store: Store
) -> None:
    mine, other = store("a"), store("b")
    store("a", tenant="other")
    assert len(open_now(catalogue)) == 3
    assert {sha256 for sha256, *_ in open_now(catalogue, tenant="shop")} == {
        mine.sha256,
        other.sha256,
    }
    assert len(open_now(catalogue, images=[mine.sha256])) == 2
    assert open_now(catalogue, tenant="shop", images=[mine.sha256, "gone"]) == [
        (mine.sha256, 0, False)
    ]


def test_a_lease_keeps_others_away_until_it_is_over(
    catalogue: Catalogue, store: Store, clock: Any
) -> None:
    image = store()
    (claim,) = catalogue.images.claimable("f1", 10)
    assert catalogue.images.claim(claim, MINUTE)
    assert not catalogue.images.claim(claim, MINUTE)
    assert progress(catalogue, image) == Progress(1, clock() + MINUTE)
    clock.advance(MINUTE)
    assert open_now(catalogue) == []
    clock.advance(1)
    assert open_now(catalogue) == [(image.sha256, 1, False)]
    assert not catalogue.images.claim(claim, MINUTE), "somebody claimed since this was read"
    (again,) = catalogue.images.claimable("f1", 10)
    assert catalogue.images.claim(again, MINUTE)
    assert progress(catalogue, image).attempts == 2


def test_a_lease_guards_even_who_read_the_attempts_of_now(
    catalogue: Catalogue, store: Store, clock: Any
) -> None:
    store()
    (claim,) = catalogue.images.claimable("f1", 10)
    assert catalogue.images.claim(claim, MINUTE)
    same = Claim("shop", claim.sha256, "f1", claim.place, 1, unannounced=False)
    assert not catalogue.images.claim(same, MINUTE)
    clock.advance(MINUTE + 1)
    assert catalogue.images.claim(same, MINUTE)


def test_an_image_that_is_gone_cannot_be_claimed(catalogue: Catalogue, store: Store) -> None:
    image = store()
    (claim,) = catalogue.images.claimable("f1", 10)
    catalogue.images.remove("shop", image.sha256, touched=image.touched, doomed=None)
    assert not catalogue.images.claim(claim, MINUTE)


def test_unembedded_counts_whatever_is_not_through(
    catalogue: Catalogue, store: Store, clock: Any
) -> None:
    assert catalogue.images.unembedded("f1", "shop") == 0
    leased, done, failed, told = (store(name) for name in ("leased", "done", "failed", "told"))
    store("theirs", tenant="other")
    (claim,) = catalogue.images.claimable("f1", 9, tenant="shop", images=[leased.sha256])
    assert catalogue.images.claim(claim, MINUTE)
    embedded(catalogue, done)
    given_up(catalogue, failed)
    embedded(catalogue, told)
    catalogue.images.announced("shop", [told.sha256], "f1")
    assert catalogue.images.unembedded("f1", "shop") == 3
    assert catalogue.images.unembedded("f1", "other") == 1
    assert catalogue.images.unembedded("f2", "shop") == 4
