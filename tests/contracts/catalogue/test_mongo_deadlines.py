"""A write that comes late changes nothing, and late is what the server's clock says."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC

import pytest

from shared.catalogue.images import ImageWrite
from shared.catalogue.mongo.catalogue import MongoCatalogue
from shared.catalogue.mongo.clock import ServerClock
from shared.catalogue.products import ProductWrite
from tests.contracts.catalogue.conftest import database
from tests.contracts.catalogue.distant import MINUTE, A, request, wait_for

Write = Callable[..., ProductWrite]


FROZEN = """
import os, signal, sys
from pymongo import monitoring
from shared.catalogue.images import ImageWrite
from shared.catalogue.mongo.catalogue import MongoCatalogue
from shared.catalogue.products import ProductWrite
from shared.images import Place
from shared.products import Attributes

class Freezing(monitoring.CommandListener):
    frozen = False
    def started(self, event):
        if event.command_name == "update" and not self.frozen:
            self.frozen = True
            os.kill(os.getpid(), signal.SIGSTOP)
    def succeeded(self, event): ...
    def failed(self, event): ...

monitoring.register(Freezing())
what, names, lone, targets = sys.argv[2], ["p", "new"], ("a" * 64,), frozenset({"one/segments"})
with MongoCatalogue(sys.argv[1]) as catalogue:
    said = {"targets": targets, "not_after": catalogue.now() + 1000}
    lamp = Attributes(title="From the grave")
    if what == "upsert":
        done = catalogue.products.upsert(
            [ProductWrite("shop", name, lamp, lone, **said) for name in names])
    elif what == "patch":
        read = catalogue.products.get("shop", ["p"])["p"].revision
        done = [catalogue.products.patch("shop", "p", revision=read, attributes=lamp, **said)]
    elif what == "delete":
        done = [catalogue.products.delete("shop", "p", **said)]
    elif what == "bump":
        print(catalogue.products.bump_showing("shop", ["a" * 64], **said))
        sys.exit()
    else:
        print(catalogue.images.put(
            [ImageWrite("shop", sha * 64, Place("late", 0, 1), "image/png", 1, 1, said["not_after"])
             for sha in "ab"]))
        sys.exit()
    print([outcome.status for outcome in done])
"""


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("upsert", "['late', 'late']"),
        ("patch", "['late']"),
        ("delete", "['late']"),
        ("bump", "None"),
        ("put", "[None, None]"),
    ],
)
def test_a_writer_that_froze_past_its_deadline_changes_nothing(
    url: str, picture: Callable[..., ImageWrite], what: str, told: str
) -> None:
    # rule: write_deadline
    with MongoCatalogue(url) as catalogue:
        (before,) = catalogue.products.upsert([request("p", catalogue)])
        fresh = replace(picture(not_after=catalogue.now() + MINUTE), sha256=A)
        (image,) = catalogue.images.put([fresh])
        command = [sys.executable, "-c", FROZEN, url, what]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            try:
                _, state = os.waitpid(writer.pid, os.WUNTRACED)
                assert os.WIFSTOPPED(state), "it stands between its read and its write"
                thawed = catalogue.now() + 1200
                wait_for(lambda: catalogue.now() > thawed)
            finally:
                writer.send_signal(signal.SIGCONT)
            said, _ = writer.communicate(timeout=30)
        assert said.strip() == told
        assert catalogue.products.page("shop") == [before.product]
        assert catalogue.images.page() == [image]


def test_a_write_that_becomes_late_between_its_decision_and_its_arrival_is_late(
    url: str, write: Write, picture: Callable[..., ImageWrite]
) -> None:
    # rule: write_deadline
    with MongoCatalogue(url, clock=Hurried()) as catalogue:
        now, later = catalogue.now(), 10 * MINUTE
        first = [write(name, not_after=now + later + 1) for name in "abc"]
        assert [o.status for o in catalogue.products.upsert(first)] == ["late"] * 3
        assert catalogue.images.put([picture(not_after=catalogue.now() + later + 1)]) == [None]
        assert (catalogue.products.page("shop"), catalogue.images.page()) == ([], [])


def test_a_write_that_is_late_by_a_clock_that_was_set_forward_is_told_so(url: str) -> None:
    # rule: write_deadline
    with MongoCatalogue(url) as catalogue:
        (before,) = catalogue.products.upsert([request("p", catalogue)])
        clock = catalogue._store._server_clock
        clock._told, clock._last = clock._told - 2 * MINUTE, 0
        write = request("p", catalogue, title="In time as far as we know")
        assert [o.status for o in catalogue.products.upsert([write])] == ["late"]
        assert catalogue.products.page("shop") == [before.product]


class Hurried:
    """A clock of which every reading is ten minutes later."""

    at = 1_700_000_000_000

    def __call__(self) -> int:
        self.at += 10 * MINUTE
        return self.at


def test_now_is_what_the_server_says_and_not_this_machine(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    with MongoCatalogue(url) as catalogue, database(url) as found:
        before = catalogue.now()
        told = found.command("hello")["localTime"].replace(tzinfo=UTC).timestamp() * 1000
        after = catalogue.now()
    assert before - 5 <= told <= after + 1000


def test_the_servers_clock_is_asked_now_and_then_and_never_goes_backwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs, asked = [100.0], [5_000], [0]

    def ask() -> int:
        asked[0] += 1
        return theirs[0]

    monkeypatch.setattr(time, "monotonic", lambda: ours[0])
    clock = ServerClock(ask)
    assert (clock(), clock(), asked[0]) == (5_000, 5_000, 1)
    ours[0] += 1.5
    assert (clock(), asked[0]) == (6_500, 1)
    ours[0] += 1.0
    theirs[0] = 6_000
    assert (clock(), asked[0]) == (6_500, 2)
    ours[0] += 1.0
    assert clock() == 7_000
    theirs[0] = 9_000
    clock.doubt()
    assert (clock(), asked[0]) == (9_000, 3)
