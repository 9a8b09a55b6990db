"""Images: stored once, embedded once, swept only when nobody wants them."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.catalogue.images import ImageWrite, VectorWrite
from shared.catalogue.port import Catalogue
from shared.images import Claim, Image, Place, Progress

MINUTE = 60_000
Store = Callable[..., Image]
VECTOR, OTHER = b"\x00\x3c" * 4, b"\x00\x40" * 4


def stored(catalogue: Catalogue, image: Image) -> Image:
    return catalogue.images.get("shop", [image.sha256])[image.sha256]


def progress(catalogue: Catalogue, image: Image) -> Progress:
    return stored(catalogue, image).state.get("f1", Progress())


def embedded(catalogue: Catalogue, image: Image, **more: Any) -> bool:
    return catalogue.images.store_vector(VectorWrite("shop", image.sha256, "f1", VECTOR, **more))


def given_up(catalogue: Catalogue, image: Image, place: Place | None = None) -> bool:
    return catalogue.images.store_verdict(
        "shop", image.sha256, "f1", place=place or image.place, error="broken: No picture."
    )


def open_now(catalogue: Catalogue, **narrowed: Any) -> list[tuple[str, int, bool]]:
    found = catalogue.images.claimable("f1", 100, **narrowed)
    return [(claim.sha256, claim.attempts, claim.unannounced) for claim in found]


def test_an_image_comes_back_as_it_was_put(
    catalogue: Catalogue, picture: Callable[..., ImageWrite], clock: Any
) -> None:
    write = picture(phash="c0ffee", thumbnail=Place("thumbs", 7, 9), vectors=(("f1", VECTOR),))
    (image,) = catalogue.images.put([write])
    assert image == Image(
        tenant="shop",
        sha256=write.sha256,
        place=Place("blob-of-a", 0, 100),
        media_type="image/jpeg",
        width=640,
        height=480,
        touched=clock(),
        phash="c0ffee",
        thumbnail=Place("thumbs", 7, 9),
        vectors={"f1": VECTOR},
        state={"f1": Progress(unannounced=True)},
    )
    assert catalogue.images.get("shop", [write.sha256, "gone"]) == {write.sha256: image}
    assert catalogue.images.get("other", [write.sha256]) == {}


def test_an_image_put_again_keeps_the_place_it_has(
    catalogue: Catalogue, store: Store, clock: Any
) -> None:
    # rule: blob_key_once
    first = store()
    catalogue.images.doom("shop", first.sha256, touched=first.touched)
    later = clock.advance(1)
    again = store(place=Place("second-upload", 0, 100))
    assert again.place == first.place
    assert (again.touched, again.doomed) == (later, None)
    assert stored(catalogue, first) == again
    assert not catalogue.images.names_blob("second-upload")


def test_what_an_image_lacked_is_added_when_it_is_put_again(
    catalogue: Catalogue, store: Store
) -> None:
    store()
    again = store(phash="c0ffee", thumbnail=Place("t1", 0, 9), vectors=(("f1", VECTOR),))
    assert (again.phash, again.thumbnail) == ("c0ffee", Place("t1", 0, 9))
    assert again.vectors == {"f1": VECTOR}
    assert again.state == {"f1": Progress(unannounced=True)}
    assert store(thumbnail=Place("t2", 0, 9)).thumbnail == Place("t1", 0, 9)


def test_an_image_after_its_deadline_is_not_stored(
    catalogue: Catalogue, picture: Callable[..., ImageWrite], store: Store, clock: Any
) -> None:
    # rule: write_deadline
    late = picture("late", not_after=clock() - 1)
    good, in_time = picture("good"), picture("in-time", not_after=clock())
    outcomes = catalogue.images.put([late, good, in_time])
    assert [image and image.sha256 for image in outcomes] == [None, good.sha256, in_time.sha256]
    assert catalogue.images.count("shop") == 2
    before = store("a")
    clock.advance(1)
    assert catalogue.images.put([picture("a", not_after=clock() - 1)]) == [None]
    assert stored(catalogue, before) == before


def test_touching_tells_what_is_there_and_saves_it_from_the_sweeper(
    catalogue: Catalogue, store: Store, clock: Any
) -> None:
    # rule: touch_tests
    image = store()
    other = store("b")
    assert catalogue.images.doom("shop", image.sha256, touched=image.touched)
    doomed, later = stored(catalogue, image).doomed, clock.advance(1)
    touched = catalogue.images.touch("shop", [image.sha256, "gone"])
    assert touched == {image.sha256: stored(catalogue, image)}
    assert (touched[image.sha256].touched, touched[image.sha256].doomed) == (later, None)
    assert stored(catalogue, other).touched == other.touched
    gone = catalogue.images.remove("shop", image.sha256, touched=image.touched, doomed=doomed)
    assert gone is None
    assert catalogue.images.touch("other", [image.sha256]) == {}
    assert catalogue.images.touch("shop", []) == {}


def test_an_image_is_doomed_only_as_it_was_read(
    catalogue: Catalogue, store: Store, clock: Any
) -> None:
    # rule: sweep_untouched
    image = store()
    later = clock.advance(1)
    catalogue.images.touch("shop", [image.sha256])
    assert not catalogue.images.doom("shop", image.sha256, touched=image.touched)
    assert catalogue.images.doom("shop", image.sha256, touched=later)
    assert stored(catalogue, image).doomed == later
    assert not catalogue.images.doom("shop", "gone", touched=later)


def test_an_image_is_removed_only_as_it_was_read(
    catalogue: Catalogue, store: Store, clock: Any
) -> None:
    # rule: sweep_untouched
    image, later = store(vectors=(("f1", VECTOR),)), clock.advance(1)

    def remove(touched: int, doomed: int | None) -> Image | None:
        return catalogue.images.remove("shop", image.sha256, touched=touched, doomed=doomed)

    assert remove(image.touched, later) is None
    assert remove(later, None) is None
    catalogue.images.doom("shop", image.sha256, touched=image.touched)
    assert remove(image.touched, None) is None
    read = stored(catalogue, image)
    assert remove(read.touched, read.doomed) == read
    assert catalogue.images.get("shop", [image.sha256]) == {}
    assert remove(read.touched, read.doomed) is None


def test_an_image_put_after_its_removal_starts_from_nothing(
    catalogue: Catalogue, store: Store, claimed: Callable[[], Claim]
) -> None:
    image = store()
    claimed()
    embedded(catalogue, image)
    assert catalogue.images.remove("shop", image.sha256, touched=image.touched, doomed=None)
    again = store(place=Place("second-upload", 0, 100))
    assert (again.place.blob, dict(again.vectors), dict(again.state)) == ("second-upload", {}, {})
    assert open_now(catalogue) == [(image.sha256, 0, False)]


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


def test_images_are_announced_together_and_no_other_with_them(
    catalogue: Catalogue, store: Store
) -> None:
    one, two, other = store("a"), store("b"), store("c")
    for image in (one, two, other):
        assert embedded(catalogue, image)
    catalogue.images.announced("shop", [one.sha256, two.sha256, "0" * 64], "f1")
    assert [sha for sha, _, _ in open_now(catalogue)] == [other.sha256]
    catalogue.images.announced("shop", [], "f1")
    assert [sha for sha, _, _ in open_now(catalogue)] == [other.sha256]


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


def test_an_image_stays_claimable_until_its_vector_is_announced(
    catalogue: Catalogue, store: Store, clock: Any, claimed: Callable[[], Claim]
) -> None:
    # rule: announce
    image = store()
    claimed()
    assert embedded(catalogue, image, phash="c0ffee", thumbnail=Place("t1", 0, 9))
    after = stored(catalogue, image)
    assert (after.vectors, after.phash, after.thumbnail) == (
        {"f1": VECTOR},
        "c0ffee",
        Place("t1", 0, 9),
    )
    assert open_now(catalogue) == []
    clock.advance(MINUTE + 1)
    assert open_now(catalogue) == [(image.sha256, 1, True)]
    catalogue.images.announced("shop", [image.sha256], "f1")
    assert open_now(catalogue) == []
    assert catalogue.images.unembedded("f1", "shop") == 0


def test_vectors_that_come_with_an_image_want_an_announcement(
    catalogue: Catalogue, store: Store
) -> None:
    # rule: announce
    image = store(vectors=(("f1", VECTOR),))
    assert open_now(catalogue) == [(image.sha256, 0, True)]
    catalogue.images.announced("shop", [image.sha256], "f1")
    assert open_now(catalogue) == []


def test_a_verdict_wants_an_announcement_too(catalogue: Catalogue, store: Store) -> None:
    # rule: announce
    image = store()
    assert given_up(catalogue, image)
    assert progress(catalogue, image).error == "broken: No picture."
    assert open_now(catalogue) == [(image.sha256, 0, True)]
    catalogue.images.announced("shop", [image.sha256], "f1")
    assert open_now(catalogue) == []
    assert progress(catalogue, image).error == "broken: No picture."


def test_a_vector_for_an_image_that_is_gone_is_not_stored(
    catalogue: Catalogue, store: Store
) -> None:
    image = store()
    catalogue.images.remove("shop", image.sha256, touched=image.touched, doomed=None)
    assert not embedded(catalogue, image)
    assert not given_up(catalogue, image)
    assert catalogue.images.get("shop", [image.sha256]) == {}


def test_a_vector_takes_a_verdict_back(catalogue: Catalogue, store: Store) -> None:
    image = store()
    given_up(catalogue, image)
    assert embedded(catalogue, image)
    assert progress(catalogue, image).error is None
    assert stored(catalogue, image).vectors == {"f1": VECTOR}


def test_a_verdict_never_replaces_a_vector(catalogue: Catalogue, store: Store) -> None:
    # rule: verdict_guarded
    image = store()
    embedded(catalogue, image)
    before = stored(catalogue, image)
    assert not given_up(catalogue, image)
    assert stored(catalogue, image) == before


@pytest.mark.parametrize("other", [Place("other", 0, 100), Place("blob-of-a", 1, 100)])
def test_a_verdict_holds_only_for_the_bytes_that_were_read(
    catalogue: Catalogue, store: Store, other: Place
) -> None:
    # rule: verdict_guarded
    image = store()
    assert not given_up(catalogue, image, other)
    assert progress(catalogue, image) == Progress()


def test_a_verdict_on_one_model_says_nothing_about_another(
    catalogue: Catalogue, store: Store
) -> None:
    image = store(vectors=(("f2", VECTOR),))
    assert given_up(catalogue, image)
    assert stored(catalogue, image).vectors == {"f2": VECTOR}


def test_a_forgotten_verdict_makes_the_image_claimable_again(
    catalogue: Catalogue, store: Store, claimed: Callable[[], Claim]
) -> None:
    image = store()
    assert not catalogue.images.forget_verdict("shop", image.sha256, "f1")
    claimed()
    given_up(catalogue, image)
    catalogue.images.announced("shop", [image.sha256], "f1")
    assert catalogue.images.forget_verdict("shop", image.sha256, "f1")
    assert open_now(catalogue) == [(image.sha256, 0, False)]
    assert progress(catalogue, image) == Progress()
    assert not catalogue.images.forget_verdict("shop", "gone", "f1")


def test_a_forgotten_verdict_that_nobody_announced_needs_no_announcement(
    catalogue: Catalogue, store: Store
) -> None:
    image = store()
    given_up(catalogue, image)
    assert catalogue.images.forget_verdict("shop", image.sha256, "f1")
    assert open_now(catalogue) == [(image.sha256, 0, False)]


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


def test_a_later_vector_of_the_same_fingerprint_replaces_the_first(
    catalogue: Catalogue, store: Store
) -> None:
    image = store()
    embedded(catalogue, image)
    catalogue.images.announced("shop", [image.sha256], "f1")
    store(vectors=(("f1", OTHER),))
    assert stored(catalogue, image).vectors == {"f1": OTHER}
    assert open_now(catalogue) == [(image.sha256, 0, True)]


def test_a_blob_is_named_by_bytes_or_thumbnail(catalogue: Catalogue, store: Store) -> None:
    image = store(thumbnail=Place("thumbs", 0, 9))
    assert catalogue.images.names_blob("blob-of-a")
    assert catalogue.images.names_blob("thumbs")
    assert not catalogue.images.names_blob("nowhere")
    catalogue.images.remove("shop", image.sha256, touched=image.touched, doomed=None)
    assert not catalogue.images.names_blob("blob-of-a")
    assert not catalogue.images.names_blob("thumbs")


def test_pages_go_through_all_tenants_in_order(catalogue: Catalogue, store: Store) -> None:
    keys = sorted(
        (tenant, store(name, tenant=tenant).sha256)
        for tenant in ("b-shop", "a", "a-shop")
        for name in "xyz"
    )
    walked: list[tuple[str, str]] = []
    while page := catalogue.images.page(walked[-1] if walked else ("", ""), limit=2):
        walked.extend((image.tenant, image.sha256) for image in page)
    assert walked == keys
    assert catalogue.images.count("a-shop") == 3
    assert catalogue.images.count("nobody") == 0


def test_hashes_are_those_of_decoded_images_of_one_tenant_in_order(
    catalogue: Catalogue, store: Store
) -> None:
    store("waiting")
    store("theirs", tenant="other", phash="00")
    later = store("later")
    embedded(catalogue, later, phash="0f")
    wanted = {(store(name, phash=name).sha256, name, f"blob-of-{name}") for name in "abc"}
    wanted.add((later.sha256, "0f", "blob-of-later"))
    first = catalogue.images.hashes("shop", "", limit=3)
    rest = catalogue.images.hashes("shop", first[-1][0], limit=3)
    assert first + rest == sorted(wanted)
    assert catalogue.images.hashes("nobody", "", limit=3) == []


def test_vectors_are_those_of_one_fingerprint(catalogue: Catalogue, store: Store) -> None:
    catalogue.images.unembedded("f1", "shop")
    waiting, other = store("waiting"), store("other", vectors=(("f2", OTHER),))
    image = store("a", vectors=(("f1", VECTOR), ("f2", OTHER)))
    asked = [image.sha256, waiting.sha256, other.sha256, "gone"]
    assert catalogue.images.vectors("shop", asked, "f1") == {image.sha256: VECTOR}
    assert catalogue.images.vectors("other", asked, "f1") == {}
    assert catalogue.images.vectors("shop", [], "f1") == {}
