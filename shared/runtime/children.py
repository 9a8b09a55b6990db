"""Processes of ours that a process starts for a part of its work."""

import os
import subprocess
import sys
from typing import Any


def start(module: str, *arguments: str, **streams: Any) -> subprocess.Popen[bytes]:
    """`python -m module`, which imports from where this process does; `streams` are Popen's own.

    Ctrl-C in a terminal is for the parent alone, which tells its children what that means for them.
    """
    streams.setdefault("stdin", subprocess.DEVNULL)
    path = os.pathsep.join(filter(None, sys.path))
    process: subprocess.Popen[bytes] = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env=os.environ | {"PYTHONPATH": path},
        start_new_session=True,
        **streams,
    )
    return process
