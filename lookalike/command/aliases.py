"""`lookalike alias`: which index searches ask."""

from typing import TYPE_CHECKING, Annotated

import typer

from lookalike.command.connection import HERE, Key, Server, connected
from lookalike.command.output import Json, say, say_json, say_table

if TYPE_CHECKING:
    from lookalike.client.switching.answers import Alias

app = typer.Typer(no_args_is_help=True, help="Aliases: list, show, set, rollback.")

Name = Annotated[str, typer.Argument(help="The alias; searches ask `live`.", metavar="NAME")]
Reason = Annotated[str | None, typer.Option(help="Why: it is remembered with the move.")]


@app.command("list")
def list_(server: Server = HERE, key: Key = "", as_json: Json = False) -> None:
    """All of them, with the index that each is on."""
    with connected(server, key) as shop:
        aliases = shop.aliases().aliases
    if as_json:
        say_json(aliases)
        return
    say_table(
        ("name", "index", "before", "version"),
        [(alias.name, alias.index_id, alias.before, alias.version) for alias in aliases],
    )


@app.command()
def show(name: Name = "live", server: Server = HERE, key: Key = "", as_json: Json = False) -> None:
    """Which index it is on, and who moved it there, when and why."""
    with connected(server, key) as shop:
        _say(shop.alias(name), as_json=as_json)


@app.command("set")
def set_(
    *,
    name: Name,
    index_id: Annotated[str, typer.Argument(help="The index's id, idx_….", metavar="INDEX")],
    force: Annotated[
        bool, typer.Option("--force", help="Without an exam, for a --reason.")
    ] = False,
    reason: Reason = None,
    server: Server = HERE,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Move it; `live` takes another model only after an exam, or by force with a reason."""
    with connected(server, key) as shop:
        _say(shop.set_alias(name, index_id, force=force, reason=reason), as_json=as_json)


@app.command()
def rollback(
    name: Name = "live",
    reason: Reason = None,
    server: Server = HERE,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Back to the index before, at once and without exam."""
    with connected(server, key) as shop:
        _say(shop.rollback(name, reason=reason), as_json=as_json)


def _say(alias: "Alias", *, as_json: bool) -> None:
    if as_json:
        say_json(alias)
        return
    where = {"name": alias.name, "index": alias.index_id, "before": alias.before}
    say({**where, "version": alias.version}, as_json=False)
    rows = [(move.at, move.index_id, move.ground, move.by, move.reason) for move in alias.moves]
    say_table(("moved", "to", "ground", "by", "reason"), rows)
