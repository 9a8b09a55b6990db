"""`lookalike train classifier`: a feature layer on a backbone, learnt by telling categories apart."""

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lookalike.command import training
from lookalike.command.models import of_the_settings
from lookalike.command.output import PARTLY, Json, complain, say_json, say_table
from shared.trainings import ClassifierRequest, Pictures

if TYPE_CHECKING:
    from services.embedder.registry import Shelf
    from services.embedder.training.classifier.train import Trained


def classifier(
    *,
    out: training.Out,
    images: training.Images = None,
    from_catalogue: training.FromCatalogue = False,
    data: training.Data = None,
    tenant: training.Tenant = "default",
    backbone: Annotated[
        str | None,
        typer.Option(
            help="mobilenetv2-0.35, mobilenetv2-1.0, efficientnet-b0, resnet50, any other of "
            "keras.applications; or a model, which gets a head. Without it, the model that the "
            "settings name."
        ),
    ] = None,
    weights: training.Weights = None,
    side: training.Side = None,
    dim: Annotated[
        int, training.number("dim", help="Numbers of a vector; a model keeps its own.")
    ] = 192,
    unfreeze: training.Unfreeze = 0,
    epochs: Annotated[int, training.number("epochs", training.LEARNING, help="At most.")] = 30,
    patience: Annotated[
        int,
        training.number("patience", training.LEARNING, help="Epochs without gain before it stops."),
    ] = 5,
    batch: training.Batch = 32,
    learning_rate: training.LearningRate = 3e-4,
    seed: training.Seed = 7,
    logs: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Where TensorBoard shall find it; else OUT.logs."),
    ] = None,
    name: training.Name = "",
    version: training.Version = "1",
    register: training.Register = False,
    scratch: training.Scratch = None,
    as_json: Json = False,
) -> None:
    """Learn a feature layer on a backbone by telling categories apart; it becomes the content space.

    Called again after a kill it goes on where it was. OUT.confusion.html shows which categories
    are taken for which.
    """
    if (images is None) == (not from_catalogue):
        raise typer.BadParameter("Name --images DIR or --from-catalogue, one of them.")
    training.check_out(out)
    request = ClassifierRequest(
        name=name or out.name,
        version=version,
        pictures=Pictures(folder=str(images) if images else None),
        backbone=backbone or of_the_settings(),
        weights=weights,
        side=side,
        dim=dim,
        unfreeze=unfreeze,
        epochs=epochs,
        patience=patience,
        batch=batch,
        learning_rate=learning_rate,
        seed=seed,
    )
    begun = time.monotonic()
    with (
        training.shelf(data, needed=from_catalogue or register) as known,
        training.scratch_of(out, scratch) as left,
    ):
        if register:
            training.check_title(known, tenant, request.name, version)
        trained = _trained(request, out, left, known, tenant, logs or _logs(out))
        made = register and trained.manifest is not None
        model_id = training.registered(known, tenant, out) if made else None
    _say(trained, _answer(trained, out, model_id, time.monotonic() - begun), as_json=as_json)
    if trained.unreadable:
        raise typer.Exit(PARTLY)


def _trained(
    request: ClassifierRequest, out: Path, scratch: Path, known: "Shelf", tenant: str, logs: Path
) -> "Trained":
    with training.tensorflow():
        from services.embedder.training.classifier.train import train  # noqa: PLC0415
    from services.embedder.training.pictures import asked_for  # noqa: PLC0415

    gather = partial(asked_for, request.pictures, known.catalogue, known.blobs, tenant)
    folder = partial(known.folder, tenant)
    with training.Stages(looking="photos", learning="epochs", unfreezing="steps") as tell:
        return train(request, out, scratch, tell, gather=gather, folder=folder, logs=logs)


def _logs(out: Path) -> Path:
    return out.with_name(f"{out.name}.logs")


def _answer(trained: "Trained", out: Path, model_id: str | None, seconds: float) -> dict[str, Any]:
    made = trained.manifest
    return {
        **training.of_model(made, out),
        "model_id": model_id,
        "photos": trained.photos,
        "unreadable": len(trained.unreadable),
        **trained.figures,
        "size": sum(made.sizes.values()) if made else None,
        "pace": made.pace if made else None,
        "confusion": str(trained.sheet) if made else None,
        "seconds": round(seconds, 1),
    }


def _say(trained: "Trained", answer: dict[str, Any], *, as_json: bool) -> None:
    for line in trained.unreadable:
        complain(line)
    if as_json:
        say_json(answer)
        return
    say_table(("category", "nearest", "before", "precision", "before"), _rows(trained))
    typer.echo(_sentence(trained, answer))


def _rows(trained: "Trained") -> list[tuple[str, ...]]:
    """All together first; held-out photos only."""
    after, before = trained.after, trained.before
    shares = {"all": ((after.nearest, after.precision), (before.nearest, before.precision))}
    shares |= {name: (share, before.by_category[name]) for name, share in after.by_category.items()}
    return [
        (name, _percent(now[0]), _percent(then[0]), _percent(now[1]), _percent(then[1]))
        for name, (now, then) in shares.items()
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _sentence(trained: "Trained", answer: dict[str, Any]) -> str:
    said = f"{trained.sentence}{training.left_out(trained.unreadable)}"
    if trained.manifest is None:
        return f"{said} Nothing is written."
    registered_as = f" It is registered as {answer['model_id']}." if answer["model_id"] else ""
    pace = trained.manifest.pace["pictures_per_second"]
    return (
        f"{said}\n{answer['model']} is in {answer['folder']}, after "
        f"{answer['seconds']} s and {answer['photos']:,} photos: {answer['size'] / 1e6:.1f} MB, "
        f"{pace:,.0f} pictures/s on one core.{registered_as} {answer['confusion']} shows what is "
        f"taken for what. {training.after(answer['folder'])}"
    )
