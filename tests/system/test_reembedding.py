"""A catalogue brought to another model while it is searched and written, and back again."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lookalike import Lookalike
from lookalike.client import Conflict, Invalid, NotFound
from lookalike.embedded import TENANT, embedded
from lookalike.sample.catalogue import make
from services.embedder.registry import register
from services.gateway.keys import ensure_key
from shared.blobs.fsspec import FsspecBlobs
from tests.client.house import served
from tests.system.demo import COMMAND
from tests.system.models import PARENT, blinded, turned
from tests.system.shop import photo, until

PATIENCE_S = 90.0
"""An index waits some twenty seconds for writers that have not heard of it."""
MUG = photo("mug", "striped")


@dataclass(frozen=True, slots=True)
class House:
    url: str
    key: str
    shop: Lookalike
    folder: Path

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        where = ["--server", self.url, "--key", self.key]
        return subprocess.run(
            [COMMAND, *arguments, *where], capture_output=True, text=True, timeout=60, check=False
        )

    def first(self, picture: bytes, index: str = "live") -> tuple[str, str]:
        """The product that is found, and the index that found it."""
        found = self.shop.search(image=picture, index=index, limit=1, deadline_ms=5_000)
        return found.hits[0].product_id, found.meta.index

    def live(self) -> str:
        return self.shop.alias("live").index_id


@contextmanager
def opened(data: Path, *models: Path) -> Iterator[House]:
    """A house over a folder, in which these models are registered."""
    with embedded(data) as inside, served(inside) as url:
        blobs = FsspecBlobs((data / "blobs").absolute().as_uri(), data / "cache")
        for model in models:
            register(inside.catalogue, blobs, TENANT, model)
        key = ensure_key(inside.catalogue, TENANT, "admin", "test")
        with Lookalike(url, key=key) as shop:
            yield House(url, key, shop, data.parent)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """With a catalogue of several photos a product, and three models to bring it to."""
    folder = tmp_path_factory.mktemp("house")
    models = [
        turned(folder / "turned"),
        blinded(folder / "blinded"),
        turned(folder / "more", seed=2),
    ]
    make(folder / "sample.bson", products=60, seed=7)
    make(folder / "more.bson", products=70, seed=7)
    with opened(folder / "data", *models) as running:
        running.shop.wait(running.shop.import_bson(folder / "sample.bson"), timeout_s=60)
        running.shop.put_product("mug", {"title": "Mug"}, [MUG], within_s=20)
        yield running


def test_a_catalogue_moves_to_a_model_that_is_no_worse_and_back(house: House) -> None:
    shop, before = house.shop, house.live()
    good, bad = shop.reembed("turned@1"), shop.reembed("blinded")
    cancelled = shop.reembed("more@1", evaluate=False)
    assert shop.cancel(cancelled.job_id).state == "cancelled"
    teapot = photo("teapot", "dotted")
    shop.put_product("during", {"title": "Teapot"}, [teapot], within_s=20)
    arrived = shop.import_bson(house.folder / "more.bson")

    def look(_job: object) -> None:
        assert house.first(MUG) == ("mug", before), "searches go on as if nothing were"

    ended = {
        job: shop.wait(job, progress=look, timeout_s=PATIENCE_S)
        for job in (good.job_id, bad.job_id)
    }
    stood, failed = ended[good.job_id].progress, ended[bad.job_id].progress
    assert (stood["passed"], failed["passed"]) == (True, False)
    assert (stood["images_embedded"], stood["products_indexed"]) == (
        *(stood["images"], stood["products"]),
    )
    assert shop.wait(arrived).state == "succeeded"
    for index in (before, stood["index"], failed["index"]):
        until(lambda index=index: shop.index(index).build.behind == 0)  # type: ignore[misc]
        assert house.first(teapot, index) == ("during", index), "what is written is in all of them"
    with pytest.raises(NotFound):
        shop.index(cancelled.progress["index"])

    with pytest.raises(Conflict) as refused:
        shop.set_alias("live", failed["index"])
    assert refused.value.problem.code == "exam_failed"
    with pytest.raises(Invalid):
        shop.set_alias("live", failed["index"], force=True)
    forced = shop.set_alias("live", failed["index"], force=True, reason="To see the difference.")
    assert forced.moves[0].forced
    assert shop.similar("mug", limit=1).meta.index == failed["index"]
    assert shop.search(image=MUG, limit=1, deadline_ms=5_000).meta.index == failed["index"]

    assert shop.rollback("live").index_id == before
    moved = shop.set_alias("live", stood["index"])
    assert (moved.moves[0].ground, moved.before) == ("passed", before)
    assert house.first(MUG) == ("mug", stood["index"])
    assert house.first(teapot) == ("during", stood["index"])

    shop.drop_index(failed["index"])
    until(lambda: failed["index"] not in {i.index_id for i in shop.indexes().indexes})
    with pytest.raises(Conflict):
        shop.drop_index(stood["index"])


def test_the_command_shows_indexes_and_moves_aliases(house: House) -> None:
    live = house.live()
    listed = house.command("index", "list")
    assert listed.returncode == 0, listed.stderr
    assert f"{live}\tlive\t" in listed.stdout
    shown = json.loads(house.command("index", "show", live, "--json").stdout)
    assert (shown["aliases"], shown["build"]["images_unembedded"]) == (["live"], 0)
    assert shown["size"] > 0
    assert house.command("alias", "set", "canary", live).returncode == 0
    assert "canary" in house.command("alias", "list").stdout
    assert "chosen" in house.command("alias", "show", "canary").stdout
    nowhere = house.command("alias", "rollback", "canary")
    assert (nowhere.returncode, nowhere.stdout) == (1, "")
    unknown = house.command("reembed", "nobody@7")
    assert unknown.returncode == 1
    assert "lookalike model add" in unknown.stderr
    again = house.command("reembed", "turned@1")
    assert (again.returncode, "already" in again.stderr) == (1, True)


def test_another_model_in_the_settings_takes_over_once_it_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    with opened(data) as house:
        house.shop.put_product("mug", {"title": "Mug"}, [MUG], within_s=20)
        before = house.live()
    monkeypatch.setenv("LOOKALIKE_MODEL", str(turned(tmp_path / "turned")))
    with opened(data) as house:
        assert house.live() == before
        assert [i.model for i in house.shop.indexes().indexes] == [PARENT.name, "turned"]

        def taken_over() -> bool:
            product, index = house.first(MUG)
            assert product == "mug", "queries are answered throughout"
            return index != before

        until(taken_over, within=PATIENCE_S)
        after = house.live()
        assert {i.index_id: i.state for i in house.shop.indexes().indexes} == {
            before: "ready",
            after: "ready",
        }
    monkeypatch.delenv("LOOKALIKE_MODEL")
    with opened(data) as house:
        assert (house.live(), house.first(MUG)) == (before, ("mug", before)), "settings set back"
        shutil.rmtree(tmp_path / "turned")
        assert house.first(MUG, after) == ("mug", after), "its model was kept"
