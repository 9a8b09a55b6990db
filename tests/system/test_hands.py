import pytest

from lookalike.embedded import MAX_CHILDREN, Hands, hands_for


@pytest.mark.parametrize("processors", [2, 4, MAX_CHILDREN])
def test_imports_have_a_child_and_a_thread_for_every_processor(processors: int) -> None:
    assert hands_for(processors) == Hands(processors, processors)


def test_a_lone_child_is_fed_by_two_threads_so_that_it_never_waits_for_a_write() -> None:
    assert hands_for(1) == Hands(children=1, threads=2)


def test_no_more_children_are_started_than_one_process_can_store_for() -> None:
    assert hands_for(64) == Hands(MAX_CHILDREN, MAX_CHILDREN)
