"""`?wait=…`: looking again until something is so, or the time is over."""

import re
import time
from collections.abc import Callable
from typing import Final, TypeVar

from services.gateway.ports import Ports
from shared.errors import Flaw, Invalid

MAX_SECONDS: Final = 30.0
_PAUSE_SECONDS: Final = 0.05
_PAUSES_A_LOOK: Final = 9
"""What is dear to look at, as the chunks of a large import are, takes a tenth of the time at most."""
_DURATION: Final = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s)?")

Seen = TypeVar("Seen")


def wait_for(
    ports: Ports, look: Callable[[], Seen], done: Callable[[Seen], bool], seconds: float
) -> Seen:
    """What is seen once it is done, or at the end of the time; at once when all seats are taken."""
    seen = look()
    if done(seen) or not ports.waiting_room.acquire(blocking=False):
        return seen
    try:
        end, pause = time.monotonic() + seconds, _PAUSE_SECONDS
        while not done(seen) and (left := end - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            begun = time.monotonic()
            seen = look()
            pause = max(_PAUSE_SECONDS, _PAUSES_A_LOOK * (time.monotonic() - begun))
        return seen
    finally:
        ports.waiting_room.release()


def waited(wait: str | None, within: str) -> float:
    """The seconds of `?wait=searchable&within=5s`; 0 when nobody waits."""
    if wait is None:
        return 0.0
    if wait != "searchable":
        detail = "`wait` takes `searchable`."
        raise Invalid(detail, flaws=(Flaw("/query/wait", "bad_wait", detail),))
    return seconds_of(within, "within")


def seconds_of(text: str, parameter: str) -> float:
    """`5s`, `500ms` or `5` as seconds, at most thirty."""
    match = _DURATION.fullmatch(text)
    if match is None:
        detail = f"`{parameter}` is a time like 5s or 500ms, not {text[:50]!r}."
        raise Invalid(detail, flaws=(Flaw(f"/query/{parameter}", "bad_duration", detail),))
    seconds = float(match[1]) / (1000 if match[2] == "ms" else 1)
    return min(seconds, MAX_SECONDS)
