"""`lookalike evaluate` over a catalogue on disk and over folders of pictures."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from lookalike.sample.catalogue import pictures
from lookalike.sample.inventing import invent
from services.indexer.ports import Ports
from shared.blobs.fsspec import FsspecBlobs
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.catalogue.targets import Targets
from tests.command.conftest import Run
from tests.indexer.conftest import Remembering, an_index
from tests.indexer.exam_shop import PRODUCTS, stocked

TENANT = "default"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the demo leaves it; the index `two` is worse than `one`, which is live."""
    folder = tmp_path_factory.mktemp("data")
    with SqliteCatalogue(folder / "catalogue.sqlite") as catalogue:
        blobs = FsspecBlobs(f"file://{folder}/blobs")
        ports = Ports(catalogue, blobs, Remembering(), Targets(catalogue), folder / "scratch")
        stocked(ports, TENANT)
        catalogue.indexes.create(an_index("half", tenant=TENANT, state="building"))
    return folder


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dozen products in two categories; the second photo of each is the first, cut and saved anew."""
    folder = tmp_path_factory.mktemp("images")
    for number in range(12):
        product = folder / ("left", "right")[number % 2] / f"{number:02}"
        product.mkdir(parents=True)
        drawn = pictures(invent(3, number))[0]
        (product / "1.jpg").write_bytes(drawn)
        pixels = cv2.imdecode(np.frombuffer(drawn, np.uint8), cv2.IMREAD_COLOR)
        assert pixels is not None
        cv2.imwrite(str(product / "2.jpg"), pixels[9:-3, 5:-9])
    return folder


def test_a_worse_index_fails_with_its_reasons(alone: Run, data: Path, tmp_path: Path) -> None:
    ran = alone("evaluate", "--data", data, "--index", "two", "--report", tmp_path / "r", "--json")
    assert ran.code == 1, ran.err
    told = json.loads(ran.out)
    assert (told["index"], told["against"], told["passed"]) == ("two", "one", False)
    assert any("same_product_first" in reason for reason in told["reasons"])
    assert (told["photos"], told["products"], told["categories"]) == (2 * PRODUCTS, PRODUCTS, 3)
    stored = json.loads((tmp_path / "r" / "report.json").read_text(encoding="utf-8"))
    assert stored["figures"] == told["figures"]
    page = (tmp_path / "r" / "report.html").read_text(encoding="utf-8")
    assert "Exam of two against one" in page
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == [
        "report.html",
        "report.json",
    ]


def test_the_page_needs_no_other_file(alone: Run, data: Path, tmp_path: Path) -> None:
    alone("evaluate", "--data", data, "--index", "two", "--report", tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://|<script|<link|src=", page)
    assert set(re.findall(r"url\((.{0,11})", page)) == {'"data:image'}


def test_a_better_index_passes_and_people_read_why(alone: Run, data: Path) -> None:
    ran = alone("evaluate", "--data", data, "--index", "one", "--against", "two")
    assert ran.code == 0, ran.err
    assert "same_product_first" in ran.out
    assert "p99_ms" in ran.out
    assert ran.out.endswith("Passed.\n")


def test_the_live_index_is_examined_alone_unless_said(alone: Run, data: Path) -> None:
    told = json.loads(alone("evaluate", "--data", data, "--json").out)
    assert (told["index"], told["against"], told["passed"]) == ("one", None, True)


def test_a_sheet_has_the_rows_that_were_asked_for(alone: Run, data: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.html"
    assert alone("evaluate", "--data", data, "--sheet", sheet, "--questions", 7).code == 0
    page = sheet.read_text(encoding="utf-8")
    assert page.count('<article class="row">') == 7
    assert "<table" not in page


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--index", "none"), "There is no index 'none'."),
        (("--index", "half"), "Index half is still being built"),
        (("--against", "half"), "Index half is still being built"),
        (("--tenant", "somebody"), "There is no index 'live'."),
    ],
)
def test_what_cannot_be_examined_is_told(
    alone: Run, data: Path, arguments: tuple[str, ...], said: str
) -> None:
    ran = alone("evaluate", "--data", data, *arguments)
    assert ran.code == 1
    assert said in ran.err


def test_a_folder_that_is_no_demos_is_told(alone: Run, tmp_path: Path) -> None:
    ran = alone("evaluate", "--data", tmp_path)
    assert ran.code == 1
    assert "holds no catalogue.sqlite" in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("--model", "small"),
        ("--products", "name"),
        ("--images", ".", "--index", "idx_1"),
    ],
)
def test_options_that_do_not_belong_together_are_told(
    alone: Run, arguments: tuple[str, ...]
) -> None:
    assert alone("evaluate", *arguments).code == 2


def test_a_model_is_examined_over_a_folder_by_category(
    alone: Run, images: Path, tmp_path: Path
) -> None:
    ran = alone("evaluate", "--images", images, "--report", tmp_path, "--json")
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert (told["photos"], told["products"], told["categories"]) == (24, 12, 2)
    assert told["figures"]["index"]["blend"]["same_product_first"]["value"] > 0.7
    assert "pace" not in told["figures"]["index"]
    assert 'url("data:image/jpeg;base64,' in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_model_against_itself_passes_and_unreadable_pictures_are_told(
    alone: Run, images: Path
) -> None:
    broken = images / "left" / "00" / "3.jpg"
    broken.write_bytes(b"no picture")
    try:
        model = json.loads(alone("model", "list", "--json").out)[0]["name"]
        ran = alone("evaluate", "--images", images, "--model", model, "--against", model, "--json")
    finally:
        broken.unlink()
    assert ran.code == 3, ran.err
    told = json.loads(ran.out)
    assert told["passed"] is True
    assert told["photos"] == 24
    assert "left/00/3.jpg: " in ran.err


def test_pictures_without_anything_to_ask_judge_nobody(
    alone: Run, images: Path, tmp_path: Path
) -> None:
    (tmp_path / "one.jpg").write_bytes((images / "left" / "00" / "1.jpg").read_bytes())
    ran = alone("evaluate", "--images", tmp_path)
    assert ran.code == 3
    assert "There is nothing to judge by" in ran.out


def test_folders_without_readable_pictures_are_told(alone: Run, tmp_path: Path) -> None:
    assert "holds no pictures" in alone("evaluate", "--images", tmp_path).err
    (tmp_path / "one.jpg").write_bytes(b"no picture")
    ran = alone("evaluate", "--images", tmp_path)
    assert ran.code == 1
    assert "None of the 1 pictures" in ran.err


def test_a_model_that_is_not_there_is_told(alone: Run, images: Path) -> None:
    ran = alone("evaluate", "--images", images, "--model", "none")
    assert ran.code == 1
    assert "none" in ran.err
