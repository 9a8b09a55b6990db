"""Processes for tests that need TensorFlow, forked from one that has it loaded, for that takes seconds."""

import json
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]
_LAST_WORDS_S: Final = 10.0
_forks: Final = get_context("forkserver")
_forks.set_forkserver_preload(["tensorflow", "keras"])


def environment() -> dict[str, str]:
    """One thread: many tests share the machine."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}


@contextmanager
def talking(module: str, function: str, *arguments: object) -> Iterator[Connection]:
    """The function in a process of its own, which it ends with; its first argument is the other end."""
    ours, theirs = _forks.Pipe()
    told = (theirs, module, function, *arguments)
    child = _forks.Process(target=_run, args=told, daemon=True)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment().items():
            patch.setenv(name, value)
        child.start()
    theirs.close()
    try:
        with ours:
            yield ours
    finally:
        child.kill()
        child.join(_LAST_WORDS_S)


def answered(module: str, function: str, *arguments: object, timeout: float = 250) -> Any:
    """What the function answers, as JSON; the test fails with its traceback where it raises."""
    with talking(__name__, "answer", module, function, *arguments) as pipe:
        assert pipe.poll(timeout), f"{module}.{function} gave no answer in {timeout:g} s"
        said, trouble = pipe.recv()
    assert trouble is None, trouble
    return json.loads(said)


def answer(pipe: Connection, module: str, function: str, *arguments: object) -> None:
    """The other end of `answered`."""
    try:
        pipe.send((json.dumps(_named(module, function)(*arguments)), None))
    except Exception:  # noqa: BLE001 - the test tells it
        pipe.send((None, traceback.format_exc()))


def _run(pipe: Connection, module: str, function: str, *arguments: object) -> None:
    _named(module, function)(pipe, *arguments)


def _named(module: str, function: str) -> Callable[..., Any]:
    """By name, so that the process of the tests never loads what the other one does."""
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found
