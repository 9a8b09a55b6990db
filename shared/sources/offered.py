"""Pictures as documents offer them: in the file itself, or named."""

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Sequence
from typing import Final, Literal

from shared.attributes import MAX_URL
from shared.products import MAX_IMAGES
from shared.sources.records import Named
from shared.sources.values import Refused, named

MAX_URLS: Final = 8
"""Of one picture; more are not tried."""


def pictures(value: object, name: str, separator: str) -> tuple[bytes | Named, ...]:
    """A list of pictures, a single one, or one text that names several."""
    if isinstance(value, str):
        value = [part for one in value.split(separator) if (part := one.strip())]
    elif isinstance(value, dict | bytes):
        value = [value]
    if not isinstance(value, list):
        raise Refused("wrong_type", f"has {named(value)} as {name}, which must be a list")
    if not 1 <= len(value) <= MAX_IMAGES:
        raise Refused(
            "picture_count", f"has {len(value)} pictures; a product has 1 to {MAX_IMAGES}"
        )
    return tuple([_picture(item, name, n) for n, item in enumerate(value)])


def _picture(item: object, name: str, n: int) -> bytes | Named:
    if isinstance(item, dict):
        picture = item.get("picture")
        if isinstance(picture, bytes):  # as most are: names of places cost more than reading them
            return picture
        for key, read in _READERS:
            if (value := item.get(key)) is not None:
                return read(value, f"{name}[{n}].{key}")
        raise Refused("wrong_type", f"has nothing as {name}[{n}].picture, nor as {_OTHERS}")
    return _binary(item, f"{name}[{n}]") if isinstance(item, bytes) else _text(item, f"{name}[{n}]")


def _binary(value: object, where: str) -> bytes:
    if isinstance(value, bytes):
        return value
    raise Refused("wrong_type", f"has {named(value)} as {where}, which must be binary")


def _base64(value: object, where: str) -> bytes:
    """Also as a data URL, and broken into lines."""
    if not isinstance(value, str):
        raise Refused("wrong_type", f"has {named(value)} as {where}, which must be a text")
    text = value.partition(",")[2] if value.startswith("data:") else value
    try:
        return b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        why = f"has no base64 as {where}: {error}; encode the picture's bytes again"
        raise Refused("bad_base64", why) from error


def _text(value: object, where: str) -> Named:
    text = _name(value, where)
    return Named("url" if text.startswith(("http://", "https://")) else "path", text)


def _of_kind(kind: Literal["url", "path", "upload_id"]) -> Callable[[object, str], Named]:
    return lambda value, where: Named(kind, _name(value, where))


def _first_of(value: object, where: str) -> Named:
    """Several URLs of one picture."""
    if not isinstance(value, list) or not value:
        raise Refused("wrong_type", f"has {named(value)} as {where}, which must be a list of URLs")
    first, *others = [_name(one, where) for one in value[:MAX_URLS]]
    return Named("url", first, tuple(others))


def _name(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise Refused(
            "wrong_type", f"has {named(value)} as {where}, which must be binary or a text"
        )
    text = value.strip()
    if not 1 <= len(text) <= MAX_URL or re.search("[\0-\x1f\ud800-\udfff]", text):
        why = f"has no name of a picture as {where}: 1 to {MAX_URL:,} characters, none of control"
        raise Refused("bad_text", why)
    return text


_READERS: Final[Sequence[tuple[str, Callable[[object, str], bytes | Named]]]] = (
    ("picture", _binary),
    ("bytes", _binary),
    ("base64", _base64),
    ("urls", _first_of),
    ("url", _of_kind("url")),
    ("path", _of_kind("path")),
    ("upload_id", _of_kind("upload_id")),
)
_OTHERS: Final = ", ".join(key for key, _ in _READERS[1:])
