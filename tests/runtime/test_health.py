from shared.errors import Unavailable
from shared.runtime.health import Checks


def test_a_check_that_fails_is_named_with_its_reason_and_stops_no_other() -> None:
    checks = Checks()
    asked = []

    def catalogue() -> None:
        raise Unavailable("The catalogue does not answer.")

    def queue() -> None:
        raise ConnectionError("redis://shop:hunter2@host")

    checks.add("catalogue", catalogue)
    checks.add("queue", queue)
    checks.add("blobs", lambda: asked.append("blobs"))
    failing = checks.failing()
    assert failing["catalogue"] == "The catalogue does not answer."
    assert failing["queue"].startswith("ConnectionError")
    assert "hunter2" not in failing["queue"]
    assert "blobs" not in failing
    assert asked == ["blobs"]


def test_checks_are_asked_anew_every_time() -> None:
    checks = Checks()
    reasons = ["starting"]

    def start() -> None:
        if reasons:
            raise Unavailable(reasons.pop())

    checks.add("start", start)
    assert checks.failing() == {"start": "starting"}
    assert checks.failing() == {}
