"""Which models are kept, and what becomes of those that are not."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from services.embedder.on_duty import OnDuty, Started, start_live
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.errors import Invalid, Unavailable
from shared.images import Crop
from shared.indexes import Index
from shared.seams.embedder import Embedding, Failure
from shared.spaces import Spaces


@dataclass
class Echo:
    """An embedder of a folder whose name is its fingerprint."""

    folder: Path
    closed: bool = False

    @property
    def spaces(self) -> Spaces:
        return Spaces(self.folder.name, ())

    def embed(
        self,
        pictures: Sequence[bytes],
        *,
        crop: Crop | None = None,  # noqa: ARG002 - the port's
        thumbnails: bool = False,  # noqa: ARG002
    ) -> list[Embedding | Failure]:
        return [Embedding(picture, 1, 1, "0f") for picture in pictures]

    def close(self) -> None:
        assert not self.closed
        self.closed = True


@dataclass
class Street:
    """Everybody who was started; `barred` folders cannot be."""

    started: list[Echo] = field(default_factory=list)
    barred: set[str] = field(default_factory=set)

    def find(self, fingerprint: str) -> Path | None:
        return None if fingerprint == "nobody" else Path("models") / fingerprint

    def start(self, folder: Path) -> Started:
        if folder.name in self.barred:
            raise Invalid("It is torn.")
        self.started.append(Echo(folder))
        return self.started[-1]

    @property
    def at_work(self) -> list[str]:
        return [echo.folder.name for echo in self.started if not echo.closed]


@pytest.fixture
def street() -> Street:
    return Street()


@pytest.fixture
def duty(street: Street) -> OnDuty:
    return OnDuty(Path("models/own"), street.find, street.start, others=2)


def test_others_are_started_when_they_are_asked_for_and_once(street: Street, duty: OnDuty) -> None:
    assert street.at_work == ["own"]
    first, again = duty.of("a"), duty.of("a")
    assert first is again
    assert duty.of("own") is street.started[0]
    assert street.at_work == ["own", "a"]


def test_who_was_not_asked_for_the_longest_goes_home(street: Street, duty: OnDuty) -> None:
    for fingerprint in ("a", "b", "a", "c"):
        assert duty.of(fingerprint)
    assert street.at_work == ["own", "a", "c"]
    assert duty.of("b")
    assert street.at_work == ["own", "c", "b"]


def test_a_fingerprint_of_nobody_sends_nobody_home(street: Street, duty: OnDuty) -> None:
    duty.of("a")
    duty.of("b")
    assert duty.of("nobody") is None
    assert street.at_work == ["own", "a", "b"]


def test_one_that_could_not_be_started_is_tried_anew(street: Street, duty: OnDuty) -> None:
    street.barred.add("a")
    with pytest.raises(Unavailable, match=r"The model of a cannot be started: It is torn\."):
        duty.of("a")
    street.barred.clear()
    assert duty.of("a") is not None


def test_all_go_home_together(street: Street, duty: OnDuty) -> None:
    with duty:
        duty.of("a")
        duty.of("b")
    assert street.at_work == []
    with pytest.raises(Unavailable, match="closed"):
        duty.of("c")


def test_of_many_who_ask_at_once_one_starts_it(street: Street, duty: OnDuty) -> None:
    together = threading.Barrier(8)
    found: list[object] = []

    def ask() -> None:
        together.wait()
        found.append(duty.of("a"))

    _all_of([ask] * 8)
    assert len(set(map(id, found))) == 1
    assert street.at_work == ["own", "a"]


def test_a_model_that_takes_long_to_start_holds_up_no_other(street: Street) -> None:
    arrived, may_go = threading.Event(), threading.Event()

    def start(folder: Path) -> Started:
        if folder.name == "slow":
            arrived.set()
            assert may_go.wait(10)
        return street.start(folder)

    duty = OnDuty(Path("models/own"), street.find, start)
    slow = threading.Thread(target=duty.of, args=("slow",))
    slow.start()
    assert arrived.wait(10)
    assert duty.of("a") is not None
    may_go.set()
    slow.join(10)
    assert street.at_work == ["own", "a", "slow"]


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[SqliteCatalogue]:
    """With a live index of the model `a`."""
    with SqliteCatalogue(tmp_path / "catalogue.sqlite") as catalogue:
        index = Index("idx_a", "shop", "a", Spaces("a", ()), 1, ("segments",), (), "ready", 0)
        catalogue.indexes.create(index)
        catalogue.indexes.move_alias("shop", "live", "idx_a")
        yield catalogue


def test_the_model_of_the_live_index_is_started_before_it_is_asked_for(
    street: Street, duty: OnDuty, catalogue: SqliteCatalogue
) -> None:
    start_live(duty, catalogue, "shop")
    assert street.at_work == ["own", "a"]


def test_a_live_model_that_cannot_be_had_keeps_nobody_from_starting(
    street: Street, duty: OnDuty, catalogue: SqliteCatalogue
) -> None:
    start_live(duty, catalogue, "a tenant without indexes")
    street.barred.add("a")
    start_live(duty, catalogue, "shop")
    assert street.at_work == ["own"]


def _all_of(work: Sequence[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
