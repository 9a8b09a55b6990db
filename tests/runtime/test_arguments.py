import pytest

from shared.errors import Invalid
from shared.runtime.arguments import named


def test_queues_are_named_in_any_order_and_once() -> None:
    assert named("build, index,index", ("index", "build")) == ("index", "build")


@pytest.mark.parametrize("text", ["", "embed_now", "index,embed_now"])
def test_a_queue_that_a_worker_cannot_answer_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="index, build"):
        named(text, ("index", "build"))
