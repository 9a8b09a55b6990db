"""Models by name: registered whole or not at all, and had again as they were."""

import io
import shutil
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.embedder import registry
from services.embedder.archive import pack, unpack
from services.embedder.model import BUNDLED, DEFAULT, load, read_manifest, verify
from services.embedder.registry import Shelf, register, registered, unregister
from shared.blobs.fsspec import FsspecBlobs
from shared.catalogue.port import Catalogue
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.errors import Conflict, Invalid, NotFound, Unavailable
from shared.indexes import Index
from tests.model_folders import rewrite, turned

TENANT = "shop"


@dataclass(frozen=True)
class Stocked(Shelf):
    """With a catalogue, so that there is something to register with."""

    catalogue: Catalogue


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Stocked]:
    with SqliteCatalogue(tmp_path / "catalogue.sqlite") as catalogue:
        yield Stocked(catalogue, FsspecBlobs(f"file://{tmp_path}/blobs"), tmp_path / "cache")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return turned(tmp_path / "turned", quality={"precision@10": 0.5})


def _register(shelf: Stocked, folder: Path) -> Any:
    return register(shelf.catalogue, shelf.blobs, TENANT, folder)


def _archives(shelf: Stocked) -> list[str]:
    return [blob.key for blob in shelf.blobs.list("tenants/")]


def test_a_registered_model_is_had_again_as_it_was(shelf: Stocked, folder: Path) -> None:
    model = _register(shelf, folder)
    assert model.title == "turned@1"
    assert model.manifest["quality"] == {"precision@10": 0.5}
    assert [model.archive] == _archives(shelf)
    shutil.rmtree(folder)
    again = shelf.folder(TENANT, "turned@1")
    assert verify(again).spaces == model.spaces
    assert shelf.folder(TENANT, model.model_id) == again
    assert shelf.of_fingerprint(model.fingerprint) == again


def test_bundled_models_and_folders_are_found_by_name_too(shelf: Stocked, folder: Path) -> None:
    bundled = BUNDLED / DEFAULT
    assert shelf.folder(TENANT, DEFAULT) == bundled
    assert shelf.folder(TENANT, str(folder)) == folder
    assert shelf.of_fingerprint(read_manifest(bundled).spaces.fingerprint) == bundled
    assert shelf.of_fingerprint("of nobody") is None


def test_an_unknown_model_is_told_with_those_that_there_are(shelf: Stocked, folder: Path) -> None:
    _register(shelf, folder)
    for name in ("other", "turned@2", "mdl_1"):
        with pytest.raises(NotFound, match=rf"no model '{name}'.*{DEFAULT}.*turned@1"):
            shelf.folder(TENANT, name)
    with pytest.raises(NotFound):
        shelf.folder("else", "turned@1")


def test_a_process_that_starts_before_its_stores_waits_for_them(
    shelf: Stocked, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _register(shelf, folder)
    asked: list[str] = []

    def down_at_first(*whose: Any) -> Any:
        asked.append("once more")
        if len(asked) < 3:
            raise Unavailable("The catalogue does not answer.")
        return registered(*whose)

    monkeypatch.setattr(registry, "registered", down_at_first)
    monkeypatch.setattr(registry, "_PAUSE_S", 0.0)
    assert verify(shelf.folder_at_start(TENANT, "turned@1")).name == "turned"
    with pytest.raises(NotFound):
        shelf.folder_at_start(TENANT, "nobody@1")


def test_registering_twice_is_registering_once(shelf: Stocked, folder: Path) -> None:
    assert _register(shelf, folder) == _register(shelf, folder)
    assert len(_archives(shelf)) == 1


def test_another_model_of_the_same_name_and_version_is_refused(
    shelf: Stocked, folder: Path, tmp_path: Path
) -> None:
    first = _register(shelf, folder)
    with pytest.raises(Conflict, match="another version"):
        _register(shelf, turned(tmp_path / "other", seed=2, version="1"))
    assert _archives(shelf) == [first.archive]
    assert shelf.catalogue.models.all(TENANT) == [first]


def _changed_weights(folder: Path) -> None:
    weights = folder / "model.tflite"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")


def _wrong_golden(folder: Path) -> None:
    path = folder / "golden" / "vectors.npy"
    vectors = np.load(path)
    vectors[-1] = np.roll(vectors[-1], 1)
    np.save(path, vectors)


def _wild_name(folder: Path) -> None:
    rewrite(folder, name="../../up")


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (_changed_weights, "is not the file that"),
        (_wrong_golden, "gives another content vector"),
        (_wild_name, "is no name of a model"),
        (lambda folder: (folder / "golden" / "0.png").unlink(), "a vector for each"),
        (lambda folder: (folder / "model.json").unlink(), "cannot be read"),
    ],
)
def test_a_folder_that_is_not_right_leaves_nothing_registered(
    shelf: Stocked, folder: Path, spoil: Callable[[Path], None], match: str
) -> None:
    spoil(folder)
    with pytest.raises(Invalid, match=match):
        _register(shelf, folder)
    assert _archives(shelf) == []
    assert shelf.catalogue.models.all(TENANT) == []


