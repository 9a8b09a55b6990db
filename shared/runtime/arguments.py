"""What is said to a service on its command line; everything else is in the environment."""

import argparse
import os
from collections.abc import Sequence
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


def processors() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0))
