"""`lookalike duplicates` and `lookalike import duplicates`: one photo in several savings."""

from pathlib import Path
from typing import Annotated

import typer

from lookalike.command.connection import HERE, Key, Server, connected
from lookalike.command.faults import FAILED
from lookalike.command.models import ModelOption, folder_of
from lookalike.command.output import Json, complain, say, say_json, say_table
from shared.errors import Invalid

Picture = Annotated[Path, typer.Argument(exists=True, dir_okay=False, metavar="F")]


def of_import(
    *,
    import_id: Annotated[str, typer.Argument(help="The import's id, imp_….", metavar="ID")],
    limit: Annotated[int, typer.Option(min=1, max=100)] = 24,
    cursor: Annotated[str, typer.Option(help="Where the last page ended.")] = "",
    server: Server = HERE,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Pictures it brought of photos the shop had already, re-encoded, resized or trimmed."""
    with connected(server, key) as shop:
        page = shop.duplicates(import_id, limit=limit, cursor=cursor)
    if as_json:
        say_json(page)
        return
    rows = [
        (number, picture.sha256, picture.imported, picture.distance, picture.product_ids)
        for number, group in enumerate(page.duplicates, 1)
        for picture in group.pictures
    ]
    say_table(("group", "picture", "imported", "bits apart", "products"), rows)
    if page.next_cursor:
        complain(f"There are more: --cursor {page.next_cursor}")


def compare(
    one: Picture,
    other: Picture,
    model: ModelOption,
    as_json: Json = False,
) -> None:
    """Whether two pictures are one photo, offline; exit 1 when they are different."""
    folder = folder_of(model)
    from services.embedder.comparing import compare_files  # noqa: PLC0415 - loads OpenCV

    try:
        found = compare_files(one, other, folder)
    except Invalid as error:
        # as `cmp` does: 1 is an answer, 2 is none
        raise typer.BadParameter(error.detail, param_hint="F") from error
    say(found, as_json=as_json)
    if found.verdict == "different":
        raise typer.Exit(FAILED)
