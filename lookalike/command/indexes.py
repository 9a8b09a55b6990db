"""`lookalike index`: indexes beside each other."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from lookalike.command.connection import HERE, Key, Server, connected
from lookalike.command.faults import FAILED
from lookalike.command.output import PARTLY, Json, complain, progress, say, say_json, say_table

if TYPE_CHECKING:
    from lookalike.client.examining.answers import Evaluation

app = typer.Typer(no_args_is_help=True, help="Indexes: list, show, create, examine, drop.")


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
def examine(
    index_id: Id,
    *,
    against: Annotated[str, typer.Option(help="Another index, by id or alias.")] = "live",
    server: Server = HERE,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Its exam, without which `live` does not move to it; exit 0 passed, 1 failed, 3 nothing to judge by."""
    with connected(server, key) as shop, progress("examining"):
        held = shop.evaluate(index_id, against)
    if as_json:
        say_json(held)
    else:
        _tell(held, towards_live=against == "live")
    if held.state != "succeeded" or held.passed is False:
        raise typer.Exit(FAILED)
    if held.passed is None:
        raise typer.Exit(PARTLY)


@app.command()
def drop(index_id: Id, server: Server = HERE, key: Key = "", as_json: Json = False) -> None:
    """Give up one that no alias is on."""
    with connected(server, key) as shop:
        shop.drop_index(index_id)
    if as_json:
        say_json({"index_id": index_id, "dropped": True})
    else:
        typer.echo(f"{index_id} is being dropped.")


def _tell(held: "Evaluation", *, towards_live: bool) -> None:
    told = {"index": held.index, "against": held.against, "passed": held.passed}
    say({"exam": held.evaluation_id, **told, "report": held.report_url}, as_json=False)
    for sentence in (held.detail, *held.reasons, *held.notes):
        if sentence:
            complain(sentence)
    if held.passed and towards_live:
        complain(f"Make it live: lookalike alias set live {held.index}")
