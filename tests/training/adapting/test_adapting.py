"""Adapting a model in closed form: better where there is something to gain, and else not at all."""

import json
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from typer.testing import CliRunner

from lookalike.command.app import app
from lookalike.sample.drawing import draw
from services.embedder.heads import HEADS, read_heads, write_heads
from services.embedder.model import BUNDLED, load, read_manifest
from services.embedder.training.adapting.adapt import adapt
from services.embedder.training.adapting.photos import in_catalogue
from services.embedder.training.adapting.whitening import adapted, whitening
from services.embedder.training.nearest import Photos, shares
from shared.catalogue.images import ImageWrite, VectorWrite
from shared.catalogue.products import ProductWrite
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.errors import Conflict, Invalid
from shared.images import Place, sha256_of
from shared.products import Attributes
from shared.spaces import Spaces
from shared.vectors import to_bytes
from tests.training.jobs.stage import stock

PARENT = BUNDLED / "small"
_CONTENT = read_manifest(PARENT).spaces.slices()["content"]
DIM = int(_CONTENT.stop - _CONTENT.start)


def photos_of(categories: int, each: int, loud: float, seed: int = 1) -> Photos:
    """Categories differ in the first eight numbers; photos of one differ by `loud` in the last eight."""
    rng = np.random.default_rng(seed)
    numbers = np.repeat(np.arange(categories), each)
    vectors = 0.3 * rng.standard_normal((len(numbers), DIM))
    vectors[:, :8] += rng.standard_normal((categories, 8))[numbers]
    vectors[:, -8:] += loud * rng.standard_normal((len(numbers), 8))
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return Photos(units.astype(np.float32), numbers, np.arange(len(numbers)))


def test_what_differs_within_categories_counts_for_less() -> None:
    found = adapted(photos_of(30, 20, loud=3.0))
    assert found.head is not None
    assert found.after > 1.5 * found.before
    fresh = photos_of(30, 20, loud=3.0, seed=2)
    mapped = Photos(found.head(fresh.vectors), fresh.categories, fresh.products)
    assert shares(mapped).mean() > shares(fresh).mean()


@pytest.mark.parametrize("seed", range(5))
def test_where_categories_say_nothing_nothing_is_changed(seed: int) -> None:
    """The best of several tries is a little better by chance."""
    photos = photos_of(1, 400, loud=1.0)
    named = np.random.default_rng(seed).integers(20, size=400)
    found = adapted(Photos(photos.vectors, named, photos.products))
    assert found.head is None
    assert found.after == found.before


def test_photos_of_one_product_are_no_neighbours_of_each_other() -> None:
    photos = photos_of(4, 6, loud=1.0)
    alone = Photos(photos.vectors, photos.categories, photos.categories)
    assert not shares(alone).any()
    assert not shares(alone.some(photos.categories < 2)).any(), "fewer than ten others"
    assert shares(photos).mean() > 0.2


@pytest.mark.parametrize("counts", [(40,), (40, 3), (3, 3, 3), ()])
def test_it_takes_two_categories_with_photos(counts: tuple[int, ...]) -> None:
    numbers = np.repeat(np.arange(len(counts)), counts)
    vectors = np.ones((len(numbers), DIM), np.float32)
    with pytest.raises(Invalid, match="takes two categories of 4 products"):
        adapted(Photos(vectors, numbers, np.arange(len(numbers))))


