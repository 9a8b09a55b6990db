"""`lookalike import`: a whole catalogue, begun, watched and steered."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lookalike.command.connection import HERE, Key, Server, connected
from lookalike.command.faults import FAILED
from lookalike.command.output import PARTLY, Json, complain, progress, say

if TYPE_CHECKING:
    from lookalike.client import Lookalike

app = typer.Typer(no_args_is_help=True, help="A whole catalogue: begin, watch, steer.")

Id = Annotated[str, typer.Argument(help="The import's id, imp_….", metavar="ID")]


@app.command()
def bson(
    *,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="BSON records.")],
    categories: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Names of categories, CSV.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="So many records at most.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Until it is done.")] = False,
    server: Server = HERE,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Upload a file in Cdiscount's format and import it."""
    with connected(server, key) as shop:
        with progress(f"uploading {file.name}", is_bytes=True) as tell:
            begun = shop.import_bson(file, categories=categories, limit=limit, progress=tell)
        if wait:
            _watch(shop, begun.import_id, as_json=as_json)
        else:
            say(begun, as_json=as_json)


@app.command()
def status(import_id: Id, server: Server = HERE, key: Key = "", as_json: Json = False) -> None:
    """Counters that balance, pace, and when it may be done."""
    with connected(server, key) as shop:
        say(shop.import_status(import_id), as_json=as_json)


@app.command()
def watch(import_id: Id, server: Server = HERE, key: Key = "", as_json: Json = False) -> None:
    """Until it is done; exit 3 when a part failed."""
    with connected(server, key) as shop:
        _watch(shop, import_id, as_json=as_json)


@app.command()
def pause(import_id: Id, server: Server = HERE, key: Key = "", as_json: Json = False) -> None:
    """Begin no further chunk."""
    with connected(server, key) as shop:
        say(shop.pause_import(import_id), as_json=as_json)


@app.command()
def resume(import_id: Id, server: Server = HERE, key: Key = "", as_json: Json = False) -> None:
    """Go on where it was paused."""
    with connected(server, key) as shop:
        say(shop.resume_import(import_id), as_json=as_json)


@app.command()
def cancel(import_id: Id, server: Server = HERE, key: Key = "", as_json: Json = False) -> None:
    """Stop for good; what was brought in stays."""
    with connected(server, key) as shop:
        say(shop.cancel_import(import_id), as_json=as_json)


@app.command()
def retry(import_id: Id, server: Server = HERE, key: Key = "", as_json: Json = False) -> None:
    """Try again what failed; exit 3 when something cannot be."""
    with connected(server, key) as shop:
        replayed = shop.retry_import(import_id)
    say(replayed, as_json=as_json)
    if replayed.left:
        raise typer.Exit(PARTLY)


def _watch(shop: "Lookalike", import_id: str, *, as_json: bool) -> None:
    with progress("importing") as tell:
        shop.wait(
            import_id, progress=lambda job: tell(job.progress["read"], job.progress["records"])
        )
    ended = shop.import_status(import_id)
    say(ended, as_json=as_json)
    if ended.state == "succeeded":
        return
    if ended.detail:
        complain(ended.detail)
    raise typer.Exit(PARTLY if ended.state == "partially_succeeded" else FAILED)
