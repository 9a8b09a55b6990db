"""Attributes from loose fields, as JSON bodies and records of files bring them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import Any, Final

from shared.errors import Flaw, Invalid
from shared.products import Attributes, Scalar

MAX_TITLE: Final = 500
MAX_TEXT: Final = 200
MAX_URL: Final = 2_000
MAX_TAGS: Final = 64
MAX_TAG: Final = 100
MAX_DEPTH: Final = 8
MAX_CUSTOM: Final = 64
MAX_CUSTOM_NAME: Final = 64
MAX_CUSTOM_TEXT: Final = 1_000
_WHOLE_LIMIT: Final = 2**63


def read_attributes(body: Mapping[str, object], pointer: str = "") -> Attributes:
    """The attributes that a body names; null is as good as absent.

    Raises `Invalid` with a flaw for every field that is wrong or unknown; `pointer` is where the
    body stands in what the caller sent.
    """
    found: dict[str, Any] = {}
    flaws: list[Flaw] = []
    for name, value in body.items():
        try:
            if value is not None or name not in _READERS:
                found[name] = _read(name, value)
        except _Wrong as wrong:
            flaws.append(Flaw(f"{pointer}/{escaped(name)}{wrong.below}", wrong.code, wrong.detail))
    if flaws:
        raise Invalid(f"{flaws[0].pointer}: {flaws[0].detail}", code=flaws[0].code, flaws=(*flaws,))
    return Attributes(**found)


def merged(attributes: Attributes, patch: Mapping[str, object], pointer: str = "") -> Attributes:
    """A JSON merge patch: what is named is set, null removes, `custom` is merged by name."""
    body: dict[str, object] = {
        part.name: getattr(attributes, part.name) for part in fields(attributes)
    }
    body.update(patch)
    custom = patch.get("custom")
    if isinstance(custom, Mapping):
        both = {**attributes.custom, **custom}
        body["custom"] = {name: value for name, value in both.items() if value is not None}
    return read_attributes(body, pointer)


class _Wrong(Exception):
    """One field is not as it must be; `below` points further into it."""

    def __init__(self, code: str, detail: str, below: str = "") -> None:
        super().__init__(detail)
        self.code, self.detail, self.below = code, detail, below


def _read(name: str, value: object) -> object:
    reader = _READERS.get(name)
    if reader is None:
        raise _Wrong("unknown_field", f"A product has no such field; it has {', '.join(_READERS)}.")
    return reader(value)


def _text(value: object, limit: int = MAX_TEXT, below: str = "") -> str:
    if not isinstance(value, str):
        raise _Wrong("wrong_type", f"This is a text, not {_named(value)}.", below)
    if len(value) > limit:
        raise _Wrong("too_long", f"At most {limit} characters; there are {len(value)}.", below)
    if re.search("[\0\ud800-\udfff]", value):
        raise _Wrong("bad_text", "The text holds characters that cannot be stored.", below)
    return value


def _texts(value: object, most: int, limit: int) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise _Wrong("wrong_type", f"This is a list of texts, not {_named(value)}.")
    if len(value) > most:
        raise _Wrong("too_many", f"At most {most} entries; there are {len(value)}.")
    texts = tuple(_text(one, limit, f"/{place}") for place, one in enumerate(value))
    if "" in texts:
        raise _Wrong("empty_text", "No entry may be empty.", f"/{texts.index('')}")
    return texts


def _price(value: object) -> float:
    price = float(_number(value))
    if price < 0:
        raise _Wrong("out_of_range", "A price is not negative.")
    return price


def _number(value: object, below: str = "") -> int | float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _Wrong("wrong_type", f"This is a number, not {_named(value)}.", below)
    if not -_WHOLE_LIMIT < value < _WHOLE_LIMIT:  # which no NaN is
        raise _Wrong("out_of_range", "No store can hold this number.", below)
    return value


def _in_stock(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("wrong_type", f"This is true or false, not {_named(value)}.")
    return value


def _currency(value: object) -> str:
    text = _text(value)
    if not re.fullmatch("[A-Z]{3}", text):
        raise _Wrong("bad_currency", "A currency is three capital letters, such as EUR.")
    return text


def _url(value: object) -> str:
    text = _text(value, MAX_URL)
    if not re.match(r"https?://[^\s/]", text):
        # It becomes a link on a page: `javascript:` has no place there.
        raise _Wrong("bad_url", "A URL begins with https:// or http://.")
    return text


def _custom(value: object) -> dict[str, Scalar]:
    if not isinstance(value, Mapping):
        raise _Wrong("wrong_type", f"This is an object, not {_named(value)}.")
    if len(value) > MAX_CUSTOM:
        raise _Wrong("too_many", f"At most {MAX_CUSTOM} entries; there are {len(value)}.")
    return {_custom_name(name): _scalar(one, f"/{escaped(name)}") for name, one in value.items()}


def _custom_name(name: str) -> str:
    if not name:
        raise _Wrong("empty_text", "A name is not empty.", "/")
    return _text(name, MAX_CUSTOM_NAME, f"/{escaped(name)}")


def _scalar(value: object, below: str) -> Scalar:
    match value:
        case bool():
            return value
        case str():
            return _text(value, MAX_CUSTOM_TEXT, below)
        case int() | float():
            return _number(value, below)
        case _:
            detail = f"This is a text, a number, true or false, not {_named(value)}."
            raise _Wrong("wrong_type", detail, below)


def _named(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    named = {**kinds, int: "a number", float: "a number", type(None): "null"}
    return named.get(type(value), type(value).__name__)


def escaped(name: str) -> str:
    """As JSON pointers want it."""
    return name.replace("~", "~0").replace("/", "~1")


_READERS: Final[Mapping[str, Callable[[object], object]]] = {
    "title": partial(_text, limit=MAX_TITLE),
    "brand": _text,
    "category": partial(_texts, most=MAX_DEPTH, limit=MAX_TEXT),
    "price": _price,
    "currency": _currency,
    "in_stock": _in_stock,
    "tags": partial(_texts, most=MAX_TAGS, limit=MAX_TAG),
    "url": _url,
    "custom": _custom,
}
