from dataclasses import replace

from shared.evaluations import EVALUATION, newest, of_job
from shared.jobs import Job

TOLD = {
    "index": "idx_2",
    "against": "idx_1",
    "passed": True,
    "reasons": [],
    "figures": {"index": {}},
}
ENDED = Job("job_1", "shop", EVALUATION, "succeeded", 10, 20, {**TOLD, "report": "blob"})


def test_a_finished_exam_is_read_from_its_job() -> None:
    found = of_job(ENDED)
    assert found is not None
    assert (found.index_id, found.against, found.passed) == ("idx_2", "idx_1", True)
    assert (found.at, found.report, found.reasons) == (20, "blob", ())


def test_other_jobs_and_unfinished_ones_are_no_exam() -> None:
    assert of_job(replace(ENDED, kind="import")) is None
    assert of_job(replace(ENDED, state="running")) is None
    assert of_job(replace(ENDED, state="failed")) is None


def test_an_exam_without_anything_to_judge_by_is_neither_passed_nor_failed() -> None:
    found = of_job(replace(ENDED, progress={**TOLD, "passed": None, "reasons": ["Nothing."]}))
    assert found is not None
    assert found.passed is None
    assert found.reasons == ("Nothing.",)


def test_the_newest_of_a_pair_is_found_whatever_the_order() -> None:
    later = replace(ENDED, job_id="job_2", updated=30, progress={**TOLD, "passed": False})
    alone = replace(ENDED, job_id="job_3", updated=40, progress={**TOLD, "against": None})
    other = replace(ENDED, job_id="job_4", updated=50, progress={**TOLD, "index": "idx_3"})
    for jobs in ([ENDED, later, alone, other], [other, alone, later, ENDED]):
        found = newest(jobs, "idx_2", "idx_1")
        assert found is not None
        assert found.passed is False
        assert newest(jobs, "idx_2", "idx_9") is None
        taken_alone = newest(jobs, "idx_2", None)
        assert taken_alone is not None
        assert taken_alone.at == 40
