"""What goes wrong while a command runs, as one kind line and an exit code."""

import errno
import sys

from lookalike.command.output import complain
from shared.errors import LookalikeError

FAILED = 1
USAGE = 2


class Wrong(ValueError):
    """What a person wrote cannot be understood; the message says what to write."""


def told(error: Exception) -> int | None:
    """Tells it on standard error and gives the exit code; None for a fault of ours."""
    if isinstance(error, Wrong):
        complain(str(error))
        return USAGE
    sentence = _sentence(error)
    if sentence is None:
        return None
    complain(sentence)
    return FAILED


def _sentence(error: Exception) -> str | None:
    if isinstance(error, LookalikeError):
        return error.detail
    if isinstance(error, OSError):
        return _of_system(error)
    return _of_client(error)


def _of_system(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "That port is in use by another program: choose another with --port, or 0 for any."
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}."


def _of_client(error: Exception) -> str | None:
    """A command that did not load the client cannot fail in it."""
    if "lookalike.client" not in sys.modules:
        return None
    from lookalike.client import RequestFailed, Unauthorised, Unreachable  # noqa: PLC0415

    if isinstance(error, Unauthorised):
        return f"{error} Give an admin key with --key or LOOKALIKE_KEY."
    if isinstance(error, Unreachable):
        return f"{error} Is the server running? Give its address with --server or LOOKALIKE_URL."
    return str(error) if isinstance(error, RequestFailed) else None
