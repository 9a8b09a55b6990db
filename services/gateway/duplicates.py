"""The report that an import wrote of one photo in several savings, a page at a time.

A line of the report is a group; a cursor is the offset of the line that comes next.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from services.gateway import imports
from services.gateway.keys import Caller
from services.gateway.products import picture_url
from services.gateway.schemas.duplicates import DuplicatesView, TwinsView, TwinView
from shared.errors import Flaw, Invalid, NotFound

_READ_BYTES: Final = 1 << 18
_PRODUCTS: Final = 20
"""Ids told of the products that show one picture."""

Group = Mapping[str, Any]


def of_import(caller: Caller, import_id: str, cursor: str, limit: int) -> DuplicatesView:
    """Products are looked up as they are now; the groups are those of the import's end."""
    twins = imports.find(caller, import_id).findings.get("twins")
    if twins is None:
        raise NotFound(
            f"The import {import_id!r} has no report of duplicates yet: it is written at its end.",
            code="no_report",
        )
    groups: list[Group] = []
    following = None
    if twins["blob"] is not None:
        groups, following = _page(caller, twins["blob"], cursor, limit)
    return DuplicatesView(
        groups=twins["groups"],
        pictures=twins["pictures"],
        duplicates=_views(caller, groups),
        next_cursor=following,
    )


def _page(caller: Caller, blob: str, cursor: str, limit: int) -> tuple[list[Group], str | None]:
    size = caller.ports.blobs.size(blob)
    start = _offset(caller, blob, size, cursor)
    groups: list[Group] = []
    end = start
    for line in _lines(caller, blob, start, size):
        if len(groups) == limit:
            return groups, str(end)
        groups.append(json.loads(line))
        end += len(line)
    return groups, None


def _offset(caller: Caller, blob: str, size: int, cursor: str) -> int:
    """Where a line begins; nothing that was not given out passes."""
    if not cursor:
        return 0
    # so many digits that no number of theirs is too long to be read
    offset = int(cursor) if cursor.isascii() and cursor.isdecimal() and len(cursor) < 16 else 0
    if not 0 < offset < size or caller.ports.blobs.read(blob, offset - 1, 1) != b"\n":
        detail = "The cursor was not given out here: take `next_cursor` of the last answer."
        raise Invalid(detail, code="bad_cursor", flaws=(Flaw("/cursor", "bad_cursor", detail),))
    return offset


def _lines(caller: Caller, blob: str, start: int, size: int) -> Iterator[bytes]:
    rest = b""
    for offset in range(start, size, _READ_BYTES):
        rest += caller.ports.blobs.read(blob, offset, min(_READ_BYTES, size - offset))
        *whole, rest = rest.split(b"\n")
        yield from (line + b"\n" for line in whole)


def _views(caller: Caller, groups: Sequence[Group]) -> list[TwinsView]:
    names = {picture["sha256"] for group in groups for picture in group["pictures"]}
    showing = caller.ports.catalogue.products.showing(caller.tenant, names, _PRODUCTS)
    now = caller.ports.catalogue.now()
    return [_view(caller, group, showing, now) for group in groups]


def _view(
    caller: Caller, group: Group, showing: Mapping[str, Sequence[str]], now: int
) -> TwinsView:
    pictures = group["pictures"]
    shown = Counter(name for picture in pictures for name in showing[picture["sha256"]])
    return TwinsView(
        count=group["count"],
        pictures=[
            TwinView(
                **picture,
                product_ids=list(showing[picture["sha256"]]),
                thumbnail_url=picture_url(caller, picture["sha256"], "thumb", now),
                url=picture_url(caller, picture["sha256"], "full", now),
            )
            for picture in pictures
        ],
        showing_several=sorted(name for name, count in shown.items() if count > 1),
    )
