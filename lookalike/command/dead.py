"""`lookalike dead`: what was given up on."""

from typing import Annotated

import typer

from lookalike.command.connection import HERE, Key, Server, connected
from lookalike.command.faults import Wrong
from lookalike.command.output import PARTLY, Json, complain, say, say_json, say_table

app = typer.Typer(no_args_is_help=True, help="What was given up on, and trying it again.")

Import = Annotated[str | None, typer.Option("--import", help="Only of this import.")]


@app.command("list")
def list_(
    *,
    import_id: Import = None,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 24,
    cursor: Annotated[str, typer.Option(help="Where the last page ended.")] = "",
    server: Server = HERE,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """With the reason each."""
    with connected(server, key) as shop:
        page = shop.dead_letters(import_id=import_id, limit=limit, cursor=cursor)
    if as_json:
        say_json(page)
        return
    rows = [
        (letter.key, letter.code, letter.attempts, letter.detail) for letter in page.dead_letters
    ]
    say_table(("key", "code", "attempts", "reason"), rows)
    if page.next_cursor:
        complain(f"There are more: --cursor {page.next_cursor}")


@app.command()
def replay(
    *,
    letters: Annotated[list[str] | None, typer.Argument(metavar="KEY…", help="These.")] = None,
    import_id: Import = None,
    everything: Annotated[bool, typer.Option("--all", help="All there are.")] = False,
    server: Server = HERE,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Try again; exit 3 when something cannot be."""
    if not (letters or import_id or everything):
        raise Wrong("Say what to try again: keys, --import ID or --all.")
    with connected(server, key) as shop:
        replayed = shop.replay(letters or None, import_id=import_id)
    say(replayed, as_json=as_json)
    if replayed.left:
        raise typer.Exit(PARTLY)
