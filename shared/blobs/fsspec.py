"""A folder or an object store, behind one library."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from io import FileIO
from pathlib import Path
from typing import Any

from shared.blobs import durable
from shared.blobs.keys import checked
from shared.blobs.port import BlobInfo, BlobWriter
from shared.blobs.stores import is_past_the_end, opened, send, translated
from shared.errors import Invalid, NotFound, Unavailable


class FsspecBlobs:
    """Blobs under a URL: `file:///data/blobs`, `s3://bucket/prefix`, or `memory://name` for trials.

    In a folder, a key appears by a link to a finished file, so two writers cannot both have it. An
    object store is asked to create and not to replace; how strictly it keeps that is its own
    matter, and does no harm, since keys are fresh. What is streamed to an object store or mapped
    from it goes through `cache`, a folder that may be emptied whenever nobody is at work.
    """

    def __init__(self, url: str, cache: Path | None = None) -> None:
        self._fs, self._root = opened(url)
        self._is_folder = "file" in (self._fs.protocol, *self._fs.protocol)
        if not self._is_folder and cache is None:
            raise Invalid(f"Blobs in {url!r} need a cache folder on this machine.")
        # A folder is its own cache: its files are mapped where they lie.
        self._cache = Path(self._root) if self._is_folder or cache is None else cache

    def put(self, key: str, data: bytes) -> None:
        if self._is_folder:
            with self.writer(key) as file:
                file.write(data)
            return
        with translated(key):
            send(self._fs, self._path(key), data)

    @contextmanager
    def writer(self, key: str) -> Iterator[BlobWriter]:
        folder = Path(self._path(key)).parent if self._is_folder else self._cache / "unsent"
        with ExitStack() as stack:
            with translated(key):
                file = stack.enter_context(durable.unfinished(folder))
            yield _Stream(file, key)
            self._publish(Path(str(file.name)), key)

    def put_file(self, key: str, path: Path) -> None:
        self._publish(path, key)
        path.unlink()

    def read(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        if offset < 0 or (length is not None and length < 0):
            raise Invalid(f"There is no range of {length} bytes at {offset} of {key!r}.")
        if length is None and self._is_folder:
            length = max(0, self.size(key) - offset)
        with translated(key):
            if self._is_folder:
                return durable.read_range(Path(self._path(key)), offset, length or 0)
            return self._fetched(key, offset, length)

    def size(self, key: str) -> int:
        return self._info(key)["size"]  # type: ignore[no-any-return]

    def delete(self, key: str) -> None:
        try:
            with translated(key):
                self._fs.rm_file(self._path(key))
        except NotFound:
            return

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        folder = prefix.rpartition("/")[0]
        with translated(prefix):
            for info in self._files(f"{self._root}/{folder}".rstrip("/")):
                path = str(info["name"])
                if durable.is_unfinished(Path(path)):
                    durable.remove_abandoned(Path(path))
                elif (key := path[len(self._root) + 1 :]).startswith(prefix):
                    yield BlobInfo(key, info["size"], _modified(info))

    def local(self, key: str) -> Path:
        info = self._info(key)
        path = self._cache / key
        if self._is_folder or path.exists():
            return path
        with translated(key), durable.unfinished(path.parent) as file:
            self._fs.get_file(self._path(key), str(file.name))
            if Path(str(file.name)).stat().st_size != info["size"]:
                raise Unavailable(f"The blob store sent only a part of {key!r}; try again.")
            Path(str(file.name)).rename(path)
        return path

    def _path(self, key: str) -> str:
        return f"{self._root}/{checked(key)}"

    def _info(self, key: str) -> dict[str, Any]:
        with translated(key):
            info: dict[str, Any] = self._fs.info(self._path(key))
            if info["type"] != "file":
                raise FileNotFoundError(key)
            return info

    def _fetched(self, key: str, offset: int, length: int | None) -> bytes:
        if length == 0:
            # An object store would take it for no range at all, and send everything.
            self._info(key)
            return b""
        end = None if length is None else offset + length
        try:
            found: bytes = self._fs.cat_file(self._path(key), start=offset, end=end)
        except OSError as error:
            if is_past_the_end(error):
                return b""
            raise
        return found

    def _files(self, folder: str) -> Iterator[dict[str, Any]]:
        """What is anywhere below; the library's own walk takes a failure for an empty folder."""
        try:
            with translated(folder):
                found = self._fs.ls(folder, detail=True)
        except NotFound:
            return
        for info in found:
            if info["type"] == "directory":
                yield from self._files(info["name"])
            else:
                yield info

    def _publish(self, path: Path, key: str) -> None:
        with translated(key):
            if self._is_folder:
                durable.publish(path, Path(self._path(key)))
            else:
                send(self._fs, self._path(key), path)


class _Stream:
    """What the caller of `writer` holds: the errors of its own doing are not the store's."""

    def __init__(self, file: FileIO, key: str) -> None:
        self._file = file
        self._key = key

    def write(self, data: bytes) -> int:
        with translated(self._key):
            return durable.write_all(self._file, data)


def _modified(info: dict[str, Any]) -> int:
    """Stores call it by different names, and tell it as seconds or as a date."""
    for name in ("mtime", "LastModified", "last_modified", "updated", "created"):
        match info.get(name):
            case datetime() as date:
                return int(date.timestamp() * 1000)
            case int() | float() as seconds:
                return int(seconds * 1000)
            case _:
                continue
    raise Unavailable(f"The blob store does not say when {info['name']!r} was written.")
