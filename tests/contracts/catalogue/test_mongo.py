"""What only the MongoDB adapter promises: its server may die, freeze, or not be there yet."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from shared.catalogue.images import ImageWrite
from shared.catalogue.mongo.catalogue import MongoCatalogue
from shared.catalogue.mongo.clock import ServerClock
from shared.catalogue.products import ProductWrite
from shared.errors import Invalid, Unavailable
from shared.ids import new_id
from shared.products import Attributes
from tests.contracts.catalogue.conftest import database, fresh_database
from tests.servers.mongodb import mongodb_server
from tests.servers.process import Server, free_port
from tests.servers.proxy import proxy_to

MINUTE = 60_000
TARGETS = frozenset({"one/segments"})
A = "a" * 64
BUDGET_S = 15.0
"""What an operation may take that gives up: three seconds to find a server, or ten to hear of it."""

Write = Callable[..., ProductWrite]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """One of the test's own, to be hurt."""
    with mongodb_server(tmp_path / "server") as started:
        yield started


def request(name: str, catalogue: MongoCatalogue, title: str = "Lamp") -> ProductWrite:
    return ProductWrite(
        tenant="shop",
        product_id=name,
        attributes=Attributes(title=title),
        images=(A,),
        targets=TARGETS,
        not_after=catalogue.now() + MINUTE,
    )


def test_a_catalogue_is_opened_before_its_server_is_there(tmp_path: Path) -> None:
    with mongodb_server(tmp_path) as server:
        server.kill()
        with MongoCatalogue(f"{server.url}/shop?serverSelectionTimeoutMS=300") as catalogue:
            with pytest.raises(Unavailable, match="does not answer"):
                catalogue.products.count("shop")
            server.restart()
            (outcome,) = catalogue.products.upsert([request("p", catalogue)])
            assert outcome.status == "created"


def test_no_acknowledged_write_is_lost_when_the_server_is_killed(server: Server) -> None:
    """F15: whoever writes meanwhile is told that the catalogue is away, and soon."""
    written: dict[str, int] = {}
    waits: list[float] = []
    done = threading.Event()
    with MongoCatalogue(f"{server.url}/shop") as catalogue:
        catalogue.products.count("shop")

        def work(writer: int) -> None:
            for turn in range(100_000):
                if done.is_set():
                    return
                name = f"{writer}.{turn % 20}"
                began = time.monotonic()
                with suppress(Unavailable):
                    write = request(name, catalogue, title=f"{turn}")
                    (outcome,) = catalogue.products.upsert([write])
                    if outcome.product:
                        written[name] = outcome.product.version
                waits.append(time.monotonic() - began)

        writers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for writer in writers:
            writer.start()
        for enough in (10, 40):
            wait_for(lambda enough=enough: len(waits) > enough)  # type: ignore[misc]
            server.kill()
            server.restart()
        wait_for(lambda: len(waits) > 120)
        done.set()
        for writer in writers:
            writer.join(BUDGET_S)
            assert not writer.is_alive()
        found = catalogue.products.get("shop", written)
    assert max(waits) < BUDGET_S
    lost = {name: version for name, version in written.items() if found[name].version < version}
    assert not lost


def test_a_server_that_is_away_or_frozen_is_unavailable_and_nothing_hangs(server: Server) -> None:
    short = "serverSelectionTimeoutMS=300&socketTimeoutMS=400"
    with MongoCatalogue(f"{server.url}/shop?{short}") as catalogue:
        catalogue.products.upsert([request("p", catalogue)])
        write = request("p", catalogue, title="Better")
        for hurt, heal in ((server.freeze, server.thaw), (server.kill, server.restart)):
            hurt()
            for operation in (
                lambda: catalogue.products.get("shop", ["p"]),
                lambda: catalogue.products.upsert([write]),
                lambda: catalogue.images.claimable("f1", 1),
            ):
                began = time.monotonic()
                with pytest.raises(Unavailable, match="does not answer"):
                    operation()
                assert time.monotonic() - began < 3
            heal()
            wait_for(lambda: answers(catalogue))
        (outcome,) = catalogue.products.upsert([request("p", catalogue, title="Later")])
        assert outcome.status == "changed"


def test_a_connection_that_breaks_is_unavailable_and_then_made_anew(mongodb_url: str) -> None:
    with fresh_database(mongodb_url) as url, proxy_to(mongodb_url) as proxy:
        by_way = url.replace(mongodb_url, proxy.url) + "?directConnection=true&socketTimeoutMS=1000"
        with MongoCatalogue(by_way) as catalogue:
            catalogue.products.upsert([request("p", catalogue)])
            proxy.cut()
            with pytest.raises(Unavailable, match="does not answer"):
                catalogue.products.upsert([request("p", catalogue, title="Better")])
            proxy.heal()
            wait_for(lambda: answers(catalogue))
            assert catalogue.products.get("shop", ["p"])["p"].version == 1


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


