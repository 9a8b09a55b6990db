"""What processes cost: CPU seconds and resident memory of a process and everything below it, by /proc."""

import os
import threading
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
_APART_S = 0.5


@contextmanager
def on(cores: AbstractSet[int]) -> Iterator[None]:
    """Processes that are started inside stay on these cores too."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def children(pid: int) -> list[int]:
    """Those that a process started and that still run."""
    told = (_read(path) for path in (_PROC / str(pid) / "task").glob("*/children"))
    return [int(child) for child in " ".join(told).split()]


def tree(pid: int) -> list[int]:
    """The process, its children and theirs; none where it has ended."""
    if not (_PROC / str(pid)).exists():
        return []
    return [pid, *(one for child in children(pid) for one in tree(child))]


def cpu_seconds(pid: int) -> float:
    """Of the whole tree so far, children that have ended included."""
    return sum(sum(_times(_PROC / str(one))) for one in tree(pid))


def own_seconds(pid: int) -> float:
    """Of the process alone."""
    return sum(_times(_PROC / str(pid))[:2])


def seconds_of_threads(pid: int, threads: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds so far of threads, which are named as their process named them."""
    return {
        name: sum(_times(_PROC / str(pid) / "task" / str(n))[:2]) for name, n in threads.items()
    }


@dataclass(frozen=True)
class Memory:
    """Bytes of one process: all that is resident, its share where pages belong to several, and what
    of that share is no file's: a mapped file may leave memory whenever there is need.
    """

    resident: int = 0
    share: int = 0
    anonymous: int = 0


def memory(pid: int) -> Memory:
    lines = _read(_PROC / str(pid) / "smaps_rollup").splitlines()[1:]
    said = {name: 1024 * int(rest.split()[0]) for name, _, rest in map(_parted, lines)}
    return Memory(said.get("Rss", 0), said.get("Pss", 0), said.get("Pss_Anon", 0))


@dataclass
class Peak:
    """The most that was seen at once, in bytes.

    `alone` and `largest_below` are all that is resident of the process and of one below it; `together`
    is the whole tree, pages that several of its processes share counted once, and `anonymous` what of
    that belongs to no file.
    """

    alone: int = 0
    largest_below: int = 0
    together: int = 0
    anonymous: int = 0

    def look(self, pid: int) -> None:
        everyone = [memory(one) for one in tree(pid)] or [Memory()]
        first, *below = everyone
        self.alone = max(self.alone, first.resident)
        self.largest_below = max([self.largest_below, *(one.resident for one in below)])
        self.together = max(self.together, sum(one.share for one in everyone))
        self.anonymous = max(self.anonymous, sum(one.anonymous for one in everyone))

    def taken(self) -> dict[str, float]:
        """What was seen until now; from here on it is looked for anew."""
        found = self.megabytes()
        self.alone = self.largest_below = self.together = self.anonymous = 0
        return found

    def megabytes(self) -> dict[str, float]:
        return {
            "process": round(self.alone / 1e6, 1),
            "largest_child": round(self.largest_below / 1e6, 1),
            "together": round(self.together / 1e6, 1),
            "of_no_file": round(self.anonymous / 1e6, 1),
        }


@contextmanager
def watched(pid: int) -> Iterator[Peak]:
    """Looks twice a second until the context is left."""
    peak, ended = Peak(), threading.Event()

    def work() -> None:
        while not ended.wait(_APART_S):
            peak.look(pid)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()


def _times(folder: Path) -> tuple[float, ...]:
    """Seconds of its own in user and system mode, and the same of children that have ended."""
    fields = _read(folder / "stat").rpartition(")")[2].split()
    return tuple(int(ticks) / _TICKS for ticks in fields[11:15])


def _read(path: Path) -> str:
    """Nothing where the process or thread has ended."""
    with suppress(OSError):
        return path.read_text()
    return ""


def _parted(line: str) -> tuple[str, str, str]:
    return line.partition(":")