def test_equal_vectors_make_no_numbers_that_are_none() -> None:
    head = whitening(Photos(np.ones((8, DIM), np.float32), np.arange(8) // 4, np.arange(8)), 0.5)
    assert np.isfinite(head.matrix).all()


def test_an_adapted_model_is_a_model_of_its_own(tmp_path: Path) -> None:
    out = tmp_path / "ours"
    _, made = adapt(PARENT, photos_of(30, 20, loud=3.0), out, "ours")
    assert made == read_manifest(out)
    before, after = read_manifest(PARENT).spaces, load(out).spaces
    assert after.fingerprint != before.fingerprint
    same = [one == other for one, other in zip(before.spaces, after.spaces, strict=True)]
    assert same == [False, True, True]
    pixels = draw("mug", "striped")
    parts = zip(load(PARENT).vector(pixels), load(out).vector(pixels), strict=True)
    differing = np.array([abs(one - other) > 1e-3 for one, other in parts])
    assert differing[:DIM].mean() > 0.5
    assert not differing[DIM:].any()
    assert {path.name for path in tmp_path.iterdir()} == {"ours"}


def test_a_changed_or_lost_head_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "ours"
    adapt(PARENT, photos_of(30, 20, loud=3.0), out, "ours")
    heads = read_heads(out)
    heads["content"].matrix[3, 4] += 1e-4
    write_heads(out, heads)
    with pytest.raises(Invalid, match="was changed"):
        load(out)
    whole = (out / HEADS).read_bytes()
    for damaged in (b"text", whole[: len(whole) // 2]):
        (out / HEADS).write_bytes(damaged)
        with pytest.raises(Invalid, match="cannot be read"):
            load(out)
    (out / HEADS).unlink()
    with pytest.raises(Invalid, match="was changed"):
        load(out)


def test_nothing_is_written_over_and_nothing_is_adapted_twice(
    tmp_path: Path,
) -> None:
    photos = photos_of(30, 20, loud=3.0)
    adapt(PARENT, photos, tmp_path / "ours", "ours")
    with pytest.raises(Conflict, match="is there already"):
        adapt(PARENT, photos, tmp_path / "ours", "ours")
    with pytest.raises(Invalid, match="adapted already"):
        adapt(tmp_path / "ours", photos, tmp_path / "twice", "twice")
    assert {path.name for path in tmp_path.iterdir()} == {"ours"}


def test_a_catalogue_gives_what_it_has_embedded_of_products_with_a_category(
    tmp_path: Path,
) -> None:
    spaces = read_manifest(PARENT).spaces
    with SqliteCatalogue(tmp_path / "c.sqlite") as catalogue:
        _put(catalogue, spaces, "a", ("shoes", "boots"), ["1", "2"])
        _put(catalogue, spaces, "b", ("shoes", "boots"), ["3"])
        _put(catalogue, spaces, "c", ("hats",), ["1"])
        _put(catalogue, spaces, "d", (), ["4"])
        photos = in_catalogue(catalogue, "shop", spaces)
        with pytest.raises(Invalid, match="a photo that this model has embedded"):
            in_catalogue(catalogue, "another", spaces)
    assert photos.vectors.shape == (4, DIM)
    assert sorted(np.bincount(photos.categories)) == [1, 3]
    assert sorted(np.bincount(photos.products)) == [1, 1, 2]
    np.testing.assert_allclose(np.linalg.norm(photos.vectors, axis=1), 1, atol=1e-3)


def _put(
    catalogue: SqliteCatalogue,
    spaces: Spaces,
    product_id: str,
    category: tuple[str, ...],
    names: list[str],
) -> None:
    late = catalogue.now() + 60_000
    shas = tuple(sha256_of(name.encode()) for name in names)
    for name, sha in zip(names, shas, strict=True):
        rng = np.random.default_rng(int(name))
        vector = rng.standard_normal(spaces.dim).astype(np.float32)
        for part in spaces.slices().values():
            vector[part] /= np.linalg.norm(vector[part])
        place = Place(f"tenants/shop/pictures/{sha}", 0, 1)
        write = ImageWrite("shop", sha, place, "image/jpeg", 8, 8, not_after=late)
        catalogue.images.put([write])
        catalogue.images.store_vector(
            VectorWrite("shop", sha, spaces.fingerprint, to_bytes(vector))
        )
    said = Attributes(category=category)
    catalogue.products.upsert([ProductWrite("shop", product_id, said, shas, frozenset(), late)])


def test_the_command_adapts_to_folders_and_names_what_it_could_not_read(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    for kind in ("mug", "chair", "lamp"):
        (shop / kind).mkdir(parents=True)
        for n, pattern in enumerate(("plain", "striped", "dotted", "checked") * 2):
            picture = draw(kind, pattern, scale=0.6 + n / 20)
            (shop / kind / f"{n}.jpg").write_bytes(simplejpeg.encode_jpeg(picture))
    (shop / "mug" / "broken.jpg").write_bytes(b"text")
    asked = ["train", "adapt", "--images", str(shop), "--out", str(tmp_path / "ours"), "--json"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 3, done.output
    answer = json.loads(done.stdout)
    assert (answer["photos"], answer["unreadable"]) == (24, 1)
    assert answer["precision_after"] >= answer["precision_before"]
    assert (tmp_path / "ours").exists() == (answer["model"] is not None)


def test_the_command_registers_what_it_made_once_under_a_name(tmp_path: Path) -> None:
    with SqliteCatalogue(tmp_path / "catalogue.sqlite") as catalogue:
        stock(catalogue)
    asked = ["train", "adapt", "--from-catalogue", "--data", str(tmp_path), "--register", "--json"]
    asked += ["--name", "ours", "--version", "2"]
    done = CliRunner().invoke(app, [*asked, "--out", str(tmp_path / "ours")])
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    with SqliteCatalogue(tmp_path / "catalogue.sqlite") as catalogue:
        made = catalogue.models.get("default", answer["model_id"])
    assert made is not None
    assert (made.title, made.fingerprint) == ("ours@2", answer["fingerprint"])
    again = CliRunner().invoke(app, [*asked, "--out", str(tmp_path / "again")])
    assert "ours@2 is registered: give it another --version" in str(again.exception)
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (["--name", "my model"], "'my model' is no name"),
        (["--images", "."], "no pictures"),
        (["--out", "."], "is there already"),
    ],
)
def test_the_command_says_what_is_wrong_before_it_looks(
    asked: list[str], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["train", "adapt", "--images", "photos", "--out", "x", *asked])
    assert why in str(done.exception)
    assert [one.name for one in tmp_path.iterdir()] == ["photos"]


@pytest.mark.parametrize("asked", [[], ["--images", ".", "--from-catalogue"]])
def test_the_command_wants_one_source(asked: list[str], tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["train", "adapt", "--out", str(tmp_path / "x"), *asked])
    assert done.exit_code == 2
