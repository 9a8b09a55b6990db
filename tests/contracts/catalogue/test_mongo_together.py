"""Several clients and processes work in one database of MongoDB."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from shared.catalogue.images import ImageWrite
from shared.catalogue.mongo.catalogue import MongoCatalogue
from shared.catalogue.products import ProductWrite

Write = Callable[..., ProductWrite]


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
