"""The calls about exams as flows."""

from lookalike.client.answers import Job
from lookalike.client.calls import Watch, ask, once, segment, sent, wait
from lookalike.client.examining.answers import Evaluation
from lookalike.client.exchange import Call, Flow


def evaluate(index: str, against: str | None) -> Flow[Evaluation]:
    body = {"index": index, "against": against}
    return ask(sent("POST", "/v1/evaluations", body, **once()), Evaluation)


def evaluation(evaluation_id: str) -> Flow[Evaluation]:
    return ask(Call("GET", _path(evaluation_id)), Evaluation)


def evaluation_report(evaluation_id: str) -> Flow[bytes]:
    response = yield Call("GET", f"{_path(evaluation_id)}/report")
    return b"" if response is None else response.content


def judged(
    index: str, against: str | None, progress: Watch | None, timeout_s: float | None
) -> Flow[Evaluation]:
    """Asked for, waited for, and read."""
    begun = yield from evaluate(index, against)
    ended: Job = yield from wait(begun.evaluation_id, progress, timeout_s)
    return (yield from evaluation(ended.job_id))


def _path(evaluation_id: str) -> str:
    return f"/v1/evaluations/{segment(evaluation_id)}"
