"""What carries out each kind of training; TensorFlow is loaded only for those that take it."""

from dataclasses import dataclass
from pathlib import Path

from services.embedder.registry import Shelf
from services.embedder.training.progress import Progress, Tell
from shared.errors import NotConfigured
from shared.trainings import (
    NO_TENSORFLOW,
    AdaptRequest,
    ClassifierRequest,
    TrainingRequest,
    TripletRequest,
)


@dataclass(frozen=True, slots=True)
class Desk:
    """What a training may read, and the folders it writes: `out` whole or not at all."""

    shelf: Shelf
    """Models, and behind it the catalogue and the blobs."""
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
        case ClassifierRequest() | TripletRequest():
            raise NotConfigured(NO_TENSORFLOW, code="no_tensorflow")


def _adapted(request: AdaptRequest, desk: Desk, tell: Tell) -> str:
    from services.embedder.local import ChildEmbedder  # noqa: PLC0415 - each kind loads its own
    from services.embedder.model import read_manifest  # noqa: PLC0415
    from services.embedder.training.adapting import adapt  # noqa: PLC0415
    from services.embedder.training.photos import in_catalogue, in_folders  # noqa: PLC0415

    parent, asked = _folder(desk, request.from_model), request.pictures
    tell(Progress("reading", 0, 1))
    if asked.folder is not None:
        with ChildEmbedder(parent) as embedder:
            photos, unreadable = in_folders(Path(asked.folder), embedder)
    else:
        spaces, unreadable = read_manifest(parent).spaces, []
        photos = in_catalogue(
            desk.shelf.catalogue, desk.tenant, spaces, asked.since, asked.categories
        )
    tell(Progress("adapting", 0, 1, {"photos": len(photos), "unreadable": len(unreadable)}))
    found, _ = adapt(parent, photos, desk.out, request.name, request.version)
    before, after = (f"{100 * share:.1f} %" for share in (found.before, found.after))
    figures = {"photos": len(photos), "before": found.before, "after": found.after}
    tell(Progress("adapting", 1, 1, figures))
    judged = "Of the ten nearest photos of a held-out product"
    if found.head is None:
        return f"{judged}, {before} are of its category, and nothing made it more."
    return f"{judged}, {after} are of its category; without adapting {before}."


def _folder(desk: Desk, model: str | None) -> Path:
    return desk.shelf.folder(desk.tenant, model or desk.model)
