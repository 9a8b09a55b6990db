import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.embedder.model import (
    BUNDLED,
    DEFAULT,
    fingerprinted,
    load,
    read_manifest,
    verify,
    write_manifest,
)
from services.embedder.networks import sha256
from services.embedder.preprocess import Preprocessing
from services.embedder.verifying import verified
from shared.errors import Invalid
from shared.runtime.settings import Installation


def test_the_bundled_model_gives_its_golden_vectors(model_folder: Path) -> None:
    manifest = verify(model_folder)
    assert [space.name for space in manifest.spaces.spaces] == ["content", "style", "colour"]
    assert len({space.fingerprint for space in manifest.spaces.spaces}) == 3


def test_changed_weights_are_refused(own_model_folder: Path) -> None:
    weights = own_model_folder / "model.tflite"
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    with pytest.raises(Invalid, match=r"is not the file that model\.json describes"):
        load(own_model_folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [("preprocessing", {"side": 160, "frame": "stretch"}), ("fingerprint", "0" * 32)],
)
def test_a_changed_manifest_is_refused(own_model_folder: Path, key: str, value: object) -> None:
    path = own_model_folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(Invalid, match="fingerprints do not follow"):
        load(own_model_folder)


def test_a_network_that_computes_something_else_is_refused(own_model_folder: Path) -> None:
    path = own_model_folder / "golden" / "vectors.npy"
    golden = np.load(path)
    np.save(path, np.roll(golden, 1, axis=0))
    with pytest.raises(Invalid, match="gives another content vector"):
        load(own_model_folder)


def test_a_golden_vector_of_nans_is_refused(own_model_folder: Path) -> None:
    path = own_model_folder / "golden" / "vectors.npy"
    np.save(path, np.load(path) * np.nan)
    with pytest.raises(Invalid, match="gives another"):
        load(own_model_folder)


def test_a_folder_without_a_model_is_refused(tmp_path: Path, own_model_folder: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        load(tmp_path)
    (own_model_folder / "model.json").write_text("{}")
    with pytest.raises(Invalid, match="no manifest of a model"):
        read_manifest(own_model_folder)


def test_fingerprints_follow_weights_preprocessing_and_spaces() -> None:
    def prints(weights: bytes = b"w", side: int = 160, content: int = 8) -> set[str]:
        spaces = fingerprinted(weights, Preprocessing(side), {"content": content, "style": 4})
        return {spaces.fingerprint, *(space.fingerprint for space in spaces.spaces)}

    assert prints() == prints()
    assert len(prints()) == 3
    for other in (prints(weights=b"x"), prints(side=128), prints(content=9)):
        assert prints().isdisjoint(other)


def test_letterboxing_keeps_the_shape_and_pads_with_the_border() -> None:
    tall = np.full((300, 100, 3), (10, 20, 30), np.uint8)
    tall[100:200, 30:70] = 255
    framed = Preprocessing(60)(tall)
    assert framed.shape == (60, 60, 3)
    assert (framed[:, :20] == (10, 20, 30)).all()
    assert (framed[22:38, 28:32] == 255).all()


def test_of_an_odd_number_of_padding_lines_one_more_is_behind() -> None:
    light, dark = np.full((21, 60, 3), 200, np.uint8), 10
    light[1:-1, 1:-1] = dark
    framed = Preprocessing(60)(light)
    rows = np.flatnonzero((framed[:, 30] == dark).all(1))
    assert (rows[0], rows[-1]) == (20, 38)
    columns = np.flatnonzero((Preprocessing(60)(light.transpose(1, 0, 2))[30] == dark).all(1))
    assert (columns[0], columns[-1]) == (20, 38)


def _rewritten(folder: Path, *, weights: bytes | None = None, **dims: int) -> None:
    """A manifest that fits other weights, or spaces of other dimensions, as if it were honest."""
    manifest = read_manifest(folder)
    found = (folder / "model.tflite").read_bytes() if weights is None else weights
    (folder / "model.tflite").write_bytes(found)
    known: dict[Any, int] = {space.name: space.dim for space in manifest.spaces.spaces}
    spaces = fingerprinted(found, manifest.preprocessing, known | dims)
    write_manifest(folder, replace(manifest, weights_sha256=sha256(found), spaces=spaces))


def test_what_litert_cannot_run_is_told_kindly(own_model_folder: Path) -> None:
    _rewritten(own_model_folder, weights=b"no network at all" * 9)
    with pytest.raises(Invalid, match="LiteRT cannot run it"):
        load(own_model_folder)


def test_a_network_of_another_size_than_its_spaces_is_told_kindly(own_model_folder: Path) -> None:
    _rewritten(own_model_folder, content=3)
    with pytest.raises(Invalid, match=r"its spaces have \d+ numbers"):
        load(own_model_folder)


def test_what_a_manifest_tells_beside_changes_no_fingerprint(own_model_folder: Path) -> None:
    before = read_manifest(own_model_folder)
    assert (before.name, before.runtime) == ("small", "litert")
    told: dict[str, Any] = {
        "training": {"kind": "triplet", "parent": "abc"},
        "quality": {"precision_at_10": 0.5},
        "pace": {"pictures_per_second": 40, "processor": "one core"},
    }
    write_manifest(own_model_folder, replace(before, **told))
    assert load(own_model_folder).manifest == replace(before, **told)


def test_a_model_is_verified_in_a_process_that_may_be_ended(own_model_folder: Path) -> None:
    assert verified(own_model_folder) == read_manifest(own_model_folder)
    with pytest.raises(Invalid, match=r"cannot be run here: it took longer than 0\.01 s"):
        verified(own_model_folder, timeout_s=0.01)


def test_the_settings_name_the_model_that_is_the_default() -> None:
    assert Installation.model_fields["model"].default == DEFAULT
    assert read_manifest(BUNDLED / DEFAULT).name == DEFAULT
