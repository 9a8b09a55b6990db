"""What is said to a service on its command line; everything else is in the environment."""

import argparse
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, get_args

from shared.errors import Invalid
from shared.tasks import QueueName

HOST: Final = "127.0.0.1"


def address(about: str | None, port: int) -> tuple[str, int]:
    """`--host` and `--port` of a process that listens."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--host", default=HOST, help="0.0.0.0 takes calls from everywhere")
    parser.add_argument("--port", type=int, default=port, help="0 takes a free one")
    said = parser.parse_args()
    return said.host, said.port


def work(about: str | None, queues: Sequence[QueueName]) -> tuple[tuple[QueueName, ...], int]:
    """`--queues` and `--concurrency` of a worker."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--queues", default=",".join(queues), help="divided by commas")
    parser.add_argument("--concurrency", type=int, default=processors(), help="tasks at once")
    said = parser.parse_args()
    return named(said.queues, queues), said.concurrency


def named(text: str, answered: Sequence[QueueName]) -> tuple[QueueName, ...]:
    """The queues that a worker is to listen to, if they are some that it can answer."""
    wanted = tuple(filter(None, map(str.strip, text.split(","))))
    if not wanted or not set(wanted) <= set(answered):
        known = ", ".join(answered)
        raise Invalid(f"There are no such queues for this worker: {text!r}; it has {known}.")
    return tuple(name for name in get_args(QueueName) if name in wanted)


def processors(quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Those that this process may use: a container has often a share of many."""
    there = len(os.sched_getaffinity(0))
    try:
        allowed, period = quota.read_text(encoding="ascii").split()
        return max(1, min(there, math.ceil(int(allowed) / int(period))))
    except (OSError, ValueError):  # no such limit, which is spelled `max`
        return there


def nothing(about: str | None) -> None:
    """For a process that takes no arguments, and says so."""
    argparse.ArgumentParser(description=about).parse_args()
