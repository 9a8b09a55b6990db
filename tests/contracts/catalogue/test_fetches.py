"""What was fetched from where."""

import threading
from typing import Any

from shared.catalogue.fetches import REMEMBERED_MS
from shared.catalogue.port import Catalogue

LAMP, SHOE = "https://cdn.example/lamp.jpg?w=9&h=ü", "https://cdn.example/shoe.jpg"


def test_what_was_fetched_is_known(catalogue: Catalogue) -> None:
    catalogue.fetches.remember("shop", {LAMP: "a" * 64, SHOE: "b" * 64})
    assert catalogue.fetches.known("shop", [LAMP]) == {LAMP: "a" * 64}
    both = catalogue.fetches.known("shop", {SHOE, LAMP, "https://cdn.example/hat.jpg"})
    assert both == {LAMP: "a" * 64, SHOE: "b" * 64}


def test_nothing_is_known_of_nothing(catalogue: Catalogue) -> None:
    catalogue.fetches.remember("shop", {})
    assert catalogue.fetches.known("shop", []) == {}
    assert catalogue.fetches.known("shop", [LAMP]) == {}


def test_what_one_tenant_fetched_no_other_knows(catalogue: Catalogue) -> None:
    catalogue.fetches.remember("shop", {LAMP: "a" * 64})
    assert catalogue.fetches.known("other", [LAMP]) == {}
    catalogue.fetches.remember("other", {LAMP: "b" * 64})
    assert catalogue.fetches.known("shop", [LAMP]) == {LAMP: "a" * 64}


def test_what_is_fetched_again_is_known_as_it_is_then(catalogue: Catalogue) -> None:
    catalogue.fetches.remember("shop", {LAMP: "a" * 64})
    catalogue.fetches.remember("shop", {LAMP: "b" * 64})
    assert catalogue.fetches.known("shop", [LAMP]) == {LAMP: "b" * 64}


def test_a_url_is_looked_at_again_after_seven_days(catalogue: Catalogue, clock: Any) -> None:
    catalogue.fetches.remember("shop", {LAMP: "a" * 64, SHOE: "b" * 64})
    clock.advance(REMEMBERED_MS)
    assert set(catalogue.fetches.known("shop", [LAMP, SHOE])) == {LAMP, SHOE}
    catalogue.fetches.remember("shop", {SHOE: "b" * 64})
    clock.advance(1)
    assert set(catalogue.fetches.known("shop", [LAMP, SHOE])) == {SHOE}


def test_what_is_older_goes_when_something_is_remembered(catalogue: Catalogue, clock: Any) -> None:
    catalogue.fetches.remember("shop", {LAMP: "a" * 64})
    catalogue.fetches.remember("other", {LAMP: "a" * 64})
    clock.advance(1)
    catalogue.fetches.remember("shop", {SHOE: "b" * 64})
    clock.advance(REMEMBERED_MS)
    catalogue.fetches.remember("third", {LAMP: "c" * 64})
    clock.advance(-REMEMBERED_MS)  # to see what is there, and not only what is young enough
    assert catalogue.fetches.known("shop", [LAMP, SHOE]) == {SHOE: "b" * 64}
    assert catalogue.fetches.known("other", [LAMP]) == {}
    assert catalogue.fetches.known("third", [LAMP]) == {LAMP: "c" * 64}


def test_several_may_remember_the_same_at_once(catalogue: Catalogue) -> None:
    urls = [f"https://cdn.example/{n}.jpg" for n in range(40)]
    sha256s = [sign * 64 for sign in "abcd"]
    start = threading.Barrier(len(sha256s))

    def fetched(sha256: str) -> None:
        start.wait(10)
        catalogue.fetches.remember("shop", dict.fromkeys(urls, sha256))

    threads = [threading.Thread(target=fetched, args=(sha256,)) for sha256 in sha256s]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    known = catalogue.fetches.known("shop", urls)
    assert set(known) == set(urls)
    assert set(known.values()) <= set(sha256s)
