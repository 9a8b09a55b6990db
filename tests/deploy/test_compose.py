"""docker-compose.yml is valid, and what it says fits the code."""

import re
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.compose import FILE, Compose, complaints, environment, load, variables
from tests.deploy.environment import ROOT, SOURCES, urls_of

CHECKER = Path(sys.executable).parent / "check-jsonschema"
EXAMPLE = ROOT / ".env.example"


def is_valid(path: Path) -> bool:
    command = [str(CHECKER), "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_it_is_a_compose_file() -> None:
    assert is_valid(FILE)


def test_it_makes_sense() -> None:
    assert list(complaints(load())) == []


def test_the_example_names_what_it_takes_from_outside_and_nothing_else() -> None:
    named = re.findall(r"^(\w+)=", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(named) == variables(FILE.read_text(encoding="utf-8"))


def test_the_examples_defaults_are_those_of_the_file() -> None:
    said = dict(re.findall(r"^(\w+)=(.+)$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE))
    text = FILE.read_text(encoding="utf-8")
    assert said == dict(re.findall(r"\$\{(\w+):-([^}]+)\}", text))


def test_what_the_example_leaves_empty_must_be_said_or_is_off() -> None:
    empty = re.findall(r"^(\w+)=$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    text = FILE.read_text(encoding="utf-8")
    assert set(empty) > SOURCES
    assert set(re.findall(r"\$\{(\w+):-\}", text)) == SOURCES
    for name in set(empty) - SOURCES:
        assert set(re.findall(rf"\$\{{{name}(.)(.)", text)) == {(":", "?")}


def test_the_examples_command_gives_every_password_a_value_of_its_own() -> None:
    found = re.search(r"^# +(awk .*) > \.env$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    command = ["sh", "-c", found[1]]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    words = re.findall(r"^(\w*PASSWORD|\w*SECRET_KEY)=([0-9a-f]{48})$", made.stdout, re.MULTILINE)
    assert len(words) == len({word for _, word in words}) == 4


def test_what_the_replica_set_is_made_of_is_its_own_host() -> None:
    script = (ROOT / "docker/mongo/healthy.js").read_text(encoding="utf-8")
    catalogue = environment(load()["services"]["gateway"])["LOOKALIKE_CATALOGUE"]
    ((host, port),) = urls_of(catalogue)
    assert f'host: "{host}:{port}"' in script
    assert '_id: "rs0"' in script
    assert "replicaSet=rs0" in catalogue
    assert "rs0" in load()["services"][str(host)]["command"]


def test_whoever_takes_from_elsewhere_is_told_from_where() -> None:
    services = load()["services"]
    told = {name: SOURCES & environment(one).keys() for name, one in services.items()}
    assert {name: said for name, said in told.items() if said} == {
        "gateway": SOURCES,
        "embedder-worker": SOURCES,
        "trainer": SOURCES,
    }


def without_limits(compose: Compose) -> None:
    del compose["services"]["mongo"]["deploy"]


def misspelt(compose: Compose) -> None:
    compose["services"]["gateway"]["environment"]["LOOKALIKE_CATALOG"] = "mongodb://mongo/x"


def elsewhere(compose: Compose) -> None:
    compose["services"]["search-0"]["environment"]["LOOKALIKE_QUEUE"] = "redis://rediss:6379/0"


def wrong_port(compose: Compose) -> None:
    compose["services"]["reconciler"]["environment"]["LOOKALIKE_EMBEDDER_URL"] = (
        "http://embedder:8080"
    )


def swapped(compose: Compose) -> None:
    compose["services"]["search-0"]["environment"]["LOOKALIKE_SEARCH_ORDINAL"] = 2


def third_group(compose: Compose) -> None:
    for name in ("gateway", "search-0", "search-1"):
        compose["services"][name]["environment"]["LOOKALIKE_SEARCH_GROUPS"] = 3


def unheard(compose: Compose) -> None:
    compose["services"]["builder"]["command"][2] = "index"


def no_such_module(compose: Compose) -> None:
    compose["services"]["reconciler"]["command"] = ["services.indexer.reconciler_process"]


def latest(compose: Compose) -> None:
    compose["services"]["mongo"]["image"] = "mongo:latest"


def forgetful(compose: Compose) -> None:
    compose["services"]["redis"]["command"][-1] = "exec redis-server --maxmemory-policy allkeys-lru"


def impatient(compose: Compose) -> None:
    compose["services"]["embedder-worker"]["stop_grace_period"] = "10s"


def shared_volume(compose: Compose) -> None:
    compose["services"]["search-1"]["volumes"] = ["search-0:/var/lib/lookalike"]


def asked_in_vain(compose: Compose) -> None:
    del compose["services"]["embedder-worker"]["healthcheck"]


MISTAKES: list[Callable[[Compose], None]] = [
    *(without_limits, misspelt, elsewhere, wrong_port, swapped, third_group, unheard),
    *(no_such_module, latest, forgetful, impatient, shared_volume, asked_in_vain),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
def test_a_mistake_is_noticed(mistake: Callable[[Compose], None]) -> None:
    # What an anchor shares must not be shared here, or a mistake would be everybody's.
    compose: Any = load()
    compose["services"] = {name: deepcopy(one) for name, one in compose["services"].items()}
    mistake(compose)
    assert len(list(complaints(compose))) > 0


@pytest.mark.parametrize("key", ["helthcheck", "mem_limits"])
def test_the_schema_notices_a_mistake(key: str, tmp_path: Path) -> None:
    compose = load()
    compose["services"]["mongo"][key] = {}
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(yaml.safe_dump(compose), encoding="utf-8")
    assert not is_valid(broken)
