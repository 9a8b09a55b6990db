"""`lookalike search`: what looks like a picture, or like a product."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from lookalike.command.connection import HERE, Key, Server, connected
from lookalike.command.faults import Wrong
from lookalike.command.fields import filter_of
from lookalike.command.output import PARTLY, Json, complain, say_json, say_table
from lookalike.command.sheet import Tile, page

if TYPE_CHECKING:
    from lookalike.client import Lookalike, SearchOptions
    from lookalike.client.answers import Found
    from lookalike.client.options import BackendChoice, SpaceName

_SPACES = ("content", "style", "colour")


def search(
    *,
    image: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A picture to look for.")
    ] = None,
    product: Annotated[str | None, typer.Option(help="A product's id to look for.")] = None,
    crop: Annotated[
        str | None, typer.Option(metavar="X,Y,W,H", help="A part, in fractions of the sides.")
    ] = None,
    backend: Annotated[
        Literal["auto", "exact", "faiss", "annoy", "elasticsearch"], typer.Option()
    ] = "auto",
    blend: Annotated[
        str | None, typer.Option(metavar="content=.6,style=.4", help="What counts how much.")
    ] = None,
    filter_: Annotated[
        str | None,
        typer.Option("--filter", metavar="EXPR", help="category=Home/Kitchen,price<=40 or so."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, max=100, help="So many.")] = 24,
    index: Annotated[str, typer.Option(help="Which index, by id or alias.")] = "live",
    sheet: Annotated[
        Path | None, typer.Option(dir_okay=False, help="A page with the pictures, as one file.")
    ] = None,
    server: Server = HERE,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Products that look alike; exit 3 when a part of the index did not answer."""
    if (image is None) == (product is None):
        raise Wrong("Say what to look for: --image FILE or --product ID.")
    if crop and image is None:
        raise Wrong("--crop takes a part of a picture: give one with --image.")
    options = options_of(backend=backend, blend=blend, filter_=filter_, top=top)
    options["index"] = index
    area = crop_of(crop) if crop else None
    with connected(server, key) as shop:
        found = shop.search(image=image, product=product, crop=area, **options)
        if sheet:
            query = image.read_bytes() if image else None
            sheet.write_text(_sheet(shop, found, query), encoding="utf-8")
    _say(found, as_json=as_json)
    if found.meta.partial:
        complain("A part of the index did not answer; there may be better ones.")
        raise typer.Exit(PARTLY)


def options_of(
    *, backend: "BackendChoice", blend: str | None, filter_: str | None, top: int
) -> "SearchOptions":
    options: SearchOptions = {"backend": backend, "limit": top}
    if blend is not None:
        options["blend"] = blend_of(blend)
    if filter_ is not None:
        options["filter"] = filter_of(filter_)
    return options


def blend_of(text: str) -> "dict[SpaceName, float]":
    """`content=.6,style=.4` as weights."""
    weights: dict[SpaceName, float] = {}
    for part in text.split(","):
        name, _, weight = (piece.strip() for piece in part.partition("="))
        try:
            weights[cast("SpaceName", name)] = float(weight)
        except ValueError:
            raise Wrong(f"The blend's {part!r} is no NAME=WEIGHT, such as style=.4.") from None
        if name not in _SPACES:
            raise Wrong(f"There is no space {name!r} to blend; there are {', '.join(_SPACES)}.")
    return weights


def crop_of(text: str) -> tuple[float, float, float, float]:
    try:
        x, y, width, height = (float(part) for part in text.split(","))
    except ValueError:
        raise Wrong(
            f"The crop {text!r} is not X,Y,W,H in fractions, such as .1,.2,.5,.6."
        ) from None
    return x, y, width, height


def _say(found: "Found", *, as_json: bool) -> None:
    if as_json:
        say_json(found)
        return
    rows = [
        (hit.rank, f"{hit.similarity:.3f}", hit.product_id, hit.title, hit.brand, hit.price)
        for hit in found.hits
    ]
    say_table(("rank", "similarity", "product", "title", "brand", "price"), rows)


def _sheet(shop: "Lookalike", found: "Found", query: bytes | None) -> str:
    tiles = [
        Tile(
            picture=shop.picture(hit.thumbnail_url),
            title=hit.title or hit.product_id,
            note=f"{hit.rank}. {hit.product_id} · {hit.similarity:.3f}",
        )
        for hit in found.hits
    ]
    return page(tiles, query)