@pytest.mark.parametrize("there", [False, True])
def test_an_image_on_its_way_while_a_fingerprint_is_first_asked_for_is_not_missed(
    url: str, picture: Callable[..., ImageWrite], clock: Any, *, there: bool
) -> None:
    write = picture(vectors=(("f2", b"\0\1"),))
    with MongoCatalogue(url, clock=clock) as asking:

        def asked_meanwhile() -> int:
            """Between what a write reads and what it writes it looks at the clock."""
            asking.images.claimable("f1", 9)
            return int(clock())

        if there:
            asking.images.put([picture()])
        with MongoCatalogue(url, clock=asked_meanwhile) as writing:
            writing.images.put([write])
        for fingerprint, unannounced in (("f1", False), ("f2", True)):
            (claim,) = asking.images.claimable(fingerprint, 9)
            assert (claim.sha256, claim.unannounced) == (write.sha256, unannounced)
            assert asking.images.unembedded(fingerprint, "shop") == 1


def test_processes_make_and_write_one_database_together(url: str) -> None:
    script = f"""
import sys
from shared.catalogue.mongo.catalogue import MongoCatalogue
from shared.catalogue.office import Upload
from shared.catalogue.products import ProductWrite
from shared.products import Attributes
print("ready", flush=True)
sys.stdin.readline()
with MongoCatalogue({url!r}) as catalogue:
    for number in range(10):
        name = sys.argv[1] + str(number)
        catalogue.office.put_upload(Upload(name, "shop", (), 1, "", "", 0, 0))
        write = ProductWrite("shop", "p", Attributes(title=name), ("a" * 64,), frozenset(),
                             catalogue.now() + 60_000)
        assert catalogue.products.upsert([write])[0].accepted
"""
    pipe = subprocess.PIPE
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen([sys.executable, "-c", script, name], stdin=pipe, stdout=pipe)
            )
            for name in "abc"
        ]
        for process in started:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
        for process in started:
            assert process.stdin
            process.stdin.write(b"go\n")
            process.stdin.flush()
        assert [process.wait(timeout=60) for process in started] == [0] * 3
    with MongoCatalogue(url) as catalogue:
        assert len(catalogue.office.uploads_before(1)) == 30
        assert catalogue.products.get("shop", ["p"])["p"].version == 30


def test_what_was_written_is_there_for_another_client(
    url: str, write: Write, picture: Callable[..., ImageWrite], clock: Any
) -> None:
    with MongoCatalogue(url, clock=clock) as first, MongoCatalogue(url, clock=clock) as second:
        (outcome,) = first.products.upsert([write(urgent=True)])
        (image,) = first.images.put([picture(vectors=(("f1", b"\0\1"),))])
        assert second.products.page("shop") == [outcome.product]
        assert second.images.page() == [image]
        assert second.office.secret("pictures") == first.office.secret("pictures")


def test_nothing_is_done_with_a_catalogue_that_was_closed(url: str, write: Write) -> None:
    catalogue = MongoCatalogue(url)
    catalogue.products.count("shop")
    catalogue.close()
    catalogue.close()
    for operation in (
        lambda: catalogue.products.upsert([write()]),
        lambda: catalogue.products.count("shop"),
    ):
        with pytest.raises(Unavailable, match="was closed"):
            operation()


@pytest.mark.filterwarnings("ignore::UserWarning")  # the driver's, of options it does not know
@pytest.mark.parametrize(
    "address",
    [
        "mongodb://till:s3cret@127.0.0.1:{port}/shop?serverSelectionTimeoutMS=200",
        "mongodb://till:s3cret@127.0.0.1:{port}",
        "mongodb://till:s3cret:@@127.0.0.1:{port}/shop",
        "mongodb://till:s3cret@127.0.0.1:none/shop",
        "mongodb://till:s3cret@127.0.0.1:{port}/shop?w=s3cret&authMechanism=s3cret",
    ],
)
def test_no_error_shows_the_password(address: str) -> None:
    with (
        pytest.raises((Unavailable, Invalid)) as told,
        MongoCatalogue(address.format(port=free_port())) as catalogue,
    ):
        catalogue.products.count("shop")
    error: BaseException | None = told.value
    while error is not None:
        assert "s3cret" not in repr(error)
        assert "s3cret" not in str(error)
        error = error.__cause__


def test_a_user_who_is_not_let_in_is_told_so(mongodb_url: str) -> None:
    url = mongodb_url.replace("mongodb://", "mongodb://till:s3cret@")
    with (
        MongoCatalogue(f"{url}/{new_id('test')}") as catalogue,
        pytest.raises(Unavailable, match="does not let us in") as told,
    ):
        catalogue.products.count("shop")
    assert "s3cret" not in f"{told.value!r} {told.value.__cause__!r}"


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


def answers(catalogue: MongoCatalogue) -> bool:
    with suppress(Unavailable):
        catalogue.products.count("shop")
        return True
    return False


def wait_for(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < give_up
        threading.Event().wait(0.01)
