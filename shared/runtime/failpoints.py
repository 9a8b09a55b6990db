"""Named places where a test makes a process die, stop or stumble.

`LOOKALIKE_FAILPOINT=name:action[:detail]`, several separated by commas, read once at import.
Actions: `kill` (SIGKILL to itself), `exit`, `raise`, `sleep-SECONDS`. With a detail only that call
is hit whose own detail begins with it. Unset, reaching a place is one look into an empty mapping.
"""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Failpoint:
    action: str
    detail: str


def _parsed(setting: str) -> Mapping[str, _Failpoint]:
    points = {}
    for one in filter(None, setting.split(",")):
        name, action, *detail = one.strip().split(":", 2)
        points[name] = _Failpoint(action, "".join(detail))
    return points


_POINTS = _parsed(os.environ.get("LOOKALIKE_FAILPOINT", ""))


class FailpointReached(RuntimeError):
    """What the action `raise` raises."""


def armed(name: str) -> bool:
    """Whether a test set this place, for callers whose detail costs something to work out."""
    return name in _POINTS


def reach(name: str, detail: str = "") -> None:
    """Does what a test asked for at this place, if it did."""
    point = _POINTS.get(name)
    if point is None or not detail.startswith(point.detail):
        return
    _act(point.action, name)


def _act(action: str, name: str) -> None:
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "exit":
        os._exit(1)
    elif action == "raise":
        raise FailpointReached(name)
    elif action.startswith("sleep-"):
        time.sleep(float(action.removeprefix("sleep-")))
    else:
        raise ValueError(f"The failpoint {name} has an unknown action: {action}.")
