"""What tests write to a MongoDB that is slow, hurt or shared, and how they wait for it."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from shared.catalogue.mongo.catalogue import MongoCatalogue
from shared.catalogue.products import ProductWrite
from shared.errors import Unavailable
from shared.products import Attributes

MINUTE = 60_000
TARGETS = frozenset({"one/segments"})
A = "a" * 64


def request(name: str, catalogue: MongoCatalogue, title: str = "Lamp") -> ProductWrite:
    return ProductWrite(
        tenant="shop",
        product_id=name,
        attributes=Attributes(title=title),
        images=(A,),
        targets=TARGETS,
        not_after=catalogue.now() + MINUTE,
    )


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
