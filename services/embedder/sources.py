"""Where the bytes of an import lie: a blob, or a file under an allowed folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from services.embedder.ports import Ports
from shared.errors import Forbidden, Invalid, NotFound
from shared.jobs import Import
from shared.sources.records import Read, file_reader

_FILE: Final = "file:"


@contextmanager
def opened(ports: Ports, job: Import) -> Iterator[Read]:
    """Ranges of the source, which must still have the size it had when the import was made."""
    if job.source.startswith(_FILE):
        path = _allowed(ports, job.source.removeprefix(_FILE))
        with path.open("rb") as file:
            _check_size(job, path.stat().st_size)
            yield file_reader(file)
    else:
        _check_size(job, ports.blobs.size(job.source))
        yield lambda offset, length: ports.blobs.read(job.source, offset, length)


def _allowed(ports: Ports, name: str) -> Path:
    """The file itself, after every link was followed."""
    try:
        path = Path(name).resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise NotFound(f"There is no file {name!r} to import.") from error
    if not any(path.is_relative_to(root.resolve()) for root in ports.allowed_roots):
        raise Forbidden(f"The file {name!r} is under no folder that imports may read from.")
    if not path.is_file():
        raise Invalid(f"{name!r} is no file.")
    return path


def _check_size(job: Import, size: int) -> None:
    if size != job.size:
        raise Invalid(
            f"The source had {job.size:,} bytes when the import began and has {size:,}: "
            "it was changed; start another import."
        )
