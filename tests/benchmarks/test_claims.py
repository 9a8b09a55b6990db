import json

import pytest

from benchmarks.claims import at_least, at_most, spread, tell


def test_a_claim_holds_up_to_its_target_and_no_further() -> None:
    assert at_least("pace", 600, 600, "answers/s").held
    assert not at_least("pace", 599, 600, "answers/s").held
    assert at_most("wait", 4, 4, "ms").held
    assert not at_most("wait", 4.1, 4, "ms").held


def test_a_result_is_one_object_that_says_whether_its_claims_held(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell("one", [at_most("wait", 3, 4, "ms")], {"rounds": 2})
    said = json.loads(capsys.readouterr().out)
    assert set(said) == {"bench", "machine", "claims", "details"}
    (claim,) = said["claims"]
    assert claim["held"] is True
    assert (claim["name"], claim["value"], claim["target"]) == ("wait", 3, 4)
    assert said["machine"]["processor"]


def test_the_spread_of_waits_is_in_milliseconds() -> None:
    found = spread([n / 1_000 for n in range(1, 102)])
    assert found == {"count": 101, "p50_ms": 51.0, "p99_ms": 100.0}
