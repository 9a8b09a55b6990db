"""What a shop says of a product as one JSON text, which both adapters keep.

JSON holds what columns and BSON do not: numbers of any size, and text that is no valid Unicode.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from shared.products import Attributes

compact: Final[Callable[[Any], str]] = json.JSONEncoder(separators=(",", ":")).encode


def attributes_text(found: Attributes) -> str:
    return compact({name: getattr(found, name) for name in Attributes.__slots__})


def attributes_of(said: dict[str, Any]) -> Attributes:
    """From the parsed text."""
    said.update(category=tuple(said["category"]), tags=tuple(said["tags"]))
    return Attributes(**said)


def category_key(path: tuple[str, ...]) -> str:
    """A whole category path in one value that can be grouped by."""
    return compact(path)


def category_of(key: str) -> tuple[str, ...]:
    return tuple(json.loads(key))
