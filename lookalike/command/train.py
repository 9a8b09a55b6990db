"""`lookalike train`: models that know a shop better."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lookalike.command import train_classifier, train_jobs, train_triplet
from lookalike.command.models import ModelOption, folder_of
from lookalike.command.output import PARTLY, Json, complain, progress, say_json
from shared.errors import Invalid

if TYPE_CHECKING:
    from services.embedder.training.nearest import Photos

app = typer.Typer(no_args_is_help=True, help="Models that know a shop better.")
app.command()(train_classifier.classifier)
app.command()(train_triplet.triplet)
train_jobs.add_to(app)

Data = Annotated[
    Path | None,
    typer.Option(help="The demo's folder; without it, the catalogue that the settings name."),
]


@app.command()
def adapt(
    *,
    out: Annotated[Path, typer.Option(help="The folder to write; not there yet.")],
    images: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="A folder by category.")
    ] = None,
    from_catalogue: Annotated[
        bool,
        typer.Option("--from-catalogue", help="Products with a category, as they are indexed."),
    ] = False,
    data: Data = None,
    tenant: Annotated[str, typer.Option(help="Whose products.")] = "default",
    model: ModelOption,
    name: Annotated[str, typer.Option(help="What the new model is called.")] = "",
    as_json: Json = False,
) -> None:
    """Whiten a model's content space by a shop's own categories, in seconds to a minute.

    Nothing is written where held-out products gain nothing by it.
    """
    if (images is None) == (not from_catalogue):
        raise typer.BadParameter("Name --images DIR or --from-catalogue, one of them.")
    parent = folder_of(model)
    from services.embedder.training.adapting import adapt as adapting  # noqa: PLC0415 - loads numpy

    adapting.adaptable(parent, out)
    begun = time.monotonic()
    photos, unreadable = (
        _in_folders(images, parent) if images else (_in_catalogue(data, tenant, parent), [])
    )
    with progress("adapting"):
        found, made = adapting.adapt(parent, photos, out, name or f"{parent.name}-adapted")
    for line in unreadable:
        complain(line)
    answer = {
        "model": made.name if made else None,
        "folder": str(out) if made else None,
        "fingerprint": made.spaces.fingerprint if made else None,
        "photos": len(photos),
        "unreadable": len(unreadable),
        "precision_before": round(found.before, 4),
        "precision_after": round(found.after, 4),
        "shrinkage": found.shrinkage,
        "seconds": round(time.monotonic() - begun, 1),
    }
    if as_json:
        say_json(answer)
    else:
        typer.echo(_sentence(answer))
    if unreadable:
        raise typer.Exit(PARTLY)


def _sentence(answer: Mapping[str, Any]) -> str:
    judged = "Of the ten nearest photos of a held-out product"
    before, after = (f"{100 * answer[f'precision_{when}']:.1f} %" for when in ("before", "after"))
    if answer["model"] is None:
        return (
            f"{judged}, {before} are of its category, and nothing made it more: nothing is written."
        )
    return (
        f"{judged}, {after} are of its category; without adapting {before}.\n"
        f"{answer['model']} is in {answer['folder']}, after {answer['seconds']} s and "
        f"{answer['photos']:,} photos. `lookalike embed --model {answer['folder']}` tries it; "
        "LOOKALIKE_MODEL gives it to the services."
    )


def _in_folders(folder: Path, model: Path) -> tuple["Photos", list[str]]:
    from services.embedder.local import ChildEmbedder  # noqa: PLC0415 - loads numpy
    from services.embedder.training.adapting.photos import in_folders  # noqa: PLC0415

    with progress("embedding"), ChildEmbedder(model) as embedder:
        return in_folders(folder, embedder)


def _in_catalogue(data: Path | None, tenant: str, model: Path) -> "Photos":
    from services.embedder.model import read_manifest  # noqa: PLC0415 - loads numpy
    from services.embedder.training.adapting.photos import in_catalogue  # noqa: PLC0415
    from shared import installation  # noqa: PLC0415
    from shared.catalogue.sqlite.catalogue import SqliteCatalogue  # noqa: PLC0415
    from shared.runtime.settings import Installation  # noqa: PLC0415

    if data is not None and not (data / "catalogue.sqlite").is_file():
        raise Invalid(f"{data} holds no catalogue.sqlite: is it the demo's folder?")
    catalogue = (
        SqliteCatalogue(data / "catalogue.sqlite")
        if data is not None
        else installation.catalogue_of(Installation())
    )
    try:
        with progress("reading the catalogue"):
            return in_catalogue(catalogue, tenant, read_manifest(model).spaces)
    finally:
        catalogue.close()
