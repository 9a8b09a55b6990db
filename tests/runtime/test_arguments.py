from pathlib import Path

import pytest

from shared.errors import Invalid
from shared.runtime.arguments import named, processors


def test_queues_are_named_in_any_order_and_once() -> None:
    assert named("build, index,index", ("index", "build")) == ("index", "build")


@pytest.mark.parametrize("text", ["", "embed_now", "index,embed_now"])
def test_a_queue_that_a_worker_cannot_answer_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="index, build"):
        named(text, ("index", "build"))


@pytest.mark.parametrize(("said", "count"), [("100000 100000", 1), ("50000 100000", 1)])
def test_a_containers_share_of_the_processors_counts(tmp_path: Path, said: str, count: int) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text(said)
    assert processors(quota) == count


def test_without_a_limit_all_processors_are_there(tmp_path: Path) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text("max 100000")
    assert processors(quota) == processors(tmp_path / "none") >= 1
