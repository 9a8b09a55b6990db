"""What becomes of an image: a vector or a verdict, each announced."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.catalogue.port import Catalogue
from shared.images import Claim, Place, Progress
from tests.contracts.catalogue.conftest import MINUTE
from tests.contracts.catalogue.embedding import (
    OTHER,
    VECTOR,
    Store,
    embedded,
    given_up,
    open_now,
    progress,
    stored,
)


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


def test_a_later_vector_of_the_same_fingerprint_replaces_the_first(
    catalogue: Catalogue, store: Store
) -> None:
    image = store()
    embedded(catalogue, image)
    catalogue.images.announced("shop", [image.sha256], "f1")
    store(vectors=(("f1", OTHER),))
    assert stored(catalogue, image).vectors == {"f1": OTHER}
    assert open_now(catalogue) == [(image.sha256, 0, True)]
