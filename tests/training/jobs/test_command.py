"""Trainings on a server, from a shell."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lookalike.command.app import app
from lookalike.embedded import embedded
from services.gateway.keys import ensure_key
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from tests.client.house import served
from tests.training.jobs.stage import TENANT, stock

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """What it knows of a house with something to learn."""
    data = tmp_path_factory.mktemp("house")
    with SqliteCatalogue(data / "catalogue.sqlite") as catalogue:
        stock(catalogue)
    with embedded(data) as inside, served(inside) as url:
        key = ensure_key(inside.catalogue, TENANT, "admin", "test")
        yield {"LOOKALIKE_URL": url, "LOOKALIKE_KEY": key}


@pytest.fixture
def train(shell: Mapping[str, str]) -> Run:
    return lambda *said: CliRunner().invoke(app, ["train", *said], env=shell)


def test_a_training_is_watched_to_its_end(train: Run) -> None:
    done = train("start", "adapt", "--name", "ours", "--version", "3", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["state"], told["progress"]["model"]) == ("succeeded", "ours@3")
    assert "registering, " in done.stderr


def test_a_training_that_fails_says_why_and_exits_1(train: Run) -> None:
    done = train("start", "adapt", "--name", "few", "--category", "All > 3")
    assert done.exit_code == 1
    assert "two categories" in done.stdout


def test_a_training_that_nobody_waits_for_is_looked_at_and_cancelled(
    train: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOKALIKE_FAILPOINT", "training.told:sleep-600:adapting")
    begun = train("start", "adapt", "--name", "left", "--no-wait", "--json")
    job_id = json.loads(begun.stdout)["job_id"]
    assert json.loads(train("status", job_id, "--json").stdout)["state"] in ("queued", "running")
    assert json.loads(train("cancel", job_id, "--json").stdout)["state"] == "cancelled"
    watched = train("watch", job_id)
    assert watched.exit_code == 1
    assert "cancelled" in watched.stdout


def test_triplets_that_lie_here_are_sent_along(train: Run, tmp_path: Path) -> None:
    file = tmp_path / "triplets.csv"
    file.write_text("query,positive,negative\n", encoding="utf-8")
    begun = train(
        *("start", "triplet", "--name", "ranked", "--triplets", str(file), "--no-wait", "--json"),
        *("--weights", "none", "--since", "2026-01-01", "--set", "steps=7"),
    )
    told = json.loads(begun.stdout)
    asked = told["progress"]["request"]
    assert asked["triplets"].startswith("upload:upl_")
    assert (asked["steps"], asked["weights"]) == (7, "none")
    assert asked["pictures"]["since"] == 1_767_225_600_000
    train("cancel", told["job_id"])


def test_a_setting_of_nothing_is_a_setting(train: Run) -> None:
    begun = train(
        *("start", "triplet", "--name", "kept", "--weights", "none", "--no-wait", "--json"),
        *("--set", "forget=0", "--set", "seed=0", "--set", "allow_forgetting=false"),
    )
    told = json.loads(begun.stdout)
    asked = told["progress"]["request"]
    assert (asked["forget"], asked["seed"], asked["allow_forgetting"]) == (0, 0, False)
    train("cancel", told["job_id"])


@pytest.mark.parametrize("said", ["epochs", "=3", ""])
def test_a_setting_without_name_or_value_is_refused(train: Run, said: str) -> None:
    done = train("start", "adapt", "--name", "ours", "--set", said)
    assert done.exit_code == 2
    assert "--set takes NAME=VALUE" in done.output


def test_what_the_server_refuses_is_told(train: Run) -> None:
    done = train("start", "adapt", "--name", "ours", "--set", "epochs=3")
    assert done.exit_code == 1
