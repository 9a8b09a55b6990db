"""`lookalike key`: who may do what."""

from typing import Annotated, Literal

import typer

from lookalike.command.connection import HERE, Key, Server, connected
from lookalike.command.output import Json, complain, say, say_json, say_table

app = typer.Typer(no_args_is_help=True, help="Keys: make, list, revoke.")


@app.command()
def create(
    *,
    kind: Annotated[Literal["search", "admin"], typer.Argument(help="What it may do.")],
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    origin: Annotated[
        list[str] | None, typer.Option(help="Only for pages of this origin; may be repeated.")
    ] = None,
    expires_in_days: Annotated[int | None, typer.Option(min=1, max=3_650)] = None,
    server: Server = HERE,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """A key, shown this once."""
    with connected(server, key) as shop:
        made = shop.create_key(
            kind, label=label, origins=origin or (), expires_in_days=expires_in_days
        )
    say(made, as_json=as_json)
    if made.key is None:
        complain(f"The key itself was lost on its way: revoke {made.key_id} and make another.")
        raise typer.Exit(1)


@app.command()
def make(
    kind: Annotated[Literal["search", "admin"], typer.Argument(help="What it may do.")],
) -> None:
    """A key that no server knows yet: for LOOKALIKE_GATEWAY_ADMIN_KEY, before the first start."""
    import secrets  # noqa: PLC0415 - one command of many needs these

    from services.gateway.keys import spelled  # noqa: PLC0415

    typer.echo(spelled(kind, secrets.token_bytes(32)))


@app.command("list")
def list_(server: Server = HERE, key: Key = "", as_json: Json = False) -> None:
    """All keys, without the keys themselves."""
    with connected(server, key) as shop:
        keys = shop.keys().keys
    if as_json:
        say_json(keys)
        return
    rows = [(k.key_id, k.kind, k.label, k.created_at, k.expires_at, k.revoked) for k in keys]
    say_table(("id", "kind", "label", "made", "expires", "revoked"), rows)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID")],
    server: Server = HERE,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """At once and for good."""
    with connected(server, key) as shop:
        shop.revoke_key(key_id)
    if as_json:
        say_json({"key_id": key_id, "revoked": True})
    else:
        typer.echo(f"{key_id} is revoked.")
