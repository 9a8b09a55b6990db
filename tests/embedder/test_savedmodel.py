"""Models that LiteRT cannot run, in processes of their own; TensorFlow is loaded for them alone."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from services.embedder.archive import pack, unpack
from services.embedder.canary import CANARY
from services.embedder.local import ChildEmbedder
from services.embedder.model import check_files
from services.embedder.verifying import verified
from shared.errors import Invalid
from shared.seams.embedder import Embedding
from tests.model_folders import rewrite

pytestmark = pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow is absent")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "quarters"
    command = [sys.executable, "-m", "tests.embedder.saved_model", str(folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "quarters")


def test_a_saved_model_is_packed_verified_and_embeds(folder: Path, tmp_path: Path) -> None:
    with (tmp_path / "a.tar").open("wb") as archive:
        pack(folder, archive)
    unpack(tmp_path / "a.tar", tmp_path / "again")
    with ChildEmbedder(tmp_path / "again") as embedder:
        assert embedder.spaces == check_files(folder).spaces
        (found,) = embedder.embed([CANARY])
    assert isinstance(found, Embedding)
    assert np.linalg.norm(np.frombuffer(found.vector, np.float32)) == pytest.approx(1, abs=1e-5)


def test_golden_pictures_are_asked_of_a_saved_model_too(folder: Path) -> None:
    path = folder / "golden" / "vectors.npy"
    np.save(path, np.roll(np.load(path), 1, axis=0))
    with pytest.raises(Invalid, match="gives another content vector"):
        verified(folder)


def test_a_changed_file_of_a_saved_model_is_refused_without_loading_it(folder: Path) -> None:
    (folder / "savedmodel" / "variables" / "variables.index").write_bytes(b"")
    with pytest.raises(Invalid, match=r"savedmodel is not the file that model\.json describes"):
        check_files(folder)


def test_a_runtime_that_nobody_knows_is_no_manifest(folder: Path) -> None:
    rewrite(folder, runtime="onnx")
    with pytest.raises(Invalid, match="a runtime is one of litert, savedmodel, not 'onnx'"):
        check_files(folder)


def test_no_other_model_loads_tensorflow() -> None:
    check = (
        "import sys; from services.embedder.model import BUNDLED, DEFAULT, load; "
        "load(BUNDLED / DEFAULT); sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
