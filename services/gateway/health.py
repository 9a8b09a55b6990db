"""Whether this gateway can do its work: what it needs for every write and every answer.

The queue is not asked, for a write succeeds without it; nor are embedder and search, whose absence
concerns searches alone and is told there.
"""

import contextlib

from services.gateway.ports import Ports
from shared.errors import Flaw, NotFound, Unavailable
from shared.runtime.health import Checks


def check_ready(ports: Ports) -> None:
    checks = Checks()
    checks.add("catalogue", lambda: ports.catalogue.indexes.all(ports.tenant))
    checks.add("blobs", lambda: _reach_blobs(ports))
    if failing := checks.failing():
        flaws = tuple(Flaw(f"/{name}", "failing", reason) for name, reason in failing.items())
        raise Unavailable(f"Not ready: {', '.join(failing)}.", code="not_ready", flaws=flaws)


def _reach_blobs(ports: Ports) -> None:
    with contextlib.suppress(NotFound):  # that it is not there is an answer, too
        ports.blobs.size("readiness/nothing")
