"""`lookalike train classifier` as people and scripts call it."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lookalike.command.app import app
from services.embedder.model import verify
from shared.blobs.fsspec import FsspecBlobs
from shared.catalogue.images import ImageWrite
from shared.catalogue.products import ProductWrite
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.images import Place, sha256_of
from shared.products import Attributes
from tests.training.drawn import draw_folders
from tests.training.processes import ROOT, environment

pytestmark = pytest.mark.timeout(600)
needs_tensorflow = pytest.mark.skipif(
    find_spec("tensorflow") is None, reason="TensorFlow is absent"
)

LATE = 2**62
DATA = os.environ.get("LOOKALIKE_DATA")
_WITHOUT_TENSORFLOW = "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None; "
_MAIN = "from lookalike.command.app import main; main()"


def train(*arguments: object, before: str = "") -> subprocess.CompletedProcess[str]:
    """In a process of its own, for TensorFlow's sake."""
    return subprocess.run(
        [sys.executable, "-c", before + _MAIN, "train", "classifier", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment(),
        timeout=580,
    )


def stock(data: Path, folder: Path) -> None:
    """A demo's folder with a product for every drawn picture, by category."""
    catalogue = SqliteCatalogue(data / "catalogue.sqlite")
    blobs = FsspecBlobs((data / "blobs").as_uri(), data / "cache")
    for path in sorted(folder.rglob("*.jpg")):
        picture, name = path.read_bytes(), "-".join(path.relative_to(folder).with_suffix("").parts)
        blobs.put(name, picture)
        place, sha = Place(name, 0, len(picture)), sha256_of(picture)
        image = ImageWrite("default", sha, place, "image/jpeg", 192, 192, LATE)
        catalogue.images.put([image])
        told = Attributes(category=("Kinds", path.parent.name))
        product = ProductWrite("default", name, told, (sha,), frozenset(), LATE)
        catalogue.products.upsert([product])
    catalogue.close()


@pytest.mark.parametrize("sources", [[], ["--images", ".", "--from-catalogue"]])
def test_photos_come_from_one_place(tmp_path: Path, sources: list[str]) -> None:
    ran = CliRunner().invoke(
        app, ["train", "classifier", "--out", str(tmp_path / "ours"), *sources]
    )
    assert ran.exit_code == 2
    assert "--from-catalogue" in ran.output


def test_a_folder_without_a_catalogue_is_told(tmp_path: Path) -> None:
    out = ["--out", str(tmp_path / "ours"), "--from-catalogue", "--data", str(tmp_path)]
    ran = CliRunner().invoke(app, ["train", "classifier", *out])
    assert "holds no catalogue.sqlite" in str(ran.exception)
    assert not list(tmp_path.iterdir())


def test_without_tensorflow_it_is_told_what_to_install(tmp_path: Path) -> None:
    draw_folders(tmp_path / "photos")
    out = tmp_path / "ours"
    ran = train("--images", tmp_path / "photos", "--out", out, before=_WITHOUT_TENSORFLOW)
    assert ran.returncode == 1
    assert "takes TensorFlow, which is not installed here: `uv sync --group training`" in ran.stderr
    assert not out.exists()


@needs_tensorflow
def test_a_catalogue_teaches_a_model_that_is_registered(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "ours"
    data.mkdir()
    stock(data, draw_folders(tmp_path / "photos"))
    ran = train(
        *("--from-catalogue", "--data", data, "--backbone", "mobilenetv2-0.35"),
        *("--weights", "none", "--side", 32, "--dim", 16, "--epochs", 2),
        *("--out", out, "--version", "2", "--register", "--json"),
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert verify(out).spaces.fingerprint == told["fingerprint"]
    assert (told["model"], told["photos"], told["unreadable"]) == ("ours", 18, 0)
    catalogue = SqliteCatalogue(data / "catalogue.sqlite")
    registered = catalogue.models.get("default", told["model_id"])
    catalogue.close()
    assert registered is not None
    assert (registered.title, registered.fingerprint) == ("ours@2", told["fingerprint"])
    assert registered.manifest["quality"]["precision_after"] == told["precision_after"]
    assert {one.name for one in tmp_path.iterdir()} >= {"ours.confusion.html", "ours.logs"}
    assert not (tmp_path / "ours.scratch").exists()


@needs_tensorflow
@pytest.mark.skipif(DATA is None, reason="LOOKALIKE_DATA names no folder of photos and weights")
def test_held_out_clothes_are_found_at_least_as_well_as_by_the_backbone(tmp_path: Path) -> None:
    source = Path(str(DATA))
    for folder in (source / "clothing" / "train").iterdir():
        inside = tmp_path / "photos" / folder.name
        inside.mkdir(parents=True)
        for path in sorted(folder.glob("*.jpg"))[:20]:
            (inside / path.name).symlink_to(path)
    ran = train(
        *("--images", tmp_path / "photos", "--backbone", "mobilenetv2-0.35", "--side", 128),
        *("--weights", source / "weights" / "mobilenet_v2_0.35_224_no_top.weights.h5"),
        *("--out", tmp_path / "ours", "--json"),
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["photos"] == 200
    assert told["nearest_after"] >= told["nearest_before"]
    assert told["precision_after"] >= told["precision_before"]
