"""`lookalike index`: indexes beside each other."""

from enum import StrEnum
from typing import Annotated

import typer

from lookalike.command.connection import HERE, Key, Server, connected
from lookalike.command.output import Json, say, say_json, say_table

app = typer.Typer(no_args_is_help=True, help="Indexes: list, show, create, drop.")


class Target(StrEnum):
    """What of an index follows the catalogue."""

    SEGMENTS = "segments"
    ELASTICSEARCH = "elasticsearch"


Id = Annotated[str, typer.Argument(help="The index's id, idx_….", metavar="ID")]
Shards = Annotated[int | None, typer.Option(min=1, max=256, help="How many shards.")]
Targets = Annotated[
    list[Target] | None, typer.Option("--target", help="What follows; may be repeated.")
]


@app.command("list")
def list_(server: Server = HERE, key: Key = "", as_json: Json = False) -> None:
    """All indexes, with their aliases and how far they are."""
    with connected(server, key) as shop:
        indexes = shop.indexes().indexes
    if as_json:
        say_json(indexes)
        return
    rows = [
        (
            *(index.index_id, ", ".join(index.aliases), index.model, index.state, index.shards),
            *(index.build.behind, index.build.images_unembedded, f"{index.size / 1e6:,.1f} MB"),
        )
        for index in indexes
    ]
    columns = ("id", "aliases", "model", "state", "shards", "products waiting", "pictures waiting")
    say_table((*columns, "size"), rows)


@app.command()
def show(index_id: Id, server: Server = HERE, key: Key = "", as_json: Json = False) -> None:
    """Its model, its size, and how far it is behind the catalogue."""
    with connected(server, key) as shop:
        say(shop.index(index_id), as_json=as_json)


@app.command()
def create(
    *,
    model: Annotated[str | None, typer.Option(help="NAME, NAME@VERSION or mdl_….")] = None,
    shards: Shards = None,
    declared: Annotated[
        list[str] | None,
        typer.Option("--declare", help="A custom field to filter by; may be repeated."),
    ] = None,
    targets: Targets = None,
    server: Server = HERE,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Build one beside the live one; what is not said is as that one has it."""
    with connected(server, key) as shop:
        made = shop.create_index(model=model, shards=shards, declared=declared, targets=targets)
    say(made, as_json=as_json)


@app.command()
def drop(index_id: Id, server: Server = HERE, key: Key = "", as_json: Json = False) -> None:
    """Give up one that no alias is on."""
    with connected(server, key) as shop:
        shop.drop_index(index_id)
    if as_json:
        say_json({"index_id": index_id, "dropped": True})
    else:
        typer.echo(f"{index_id} is being dropped.")
