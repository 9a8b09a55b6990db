"""`lookalike train triplet`: a network that learns which of two photos is nearer to a third."""

import time
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from lookalike.command import training
from lookalike.command.models import of_the_settings
from lookalike.command.output import PARTLY, Json, complain, say_json
from shared.trainings import Loss, Pictures, TripletRequest

if TYPE_CHECKING:
    from services.embedder.registry import Shelf
    from services.embedder.training.triplet.train import Trained


class _Loss(StrEnum):
    TRIPLET = "triplet"
    MULTI_SIMILARITY = "multi-similarity"


def triplet(
    *,
    out: training.Out,
    triplets: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            rich_help_panel=training.SOURCE,
            help="A CSV of query, positive, negative: paths below --images or below its own "
            "folder, or product ids with --from-catalogue. Without it, pairs are mined.",
        ),
    ] = None,
    images: training.Images = None,
    from_catalogue: training.FromCatalogue = False,
    since: Annotated[
        datetime | None,
        typer.Option(
            rich_help_panel=training.SOURCE,
            help="Of the catalogue, learn what was created since then (UTC), such as 2026-11-01; the "
            "rest is replayed and may not be forgotten.",
        ),
    ] = None,
    data: training.Data = None,
    tenant: training.Tenant = "default",
    backbone: Annotated[
        str | None,
        typer.Option(
            help="ranknet, mildnet, mobilenetv2-0.35, mobilenetv2-1.0, any of keras.applications; "
            "or a model, which gets a head. Without it, the model that the settings name."
        ),
    ] = None,
    weights: training.Weights = None,
    from_model: Annotated[
        str | None,
        typer.Option("--from", help="A model of an earlier training to go on from."),
    ] = None,
    side: training.Side = None,
    dim: Annotated[
        int, training.number("dim", help="Numbers of a vector; a model keeps its own.")
    ] = 256,
    loss: Annotated[_Loss, typer.Option(rich_help_panel=training.LEARNING)] = _Loss.TRIPLET,
    margin: Annotated[
        float,
        training.number(
            "margin", training.LEARNING, help="By how much a positive shall be nearer, in cosines."
        ),
    ] = 0.2,
    unfreeze: training.Unfreeze = 0,
    steps: Annotated[
        int, training.number("steps", training.LEARNING, help="Batches that are learnt from.")
    ] = 2_000,
    batch: training.Batch = 32,
    learning_rate: training.LearningRate = 1e-4,
    forget: Annotated[
        float,
        training.number(
            "forget",
            training.LEARNING,
            help="What held-out old products may lose of their precision.",
        ),
    ] = 0.01,
    allow_forgetting: Annotated[
        bool,
        typer.Option(
            "--allow-forgetting",
            rich_help_panel=training.LEARNING,
            help="Write the model whatever old products lose.",
        ),
    ] = False,
    seed: training.Seed = 7,
    name: training.Name = "",
    version: training.Version = "1",
    register: training.Register = False,
    scratch: training.Scratch = None,
    as_json: Json = False,
) -> None:
    """Teach a network to rank, by triplets that are told or mined.

    Called again after a kill it goes on where it was. Nothing is written where held-out products
    gain nothing, or where old ones lose more than --forget.
    """
    folder = images or (triplets.parent if triplets and not from_catalogue else None)
    if (folder is None) != from_catalogue:
        raise typer.BadParameter("Name --from-catalogue, or --images DIR or --triplets CSV.")
    if since is not None and not from_catalogue:
        raise typer.BadParameter("--since chooses from the catalogue: add --from-catalogue.")
    if backbone is not None and from_model is not None:
        raise typer.BadParameter("--from goes on with its own backbone: leave --backbone.")
    training.check_out(out)
    request = TripletRequest(
        name=name or out.name,
        version=version,
        pictures=Pictures(folder=str(folder) if folder else None, since=_milliseconds(since)),
        triplets=str(triplets) if triplets else None,
        backbone=backbone or of_the_settings(),
        weights=weights,
        side=side,
        dim=dim,
        loss=cast("Loss", loss.value.replace("-", "_")),
        margin=margin,
        unfreeze=unfreeze,
        steps=steps,
        batch=batch,
        learning_rate=learning_rate,
        from_model=from_model,
        forget=forget,
        allow_forgetting=allow_forgetting,
        seed=seed,
    )
    begun = time.monotonic()
    with (
        training.shelf(data, needed=from_catalogue or register) as known,
        training.scratch_of(out, scratch) as left,
    ):
        if register:
            training.check_title(known, tenant, request.name, version)
        trained = _trained(request, out, left, known, tenant)
        made = register and trained.manifest is not None
        model_id = training.registered(known, tenant, out) if made else None
    _say(trained, _answer(trained, out, model_id, time.monotonic() - begun), as_json=as_json)
    if trained.failures:
        raise typer.Exit(PARTLY)


def _trained(
    request: TripletRequest, out: Path, scratch: Path, known: "Shelf", tenant: str
) -> "Trained":
    with training.tensorflow():
        from services.embedder.training.triplet.train import train  # noqa: PLC0415
    from services.embedder.training.triplet import subjects  # noqa: PLC0415

    def gather() -> subjects.Subject:
        if known.catalogue is None or request.pictures.folder is not None:
            return subjects.of_folder(request)
        return subjects.of_shop(request, known.catalogue, known.blobs, tenant)

    with training.Stages(looking="photos", learning="steps") as tell:
        folder = partial(known.folder, tenant)
        return train(request, out, scratch, tell, gather=gather, folder=folder)


def _milliseconds(when: datetime | None) -> int | None:
    return None if when is None else int(when.replace(tzinfo=UTC).timestamp() * 1000)


def _answer(trained: "Trained", out: Path, model_id: str | None, seconds: float) -> dict[str, Any]:
    made = trained.manifest
    return {
        **training.of_model(made, out),
        "model_id": model_id,
        "photos": trained.photos,
        "left_out": len(trained.failures),
        **trained.verdict.figures,
        "seconds": round(seconds, 1),
    }


def _say(trained: "Trained", answer: dict[str, Any], *, as_json: bool) -> None:
    for line in trained.failures:
        complain(line)
    if as_json:
        say_json(answer)
    else:
        typer.echo(_sentence(trained, answer))


def _sentence(trained: "Trained", answer: dict[str, Any]) -> str:
    said = f"{trained.sentence}{training.left_out(trained.failures)}"
    if trained.manifest is None:
        return f"{said} Nothing is written."
    registered_as = f" It is registered as {answer['model_id']}." if answer["model_id"] else ""
    return (
        f"{said}\n{answer['model']} is in {answer['folder']}, after "
        f"{answer['seconds']} s and {answer['photos']:,} photos.{registered_as} "
        f"{training.after(answer['folder'])}"
    )
