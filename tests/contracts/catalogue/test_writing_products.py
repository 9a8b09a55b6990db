"""Who may write a product, and what a write changes."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from shared.catalogue.port import Catalogue
from shared.catalogue.products import Outcome, ProductWrite
from shared.products import Attributes, Date, Origin, Product, bucket_of, content_hash

TARGETS = frozenset({"one/segments", "one/elasticsearch"})
Put = Callable[..., Outcome]


def stored(catalogue: Catalogue, product_id: str = "p") -> Product:
    return catalogue.products.get("shop", [product_id])[product_id]


def confirm(catalogue: Catalogue) -> Product:
    """Every target has indexed the product."""
    for name in TARGETS:
        catalogue.products.mark("shop", name, [("p", stored(catalogue).revision)])
    return stored(catalogue)


def test_a_document_comes_back_as_it_was_written(
    catalogue: Catalogue, put: Put, clock: Any
) -> None:
    attributes = Attributes(
        title="Lampe \N{BLACK HEART SUIT} \0 \ud800",
        brand="Ö",
        category=("Home", "Lamps; or 'so'"),
        price=12.0,
        currency="EUR",
        in_stock=False,
        tags=("red", "big"),
        url="https://example.org/lamp",
        custom={"size": 3, "ratio": 2.5, "new": True, "note": 'say "hi"'},
    )
    images = ("b" * 64, "a" * 64)
    outcome = put(attributes=attributes, images=images, urgent=True)
    expected = Product(
        tenant="shop",
        product_id="p",
        attributes=attributes,
        images=images,
        content_hash=content_hash(attributes, images),
        version=1,
        revision=clock(),
        images_revision=clock(),
        deleted=False,
        date=Date(clock(), 0),
        written=clock(),
        written_by=None,
        bucket=bucket_of("shop", "p"),
        urgent=True,
        pending=TARGETS,
        pending_since=clock(),
    )
    assert outcome == Outcome("created", expected)
    assert stored(catalogue) == expected


def test_a_new_documents_revision_is_the_stores_clock(put: Put, clock: Any) -> None:
    # rule: revision_from_clock
    outcome = put()
    assert outcome.product is not None
    assert outcome.product.revision == outcome.product.images_revision == clock()


def test_a_change_is_a_version_and_a_revision(catalogue: Catalogue, put: Put, clock: Any) -> None:
    put()
    before = confirm(catalogue)
    later = clock.advance(1000)
    assert put(title="Better lamp").status == "changed"
    after = stored(catalogue)
    assert (after.version, after.revision) == (2, before.revision + 1)
    assert after.images_revision == before.images_revision
    assert (after.pending, after.pending_since, after.written) == (TARGETS, later, later)


def test_other_images_move_the_images_revision(catalogue: Catalogue, put: Put) -> None:
    put()
    put(images=("b" * 64,))
    after = stored(catalogue)
    assert after.images_revision == after.revision


def test_the_same_again_is_unchanged_and_bothers_no_backend(catalogue: Catalogue, put: Put) -> None:
    put()
    before = confirm(catalogue)
    assert put().status == "unchanged"
    after = stored(catalogue)
    assert (after.version, after.revision, after.pending) == (1, before.revision, frozenset())


def test_the_same_after_a_deletion_is_a_change(
    catalogue: Catalogue, put: Put, delete: Callable[..., Outcome]
) -> None:
    # rule: unchanged_not_deleted
    put()
    delete()
    assert put().status == "changed"
    assert not stored(catalogue).deleted
    assert stored(catalogue).version == 3


def test_a_deleted_product_put_again_says_that_its_images_changed(
    catalogue: Catalogue, put: Put, delete: Callable[..., Outcome]
) -> None:
    # rule: recreate_bumps_images
    put()
    delete()
    put(title="Back again")
    after = stored(catalogue)
    assert after.images_revision == after.revision


def test_an_unchanged_write_is_dated_all_the_same(
    catalogue: Catalogue, put: Put, record: Put, clock: Any
) -> None:
    # rule: unchanged_stamps
    created = clock()
    clock.advance(10)
    record(created, 1, "Lamp")
    later = clock.advance(1000)
    assert put().status == "unchanged"
    after = stored(catalogue)
    assert (after.date, after.written, after.written_by) == (Date(later), later, None)
    assert record(created, 2, "Older").status == "superseded"


def test_an_import_never_overwrites_what_came_after_it(
    catalogue: Catalogue, put: Put, record: Put, clock: Any
) -> None:
    # rule: import_precedence
    created = clock()
    clock.advance(1)
    put()
    outcome = record(created, 7, "From the file")
    assert outcome == Outcome("superseded", stored(catalogue))
    assert stored(catalogue).attributes.title == "Lamp"


def test_an_import_overwrites_what_came_before_it(
    catalogue: Catalogue, put: Put, record: Put, clock: Any
) -> None:
    put()
    created = clock.advance(1)
    clock.advance(1000)
    assert record(created, 7, "From the file").status == "changed"
    assert stored(catalogue).written_by == (f"import-{created}", 7)


def test_a_record_is_dated_by_its_import_and_not_by_the_clock(
    catalogue: Catalogue, record: Put, clock: Any
) -> None:
    # rule: dated_imports
    older, newer = clock(), clock.advance(1000)
    clock.advance(1000)
    record(older, 9, "Older import, written last but one")
    assert stored(catalogue).date == Date(older, 9)
    assert record(newer, 1, "Newer import").status == "changed"
    clock.advance(1000)
    assert record(older, 10, "Older import").status == "superseded"


@pytest.mark.parametrize("offsets", [(1, 2), (2, 1)])
def test_of_two_records_with_one_id_the_later_one_wins_in_any_order(
    catalogue: Catalogue, record: Put, clock: Any, offsets: tuple[int, int]
) -> None:
    # rule: import_precedence
    outcomes = [record(clock(), offset, f"At {offset}") for offset in offsets]
    assert stored(catalogue).attributes.title == "At 2"
    if offsets == (2, 1):
        assert outcomes[1].status == "superseded"
        assert outcomes[1].product is not None
        assert outcomes[1].product.written_by == (f"import-{clock()}", 2)


def test_an_import_does_not_bring_back_what_was_deleted_after_it(
    catalogue: Catalogue, put: Put, record: Put, delete: Callable[..., Outcome], clock: Any
) -> None:
    created = clock()
    put()
    clock.advance(1)
    delete()
    assert record(created, 1, "From the file").status == "superseded"
    assert stored(catalogue).deleted


def test_a_record_that_comes_again_is_told_apart(record: Put, clock: Any) -> None:
    created = clock()
    clock.advance(5)
    first, second = (record(created, 3, "Same") for _ in range(2))
    assert (first.status, first.again) == ("created", False)
    assert (second.status, second.again) == ("unchanged", True)
    changed = record(created, 3, "Read differently")
    assert (changed.status, changed.again) == ("changed", True)
    assert not record(created, 4, "Another record").again


def test_two_requests_are_never_the_same_record(put: Put) -> None:
    put()
    assert not put().again


def test_a_write_after_its_deadline_changes_nothing(
    catalogue: Catalogue, put: Put, delete: Callable[..., Outcome], clock: Any
) -> None:
    # rule: write_deadline
    assert put("other", not_after=clock() - 1).status == "late"
    put()
    before, passed = stored(catalogue), clock() - 1
    assert put(title="Late", not_after=passed).status == "late"
    assert delete(not_after=passed).status == "late"
    patch = catalogue.products.patch(
        "shop",
        "p",
        revision=before.revision,
        attributes=Attributes(title="Late"),
        targets=TARGETS,
        not_after=passed,
    )
    bumped = catalogue.products.bump_showing("shop", ["a" * 64], targets=TARGETS, not_after=passed)
    assert (patch.status, bumped) == ("late", None)
    assert catalogue.products.page("shop") == [before]


def test_a_write_at_its_deadline_is_in_time(put: Put, clock: Any) -> None:
    assert put(not_after=clock()).status == "created"


def test_lateness_is_found_out_before_anything_else(put: Put, clock: Any) -> None:
    put()
    assert put(if_version=9, not_after=clock() - 1).status == "late"


def test_a_version_that_was_expected_and_is_not_there_stops_a_write(
    catalogue: Catalogue, put: Put
) -> None:
    assert put(if_version=1) == Outcome("mismatch", None)
    put()
    assert put(title="New", if_version=2) == Outcome("mismatch", stored(catalogue))
    assert put(title="New", if_version=0).status == "mismatch"
    assert put(title="New", if_version=1).status == "changed"


def test_version_zero_means_that_there_is_no_product(
    put: Put, delete: Callable[..., Outcome]
) -> None:
    assert put(if_version=0).status == "created"
    delete()
    assert put(if_version=2).status == "mismatch"
    assert put(if_version=0).status == "changed"


def test_writes_of_a_batch_are_done_in_order_and_stop_no_other(
    catalogue: Catalogue, write: Callable[..., ProductWrite], clock: Any
) -> None:
    batch: Sequence[ProductWrite] = [
        write(title="First"),
        write("late", not_after=clock() - 1),
        write(title="Second", if_version=1),
        write("q", if_version=4),
        write("r", origin=Origin("import", clock(), 3)),
        write(title="Second"),
    ]
    outcomes = catalogue.products.upsert(batch)
    statuses = ["created", "late", "changed", "mismatch", "created", "unchanged"]
    assert [outcome.status for outcome in outcomes] == statuses
    assert stored(catalogue).attributes.title == "Second"
    assert [p.product_id for p in catalogue.products.page("shop")] == ["p", "r"]


def test_no_writes_are_no_outcomes(catalogue: Catalogue) -> None:
    assert catalogue.products.upsert([]) == []


def test_a_patch_changes_attributes_and_keeps_images(
    catalogue: Catalogue, record: Put, clock: Any
) -> None:
    record(clock(), 1, "Lamp")
    before, later = confirm(catalogue), clock.advance(5)
    patched = Attributes(title="Lamp", price=1.0)
    outcome = catalogue.products.patch(
        "shop",
        "p",
        revision=before.revision,
        attributes=patched,
        targets=TARGETS,
        not_after=later,
    )
    after = stored(catalogue)
    assert outcome == Outcome("changed", after)
    assert (after.attributes, after.images) == (patched, before.images)
    assert (after.version, after.revision) == (2, before.revision + 1)
    assert after.images_revision == before.images_revision
    assert (after.date, after.written_by, after.pending) == (Date(later), None, TARGETS)
    assert after.content_hash == content_hash(patched, before.images)


def test_a_patch_of_what_has_moved_on_is_refused(
    catalogue: Catalogue, put: Put, delete: Callable[..., Outcome], clock: Any
) -> None:
    def patch(revision: int) -> str:
        return catalogue.products.patch(
            "shop",
            "p",
            revision=revision,
            attributes=Attributes(title="Patched"),
            targets=TARGETS,
            not_after=clock(),
        ).status

    assert patch(1) == "missing"
    put()
    assert patch(clock() + 1) == "mismatch"
    delete()
    assert patch(stored(catalogue).revision) == "missing"


def test_a_deletion_leaves_a_tombstone_with_all_that_it_was(
    catalogue: Catalogue, put: Put, delete: Callable[..., Outcome], clock: Any
) -> None:
    put()
    before, later = confirm(catalogue), clock.advance(5)
    assert delete() == Outcome("changed", stored(catalogue))
    after = stored(catalogue)
    assert after.deleted
    assert (after.attributes, after.images) == (before.attributes, before.images)
    assert (after.version, after.revision) == (2, before.revision + 1)
    assert (after.date, after.written, after.pending) == (Date(later), later, TARGETS)


def test_deleting_again_only_dates_the_tombstone(
    catalogue: Catalogue, put: Put, record: Put, delete: Callable[..., Outcome], clock: Any
) -> None:
    put()
    delete()
    before, created, later = stored(catalogue), clock.advance(1), clock.advance(1)
    assert delete().status == "unchanged"
    after = stored(catalogue)
    assert (after.version, after.revision) == (before.version, before.revision)
    assert (after.date, after.written) == (Date(later), later)
    assert record(created, 1, "From the file").status == "superseded"


def test_deleting_heeds_the_version_and_says_what_is_missing(
    catalogue: Catalogue, put: Put, delete: Callable[..., Outcome]
) -> None:
    assert delete() == Outcome("missing", None)
    put()
    assert delete(if_version=2).status == "mismatch"
    assert not stored(catalogue).deleted
    assert delete(if_version=1).status == "changed"


def test_urgency_lasts_until_nothing_is_pending(catalogue: Catalogue, put: Put) -> None:
    put(urgent=True)
    put(title="Bulk write after it")
    assert stored(catalogue).urgent
    revision = stored(catalogue).revision
    catalogue.products.mark("shop", "one/segments", [("p", revision)])
    assert stored(catalogue).urgent
    catalogue.products.mark("shop", "one/elasticsearch", [("p", revision)])
    assert not stored(catalogue).urgent


def test_tenants_do_not_see_each_other(catalogue: Catalogue, put: Put) -> None:
    put(title="Mine")
    put(title="Theirs", tenant="other")
    assert stored(catalogue).attributes.title == "Mine"
    assert stored(catalogue).version == 1
    assert catalogue.products.count("other") == 1
    assert catalogue.products.count("nobody") == 0
