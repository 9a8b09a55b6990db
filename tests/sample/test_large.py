"""A larger sample: shaped like Cdiscount's catalogue, drawn by several, and gone on with."""

import shutil
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import bson
import pytest
import simplejpeg

from lookalike.sample.catalogue import make, unfinished
from lookalike.sample.crew import BATCH
from lookalike.sample.inventing import OFFERED_AGAIN, YOUNG
from services.embedder.decode import perceptual_hash
from shared.errors import Unavailable

PRODUCTS = 2_000
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "catalogue.bson"
    make(path, products=PRODUCTS, seed=7, processes=2)
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What one process alone draws: a batch, and some."""
    path = tmp_path_factory.mktemp("small") / "catalogue.bson"
    make(path, products=BATCH + 30, seed=7)
    return path.read_bytes()


@pytest.fixture(scope="module")
def products(large: Path) -> list[dict[str, Any]]:
    return bson.decode_all(large.read_bytes())


def pictures(product: dict[str, Any]) -> list[bytes]:
    return [image["picture"] for image in product["imgs"]]


def test_it_has_the_shape_of_cdiscounts_catalogue(
    large: Path, products: list[dict[str, Any]]
) -> None:
    counts = Counter(len(pictures(product)) for product in products)
    assert set(counts) == {1, 2, 3, 4}
    assert sum(n * count for n, count in counts.items()) / PRODUCTS == pytest.approx(1.75, rel=0.05)
    assert large.stat().st_size / PRODUCTS == pytest.approx(8_200, rel=0.05)
    for product in products[::10]:
        for picture in pictures(product):
            assert simplejpeg.decode_jpeg_header(picture)[:2] == (180, 180)


def test_pictures_of_different_things_differ_to_the_eye_as_well(
    products: list[dict[str, Any]],
) -> None:
    shown: dict[bytes, int] = {}
    for product in products:
        for picture in pictures(product):
            shown.setdefault(picture, product["_id"])
    things = defaultdict(set)
    hashes = {picture: perceptual_hash(simplejpeg.decode_jpeg(picture)) for picture in shown}
    for picture, thing in shown.items():
        things[hashes[picture]].add(thing)
    alike = sum(len(things[found]) > 1 for found in hashes.values())
    assert alike / len(shown) < 0.01


def test_a_few_of_the_later_products_are_an_earlier_thing_again(
    products: list[dict[str, Any]],
) -> None:
    first: dict[tuple[bytes, ...], dict[str, Any]] = {}
    again = []
    for product in products:
        earlier = first.setdefault(tuple(pictures(product)), product)
        if earlier is not product:
            again.append((earlier, product))
    assert len({picture for shown in first for picture in shown}) == sum(map(len, first))
    assert all(product["_id"] >= 1000 + YOUNG for _, product in again)
    assert len(again) / (PRODUCTS - YOUNG) == pytest.approx(OFFERED_AGAIN, rel=0.5)
    for earlier, product in again:
        assert product["custom"]["kind"] == earlier["custom"]["kind"]
        assert product["url"] != earlier["url"]


def test_later_on_some_kinds_are_far_more_often_than_others(
    products: list[dict[str, Any]],
) -> None:
    counts = Counter(product["custom"]["kind"] for product in products[YOUNG:]).most_common()
    assert counts[0][1] > 5 * counts[-1][1] > 0


def test_several_processes_write_the_bytes_of_one(
    large: Path, small: bytes, tmp_path: Path
) -> None:
    make(tmp_path / "three.bson", products=BATCH + 30, seed=7, processes=3)
    assert (tmp_path / "three.bson").read_bytes() == small
    assert large.read_bytes().startswith(small)


def test_a_sample_whose_drawing_was_killed_goes_on_where_it_stopped(
    small: bytes, tmp_path: Path
) -> None:
    out = tmp_path / "c.bson"
    program = (
        "import os, pathlib, signal, sys; from lookalike.sample.catalogue import make; "
        "end = lambda n: n == 40 and os.kill(os.getpid(), signal.SIGKILL); "
        f"make(pathlib.Path(sys.argv[1]), products={BATCH + 30}, seed=7, progress=end)"
    )
    killed = subprocess.run([sys.executable, "-c", program, out], check=False, cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    assert not out.exists()
    seen: list[int] = []
    make(out, products=BATCH + 30, seed=7, progress=seen.append)
    assert 20 < seen[0] < 41
    assert seen[1:] == list(range(seen[0] + 1, BATCH + 31))
    assert out.read_bytes() == small
    assert not unfinished(out).exists()


def test_several_go_on_with_what_one_began(large: Path, tmp_path: Path) -> None:
    out = tmp_path / "c.bson"
    whole = large.read_bytes()
    unfinished(out).write_bytes(whole[:-4_000_000])
    seen: list[int] = []
    make(out, products=PRODUCTS, seed=7, processes=2, progress=seen.append)
    assert seen[0] > PRODUCTS / 2
    assert out.read_bytes() == whole


def test_what_was_begun_with_another_seed_is_drawn_anew(small: bytes, tmp_path: Path) -> None:
    out = tmp_path / "c.bson"
    unfinished(out).write_bytes(small[:200_000])
    make(out, products=3, seed=8)
    make(tmp_path / "fresh.bson", products=3, seed=8)
    assert out.read_bytes() == (tmp_path / "fresh.bson").read_bytes()


def test_what_was_begun_by_other_drawings_is_drawn_anew(small: bytes, tmp_path: Path) -> None:
    out = tmp_path / "c.bson"
    begun = bytearray(small[:200_000])
    begun[4_000] ^= 1  # within the first record
    unfinished(out).write_bytes(begun)
    make(out, products=3, seed=7)
    assert small.startswith(out.read_bytes())


def test_of_a_larger_one_that_was_begun_only_what_is_asked_for_is_kept(
    small: bytes, tmp_path: Path
) -> None:
    out = tmp_path / "c.bson"
    unfinished(out).write_bytes(small)
    seen: list[int] = []
    make(out, products=7, seed=7, progress=seen.append)
    assert seen == [7]
    assert small.startswith(out.read_bytes())
    assert len(bson.decode_all(out.read_bytes())) == 7


def test_a_process_that_ends_early_is_told_of_and_what_is_written_stays(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    out = tmp_path / "c.bson"
    with pytest.raises(Unavailable, match="same command again"):
        make(out, products=3, seed=7, processes=2)
    assert unfinished(out).exists()
    assert not out.exists()
