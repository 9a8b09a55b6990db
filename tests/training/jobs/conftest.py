"""A shop and a trainer in this process; the trainings themselves are processes as ever."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.embedder.training.jobs.running import Trainer
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from tests.training.jobs.stage import Clock, stock, trainer_at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def catalogue(tmp_path: Path, clock: Clock) -> Iterator[SqliteCatalogue]:
    """With something to learn."""
    with SqliteCatalogue(tmp_path / "catalogue.sqlite", clock=clock) as opened:
        stock(opened)
        yield opened


@pytest.fixture
def trainer(catalogue: SqliteCatalogue, tmp_path: Path) -> Trainer:
    return trainer_at(tmp_path, catalogue, tmp_path / "trainings")
