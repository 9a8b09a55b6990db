"""Everything in one process."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from lookalike.command.output import Json


def demo(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = 8080,
    data: Annotated[Path, typer.Option(file_okay=False, help="Where everything is kept.")] = Path(
        ".demo"
    ),
    catalogue: Annotated[
        Literal["sample", "none"], typer.Option(help="What to begin with.")
    ] = "sample",
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no page.")] = False,
    as_json: Json = False,
) -> None:
    """Everything in one process, with a sample catalogue; says in one line when it is ready."""
    from lookalike.demo import run  # noqa: PLC0415 - loads every service

    raise typer.Exit(
        run(port=port, data=data, catalogue=catalogue, browser=not no_browser, as_json=as_json)
    )
