"""A contact sheet: pictures and a line each, in one file that needs no other."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Lookalike: {count} products</title>
<style>
body {{ font: 14px/1.4 system-ui, sans-serif; margin: 2rem; color: #222; background: #fff }}
main {{ display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)) }}
figure {{ margin: 0 }}
img {{ width: 100%; aspect-ratio: 1; object-fit: contain; background: #f4f4f4 }}
figcaption small {{ display: block; color: #666 }}
header img {{ width: 14rem }}
</style>
{query}
<main>
{tiles}
</main>
</html>
"""


@dataclass(frozen=True, slots=True)
class Tile:
    picture: bytes
    title: str
    note: str


def page(tiles: Sequence[Tile], query: bytes | None) -> str:
    """The tiles in order, below the picture that was looked for."""
    return _PAGE.format(
        count=len(tiles),
        query="" if query is None else f"<header>{_image(query, 'what was looked for')}</header>",
        tiles="\n".join(_figure(tile) for tile in tiles),
    )


def _figure(tile: Tile) -> str:
    caption = f"{escape(tile.title)}<small>{escape(tile.note)}</small>"
    return f"<figure>{_image(tile.picture, tile.title)}<figcaption>{caption}</figcaption></figure>"


def _image(picture: bytes, said: str) -> str:
    data = base64.b64encode(picture).decode()
    return f'<img alt="{escape(said)}" src="data:{_media_type(picture)};base64,{data}">'


def _media_type(picture: bytes) -> str:
    if picture.startswith(b"\x89PNG"):
        return "image/png"
    return "image/webp" if picture[8:12] == b"WEBP" else "image/jpeg"
