import subprocess
import sys

import pytest

_PROBE = """
import ctypes, platform, re, sys, threading
from shared.runtime.memory import share_arenas
if platform.libc_ver()[0] != "glibc":
    sys.exit(77)
if {shared}:
    share_arenas(2)
gate = threading.Barrier(9)
def work():
    held = ctypes.create_string_buffer(100_000)
    gate.wait(); gate.wait()
for _ in range(8):
    threading.Thread(target=work, daemon=True).start()
gate.wait()
libc = ctypes.CDLL(None)
libc.malloc_stats()
gate.wait()
"""


@pytest.mark.parametrize("shared", [True, False])
def test_threads_share_few_heaps(*, shared: bool) -> None:
    probe = _PROBE.format(shared=shared)
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode == 77:
        pytest.skip("malloc is not glibc's here")
    assert done.returncode == 0, done.stderr
    arenas = done.stderr.count("Arena ")
    assert (arenas <= 2) == shared
