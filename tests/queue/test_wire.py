"""Tasks as messages: whatever a process may be sent by another of another version."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Malformed
from shared.queue.wire import from_wire, to_wire
from shared.tasks import EmbedImages, SyncShard, Task

GOOD = {"kind": "SyncShard", "index": "idx_1", "shard": 3}


def test_a_message_says_what_it_asks_for() -> None:
    assert to_wire(SyncShard("idx_1", 3)) == GOOD
    assert from_wire(GOOD) == SyncShard("idx_1", 3)


@given(st.one_of(*map(st.builds, get_args(Task))))
def test_every_task_comes_through_json_as_it_was(task: Task) -> None:
    assert from_wire(json.loads(json.dumps(to_wire(task)))) == task


def test_fields_that_may_be_left_out_may_be_left_out() -> None:
    assert from_wire({"kind": "EmbedImages", "fingerprint": "f1"}) == EmbedImages("f1")


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (None, "not NoneType"),
        ("SyncShard", "not str"),
        ([GOOD], "not list"),
        ({}, "not dict"),
        ({"kind": "Nope"}, "'Nope', which is not known"),
        ({"kind": 7}, "7, which is not known"),
        ({"kind": ["SyncShard"]}, "not known"),
        ({"kind": "SyncShard", "index": "idx_1"}, "wrong at shard"),
        (GOOD | {"shard": "3"}, "wrong at shard"),
        (GOOD | {"shard": True}, "wrong at shard"),
        (GOOD | {"shard": 3.0}, "wrong at shard"),
        (GOOD | {"index": None}, "wrong at index"),
        (GOOD | {"colour": "red"}, "not known here: \\['colour'\\]"),
        ({"kind": "EmbedImages", "fingerprint": "f1", "images": "ab"}, "wrong at images"),
        ({"kind": "EmbedImages", "fingerprint": "f1", "images": [1]}, "wrong at images.0"),
    ],
)
def test_anything_else_is_malformed_and_says_where(message: Any, sentence: str) -> None:
    with pytest.raises(Malformed, match=sentence):
        from_wire(message)
