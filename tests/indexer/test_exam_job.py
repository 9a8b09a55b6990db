"""The exam as a job of the indexer, over a catalogue and its indexes."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from services.indexer.exam import job as exam_job
from services.indexer.exam import pace
from services.indexer.exam.gathering import gathered
from services.indexer.exam.indexes import index_named
from services.indexer.exam.job import TRIES, evaluate, lease_of
from services.indexer.exam.pace import opened, paces, search
from services.indexer.reconciler import evaluating, one_round
from services.indexer.tasks import handle
from shared.errors import Conflict, NotFound, Unavailable
from shared.evaluations import EVALUATION, of_job
from shared.jobs import Job
from shared.spaces import Space, Spaces
from shared.tasks import Evaluate
from tests.indexer.conftest import TENANT, Crash, House
from tests.indexer.exam_shop import OTHER, PRODUCTS, put, stocked


@pytest.fixture
def shop(house: House) -> House:
    """The index `one`, and `two` whose model is mostly noise."""
    stocked(house.ports, TENANT)
    return house


def asked(house: House, index: str = "two", against: str | None = "one") -> Evaluate:
    now = house.clock.now
    progress = {"index": index, "against": against}
    job = Job("job_exam", TENANT, EVALUATION, "queued", now, now, progress)
    house.ports.catalogue.office.put_job(job)
    return Evaluate(TENANT, job.job_id)


def job_of(house: House) -> Job:
    job = house.ports.catalogue.office.job(TENANT, "job_exam")
    assert job is not None
    return job


def test_the_worse_index_fails_and_the_report_shows_why(shop: House) -> None:
    handle(shop.ports, asked(shop))
    job = job_of(shop)
    assert job.state == "succeeded", job.detail
    found = of_job(job)
    assert found is not None
    assert found.passed is False
    assert any("same_product_first" in reason for reason in found.reasons)
    assert found.report is not None
    page = shop.ports.blobs.read(found.report).decode()
    for said in (
        "Exam of two against one",
        "Failed",
        "Product 7",
        "Category 1",
        "The most changed",
    ):
        assert said in page
    assert json.loads(json.dumps(found.figures)) == found.figures


def test_the_better_index_passes(shop: House) -> None:
    evaluate(shop.ports, asked(shop, "one", "two"))
    found = of_job(job_of(shop))
    assert found is not None
    assert (found.passed, found.reasons) == (True, ())
    told = found.figures["index"]["blend"]["same_product_first"]
    assert told["value"] > 0.8
    assert told["questions"] == 2 * PRODUCTS
    assert (found.figures["index"]["model"], found.figures["index"]["fingerprint"]) == (
        "model",
        "f1",
    )


def test_an_index_taken_alone_passes(shop: House) -> None:
    evaluate(shop.ports, asked(shop, "two", None))
    found = of_job(job_of(shop))
    assert found is not None
    assert (found.passed, found.against) == (True, None)


def test_nothing_to_ask_is_told_in_a_sentence(house: House) -> None:
    house.stock(20)
    house.sync()
    evaluate(house.ports, asked(house, "one", None))
    found = of_job(job_of(house))
    assert found is not None
    assert found.passed is None
    assert "nothing to judge by" in found.reasons[0]


def test_a_worker_that_dies_anywhere_leaves_an_exam_that_is_held_again(shop: House) -> None:
    task = asked(shop, "one", "two")
    deaths = 0
    for last in range(3, 400, 11):
        house = shop.crashing(last)
        try:
            evaluate(house.ports, task)
        except Crash:
            deaths += 1
            # as if it had not been tried yet, or three deaths would be enough
            fresh = replace(job_of(shop), progress={"index": "one", "against": "two"})
            shop.ports.catalogue.office.put_job(fresh)
            assert of_job(fresh) is None
            shop.clock.forward(minutes=3)
            assert list(evaluating(shop.ports)) == [task]
            continue
        break
    assert deaths > 3
    found = of_job(job_of(shop))
    assert found is not None
    assert found.passed is True
    assert list(evaluating(shop.ports)) == []


def test_an_exam_under_way_is_not_begun_twice_nor_rung_for(shop: House) -> None:
    task = asked(shop)
    job = job_of(shop)
    assert task in one_round(shop.ports)
    assert shop.ports.catalogue.office.lease(lease_of(job), "somebody", 60_000)
    evaluate(shop.ports, task)
    assert job_of(shop) == job
    assert list(evaluating(shop.ports)) == []


def test_a_late_ring_changes_nothing_of_an_exam_that_is_over(shop: House) -> None:
    task = asked(shop)
    evaluate(shop.ports, task)
    over = job_of(shop)
    evaluate(shop.ports, task)
    assert job_of(shop) == over


def test_an_exam_that_never_ends_is_given_up(shop: House) -> None:
    task = asked(shop)
    job = job_of(shop)
    shop.ports.catalogue.office.put_job(
        replace(job, state="running", progress={**job.progress, "tries": TRIES})
    )
    evaluate(shop.ports, task)
    assert job_of(shop).state == "failed"
    assert "did not end" in (job_of(shop).detail or "")


def test_a_cancelled_exam_stays_cancelled(shop: House, monkeypatch: pytest.MonkeyPatch) -> None:
    task = asked(shop)
    monkeypatch.setattr(exam_job, "_APART_S", 0.0)

    def cancel() -> None:
        shop.ports.catalogue.office.put_job(replace(job_of(shop), state="cancelled"))

    house = shop.interrupted("images.vectors", cancel)
    evaluate(house.ports, task)
    assert job_of(shop).state == "cancelled"


def test_progress_is_told(shop: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exam_job, "_APART_S", 0.0)
    stages: list[str] = []
    house = shop.stepping(
        lambda call: (
            stages.append(job_of(shop).progress.get("stage", ""))
            if call == "office.swap_job"
            else None
        )
    )
    evaluate(house.ports, asked(shop))
    assert {"reading vectors", "timing searches", "asking two", "asking one"} <= set(stages)


def test_an_index_that_is_gone_or_not_whole_fails_the_job(shop: House) -> None:
    evaluate(shop.ports, asked(shop, "three"))
    assert (job_of(shop).state, job_of(shop).detail) == ("failed", "There is no index 'three'.")
    shop.ports.catalogue.indexes.create(shop.index_like("four", state="building"))
    evaluate(shop.ports, asked(shop, "four"))
    assert "still being built" in (job_of(shop).detail or "")


def test_a_store_that_does_not_answer_is_asked_again(shop: House) -> None:
    task = asked(shop)

    def away() -> None:
        raise Unavailable("The store does not answer.")

    with pytest.raises(Unavailable):
        evaluate(shop.interrupted("images.vectors", away).ports, task)
    assert job_of(shop).state == "running"
    assert list(evaluating(shop.ports)) == [task]


def test_names_are_ids_or_aliases_of_the_tenant(shop: House) -> None:
    catalogue = shop.ports.catalogue
    assert index_named(catalogue, TENANT, "live").index_id == "one"
    assert index_named(catalogue, TENANT, "two").index_id == "two"
    with pytest.raises(NotFound):
        index_named(catalogue, "somebody else", "two")


def test_a_catalogue_of_another_model_is_told(shop: House) -> None:
    foreign = Spaces("f9", (Space("content", 8, "f9c"),))
    with pytest.raises(Conflict, match="None of 30 photos has vectors of f9"):
        gathered(shop.ports.catalogue, TENANT, [foreign], lambda _: None)


def test_photos_that_lack_a_vector_of_one_model_are_left_out_of_both(shop: House) -> None:
    lone = shop.image("only by the first", fingerprint="f1")
    photos = [*shop.product("product 0").images, lone]
    put(shop.ports, TENANT, "product 0", photos, "Category 0")
    found = gathered(shop.ports.catalogue, TENANT, [shop.index.spaces, OTHER], lambda _: None)
    assert [len(one.photos) for one in found.judged] == [2 * PRODUCTS] * 2
    assert found.notes == ("1 photos are left out: they lack a vector of one of the models.",)
    alone = gathered(shop.ports.catalogue, TENANT, [shop.index.spaces], lambda _: None)
    assert len(alone.judged[0].photos) == 2 * PRODUCTS + 1


def test_a_deleted_product_is_not_asked_about(shop: House) -> None:
    shop.delete("product 3")
    (found,) = gathered(shop.ports.catalogue, TENANT, [OTHER], lambda _: None).judged
    assert "product 3" not in found.photos.products


def test_of_a_large_catalogue_whole_products_are_drawn(shop: House) -> None:
    found = gathered(shop.ports.catalogue, TENANT, [OTHER], lambda _: None, most=20)
    again = gathered(shop.ports.catalogue, TENANT, [OTHER], lambda _: None, most=20)
    photos = found.judged[0].photos
    assert 4 <= len(photos) < 2 * PRODUCTS
    assert set(photos.counts) == {2}
    assert photos.names == again.judged[0].photos.names
    assert "66.7 %" in found.notes[0]


def test_pace_is_measured_on_the_indexs_own_segments(shop: House) -> None:
    index = shop.index
    queries = np.eye(8, dtype=np.float32)
    there = opened(shop.ports.catalogue, shop.ports.blobs, index, queries)
    assert there is not None
    (found,) = paces([there], lambda: None)
    assert 0 < found.p50_ms <= found.p99_ms
    assert (found.rows, found.products) == (2 * PRODUCTS, PRODUCTS)
    manifest = shop.manifest()
    assert found.size_bytes == sum(f.size for s in manifest.segments for f in s.files)
    assert found.bytes_per_product == found.size_bytes / PRODUCTS
    assert (found.accelerated, found.recall_at_10) == (False, 1.0)


def test_a_search_finds_the_nearest_rows_of_all_segments(shop: House) -> None:
    put(shop.ports, TENANT, "late", [shop.image("late one"), shop.image("late two")], "Category 0")
    shop.sync()
    view = shop.view()
    assert len(view.segments) == 2
    query = np.eye(8, dtype=np.float32)[0]
    all_of_them = [
        (float(similarity), 0, number, row)
        for number, segment in enumerate(view.segments)
        for row, similarity in enumerate(segment.vectors(np.arange(segment.rows)) @ query)
    ]
    found = search([view], query)
    assert [row[1:] for row in found] == [row[1:] for row in sorted(all_of_them, reverse=True)[:10]]


def test_recall_is_what_graphs_find_of_what_a_scan_finds(
    shop: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = opened(shop.ports.catalogue, shop.ports.blobs, shop.index, np.eye(8, dtype=np.float32))
    assert there is not None
    real = search

    def half(views: Any, query: Any, *, exact: bool = False) -> Any:
        return real(views, query, exact=exact)[: None if exact else 5]

    monkeypatch.setattr(pace, "search", half)
    monkeypatch.setattr(pace.Opened, "accelerated", property(lambda _: True))
    (found,) = paces([there], lambda: None)
    assert found.recall_at_10 == 0.5


def test_an_index_without_segments_is_judged_by_its_figures_alone(
    house: House,
) -> None:
    house.stock(3)
    assert (
        opened(house.ports.catalogue, house.ports.blobs, house.index, np.eye(8, dtype=np.float32))
        is None
    )
