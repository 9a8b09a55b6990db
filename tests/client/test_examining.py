"""An index examined over its own catalogue, by a program and by the indexer behind the gateway."""

import asyncio

import pytest

from lookalike import AsyncLookalike, Lookalike
from lookalike.client import NotFound
from lookalike.client.answers import Job
from tests.client.house import House


def test_the_live_index_is_examined_over_its_catalogue(house: House, shop: Lookalike) -> None:
    brought = shop.import_bson(house.sample)
    assert shop.wait(brought, timeout_s=60).state == "succeeded"
    watched: list[Job] = []
    exam = shop.evaluate("live", progress=watched.append, timeout_s=60)
    assert exam.state == "succeeded", exam.detail
    assert watched[-1].kind == "evaluation"
    assert exam.against is None
    assert exam.passed or "too few products" in exam.reasons[0]  # a dozen, and what others put
    assert exam.figures["index"]["blend"]["same_product_in_10"]["questions"] > 5
    page = shop.evaluation_report(exam.evaluation_id)
    assert exam.index.encode() in page
    assert b"data:image/jpeg;base64," in page


def test_asking_and_waiting_are_apart_where_a_program_wants(house: House) -> None:
    async def asked() -> None:
        async with AsyncLookalike(house.url, key=house.admin_key) as shop:
            begun = await shop.begin_evaluation("live", None)
            assert begun.report_url is None
            done = await shop.wait(begun.job_id, timeout_s=60)
            assert done.progress["report"]
            exam = await shop.evaluation(begun.evaluation_id)
            assert exam.report_url == f"/v1/evaluations/{begun.evaluation_id}/report"

    asyncio.run(asked())


def test_an_index_that_is_not_there_cannot_be_examined(shop: Lookalike) -> None:
    with pytest.raises(NotFound, match="idx_none"):
        shop.evaluate("idx_none")
