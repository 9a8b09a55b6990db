"""Images: stored once, and swept only when nobody wants them."""

from collections.abc import Callable
from typing import Any

from shared.catalogue.images import ImageWrite
from shared.catalogue.port import Catalogue
from shared.images import Claim, Image, Place, Progress
from tests.contracts.catalogue.embedding import (
    OTHER,
    VECTOR,
    Store,
    embedded,
    open_now,
    stored,
)


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
