"""Values of documents as products want them: texts become numbers and lists where a field asks."""

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from shared.products import is_product_id

_MAX_DEPTH: Final = 8
_MAX_PRICE: Final = 40
_CURRENCIES: Final = {"€": "EUR", "£": "GBP", "¥": "JPY", "$": None}
_PRICE: Final = re.compile(
    r"([A-Z]{3}|[€£¥$])?\s*([0-9](?:[0-9.,'\u2019\s]*[0-9])?)\s*([A-Z]{3}|[€£¥$])?"
)
_YES: Final = frozenset({"yes", "true", "1", "y", "in stock", "instock", "available"})
_NO: Final = frozenset(
    {"no", "false", "0", "n", "out of stock", "outofstock", "unavailable", "preorder", "backorder"}
)


class Refused(Exception):
    """A document is not what a product asks: a code, and the rest of a sentence about it."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(code, why)
        self.code, self.why = code, why


def product_id(value: object, name: str) -> str:
    """Whole numbers and texts; as the API takes them."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Refused("wrong_type", f"has {named(value)} as {name}, which must be a number or text")
    if not is_product_id(text := str(value).strip()):
        why = f"has {_quoted(text)} as {name}; an id has 1 to 200 printable characters and no slash"
        raise Refused("bad_product_id", why)
    return text


def whole(value: object, name: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,18}\s*", value, re.ASCII):
        return int(value)
    raise Refused("wrong_type", f"has {named(value)} as {name}, which must be a whole number")


def price(value: object, name: str) -> tuple[object, str | None]:
    """The number and, where a text says it, the currency: `1.299,00 €`, `EUR 12.50`, `12,50`.

    What may be read in two ways is refused: `1.299` is another price in Paris than in London.
    """
    if not isinstance(value, str):
        return plain(value), None
    found = _PRICE.fullmatch(value.strip()) if len(value) <= _MAX_PRICE else None
    if found is None:
        raise Refused("wrong_type", f"has {_quoted(value)} as {name}; write a price as 12.50")
    before, digits, after = found.groups()
    unit = before or after
    return _number(re.sub(r"[\s'\u2019]", "", digits), name), _CURRENCIES.get(unit, unit)


def in_stock(value: object, name: str) -> object:
    if not isinstance(value, str):
        return plain(value)
    text = value.strip().casefold().replace("_", " ").replace("-", " ")
    if text in _YES or text in _NO:
        return text in _YES
    raise Refused("wrong_type", f"has {_quoted(value)} as {name}; write yes or no")


def texts(value: object, separator: str) -> object:
    """One text is taken apart; of several, the empty ones are left out."""
    if isinstance(value, str):
        return [part for one in value.split(separator) if (part := one.strip())]
    return plain(value)


def plain(value: object, depth: int = 0) -> Any:
    """What JSON can say of a value: None for bytes, no numbers, and whatever is nested too deep."""
    if isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not isinstance(value, dict | list) or depth == _MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return plain_fields(value, depth + 1)
    return [said for one in value if (said := plain(one, depth + 1)) is not None]


def plain_fields(fields: Mapping[str, object], depth: int = 0) -> dict[str, Any]:
    said = {name: plain(value, depth) for name, value in fields.items()}
    return {name: value for name, value in said.items() if value is not None}


def named(value: object) -> str:
    return "nothing" if value is None else f"a value of type {type(value).__name__}"


def _number(digits: str, name: str) -> float:
    """The last of two kinds of separators is the decimal one; the other stands before thousands."""
    decimal, thousands = (".", ",") if digits.rfind(".") > digits.rfind(",") else (",", ".")
    head, point, tail = digits.rpartition(decimal)
    if not point:
        return float(digits)
    if decimal in head and thousands not in head:
        head, tail, thousands = digits, "", decimal
    elif re.fullmatch("[1-9][0-9]{0,2}", head) and len(tail) == 3:
        why = f"as {name}, which may be read in two ways; write {head}{tail}.00 or {head}.{tail}0"
        raise Refused("wrong_type", f"has {_quoted(digits)} {why}")
    if not re.fullmatch(rf"[0-9]+|[0-9]{{1,3}}(?:[{thousands}][0-9]{{3}})+", head):
        raise Refused("wrong_type", f"has {_quoted(digits)} as {name}; write a price as 12.50")
    return float(f"{head.replace(thousands, '')}.{tail or 0}")


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
