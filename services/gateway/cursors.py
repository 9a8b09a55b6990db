"""Where a page of hits ended, opaque to callers: similarity, id and how many hits came before."""

import base64
import binascii
import math
from dataclasses import dataclass
from typing import Final

import pydantic_core

from shared.errors import Flaw, Invalid
from shared.hits import Cursor

MAX_DEPTH: Final = 1_000


@dataclass(frozen=True, slots=True)
class Page:
    """`after` is None on the first page."""

    after: Cursor | None = None
    depth: int = 0


def spelled(after: Cursor, depth: int) -> str | None:
    """None past the depth that is paged to."""
    if depth >= MAX_DEPTH:
        return None
    body = pydantic_core.to_json([after.similarity, after.product_id, depth])
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def read(text: str | None) -> Page:
    """A page's start from a cursor that we gave out; nothing else passes."""
    if text is None:
        return Page()
    try:
        body = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        similarity, product_id, depth = pydantic_core.from_json(body, allow_inf_nan=False)
    except (binascii.Error, ValueError, TypeError) as error:
        raise _wrong() from error
    if not isinstance(similarity, int | float) or not math.isfinite(similarity):
        raise _wrong()
    if not isinstance(product_id, str) or type(depth) is not int or not 0 < depth < MAX_DEPTH:
        raise _wrong()
    return Page(Cursor(float(similarity), product_id), depth)


def _wrong() -> Invalid:
    detail = "The cursor was not given out here: take `next_cursor` of the last answer."
    return Invalid(detail, code="bad_cursor", flaws=(Flaw("/cursor", "bad_cursor", detail),))
