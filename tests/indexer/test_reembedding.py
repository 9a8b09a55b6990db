"""A catalogue brought to another model: what its job tells, from the first picture to the exam."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from services.indexer.build import create_index, drop_index
from services.indexer.reconciler import building
from services.indexer.tasks import handle
from shared.catalogue.building import REEMBEDDING, reembedding_id
from shared.indexes import Index
from shared.jobs import Job
from shared.spaces import Space, Spaces
from shared.tasks import BuildIndex, Evaluate

if TYPE_CHECKING:
    from tests.indexer.conftest import House

TENANT = "shop"
TWO = BuildIndex("two")
OTHER = Spaces("f2", (Space("content", 8, "f2c"),))


@pytest.fixture
def two(house: "House") -> Index:
    house.put("a", [house.image("a")])
    house.put("b", [house.image("b")])
    house.sync()
    return begun(house)


def begun(house: "House", *, spaces: Spaces = OTHER, evaluate: bool = True) -> Index:
    """What the gateway leaves to the indexer."""
    index = create_index(house.ports, house.index_like("two", spaces=spaces), alias=None)
    told = {"index": "two", "model": "other", "evaluate": evaluate, "stage": "waiting"}
    job = Job(reembedding_id(index), TENANT, REEMBEDDING, "running", 1, 1, told)
    house.ports.catalogue.office.put_job(job)
    return index


def job_of(house: "House", job_id: str) -> Job:
    job = house.ports.catalogue.office.job(TENANT, job_id)
    assert job is not None
    return job


def told(house: "House", index: Index) -> tuple[str, str]:
    job = job_of(house, reembedding_id(index))
    return job.state, job.progress["stage"]


def counts(house: "House", index: Index) -> list[int]:
    progress = job_of(house, reembedding_id(index)).progress
    names = ("images_embedded", "images", "products_indexed", "products")
    return [progress[name] for name in names]


def completed(house: "House") -> None:
    house.clock.forward(minutes=3)
    handle(house.ports, TWO)
    for name in "ab":
        house.image(name, fingerprint="f2")
    house.sync("two")
    handle(house.ports, TWO)


def ended(house: "House", exam_id: str, **progress: Any) -> None:
    exam = job_of(house, exam_id)
    told = {**exam.progress, **progress}
    house.ports.catalogue.office.put_job(replace(exam, state="succeeded", progress=told))


def test_a_reembedding_counts_pictures_and_products(house: "House", two: Index) -> None:
    handle(house.ports, TWO)
    assert (told(house, two), counts(house, two)) == (("running", "embedding"), [0, 2, 0, 2])
    house.image("a", fingerprint="f2")
    handle(house.ports, TWO)
    assert counts(house, two) == [1, 2, 0, 2]
    house.image("b", fingerprint="f2")
    house.clock.forward(minutes=3)
    handle(house.ports, TWO)
    assert (told(house, two), counts(house, two)) == (("running", "indexing"), [2, 2, 0, 2])
    house.sync("two")
    handle(house.ports, TWO)
    assert counts(house, two) == [2, 2, 2, 2]


def test_with_everything_in_it_the_index_is_examined_against_the_live_one(
    house: "House", two: Index
) -> None:
    completed(house)
    assert told(house, two) == ("running", "evaluating")
    exam_id = job_of(house, reembedding_id(two)).progress["evaluation"]
    exam = job_of(house, exam_id)
    assert (exam.kind, exam.progress["index"], exam.progress["against"]) == (
        *("evaluation", "two", "one"),
    )
    assert house.queue.rung.count(Evaluate(TENANT, exam_id)) == 1
    alias = house.ports.catalogue.indexes.alias(TENANT, "live")
    assert alias is not None
    assert alias.index_id == "one"


@pytest.mark.parametrize(
    ("passed", "detail"),
    [(True, "stood its exam"), (False, "failed its exam"), (None, "nothing by which to judge")],
)
def test_the_reembedding_ends_with_its_exam(
    house: "House", two: Index, *, passed: bool | None, detail: str
) -> None:
    completed(house)
    exam_id = job_of(house, reembedding_id(two)).progress["evaluation"]
    handle(house.ports, TWO)
    assert told(house, two) == ("running", "evaluating")
    ended(house, exam_id, passed=passed, reasons=["Because."])
    handle(house.ports, TWO)
    job = job_of(house, reembedding_id(two))
    assert (job.state, job.progress["passed"], job.progress["reasons"]) == (
        *("succeeded", passed, ["Because."]),
    )
    assert detail in (job.detail or "")


def test_an_exam_that_did_not_end_well_leaves_it_partly_done(house: "House", two: Index) -> None:
    completed(house)
    exam = job_of(house, job_of(house, reembedding_id(two)).progress["evaluation"])
    house.ports.catalogue.office.put_job(replace(exam, state="failed", detail="No disk."))
    handle(house.ports, TWO)
    job = job_of(house, reembedding_id(two))
    assert (job.state, job.detail) == ("partially_succeeded", "The exam is failed: No disk.")


def test_whoever_dies_on_the_way_asks_for_one_exam(house: "House", two: Index) -> None:
    house.clock.forward(minutes=3)
    handle(house.ports, TWO)
    for name in "ab":
        house.image(name, fingerprint="f2")
    house.sync("two")
    tries = 0
    while told(house, two)[1] != "evaluating":
        try:
            handle(house.crashing(tries).ports, TWO)
        except house.crash:
            tries += 1
    handle(house.ports, TWO)
    exams = [j for j in house.ports.catalogue.office.jobs(TENANT) if j.kind == "evaluation"]
    assert [exam.job_id for exam in exams] == [
        job_of(house, reembedding_id(two)).progress["evaluation"]
    ]
    assert tries > 10


def test_one_that_nobody_wants_examined_ends_with_its_index(house: "House") -> None:
    two = begun(house, evaluate=False)
    house.clock.forward(minutes=3)
    handle(house.ports, TWO)
    assert told(house, two) == ("succeeded", "ready")


def test_what_gives_the_same_vectors_needs_no_exam(house: "House") -> None:
    two = begun(house, spaces=house.index.spaces)
    house.clock.forward(minutes=3)
    handle(house.ports, TWO)
    assert told(house, two) == ("succeeded", "ready")


def test_with_its_index_a_reembedding_is_given_up(house: "House", two: Index) -> None:
    drop_index(house.ports, "two")
    handle(house.ports, TWO)
    assert told(house, two) == ("cancelled", "dropped")


def test_a_cancelled_reembedding_is_not_woken_by_a_slow_worker(house: "House", two: Index) -> None:
    def cancel() -> None:
        job = job_of(house, reembedding_id(two))
        house.ports.catalogue.office.put_job(replace(job, state="cancelled"))

    slow = house.interrupted("images.unembedded", cancel)
    handle(slow.ports, TWO)
    assert job_of(house, reembedding_id(two)).state == "cancelled"


def test_the_reconciler_rings_until_a_reembedding_has_ended(house: "House", two: Index) -> None:
    completed(house)
    assert list(building(house.ports)) == [TWO]
    exam_id = job_of(house, reembedding_id(two)).progress["evaluation"]
    ended(house, exam_id, passed=True)
    handle(house.ports, TWO)
    assert list(building(house.ports)) == []
