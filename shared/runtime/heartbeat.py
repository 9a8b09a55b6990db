"""A file that a process touches as long as it gets on, and a look at its age for who supervises it.

`python -m shared.runtime.heartbeat FILE SECONDS` fails when nobody touched the file for so long;
it imports the standard library only, because it runs every few seconds.
"""

import sys
import time
from pathlib import Path


def touch(heartbeat: Path) -> None:
    """A disk that is full or gone is no reason to stop working; the probe will tell."""
    try:
        heartbeat.touch()
    except OSError as error:
        print(f"{heartbeat} cannot be touched: {error}", file=sys.stderr)


def is_alive(heartbeat: Path, max_age_s: float) -> bool:
    try:
        touched = heartbeat.stat().st_mtime
    except OSError:
        return False
    return time.time() - touched <= max_age_s


def main(arguments: list[str]) -> int:
    heartbeat, max_age_s = arguments
    if is_alive(Path(heartbeat), float(max_age_s)):
        return 0
    print(f"{heartbeat} was not touched for {max_age_s} s", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
