"""`lookalike import`: a whole catalogue, begun, watched and steered."""

from typing import Annotated

import typer

from lookalike.command import bringing, watching
from lookalike.command.connection import HERE, Key, Server, connected
from lookalike.command.output import PARTLY, Json, say

app = typer.Typer(no_args_is_help=True, help="A whole catalogue: begin, watch, steer.")
bringing.add_to(app)

Id = Annotated[str, typer.Argument(help="The import's id, imp_….", metavar="ID")]


@app.command()
def status(import_id: Id, server: Server = HERE, key: Key = "", as_json: Json = False) -> None:
    """Counters that balance, pace, and when it may be done."""
    with connected(server, key) as shop:
        say(shop.import_status(import_id), as_json=as_json)


@app.command()
def watch(import_id: Id, server: Server = HERE, key: Key = "", as_json: Json = False) -> None:
    """Until it is done; exit 3 when a part failed."""
    with connected(server, key) as shop:
        watching.watch(shop, import_id, as_json=as_json)


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
