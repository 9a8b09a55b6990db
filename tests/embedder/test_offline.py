from pathlib import Path

import cv2
import numpy as np
import pytest

from services.embedder.model import read_manifest
from services.embedder.offline import embed_paths
from shared.images import sha256_of
from shared.sources.bson import encode


def _content_numbers(model_folder: Path) -> int:
    content = read_manifest(model_folder).spaces.slices()["content"]
    return int(content.stop - content.start)


def _picture(shade: int) -> bytes:
    data: bytes = cv2.imencode(".png", np.full((40, 40, 3), shade, np.uint8))[1].tobytes()
    return data


def test_a_folder_is_walked_in_order_and_the_unreadable_are_named(
    tmp_path: Path, model_folder: Path
) -> None:
    folder = tmp_path / "pictures"
    (folder / "b").mkdir(parents=True)
    (folder / "b" / "one.PNG").write_bytes(_picture(10))
    (folder / "a.jpg").write_bytes(_picture(20))
    (folder / "broken.jpg").write_bytes(b"text")
    (folder / "notes.txt").write_text("no picture")
    out = tmp_path / "vectors.npz"
    unreadable = embed_paths([folder, tmp_path / "absent.jpg"], out, model_folder)
    assert [line.partition(": ")[0] for line in unreadable] == [
        str(folder / "broken.jpg"),
        str(tmp_path / "absent.jpg"),
    ]
    with np.load(out, allow_pickle=False) as arrays:
        assert arrays["paths"].tolist() == [str(folder / "a.jpg"), str(folder / "b" / "one.PNG")]
        assert arrays["content"].shape == (2, _content_numbers(model_folder))
        assert np.linalg.norm(arrays["colour"], axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert {path.name for path in tmp_path.iterdir()} == {"pictures", "vectors.npz"}


def test_records_give_a_vector_for_each_of_their_pictures(
    tmp_path: Path, model_folder: Path
) -> None:
    source = tmp_path / "catalogue.bson"
    bad = encode(2, [b"no picture"])
    source.write_bytes(encode(7, [_picture(1), _picture(2)]) + bad + encode(9, [_picture(3)]))
    unreadable = embed_paths([source], tmp_path / "out.npz", model_folder)
    assert [line.partition(": ")[0] for line in unreadable] == ["2/0"]
    with np.load(tmp_path / "out.npz", allow_pickle=False) as arrays:
        assert arrays["paths"].tolist() == ["7/0", "7/1", "9/0"]


def test_nothing_readable_still_gives_a_file(tmp_path: Path, model_folder: Path) -> None:
    assert embed_paths([], tmp_path / "out.npz", model_folder) == []
    with np.load(tmp_path / "out.npz", allow_pickle=False) as arrays:
        assert arrays["content"].shape == (0, _content_numbers(model_folder))


def test_a_picture_that_kills_its_decoder_is_one_line(
    tmp_path: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for shade in (1, 2, 3):
        (tmp_path / f"{shade}.png").write_bytes(_picture(shade))
    point = f"embedder.decode:kill:{sha256_of(_picture(2))}"
    monkeypatch.setenv("LOOKALIKE_FAILPOINT", point)
    (line,) = embed_paths([tmp_path], tmp_path / "out.npz", model_folder)
    assert line.startswith(f"{tmp_path / '2.png'}: The embedding process died")
    with np.load(tmp_path / "out.npz", allow_pickle=False) as arrays:
        assert len(arrays["paths"]) == 2
