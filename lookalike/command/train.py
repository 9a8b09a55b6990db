"""`lookalike train`: models that know a shop better."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from lookalike.command import train_classifier, train_jobs, train_triplet, training
from lookalike.command.models import ModelOption, folder_of
from lookalike.command.output import PARTLY, Json, complain, progress, say_json

if TYPE_CHECKING:
    from services.embedder.training.adapting.whitening import Adapted
    from services.embedder.training.nearest import Photos
    from shared.catalogue.port import Catalogue

app = typer.Typer(no_args_is_help=True, help="Models that know a shop better.")
app.command()(train_classifier.classifier)
app.command()(train_triplet.triplet)
train_jobs.add_to(app)


@app.command()
def adapt(
    *,
    out: training.Out,
    images: training.Images = None,
    from_catalogue: training.FromCatalogue = False,
    data: training.Data = None,
    tenant: training.Tenant = "default",
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
        **training.of_model(made, out),
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
        typer.echo(_sentence(found, answer))
    if unreadable:
        raise typer.Exit(PARTLY)


def _sentence(found: "Adapted", answer: Mapping[str, Any]) -> str:
    if answer["model"] is None:
        return f"{found.sentence} Nothing is written."
    return (
        f"{found.sentence}\n{answer['model']} is in {answer['folder']}, after {answer['seconds']} s "
        f"and {answer['photos']:,} photos. `lookalike embed --model {answer['folder']}` tries it; "
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

    with training.shelf(data, needed=True) as known, progress("reading the catalogue"):
        catalogue = cast("Catalogue", known.catalogue)
        return in_catalogue(catalogue, tenant, read_manifest(model).spaces)