def test_a_full_disk_leaves_nothing_registered(
    shelf: Stocked, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_folder: Path, _out: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(registry, "pack", full)
    with pytest.raises(Unavailable, match=r"No space left.*make room"):
        _register(shelf, folder)
    assert _archives(shelf) == []
    assert shelf.catalogue.models.all(TENANT) == []


def test_a_file_that_was_changed_in_the_cache_is_fetched_again(
    shelf: Stocked, folder: Path
) -> None:
    model = _register(shelf, folder)
    cached = shelf.folder(TENANT, "turned@1")
    _changed_weights(cached)
    assert load(shelf.folder(TENANT, "turned@1")).spaces == model.spaces
    assert sorted(path.name for path in cached.parent.iterdir()) == [model.sha256]


def test_an_archive_that_was_changed_is_refused(shelf: Stocked, folder: Path) -> None:
    model = _register(shelf, folder)
    data = shelf.blobs.read(model.archive)
    shelf.blobs.delete(model.archive)
    shelf.blobs.put(model.archive, data[:-2000] + b"?" + data[-1999:])
    with pytest.raises(Invalid, match="was changed: remove the model"):
        shelf.folder(TENANT, "turned@1")
    assert list((shelf.cache / "models").iterdir()) == []


def test_a_model_that_an_index_was_made_with_stays(shelf: Stocked, folder: Path) -> None:
    model = _register(shelf, folder)
    index = Index("idx_1", TENANT, "turned@1", model.spaces, 1, ("segments",), (), "ready", 0)
    shelf.catalogue.indexes.create(index)
    with pytest.raises(Conflict, match="idx_1 was made with turned@1"):
        unregister(shelf.catalogue, shelf.blobs, TENANT, "turned@1")
    shelf.catalogue.indexes.drop("idx_1")
    assert unregister(shelf.catalogue, shelf.blobs, TENANT, model.model_id) == model
    assert _archives(shelf) == []
    with pytest.raises(NotFound):
        registered(shelf.catalogue, TENANT, "turned@1")


def test_the_same_folder_is_always_the_same_archive(folder: Path, tmp_path: Path) -> None:
    (folder / "notes.txt").write_text("of the shop")
    first, second = io.BytesIO(), io.BytesIO()
    pack(folder, first)
    copied = shutil.copytree(folder, tmp_path / "copied", copy_function=shutil.copyfile)
    pack(copied, second)
    assert first.getvalue() == second.getvalue()
    assert b"of the shop" not in first.getvalue()


def _tar(path: Path, *entries: tarfile.TarInfo, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for entry in entries:
            tar.addfile(entry, io.BytesIO(bytes(entry.size)))
    return path


def _entry(name: str, **fields: Any) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = 3
    for field, value in fields.items():
        setattr(entry, field, value)
    return entry


LINK = {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd", "size": 0}


@pytest.mark.parametrize(
    "entry",
    [
        _entry("../golden/0.png"),
        _entry("/golden/0.png"),
        _entry("golden/../../golden/0.png"),
        _entry("savedmodel/../../../evil"),
        _entry("golden/run.sh"),
        _entry("model.tflite", **LINK),
        _entry("golden/0.png", type=tarfile.LNKTYPE, linkname="model.json", size=0),
        _entry("golden/0.png", type=tarfile.FIFOTYPE, size=0),
        _entry("model.json"),
    ],
    ids=lambda entry: f"{entry.name} {entry.type!r}",
)
def test_a_tar_that_tries_tricks_is_refused_before_anything_is_written(
    tmp_path: Path, entry: tarfile.TarInfo
) -> None:
    archive = _tar(tmp_path / "a.tar", _entry("model.json"), entry)
    with pytest.raises(Invalid) as refused:
        unpack(archive, tmp_path / "room")
    assert refused.value.kind == "bad_model"
    assert list(tmp_path.rglob("*")) == [archive]


def test_a_folder_packed_as_a_whole_is_unpacked_too(folder: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "whole.tar", "w") as tar:
        tar.add(folder, "my-model")
    unpack(tmp_path / "whole.tar", tmp_path / "out")
    assert verify(tmp_path / "out").name == "turned"


@pytest.mark.parametrize("mode", ["w:gz", "text"])
def test_what_is_no_plain_tar_is_refused(tmp_path: Path, mode: str) -> None:
    archive = tmp_path / "a.tar"
    if mode == "text":
        archive.write_text("no tar at all")
    else:
        _tar(archive, _entry("model.json"), mode=mode)
    with pytest.raises(Invalid, match="no archive of a model"):
        unpack(archive, tmp_path / "out")


def test_without_a_catalogue_there_is_what_is_bundled(tmp_path: Path) -> None:
    bare = Shelf(None, FsspecBlobs(f"file://{tmp_path}/blobs"), tmp_path / "cache")
    assert bare.folder(TENANT, DEFAULT) == BUNDLED / DEFAULT
    assert bare.of_fingerprint("of nobody") is None
    with pytest.raises(NotFound, match=f"no model 'turned@1' here; there are: .*{DEFAULT}"):
        bare.folder(TENANT, "turned@1")
