"""Where the bytes of an import lie: an upload, a blob, a file under an allowed folder, an object in S3.

A source is named by one text: `upload:` and its id, `file:` and a resolved path, an `s3://` URL, or
else the key of a blob.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from posixpath import dirname, normpath
from typing import Any, Final

from shared.blobs.port import Blobs
from shared.blobs.stores import opened, translated
from shared.catalogue.office import Office, Part
from shared.errors import Invalid, NotFound, TooLarge
from shared.images import MAX_PICTURE_BYTES
from shared.sources.records import Read

_FILE: Final = "file:"
_UPLOAD: Final = "upload:"
_S3: Final = "s3://"


@dataclass(frozen=True, slots=True)
class Source:
    """What an import calls its source, and how many bytes it has; none where it is a folder."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Places:
    """Opens sources for reading; `folders` and `buckets` (`s3://bucket/prefix`) are all it may see."""

    blobs: Blobs
    office: Office
    folders: tuple[Path, ...] = ()
    buckets: tuple[str, ...] = ()

    def at_path(self, path: str, *, folder: bool = False) -> Source:
        """A file or folder of this machine, or an object; what is not allowed is not there."""
        if path.startswith(_S3):
            return Source(path, self._object(path)[1])
        found = self._allowed(path)
        if found is None or not (found.is_dir() if folder else found.is_file()):
            raise _nothing(path, "folder" if folder else "file")
        return Source(f"{_FILE}{found}", 0 if folder else found.stat().st_size)

    def of_upload(self, tenant: str, upload_id: str) -> Source:
        found = self.office.upload(tenant, upload_id)
        if found is None:
            raise NotFound(f"There is no upload {upload_id!r}.", code="no_such_upload")
        if not found.complete:
            raise Invalid(
                f"The upload {upload_id!r} is not complete: {found.received:,} bytes are here; "
                "send the rest from there on.",
                code="incomplete_upload",
            )
        return Source(f"{_UPLOAD}{upload_id}", found.received)

    @contextmanager
    def opened(self, tenant: str, source: str) -> Iterator[tuple[Read, int]]:
        """Positioned reads of a source, which several threads may share, and its size as it is now."""
        if source.startswith(_FILE):
            file = self._file(source)
            with file.open("rb", buffering=0) as stream:
                yield _reading(stream.fileno()), file.stat().st_size
        elif source.startswith(_UPLOAD):
            found = self.office.upload(tenant, source.removeprefix(_UPLOAD))
            if found is None:
                raise NotFound("The upload is not there any more.", code="no_such_upload")
            yield self._parts(found.parts), found.received
        elif source.startswith(_S3):
            yield self._object(source)
        else:
            yield lambda at, length: self.blobs.read(source, at, length), self.blobs.size(source)

    def folder(self, source: str) -> Path:
        """The folder that a source is, if it is one of this machine."""
        if not source.startswith(_FILE):
            raise Invalid("Only a folder of the server can be imported as one.", code="no_folder")
        return self._file(source)

    def picture(self, source: str, path: str) -> bytes:
        """A picture that a feed names by its path: absolute, or as seen from the feed."""
        if path.startswith(_S3) or source.startswith(_S3):
            url = path if path.startswith(_S3) else f"{dirname(source)}/{path}"
            read, size = self._object(url)
            _check_size(path, size)
            return read(0, size)
        found = self._allowed(str(self._beside(source, path)))
        if found is None or not found.is_file():
            raise _nothing(path, "picture")
        _check_size(path, found.stat().st_size)
        return found.read_bytes()

    def _beside(self, source: str, path: str) -> Path:
        if Path(path).is_absolute():
            return Path(path)
        if not source.startswith(_FILE):
            raise Invalid(
                f"The picture {path!r} is named by a relative path, but the feed was uploaded: put "
                "feed and pictures into a folder of the server, or name pictures by URL.",
                code="no_folder",
            )
        feed = Path(source.removeprefix(_FILE))
        return (feed if feed.is_dir() else feed.parent) / path

    def _file(self, source: str) -> Path:
        name = source.removeprefix(_FILE)
        found = self._allowed(name)
        if found is None:
            raise _nothing(name, "file")
        return found

    def _allowed(self, name: str) -> Path | None:
        """After every link was followed; what lies elsewhere is told from what is not by nobody."""
        if not self.folders:
            raise Invalid(
                "No folder of the server is open to imports (LOOKALIKE_IMPORT_ROOTS): upload the "
                "file instead.",
                code="paths_off",
            )
        try:
            path = Path(name).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):
            return None
        allowed = any(path.is_relative_to(folder.resolve()) for folder in self.folders)
        return path if allowed else None

    def _parts(self, parts: tuple[Part, ...]) -> Read:
        def read(offset: int, length: int) -> bytes:
            pieces, start, end = [], 0, offset + length
            for part in parts:
                first, last = max(offset, start), min(end, start + part.size)
                if first < last:
                    pieces.append(self.blobs.read(part.blob, first - start, last - first))
                start += part.size
            return b"".join(pieces)

        return read

    def _object(self, url: str) -> tuple[Read, int]:
        files, path = self._bucket(url)
        with translated(url):
            size = int(files.info(path)["size"])

        def read(offset: int, length: int) -> bytes:
            end = min(offset + length, size)
            if offset >= end:  # a store refuses a range that begins where the object ends
                return b""
            with translated(url):
                return bytes(files.cat_file(path, start=offset, end=end))

        return read, size

    def _bucket(self, url: str) -> tuple[Any, str]:
        clean = _S3 + normpath(url.removeprefix(_S3))
        if not any(_is_under(clean, bucket.rstrip("/")) for bucket in self.buckets):
            raise Invalid(
                f"{url[:200]!r} is under no place in S3 that imports may read "
                "(LOOKALIKE_IMPORT_BUCKETS).",
                code="paths_off",
            )
        return opened(clean)


def _is_under(url: str, prefix: str) -> bool:
    return url == prefix or url.startswith(f"{prefix}/")


def _reading(descriptor: int) -> Read:
    return lambda offset, length: os.pread(descriptor, length, offset)


def _check_size(path: str, size: int) -> None:
    if size > MAX_PICTURE_BYTES:
        raise TooLarge(f"The picture {path!r} has {size:,} bytes; at most {MAX_PICTURE_BYTES:,}.")


def _nothing(path: str, kind: str) -> NotFound:
    return NotFound(
        f"There is no {kind} {path[:200]!r} under the folders that imports may read.",
        code="no_such_file",
    )
