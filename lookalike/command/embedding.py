"""`lookalike embed`: pictures to vectors, without any server."""

from pathlib import Path
from typing import Annotated

import typer

from lookalike.command.models import ModelOption, folder_of
from lookalike.command.output import PARTLY, Json, complain, progress, say_json


def embed(
    paths: Annotated[list[Path], typer.Argument(help="Pictures, folders, .bson files.")],
    out: Annotated[Path, typer.Option(dir_okay=False, help="The .npz file to write.")],
    model: ModelOption,
    as_json: Json = False,
) -> None:
    """Vectors of pictures into one file, offline; exit 3 when some could not be read."""
    folder = folder_of(model)
    from services.embedder.offline import embed_paths  # noqa: PLC0415 - loads numpy and OpenCV

    with progress("embedding"):
        unreadable = embed_paths(paths, out, folder)
    for line in unreadable:
        complain(line)
    if as_json:
        say_json({"out": str(out), "model": model, "unreadable": unreadable})
    else:
        typer.echo(f"The vectors are in {out}; {len(unreadable)} pictures could not be read.")
    if unreadable:
        raise typer.Exit(PARTLY)
