"""`lookalike sample`: a catalogue drawn by the program."""

from pathlib import Path
from typing import Annotated

import typer

from lookalike.command.output import Json, progress, say_json
from shared.runtime.arguments import processors

_MANY = 2_000
"""From so many products on it pays to start processes."""

app = typer.Typer(no_args_is_help=True, help="A catalogue drawn by the program.")


@app.callback()
def sample() -> None:
    """A group, though it has one command."""


@app.command()
def make(
    out: Annotated[Path, typer.Option(dir_okay=False, help="The BSON file to write.")],
    products: Annotated[int, typer.Option(min=1, help="How many.")] = 300,
    seed: Annotated[int, typer.Option(help="The same seed draws the same bytes.")] = 7,
    processes: Annotated[
        int | None, typer.Option(min=1, help="How many draw; else one a processor.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw a catalogue in Cdiscount's format, its category names beside it.

    What was interrupted goes on where it stopped when it is asked for again.
    """
    from lookalike.sample import catalogue  # noqa: PLC0415 - loads numpy and OpenCV

    crew = processes or (processors() if products >= _MANY else 1)
    with progress("drawing the sample", unit="products") as tell:
        catalogue.make(
            out,
            products=products,
            seed=seed,
            processes=crew,
            progress=lambda done: tell(done, products),
        )
    categories = out.with_name(catalogue.CATEGORY_FILE)
    if as_json:
        say_json({"out": str(out), "categories": str(categories), "products": products})
    else:
        typer.echo(f"{products:,} products are in {out}, their categories in {categories}.")
