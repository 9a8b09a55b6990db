"""What a full feed does not name any more, and its deletion."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.catalogue.port import Catalogue
from shared.catalogue.products import Outcome
from shared.products import Date, Origin, Product

MINUTE = 60_000
TARGETS = frozenset({"one/segments", "one/elasticsearch"})
Put = Callable[..., Outcome]


def stored(catalogue: Catalogue, product_id: str = "p") -> Product:
    return catalogue.products.get("shop", [product_id])[product_id]


@pytest.fixture
def withdraw(catalogue: Catalogue, clock: Any) -> Callable[..., list[str]]:
    def ask(created: int, *product_ids: str, **changes: Any) -> list[str]:
        said: dict[str, Any] = {
            "origin": Origin(f"import-{created}", created, -1),
            "targets": TARGETS,
            "not_after": clock() + MINUTE,
        }
        return catalogue.products.withdraw("shop", product_ids, **(said | changes))

    return ask


def test_what_was_not_written_since_is_unseen(
    catalogue: Catalogue, put: Put, record: Put, delete: Callable[..., Outcome], clock: Any
) -> None:
    for name in ("a", "b", "c", "gone"):
        put(name)
    put("theirs", tenant="other")
    delete("gone")
    created = clock.advance(1_000)
    record(created, 0, "Still there", product_id="b")
    clock.advance(1)
    put("d")
    assert catalogue.products.unseen("shop", created, 9) == ["a", "c"]
    assert catalogue.products.unseen("shop", created, 9, after="a") == ["c"]
    assert catalogue.products.unseen("shop", created, 1) == ["a"]
    assert catalogue.products.count_unseen("shop", created) == 2


def test_a_record_that_changes_nothing_is_seen_all_the_same(
    catalogue: Catalogue, put: Put, record: Put, clock: Any
) -> None:
    # rule: unchanged_stamps
    put()
    created = clock.advance(1_000)
    assert record(created, 3, "Lamp").status == "unchanged"
    assert catalogue.products.count_unseen("shop", created) == 0


def test_what_is_withdrawn_is_deleted_and_every_target_hears_of_it(
    catalogue: Catalogue, put: Put, withdraw: Callable[..., list[str]], clock: Any
) -> None:
    put()
    for target in TARGETS:
        catalogue.products.mark("shop", target, [("p", stored(catalogue).revision)])
    before = stored(catalogue)
    created = clock.advance(1_000)
    clock.advance(1_000)
    assert withdraw(created, "p", "never was") == ["never was"]
    after = stored(catalogue)
    assert (after.deleted, after.pending) == (True, TARGETS)
    assert (after.version, after.revision) == (before.version + 1, before.revision + 1)
    assert (after.date, after.written_by) == (Date(created, -1), (f"import-{created}", -1))
    assert after.written == clock()


def test_what_somebody_wrote_since_the_import_was_created_is_not_withdrawn(
    catalogue: Catalogue, put: Put, withdraw: Callable[..., list[str]], clock: Any
) -> None:
    # rule: import_precedence
    put()
    created = clock.advance(1_000)
    clock.advance(1)
    assert put().status == "unchanged", "a shop that says it again means it"
    assert withdraw(created, "p") == ["p"]
    assert not stored(catalogue).deleted


def test_what_the_same_import_names_is_not_withdrawn_whenever_its_record_came(
    catalogue: Catalogue, put: Put, record: Put, withdraw: Callable[..., list[str]], clock: Any
) -> None:
    # rule: dated_imports
    put()
    created = clock.advance(1_000)
    record(created, 0, "At the very start of the file")
    assert withdraw(created, "p") == ["p"]
    assert not stored(catalogue).deleted


def test_a_record_that_is_read_after_its_product_was_withdrawn_brings_it_back(
    catalogue: Catalogue, put: Put, record: Put, withdraw: Callable[..., list[str]], clock: Any
) -> None:
    put()
    created = clock.advance(1_000)
    clock.advance(1_000)
    assert withdraw(created, "p") == []
    assert record(created, 0, "Lamp").status == "changed"
    assert not stored(catalogue).deleted


def test_a_withdrawal_after_its_deadline_changes_nothing(
    catalogue: Catalogue, put: Put, withdraw: Callable[..., list[str]], clock: Any
) -> None:
    # rule: write_deadline
    put()
    created = clock.advance(1_000)
    assert withdraw(created, "p", not_after=clock() - 1) == ["p"]
    assert not stored(catalogue).deleted


def test_what_is_deleted_stays_as_it_was_deleted(
    catalogue: Catalogue,
    put: Put,
    delete: Callable[..., Outcome],
    withdraw: Callable[..., list[str]],
    clock: Any,
) -> None:
    put()
    delete()
    before = stored(catalogue)
    assert withdraw(clock.advance(1_000), "p") == ["p"]
    assert stored(catalogue) == before
