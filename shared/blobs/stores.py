"""Opening what a URL names, and saying in our words what goes wrong with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from fsspec.core import url_to_fs

from shared.errors import Conflict, Invalid, LookalikeError, NotFound, Unavailable

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
    return _answer(error)[0] == "InvalidRange"


def _known(key: str, error: Exception) -> LookalikeError | None:
    code, attempts = _answer(error)
    match error:
        case FileExistsError():
            return _taken(key, attempts)
        case OSError() if code == "PreconditionFailed":
            return _taken(key, attempts)
        case FileNotFoundError() | IsADirectoryError() | NotADirectoryError() if code != _NO_BUCKET:
            return NotFound(f"There is no blob {key!r}.")
        case OSError():
            return Unavailable(f"The blob store failed at {key!r}: {_sentence(error, code)}")
        case _ if _is_the_librarys(error):
            return Unavailable(f"The blob store does not answer about {key!r}: {error}")
        case _:
            return None


def _sentence(error: OSError, code: str) -> str:
    if code == _NO_BUCKET:
        return "there is no such bucket; create it, or correct LOOKALIKE_BLOBS."
    if isinstance(error, PermissionError):
        return f"{error}; the credentials must allow to read, write, delete and list."
    return str(error)


def _taken(key: str, attempts: int) -> LookalikeError:
    if attempts > 1:
        # The first attempt may have written it, and only its answer was lost.
        return Unavailable(f"Nobody knows who wrote the blob {key!r}; try again with another key.")
    return Conflict(f"The blob {key!r} is there already; a key is written once.")


def _answer(error: BaseException) -> tuple[str, int]:
    """The code that S3 gave for its refusal, and after how many attempts; nothing elsewhere."""
    response = getattr(error.__cause__, "response", None)
    if not isinstance(response, dict):
        return "", 1
    about = response.get("ResponseMetadata", {})
    return str(response.get("Error", {}).get("Code", "")), 1 + int(about.get("RetryAttempts", 0))


def _is_the_librarys(error: Exception) -> bool:
    """The clients of object stores have errors of their own, told by where they are defined."""
    return type(error).__module__.partition(".")[0] in {"botocore", "aiobotocore", "aiohttp"}
