"""Logging on the standard library: lines for people on a terminal, JSON lines elsewhere.

What is said within `context` carries its fields. No line holds an API key, a password of a URL, or
the bytes of a picture, whoever wrote it.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final, TextIO

_SECRETS: Final = re.compile(
    r"(?P<key>\blk_(?:search|admin)_)[\w-]+|(?P<url>://[^\s:/@]*:)[^\s@/]*(?=@)"
)
_fields: ContextVar[Mapping[str, object]] = ContextVar("log_fields", default={})  # noqa: B039 - never changed


@contextmanager
def context(**fields: object) -> Iterator[None]:
    """Whatever is logged inside carries these: request_id, product_id, attempt and their like."""
    token = _fields.set({**_fields.get(), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


def current(name: str) -> object:
    """What the context says of a field; None where it says nothing."""
    return _fields.get().get(name)


def configure(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Once a process; replaces what was configured before."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(ReadableFormatter() if stream.isatty() else JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)


class ReadableFormatter(logging.Formatter):
    """`12:00:00 WARNING shared.queue.local: what happened  attempt=2`."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        fields = "".join(f"  {name}={_plain(value)}" for name, value in _fields.get().items())
        line = f"{at} {record.levelname} {record.name}: {_message(record)}{fields}"
        return _censored("\n".join(filter(None, (line, _trace(record)))))


class JsonFormatter(logging.Formatter):
    """One object a line: at, level, logger, message, the fields, and `trace` after a failure."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            **{name: _plain(value) for name, value in _fields.get().items()},
        }
        if trace := _trace(record):
            line["trace"] = trace
        return _censored(json.dumps(line, ensure_ascii=False))


def _message(record: logging.LogRecord) -> str:
    if isinstance(record.args, tuple):
        return str(record.msg) % tuple(map(_plain, record.args)) if record.args else str(record.msg)
    return record.getMessage()


def _plain(value: object) -> object:
    """What may be logged of a value: of bytes, how many."""
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value):,} bytes>"
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _trace(record: logging.LogRecord) -> str:
    if not record.exc_info:
        return ""
    return "".join(traceback.format_exception(*record.exc_info)).rstrip()


def _censored(line: str) -> str:
    return _SECRETS.sub(lambda found: f"{found['key'] or found['url']}…", line)
