"""`lookalike train triplet`: a network that learns which of two photos is nearer to a third."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, Self, cast

import typer

from lookalike.command.models import of_the_settings
from lookalike.command.output import PARTLY, Json, Tell, complain, progress, say_json
from shared.errors import Invalid, NotConfigured
from shared.trainings import NO_TENSORFLOW, Loss, Pictures, TripletRequest

if TYPE_CHECKING:
    from services.embedder.registry import Shelf
    from services.embedder.training.progress import Progress
    from services.embedder.training.triplet import Trained

_LEARNING = "Learning"
_SOURCE = "Where photos come from"


class _Loss(StrEnum):
    TRIPLET = "triplet"
    MULTI_SIMILARITY = "multi-similarity"


def triplet(
    *,
    out: Annotated[Path, typer.Option(help="The folder to write; not there yet.")],
    triplets: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            rich_help_panel=_SOURCE,
            help="A CSV of query, positive, negative: paths below --images or below its own "
            "folder, or product ids with --from-catalogue. Without it, pairs are mined.",
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, rich_help_panel=_SOURCE, help="A folder by category."
        ),
    ] = None,
    from_catalogue: Annotated[
        bool,
        typer.Option("--from-catalogue", rich_help_panel=_SOURCE, help="Products with a category."),
    ] = False,
    since: Annotated[
        datetime | None,
        typer.Option(
            rich_help_panel=_SOURCE,
            help="Of the catalogue, learn what was written since then (UTC); the rest is replayed "
            "and may not be forgotten.",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_SOURCE,
            help="The demo's folder; without it, the catalogue that the settings name.",
        ),
    ] = None,
    tenant: Annotated[str, typer.Option(help="Whose products.")] = "default",
    backbone: Annotated[
        str | None,
        typer.Option(
            help="ranknet, mildnet, mobilenetv2-0.35, mobilenetv2-1.0, any of keras.applications; "
            "or a model, which gets a head. Without it, the model that the settings name."
        ),
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="A file of the backbone's weights, or `none`.")
    ] = None,
    from_model: Annotated[
        str | None,
        typer.Option("--from", help="A model of an earlier training to go on from."),
    ] = None,
    side: Annotated[int | None, typer.Option(help="Pixels a side; 224 if not said.")] = None,
    dim: Annotated[int, typer.Option(help="Numbers of a vector.")] = 256,
    loss: Annotated[_Loss, typer.Option(rich_help_panel=_LEARNING)] = _Loss.TRIPLET,
    margin: Annotated[float, typer.Option(rich_help_panel=_LEARNING)] = 0.2,
    unfreeze: Annotated[
        int,
        typer.Option(rich_help_panel=_LEARNING, help="Last blocks of the backbone that learn too."),
    ] = 0,
    steps: Annotated[int, typer.Option(rich_help_panel=_LEARNING)] = 2_000,
    batch: Annotated[int, typer.Option(rich_help_panel=_LEARNING, help="Photos a step.")] = 32,
    learning_rate: Annotated[float, typer.Option(rich_help_panel=_LEARNING)] = 1e-4,
    forget: Annotated[
        float,
        typer.Option(
            rich_help_panel=_LEARNING,
            help="What held-out old products may lose of their precision.",
        ),
    ] = 0.01,
    allow_forgetting: Annotated[
        bool, typer.Option("--allow-forgetting", rich_help_panel=_LEARNING)
    ] = False,
    seed: Annotated[int, typer.Option(rich_help_panel=_LEARNING)] = 7,
    name: Annotated[str, typer.Option(help="What the model is called; else as its folder.")] = "",
    version: Annotated[str, typer.Option()] = "1",
    register: Annotated[
        bool, typer.Option("--register", help="Put it beside the catalogue's other models.")
    ] = False,
    scratch: Annotated[
        Path | None,
        typer.Option(help="Where it goes on after a kill; else OUT.scratch, gone at its end."),
    ] = None,
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
    left = scratch or out.with_name(out.name + ".scratch")
    with _shelf(data, needed=from_catalogue or register) as shelf:
        trained = _trained(request, out, left, shelf, tenant)
        made = register and trained.manifest is not None
        model_id = _registered(shelf, tenant, out) if made else None
    if scratch is None:
        shutil.rmtree(left, ignore_errors=True)
    _say(trained, _answer(trained, out, model_id, time.monotonic() - begun), as_json=as_json)
    if trained.failures:
        raise typer.Exit(PARTLY)


def _trained(
    request: TripletRequest, out: Path, scratch: Path, shelf: "Shelf", tenant: str
) -> "Trained":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        from services.embedder.training.triplet import train  # noqa: PLC0415 - loads TensorFlow
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("tensorflow", "keras"):
            raise
        raise NotConfigured(NO_TENSORFLOW, code="no_tensorflow") from error
    from services.embedder.training import subjects  # noqa: PLC0415

    def gather() -> subjects.Subject:
        if shelf.catalogue is None or request.pictures.folder is not None:
            return subjects.of_folder(request)
        return subjects.of_shop(request, shelf.catalogue, shelf.blobs, tenant)

    with _Stages() as tell:
        folder = partial(shelf.folder, tenant)
        return train(request, out, scratch, tell, gather=gather, folder=folder)


class _Stages:
    """A bar for each stage of a training, one after the other."""

    def __init__(self) -> None:
        self._stage = ""
        self._bar = ExitStack()
        self._tell: Tell = lambda _done, _of: None

    def __call__(self, told: "Progress") -> None:
        if told.stage != self._stage:
            self._bar.close()
            self._stage = told.stage
            unit = {"looking": "photos", "learning": "steps"}.get(told.stage, "")
            self._tell = self._bar.enter_context(progress(told.stage, unit=unit))
        self._tell(told.done, told.of)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()


@contextmanager
def _shelf(data: Path | None, *, needed: bool) -> Iterator["Shelf"]:
    """Models by name, and behind them the catalogue, which has to be there where it is `needed`."""
    from pydantic import SecretStr  # noqa: PLC0415

    from services.embedder.registry import shelf_of  # noqa: PLC0415 - loads numpy
    from shared.runtime.settings import Installation  # noqa: PLC0415

    known = Installation()
    if data is not None:
        folder = data.absolute()
        catalogue = SecretStr(f"sqlite:///{folder}/catalogue.sqlite")
        blobs = SecretStr((folder / "blobs").as_uri())
        known = Installation(data=folder, catalogue=catalogue, blobs=blobs)
    with shelf_of(known) as shelf:
        if needed and shelf.catalogue is None:
            raise Invalid(
                f"{known.data} holds no catalogue.sqlite: name the demo's folder with --data, or the "
                "catalogue with LOOKALIKE_CATALOGUE."
            )
        yield shelf


def _registered(shelf: "Shelf", tenant: str, folder: Path) -> str | None:
    from services.embedder.registry import register  # noqa: PLC0415 - loads numpy

    if shelf.catalogue is None:
        return None
    return register(shelf.catalogue, shelf.blobs, tenant, folder).model_id


def _milliseconds(when: datetime | None) -> int | None:
    return None if when is None else int(when.replace(tzinfo=UTC).timestamp() * 1000)


def _answer(trained: "Trained", out: Path, model_id: str | None, seconds: float) -> dict[str, Any]:
    made = trained.manifest
    return {
        "model": made.name if made else None,
        "folder": str(out) if made else None,
        "fingerprint": made.spaces.fingerprint if made else None,
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
    if trained.manifest is None:
        return f"{trained.sentence} Nothing is written."
    registered = f" It is registered as {answer['model_id']}." if answer["model_id"] else ""
    return (
        f"{trained.sentence}\n{answer['model']} is in {answer['folder']}, after "
        f"{answer['seconds']} s and {answer['photos']:,} photos.{registered} `lookalike embed "
        f"--model {answer['folder']}` tries it; LOOKALIKE_MODEL gives it to the services."
    )
