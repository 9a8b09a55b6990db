"""`lookalike product`: one product's whole life."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from lookalike.command.connection import HERE, Key, Server, connected
from lookalike.command.faults import Wrong
from lookalike.command.fields import changes_of
from lookalike.command.output import Json, say, say_json, say_table

app = typer.Typer(no_args_is_help=True, help="One product: get, put, patch, remove, find.")

Id = Annotated[str, typer.Argument(help="The product's id.", metavar="ID")]
Set = Annotated[
    list[str],
    typer.Option("--set", metavar="FIELD=VALUE", help="Such as price=39.90 or custom.height=4."),
]
Within = Annotated[
    float | None,
    typer.Option("--wait", min=0, max=30, metavar="SECONDS", help="Until it is found, at most."),
]


@app.command()
def get(product_id: Id, server: Server = HERE, key: Key = "", as_json: Json = False) -> None:
    """The product as it stands in the catalogue."""
    with connected(server, key) as shop:
        product = shop.get(product_id)
    if as_json:
        say_json(product)
    else:
        shown = {name: getattr(product, name) for name in product.__slots__ if name != "images"}
        say({**shown, "images": [image.sha256 for image in product.images]}, as_json=False)


@app.command()
def put(
    *,
    product_id: Id,
    image: Annotated[list[Path], typer.Option(exists=True, dir_okay=False, help="A picture.")],
    set_: Set = [],  # noqa: B006 - typer copies it
    attributes: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Fields in a JSON file.")
    ] = None,
    wait: Within = None,
    server: Server = HERE,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Create or replace a product."""
    fields: Any = _stored(attributes) | changes_of(set_)
    with connected(server, key) as shop:
        written = shop.put_product(product_id, fields, image, within_s=wait)
    say(written, as_json=as_json)


@app.command()
def patch(
    product_id: Id, set_: Set, server: Server = HERE, key: Key = "", as_json: Json = False
) -> None:
    """Change fields and leave the pictures; FIELD= clears one."""
    changes: Any = changes_of(set_)
    with connected(server, key) as shop:
        say(shop.patch(product_id, changes), as_json=as_json)


@app.command()
def rm(product_id: Id, server: Server = HERE, key: Key = "", as_json: Json = False) -> None:
    """Take a product away; no search shows it from then on."""
    with connected(server, key) as shop:
        shop.delete(product_id)
    if as_json:
        say_json({"product_id": product_id, "deleted": True})
    else:
        typer.echo(f"{product_id} is deleted.")


@app.command()
def presence(
    product_id: Id,
    wait: Within = None,
    server: Server = HERE,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Where it is: every stage, every backend, or the reason why it is not found."""
    with connected(server, key) as shop:
        seen = shop.presence(product_id, within_s=wait)
    if as_json:
        say_json(seen)
        return
    typer.echo(f"{seen.product_id}: {seen.state}{f' ({seen.reason})' if seen.reason else ''}")
    stages = [
        (index.index, target.target, target.searchable, target.waits_for)
        for index in seen.indexes
        for target in index.targets
    ]
    say_table(("index", "backend", "searchable", "waits for"), stages)


def _stored(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        stored = json.loads(file.read_bytes())
    except ValueError as error:
        raise Wrong(f"{file} is no JSON: {error}.") from error
    if not isinstance(stored, dict):
        raise Wrong(f"{file} is to hold a JSON object of fields.")
    return stored
