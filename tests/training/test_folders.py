"""A model's folder comes whole or not at all."""

import errno
from pathlib import Path

import numpy as np
import pytest

from services.embedder.heads import HEADS, Head, read_heads
from services.embedder.model import BUNDLED, DEFAULT, load, read_manifest, verify
from services.embedder.training.folders import TRAINED, check_free, whole, with_head
from shared.errors import Conflict, Unavailable


def write_half(out: Path, error: BaseException) -> None:
    with whole(out) as folder:
        (folder / "model.json").write_text("{}")
        raise error


def test_a_folder_takes_its_place_once_it_is_filled(tmp_path: Path) -> None:
    with whole(tmp_path / "models" / "ours") as folder:
        (folder / "model.json").write_text("{}")
        assert not (tmp_path / "models" / "ours").exists()
    assert [one.name for one in (tmp_path / "models").iterdir()] == ["ours"]


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt()])
def test_what_fails_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)):
        write_half(tmp_path / "ours", error)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(Unavailable, match=r"ours could not be written: No space left on device"):
        write_half(tmp_path / "ours", full)
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("mine")
    with pytest.raises(Conflict, match="is there already"), whole(tmp_path):
        pass
    assert (tmp_path / "kept").read_text() == "mine"


def test_a_place_where_no_folder_can_be_is_told_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("mine")
    with pytest.raises(Unavailable, match=r"ours could not be written: .*kept: Not a directory"):
        check_free(tmp_path / "kept" / "models" / "ours")
    check_free(tmp_path / "models" / "ours")
    assert [one.name for one in tmp_path.iterdir()] == ["kept"], "looking leaves nothing"


def test_half_a_folder_of_a_killed_training_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "ours.part").mkdir()
    (tmp_path / "ours.part" / "left").write_text("over")
    with whole(tmp_path / "ours") as folder:
        assert not list(folder.iterdir())


def test_a_head_makes_another_model_that_tells_its_pace_and_checks_itself(tmp_path: Path) -> None:
    parent = BUNDLED / DEFAULT
    manifest = read_manifest(parent)
    part = manifest.spaces.slices()["content"]
    dim = part.stop - part.start
    turned = Head(np.zeros(dim, np.float32), np.eye(dim, dtype=np.float32)[::-1].copy())
    made = with_head(parent, tmp_path / "ours", turned, manifest)
    assert verify(tmp_path / "ours") == made
    assert made.spaces.fingerprint != manifest.spaces.fingerprint
    assert made.pace["pictures_per_second"] > 0
    assert made.sizes[HEADS] == (tmp_path / "ours" / HEADS).stat().st_size
    picture = np.random.default_rng(1).integers(0, 256, (50, 40, 3)).astype(np.uint8)
    ours, theirs = (load(folder).vector(picture) for folder in (tmp_path / "ours", parent))
    assert np.allclose(ours[part], theirs[part][::-1], atol=1e-5)
    (tmp_path / "ours" / TRAINED).write_bytes(b"what the network was made of")
    again = with_head(tmp_path / "ours", tmp_path / "again", turned, made)
    assert again.spaces == made.spaces
    assert not (tmp_path / "again" / TRAINED).exists()
    assert read_heads(tmp_path / "again").keys() == {"content"}
