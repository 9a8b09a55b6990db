import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lookalike.command.app import main
from tests.client.house import House, running_house, taken_photos


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left: its exit code and what it said."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running_house(tmp_path_factory.mktemp("house")) as running:
        yield running


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return taken_photos(tmp_path_factory.mktemp("photos"))


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command in a shell that knows no server."""
    for name in ("LOOKALIKE_URL", "LOOKALIKE_KEY"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: Any) -> Ran:
        monkeypatch.setattr(sys, "argv", ["lookalike", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        code = ended.value.code
        return Ran(code if isinstance(code, int) else 0, said.out, said.err)

    return run


@pytest.fixture
def lookalike(alone: Run, house: House, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command in a shell that knows the running server and an admin key."""
    monkeypatch.setenv("LOOKALIKE_URL", house.url)
    monkeypatch.setenv("LOOKALIKE_KEY", house.admin_key)
    return alone
