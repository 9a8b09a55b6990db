from pathlib import Path

import numpy as np

from benchmarks.drawing import jpegs
from benchmarks.feeds import numbered, pictures_of, write_feed
from services.embedder.decode import decode
from shared.images import sha256_of


def test_a_numbered_picture_has_other_bytes_and_the_same_pixels() -> None:
    (picture,) = jpegs(1)
    one, other = numbered(picture, 1), numbered(picture, 2)
    assert len({picture, one, other}) == 3
    for copy in (one, other):
        assert np.array_equal(decode(copy).pixels, decode(picture).pixels)


def test_no_picture_of_a_feed_is_another_however_few_were_drawn(tmp_path: Path) -> None:
    path = tmp_path / "feed.bson"
    size = write_feed(path, 15, first=100, drawn=4)
    assert size == path.stat().st_size
    found = pictures_of(path)
    assert len({sha256_of(picture) for picture in found}) == len(found) == 15


def test_feeds_that_begin_elsewhere_have_nothing_in_common(tmp_path: Path) -> None:
    one, other = tmp_path / "one.bson", tmp_path / "other.bson"
    write_feed(one, 8, drawn=2)
    write_feed(other, 8, first=8, drawn=2)
    assert not set(pictures_of(one)) & set(pictures_of(other))
