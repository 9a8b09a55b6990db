"""A file that a process touches as long as it gets on, and a look at its age for who supervises it.

`python -m shared.runtime.heartbeat FILE SECONDS` fails when nobody touched the file for so long;
it imports the standard library only, because it runs every few seconds.
"""

import sys
import time
from contextlib import suppress
from pathlib import Path


def touch(heartbeat: Path) -> None:
    """A folder that is gone is no reason to stop working: it is the probe that fails then."""
    with suppress(OSError):
        heartbeat.touch()


def is_alive(heartbeat: Path, max_age_s: float) -> bool:
    try:
        touched = heartbeat.stat().st_mtime
    except OSError:
        return False
    return time.time() - touched <= max_age_s


def main(heartbeat: str, max_age_s: str) -> None:
    if not is_alive(Path(heartbeat), float(max_age_s)):
        sys.exit(f"{heartbeat} was not touched for {max_age_s} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
