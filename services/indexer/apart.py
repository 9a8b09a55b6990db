"""A merge as a process of its own: `python -m services.indexer.apart FOLDER`.

A graph takes memory and minutes of computing. The memory is given back when the process ends, and nobody
waits who searches in the process that asked for it.
"""

import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

from services.indexer.merging import Merged, Merging, merged, opened
from services.indexer.ports import HOUR_MS
from shared.errors import Unavailable
from shared.runtime.children import start

AGE_MS = HOUR_MS
"""A merge that took longer is abandoned; the sweep leaves its files alone twice as long."""
_ASKED, _DONE = "asked.pickle", "done.pickle"


def merged_apart(asked: Merging, folder: Path) -> Merged:
    """The same as `merged`; the process ends with the one that waits for it here."""
    opened(asked.inputs + asked.standing)  # damage is told here, where somebody can mend it
    (folder / _ASKED).write_bytes(pickle.dumps(asked))
    with start("services.indexer.apart", str(folder), stdin=subprocess.PIPE) as process:
        try:
            code = process.wait(AGE_MS / 1_000)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            process.kill()
    if code != 0:
        raise Unavailable(_reason(asked, code))
    done: Merged = pickle.loads((folder / _DONE).read_bytes())  # noqa: S301 - our child wrote it
    return done


def _reason(asked: Merging, code: int | None) -> str:
    rows = sum(ref.rows for ref, _ in asked.inputs)
    ended = "took too long" if code is None else f"ended with code {code}"
    hint = " That is how a machine ends what there is no memory for." if code == -9 else ""
    return f"A merge of {rows} rows {ended}; it will be tried again.{hint}"


def main() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    folder = Path(sys.argv[1])
    asked: Merging = pickle.loads((folder / _ASKED).read_bytes())  # noqa: S301 - our parent wrote it
    (folder / _DONE).write_bytes(pickle.dumps(merged(asked, folder)))


def _end_with_parent() -> None:
    """Nobody writes to our input: it ends when the parent does."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


if __name__ == "__main__":
    main()
