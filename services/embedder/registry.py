"""Models by name: those that are bundled, folders, and those that a tenant registered.

A registered model is one archive among the blobs and then its document, so that what is listed can
be had. Folders of registered models are a cache on this machine, and may be deleted.
"""

import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.embedder.archive import pack, unpack
from services.embedder.model import (
    BUNDLED,
    MANIFEST,
    Manifest,
    check_files,
    folder_of,
    read_manifest,
)
from services.embedder.verifying import verified
from shared import installation
from shared.blobs import keys
from shared.blobs.port import Blobs
from shared.catalogue.port import Catalogue
from shared.errors import Conflict, Invalid, LookalikeError, Unavailable
from shared.ids import new_id, ulid
from shared.models import (
    MODEL_ID,
    BundledModel,
    RegisteredModel,
    bundled_stays,
    check_names,
    unknown_model,
)
from shared.removal import remove_model
from shared.runtime.settings import Installation

_PAUSE_S: Final = 1.0
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where models lie; `cache` is the folder for those that come from the blobs."""

    catalogue: Catalogue | None
    """None: nothing is registered here."""
    blobs: Blobs
    cache: Path

    def folder(self, tenant: str, name: str) -> Path:
        """Of a bundled model by its name, of a registered one by `NAME@VERSION` or id, or a path."""
        folder = folder_of(name)
        if (folder / MANIFEST).is_file():
            return folder
        if self.catalogue is None:
            raise unknown_model(name, _bundled_names())
        model = registered(self.catalogue, tenant, name)
        return folder_of_registered(self.blobs, self.cache, model)

    def folder_at_start(self, tenant: str, name: str) -> Path:
        """The same, of a process that may start before its stores."""
        while True:
            try:
                return self.folder(tenant, name)
            except Unavailable as error:
                _log.warning("the model %s has to wait: %s", name, error.detail)
                time.sleep(_PAUSE_S)

    def of_fingerprint(self, fingerprint: str) -> Path | None:
        """The folder of any model that gives these vectors."""
        for folder in bundled():
            if read_manifest(folder).spaces.fingerprint == fingerprint:
                return folder
        model = self.catalogue.models.of_fingerprint(fingerprint) if self.catalogue else None
        return folder_of_registered(self.blobs, self.cache, model) if model else None


@contextmanager
def shelf_of(known: Installation) -> Iterator[Shelf]:
    """By the settings; without the catalogue where none is named and none is on this machine."""
    catalogue = installation.catalogue_of(known) if _is_there(known) else None
    with closing(catalogue) if catalogue else nullcontext():
        yield Shelf(catalogue, installation.blobs_of(known), known.data / "cache")


def _is_there(known: Installation) -> bool:
    return "catalogue" in known.model_fields_set or (known.data / "catalogue.sqlite").is_file()


def bundled() -> list[Path]:
    """Folders of the models that this installation brings, by name."""
    return sorted(manifest.parent for manifest in BUNDLED.glob(f"*/{MANIFEST}"))


def bundled_models() -> list[BundledModel]:
    """The same, as those are told of them who have not the folders."""
    return [
        BundledModel(
            folder.name,
            read_manifest(folder).spaces,
            json.loads((folder / MANIFEST).read_text(encoding="utf-8")),
        )
        for folder in bundled()
    ]


def _bundled_names() -> list[str]:
    return [folder.name for folder in bundled()]


def registered(catalogue: Catalogue, tenant: str, name: str) -> RegisteredModel:
    """By `NAME@VERSION` or id; raises `NotFound` with the names that there are."""
    if name.startswith(MODEL_ID):
        found = catalogue.models.get(tenant, name)
    else:
        title, _, version = name.rpartition("@")
        found = catalogue.models.named(tenant, title, version)
    if found is None:
        titles = (model.title for model in catalogue.models.all(tenant))
        raise unknown_model(name, [*_bundled_names(), *titles])
    return found


def keep(catalogue: Catalogue, blobs: Blobs, tenant: str, folder: Path) -> None:
    """So that a model of the settings is known to its index after the settings name another.

    What is bundled stays here anyhow; what cannot be kept, which the log tells, embeds all the same.
    """
    try:
        fingerprint = read_manifest(folder).spaces.fingerprint
        if folder not in bundled() and catalogue.models.of_fingerprint(fingerprint) is None:
            register(catalogue, blobs, tenant, folder)
    except LookalikeError as error:
        _log.warning("the model in %s is not registered: %s", folder, error.detail)


def register(catalogue: Catalogue, blobs: Blobs, tenant: str, folder: Path) -> RegisteredModel:
    """Verified, then the archive, then the document; what fails leaves nothing behind.

    What is verified is what the archive holds, whatever becomes of the folder meanwhile.
    """
    read_manifest(folder)
    with _room() as room:
        with (room / "archive.tar").open("wb") as file:
            pack(folder, file)
        return register_archive(catalogue, blobs, tenant, room / "archive.tar")


def register_archive(
    catalogue: Catalogue, blobs: Blobs, tenant: str, archive: Path
) -> RegisteredModel:
    """The same of a tar file from outside, which may be packed in other ways."""
    with _room() as room:
        manifest = _unpacked(archive, room / "model")
        check_names(manifest.name, manifest.version)
        with (room / "archive.tar").open("wb") as file:
            pack(room / "model", file)
        return _kept(catalogue, blobs, _document(tenant, manifest, room), room / "archive.tar")


def unregister(catalogue: Catalogue, blobs: Blobs, tenant: str, name: str) -> RegisteredModel:
    """Raises `Conflict` while an index has its vectors, and for what is bundled."""
    if name in _bundled_names():
        raise bundled_stays(name)
    model = registered(catalogue, tenant, name)
    remove_model(catalogue, blobs, model)
    return model


def folder_of_registered(blobs: Blobs, cache: Path, model: RegisteredModel) -> Path:
    """The folder on this machine, its files checked; fetched where it is missing or was changed."""
    folder = cache / "models" / model.sha256
    if folder.is_dir():
        try:
            check_files(folder)
        except Invalid:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            return folder
    with _troubles(f"the model {model.title}"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        half_made = folder.with_name(f".unfinished-{ulid()}")
        try:
            _fetch(blobs, model, half_made)
            _publish(half_made, folder)
        finally:
            shutil.rmtree(half_made, ignore_errors=True)
    return folder


def _unpacked(archive: Path, folder: Path) -> Manifest:
    """Verified; what is wrong is told without the place, which is gone when it is read."""
    unpack(archive, folder)
    try:
        return verified(folder)
    except Invalid as error:
        raise Invalid(error.detail.replace(f"{folder}{os.sep}", ""), code=error.kind) from error


def _fetch(blobs: Blobs, model: RegisteredModel, into: Path) -> None:
    archive = blobs.local(model.archive)
    if _sha256(archive) != model.sha256:
        raise Invalid(
            f"The archive of {model.title} was changed: remove the model and add it again.",
            code="bad_model",
        )
    unpack(archive, into)
    if check_files(into).spaces != model.spaces:
        raise Invalid(
            f"The archive of {model.title} holds another model than was registered.",
            code="bad_model",
        )


def _publish(half_made: Path, folder: Path) -> None:
    """Under its name at once; whoever was faster made the same."""
    try:
        half_made.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


def _document(tenant: str, manifest: Manifest, room: Path) -> RegisteredModel:
    sha256 = _sha256(room / "archive.tar")
    return RegisteredModel(
        model_id=new_id(MODEL_ID.rstrip("_")),
        tenant=tenant,
        name=manifest.name,
        version=manifest.version,
        spaces=manifest.spaces,
        archive=keys.model(tenant, sha256),
        sha256=sha256,
        size=(room / "archive.tar").stat().st_size,
        created=0,
        manifest=json.loads((room / "model" / MANIFEST).read_text(encoding="utf-8")),
    )


def _kept(
    catalogue: Catalogue, blobs: Blobs, model: RegisteredModel, archive: Path
) -> RegisteredModel:
    blobs.put_file(model.archive, archive)
    try:
        there = catalogue.models.register(model)
    except Conflict:  # of anything else nobody knows whether the document is there
        blobs.delete(model.archive)
        raise
    if there.archive != model.archive:
        blobs.delete(model.archive)
    return there


@contextmanager
def _room() -> Iterator[Path]:
    with _troubles("the model"), tempfile.TemporaryDirectory(prefix="lookalike-model-") as room:
        yield Path(room)


@contextmanager
def _troubles(what: str) -> Iterator[None]:
    """Of the disk, in our words."""
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"There is no working with {what} on this disk: {error.strerror or error}. Nothing was "
            "registered or changed; make room and try again."
        ) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
