"""What carries out each kind of training; TensorFlow is loaded only for those that take it."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from services.embedder.registry import Shelf
from services.embedder.training.progress import Progress, Tell
from shared.blobs.port import Blobs
from shared.catalogue.port import Catalogue
from shared.trainings import (
    AdaptRequest,
    ClassifierRequest,
    TrainingRequest,
    TripletRequest,
)

_Taught = TypeVar("_Taught", ClassifierRequest, TripletRequest)


@dataclass(frozen=True, slots=True)
class Desk:
    """What a training may read, and the folders it writes: `out` whole or not at all."""

    catalogue: Catalogue
    blobs: Blobs
    shelf: Shelf
    tenant: str
    model: str
    """The installation's, for whoever names none."""
    out: Path
    scratch: Path


def carry_out(request: TrainingRequest, desk: Desk, tell: Tell) -> str | None:
    """A sentence about what came of it; without a model in `out`, why there is none."""
    match request:
        case AdaptRequest():
            return _adapted(request, desk, tell)
        case ClassifierRequest():
            return _classified(on_a_network(request, desk.model), desk, tell)
        case TripletRequest():
            return _ranked(on_a_network(request, desk.model), desk, tell)


def on_a_network(request: _Taught, model: str) -> _Taught:
    """What names no backbone is learnt on top of the installation's model."""
    return replace(request, backbone=request.backbone or model)


def _adapted(request: AdaptRequest, desk: Desk, tell: Tell) -> str:
    from services.embedder.local import ChildEmbedder  # noqa: PLC0415 - each kind loads its own
    from services.embedder.model import read_manifest  # noqa: PLC0415
    from services.embedder.training.adapting.adapt import adapt  # noqa: PLC0415
    from services.embedder.training.adapting.photos import in_catalogue, in_folders  # noqa: PLC0415

    parent, asked = _folder(desk, request.from_model), request.pictures
    tell(Progress("reading", 0, 1))
    if asked.folder is not None:
        with ChildEmbedder(parent) as embedder:
            photos, unreadable = in_folders(Path(asked.folder), embedder)
    else:
        spaces, unreadable = read_manifest(parent).spaces, []
        photos = in_catalogue(desk.catalogue, desk.tenant, spaces, asked.since, asked.categories)
    tell(Progress("adapting", 0, 1, {"photos": len(photos), "unreadable": len(unreadable)}))
    found, _ = adapt(parent, photos, desk.out, request.name, request.version)
    figures = {"photos": len(photos), "before": found.before, "after": found.after}
    tell(Progress("adapting", 1, 1, figures))
    return found.sentence


def _classified(request: ClassifierRequest, desk: Desk, tell: Tell) -> str:
    from services.embedder.training.classifier.train import train  # noqa: PLC0415 - loads TensorFlow
    from services.embedder.training.pictures import asked_for  # noqa: PLC0415

    gather = partial(asked_for, request.pictures, desk.catalogue, desk.blobs, desk.tenant)
    return train(
        request, desk.out, desk.scratch, tell, gather=gather, folder=partial(_folder, desk)
    ).sentence


def _ranked(request: TripletRequest, desk: Desk, tell: Tell) -> str:
    from services.embedder.training.triplet.subjects import Subject, of_folder, of_shop  # noqa: PLC0415
    from services.embedder.training.triplet.train import train  # noqa: PLC0415 - loads TensorFlow

    def gather() -> Subject:
        if request.pictures.folder is not None:
            return of_folder(request)
        return of_shop(request, desk.catalogue, desk.blobs, desk.tenant)

    return train(
        request, desk.out, desk.scratch, tell, gather=gather, folder=partial(_folder, desk)
    ).sentence


def _folder(desk: Desk, model: str | None) -> Path:
    """Of a model by its name, and of the installation's where none is named."""
    return desk.shelf.folder(desk.tenant, model or desk.model)
