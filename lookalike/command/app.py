"""The command's root: its sub-commands, and how what goes wrong is told."""

import errno
import sys

import typer

from lookalike.command import running, samples
from lookalike.command.output import complain

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Visual product search: find what looks alike.",
)
app.command()(running.demo)
app.add_typer(samples.app, name="sample")


def main() -> None:
    """The console script: an expected failure is one kind line on standard error, and exit 1."""
    try:
        app()
    except Exception as error:
        sentence = _told(error)
        if sentence is None:
            raise
        complain(sentence)
        sys.exit(1)


def _told(error: Exception) -> str | None:
    """The sentence for an error that a person can do something about; None for a fault of ours."""
    from shared.errors import LookalikeError  # noqa: PLC0415 - absent where only the client is

    if isinstance(error, LookalikeError):
        return error.detail
    if isinstance(error, OSError):
        return _told_by_system(error)
    return None


def _told_by_system(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "That port is in use by another program: choose another with --port, or 0 for any."
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}."
