"""`lookalike train`: models that know a shop better."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from lookalike.command import train_classifier, train_jobs, train_triplet, training
from lookalike.command.models import ModelOption
from lookalike.command.output import PARTLY, Json, complain, progress, say_json
from shared.trainings import AdaptRequest

if TYPE_CHECKING:
    from services.embedder.model import Manifest
    from services.embedder.registry import Shelf
    from services.embedder.training.adapting.whitening import Adapted
    from services.embedder.training.nearest import Photos
    from shared.catalogue.port import Catalogue

app = typer.Typer(no_args_is_help=True, help="Models that know a shop better.")


@app.command()
def adapt(
    *,
    out: training.Out,
    images: training.Images = None,
    from_catalogue: training.FromCatalogue = False,
    data: training.Data = None,
    tenant: training.Tenant = "default",
    model: ModelOption,
    name: Annotated[
        str, typer.Option(help="What the new model is called; else as the old one, `-adapted`.")
    ] = "",
    version: training.Version = "1",
    register: training.Register = False,
    as_json: Json = False,
) -> None:
    """Whiten a model's content space by a shop's own categories, in seconds to a minute.

    Nothing is written where held-out products gain nothing by it.
    """
    if (images is None) == (not from_catalogue):
        raise typer.BadParameter("Name --images DIR or --from-catalogue, one of them.")
    begun = time.monotonic()
    with training.shelf(data, needed=from_catalogue or register) as known:
        parent = known.folder(tenant, model)
        request = AdaptRequest(name=name or f"{parent.name}-adapted", version=version)
        if register:
            training.check_title(known, tenant, request.name, version)
        photos, unreadable, found, made = _adapted(request, parent, out, images, known, tenant)
        model_id = training.registered(known, tenant, out) if register and made else None
    for line in unreadable:
        complain(line)
    answer = {
        **training.of_model(made, out),
        "model_id": model_id,
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
        typer.echo(_sentence(found, answer, unreadable))
    if unreadable:
        raise typer.Exit(PARTLY)


app.command()(train_classifier.classifier)
app.command()(train_triplet.triplet)
train_jobs.add_to(app)


def _adapted(
    request: AdaptRequest, parent: Path, out: Path, images: Path | None, known: "Shelf", tenant: str
) -> tuple["Photos", list[str], "Adapted", "Manifest | None"]:
    from services.embedder.training.adapting import adapt as adapting  # noqa: PLC0415 - loads numpy

    adapting.adaptable(parent, out)
    photos, unreadable = (
        _in_folders(images, parent) if images else (_in_catalogue(known, tenant, parent), [])
    )
    with progress("adapting"):
        found, made = adapting.adapt(parent, photos, out, request.name, request.version)
    return photos, unreadable, found, made


def _sentence(found: "Adapted", answer: Mapping[str, Any], unreadable: Sequence[str]) -> str:
    said = f"{found.sentence}{training.left_out(unreadable)}"
    if answer["model"] is None:
        return f"{said} Nothing is written."
    registered_as = f" It is registered as {answer['model_id']}." if answer["model_id"] else ""
    return (
        f"{said}\n{answer['model']} is in {answer['folder']}, after {answer['seconds']} s "
        f"and {answer['photos']:,} photos.{registered_as} {training.after(answer['folder'])}"
    )


def _in_folders(folder: Path, model: Path) -> tuple["Photos", list[str]]:
    from services.embedder.local import ChildEmbedder  # noqa: PLC0415 - loads numpy
    from services.embedder.training.adapting.photos import in_folders  # noqa: PLC0415

    with progress("embedding"), ChildEmbedder(model) as embedder:
        return in_folders(folder, embedder)


def _in_catalogue(known: "Shelf", tenant: str, model: Path) -> "Photos":
    from services.embedder.model import read_manifest  # noqa: PLC0415 - loads numpy
    from services.embedder.training.adapting.photos import in_catalogue  # noqa: PLC0415

    with progress("reading the catalogue"):
        catalogue = cast("Catalogue", known.catalogue)
        return in_catalogue(catalogue, tenant, read_manifest(model).spaces)
