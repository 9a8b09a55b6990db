"""Where a training stands, in one file."""

from pathlib import Path

import numpy as np
import pytest

from services.embedder.training.saving import save, saved
from shared.errors import Unavailable


def test_what_was_saved_is_there_whole_and_alone(tmp_path: Path) -> None:
    save(tmp_path / "a.npz", {"numbers": np.arange(3)})
    found = saved(tmp_path / "a.npz")
    assert found is not None
    assert found["numbers"].tolist() == [0, 1, 2]
    assert [one.name for one in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize("data", [b"", b"text", b"PK torn"])
def test_what_cannot_be_read_is_as_good_as_nothing(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.npz").write_bytes(data)
    assert saved(tmp_path / "a.npz") is None
    assert saved(tmp_path / "b.npz") is None


def test_a_place_that_takes_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"could not be kept in .*gone: No such file"):
        save(tmp_path / "gone" / "a.npz", {"numbers": np.arange(3)})
