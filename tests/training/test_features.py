"""What a frozen network says of photos is asked once."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from services.embedder.decode import Pixels
from services.embedder.preprocess import Preprocessing
from services.embedder.training.classifier.material import material
from services.embedder.training.features import Extractor, features
from services.embedder.training.pictures import Photo, in_folders
from services.embedder.training.progress import Cancelled, Progress, tell_nobody
from services.embedder.training.views import VIEWS
from shared.errors import Invalid
from shared.vectors import Floats
from tests.training.drawn import draw_folders

WIDTH = 12


@dataclass
class Looked:
    """A network of a kind: the colours of four cells. Counts what it is asked."""

    pictures: int = 0
    told: list[Progress] = field(default_factory=list)

    def look(self, framed: Pixels) -> Floats:
        self.pictures += len(framed)
        cells = framed.reshape(-1, 2, 8, 2, 8, 3).mean(axis=(2, 4))
        colours: Floats = cells.reshape(len(framed), WIDTH).astype(np.float32)
        return colours

    @property
    def extractor(self) -> Extractor:
        return Extractor(Preprocessing(16), WIDTH, self.look)


@pytest.fixture
def photos(tmp_path: Path) -> list[Photo]:
    return in_folders(draw_folders(tmp_path / "photos", categories=7, each=6))


def test_the_first_view_is_the_photo_itself_and_the_others_are_not(
    photos: list[Photo], tmp_path: Path
) -> None:
    looked = Looked()
    found = features(photos, looked.extractor, tmp_path / "seen", tell_nobody)
    alone = features(photos, looked.extractor, tmp_path / "seen", tell_nobody, of_each=1)
    assert found.values.shape == (len(photos), VIEWS, WIDTH)
    assert (found.values[:, 0] == alone.values[:, 0]).all()
    assert (found.values[:, 1:] != found.values[:, :1]).any(axis=2).all()


def test_what_was_looked_at_is_not_looked_at_again_after_a_kill(
    photos: list[Photo], tmp_path: Path
) -> None:
    def killed(progress: Progress) -> None:
        if progress.done > 0:
            raise Cancelled

    first, again, whole = Looked(), Looked(), Looked()
    with pytest.raises(Cancelled):
        features(photos, first.extractor, tmp_path / "seen", killed)
    found = features(photos, again.extractor, tmp_path / "seen", tell_nobody)
    expected = features(photos, whole.extractor, tmp_path / "other", tell_nobody)
    assert 0 < again.pictures < whole.pictures
    assert first.pictures + again.pictures == whole.pictures
    assert (found.values == expected.values).all()


def test_a_torn_block_is_looked_at_again(photos: list[Photo], tmp_path: Path) -> None:
    first, again = Looked(), Looked()
    expected = features(photos, first.extractor, tmp_path / "seen", tell_nobody)
    for block in (tmp_path / "seen").iterdir():
        block.write_bytes(block.read_bytes()[:200])
    found = features(photos, again.extractor, tmp_path / "seen", tell_nobody)
    assert again.pictures == first.pictures
    assert (found.values == expected.values).all()


def test_photos_that_cannot_be_read_are_listed_and_nothing_else_suffers(
    photos: list[Photo], tmp_path: Path
) -> None:
    bad = Photo("x", "kind/0", "x.jpg", lambda: b"no picture")
    found = features([photos[0], bad, photos[1]], Looked().extractor, tmp_path, tell_nobody)
    assert [photo.name for photo in found.photos] == [photos[0].name, photos[1].name]
    assert len(found.values) == 2
    (sentence,) = found.unreadable
    assert sentence.startswith("x.jpg: The bytes are no JPEG")


def test_a_network_that_gives_no_numbers_is_refused(photos: list[Photo], tmp_path: Path) -> None:
    def look(framed: Pixels) -> Floats:
        return np.full((len(framed), WIDTH), np.nan, np.float32)

    broken = Extractor(Preprocessing(16), WIDTH, look)
    with pytest.raises(Invalid, match="features that are no numbers"):
        features(photos, broken, tmp_path, tell_nobody)


def test_held_out_products_teach_nothing(photos: list[Photo], tmp_path: Path) -> None:
    seen = material(photos, Looked().extractor, tmp_path, tell_nobody)
    taught = {photo.product for photo in seen.taught.photos}
    assert not taught & {photo.product for photo in seen.held_out.photos}
    assert len(seen.photos) == len(photos)
    assert seen.names == sorted({photo.category for photo in photos})
    assert [seen.names[number] for number in seen.numbers.categories] == [
        photo.category for photo in seen.taught.photos
    ]


def test_too_few_that_can_be_read_are_told_with_the_first_reason(tmp_path: Path) -> None:
    good = in_folders(draw_folders(tmp_path / "photos", categories=1, each=8))
    bad = [Photo(f"b{n}", "bad", f"b{n}.jpg", lambda: b"") for n in range(8)]
    with pytest.raises(Invalid, match=r"8 photos cannot be read \(b\d.jpg: .*all 8 photos|All 8"):
        material([*good, *bad], Looked().extractor, tmp_path, tell_nobody)


@pytest.mark.parametrize("seed", range(5))
def test_two_categories_of_four_photos_are_enough(seed: int, tmp_path: Path) -> None:
    drawn = in_folders(draw_folders(tmp_path / "photos", categories=2, each=4))
    photos = [Photo(f"{seed}/{one.product}", one.category, one.name, one.read) for one in drawn]
    seen = material(photos, Looked().extractor, tmp_path, tell_nobody)
    assert (len(seen.taught.photos), len(seen.held_out.photos)) == (4, 4)


def test_photos_of_too_few_products_cannot_be_judged(photos: list[Photo], tmp_path: Path) -> None:
    few = [Photo(one.category, one.category, one.name, one.read) for one in photos]
    with pytest.raises(Invalid, match="four products or more"):
        material(few, Looked().extractor, tmp_path, tell_nobody)
