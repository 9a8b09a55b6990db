"""Models handed in by a program, tried where the embedder is, and seen beside the others."""

import asyncio
from pathlib import Path

import pytest

from lookalike import AsyncLookalike, Lookalike
from lookalike.client import Conflict, NotFound
from services.embedder.model import DEFAULT, read_manifest
from tests.client.house import House
from tests.model_folders import turned


def test_a_folder_becomes_a_registered_model_and_goes_again(
    shop: Lookalike, tmp_path: Path
) -> None:
    folder = turned(tmp_path / "turned", seed=11, quality={"precision_at_10": 0.5})
    (folder / "notes.txt").write_text("not for the server")
    done = shop.wait(shop.register_model(folder), timeout_s=60)
    assert (done.state, done.progress["model"]) == ("succeeded", "turned@11")
    model = shop.model("turned@11")
    assert model == shop.model(str(model.model_id))
    assert model in shop.models().models
    assert (model.title, model.quality["precision_at_10"]) == ("turned@11", 0.5)
    assert model.fingerprint == read_manifest(folder).spaces.fingerprint
    shop.remove_model("turned@11")
    with pytest.raises(NotFound):
        shop.model("turned@11")


def test_a_bundled_model_in_use_cannot_go(house: House) -> None:
    async def tried() -> None:
        async with AsyncLookalike(house.url, key=house.admin_key) as shop:
            done = await shop.wait(await shop.register_model(DEFAULT), timeout_s=60)
            title = str(done.progress["model"])
            assert (await shop.model(title)).indexes
            with pytest.raises(Conflict, match="drop it first"):
                await shop.remove_model(title)

    asyncio.run(tried())


def test_what_is_wrong_with_a_folder_is_told_by_its_job(shop: Lookalike, tmp_path: Path) -> None:
    folder = turned(tmp_path / "turned", seed=12)
    (folder / "golden" / "0.png").unlink()
    done = shop.wait(shop.register_model(folder), timeout_s=60)
    assert (done.state, done.progress["code"]) == ("failed", "bad_model")
    assert "it needs a vector for each" in str(done.detail)
