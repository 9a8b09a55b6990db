"""Opening what a URL names, and saying in our words what goes wrong with it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from fsspec.asyn import sync
from fsspec.core import url_to_fs

from shared.errors import Conflict, Invalid, LookalikeError, NotFound, Unavailable
from shared.ids import ulid

_S3: Final[dict[str, Any]] = {
    # Two attempts of at most six seconds: a store that is down or frozen is told within ten or so.
    "config_kwargs": {
        "connect_timeout": 2,
        "read_timeout": 4,
        "retries": {"mode": "standard", "total_max_attempts": 2},
    },
    # Parts of a large file that are in memory at once, of 50 MB each.
    "max_concurrency": 4,
}
_SEND_SECONDS: Final = 8
_SEND_BYTES_PER_SECOND: Final = 1_000_000
_NO_BUCKET: Final = "NoSuchBucket"


def opened(url: str) -> tuple[Any, str]:
    """A file system and the path in it; nothing is asked of the store before it is used.

    S3 takes its endpoint, region and credentials from the usual places, first of all `AWS_…` in
    the environment.
    """
    kind = url.partition(":")[0]
    options: dict[str, Any] = {}
    if kind != "file":
        # A listing that the library remembers would hide what others wrote since; and an instance
        # that it remembers would keep its endpoint and credentials.
        options = {"use_listings_cache": False, "skip_instance_cache": kind == "s3"}
    if kind == "s3":
        options |= _S3
    try:
        files, root = url_to_fs(url, **options)
    except (ValueError, ImportError) as error:
        raise Invalid(f"{url!r} is no place for blobs: {error}", code="bad_blob_url") from error
    # On top of the attempts above, s3fs would make five of its own for each.
    files.retries = 1
    return files, root.rstrip("/")


def send(files: Any, path: str, source: bytes | Path) -> None:
    """Creates what is not there yet; `FileExistsError` where somebody else has written it."""
    operation, *arguments = (
        ("put_file", str(source), path) if isinstance(source, Path) else ("pipe_file", path, source)
    )
    if "s3" not in files.protocol:
        getattr(files, operation)(*arguments, mode="create")
        return
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    _send_to_s3(files, path, getattr(files, f"_{operation}"), arguments, size)


def _send_to_s3(files: Any, path: str, work: Any, arguments: Sequence[Any], size: int) -> None:
    """Gives up when it takes longer than over a poor line.

    The client's timeouts run while it reads, not while it writes or waits for the leave to write: a
    store that freezes then would hold it for ever.
    """
    seconds = _SEND_SECONDS + size / _SEND_BYTES_PER_SECOND
    writer = ulid()
    options = {"mode": "create", "Metadata": {"writer": writer}, "timeout": seconds}
    try:
        sync(files.loop, work, *arguments, **options)
    except TimeoutError as error:
        raise TimeoutError(f"it did not take {size} bytes in {seconds:.0f} s.") from error
    except OSError as error:
        if not _is_taken(error):
            raise
        # The client asks again, unseen, when an answer is lost: the first writer may be ourselves.
        if files.metadata(path).get("writer") != writer:
            raise FileExistsError(path) from error


@contextmanager
def translated(key: str) -> Iterator[None]:
    """What the operating system, or the library of the store, says, in our words."""
    try:
        yield
    except LookalikeError:
        raise
    except Exception as error:
        if (known := _known(key, error)) is None:
            raise
        raise known from error


def is_past_the_end(error: OSError) -> bool:
    """Whether S3 refused a range because the blob ends before it."""
    return _code(error) == "InvalidRange"


def _is_taken(error: OSError) -> bool:
    return isinstance(error, FileExistsError) or _code(error) == "PreconditionFailed"


def _known(key: str, error: Exception) -> LookalikeError | None:
    match error:
        case FileExistsError():
            return Conflict(f"The blob {key!r} is there already; a key is written once.")
        case FileNotFoundError() | IsADirectoryError() | NotADirectoryError() if (
            _code(error) != _NO_BUCKET
        ):
            return NotFound(f"There is no blob {key!r}.")
        case _ if isinstance(error, OSError) or _is_the_librarys(error):
            return Unavailable(f"The blob store failed at {key!r}: {_sentence(error)}")
        case _:
            return None


def _sentence(error: Exception) -> str:
    if _code(error) == _NO_BUCKET:
        return "there is no such bucket; create it, or correct LOOKALIKE_BLOBS."
    if isinstance(error, PermissionError):
        return f"{error}; the credentials must allow to read, write, delete and list."
    return str(error)


def _code(error: Exception) -> str:
    """What S3 called its refusal; empty elsewhere."""
    response = getattr(error.__cause__, "response", None)
    return str(response["Error"].get("Code", "")) if isinstance(response, dict) else ""


def _is_the_librarys(error: Exception) -> bool:
    """The clients of object stores have errors of their own, told by where they are defined."""
    return type(error).__module__.partition(".")[0] in {"botocore", "aiobotocore", "aiohttp"}
