"""A classifier's training, from photos to a model's folder: `lookalike train classifier`.

The backbone looks at every photo once; on what it says a feature layer and a classifier are learnt,
and the feature layer becomes the content space. It goes on where it was killed, from what lies in
its scratch folder.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import keras  # type: ignore[import-untyped]  # it brings no types
import numpy as np

from services.embedder.decode import Pixels
from services.embedder.model import Manifest
from services.embedder.training.backbones import is_backbone, model_or_backbone
from services.embedder.training.classifier import confusion
from services.embedder.training.classifier.events import Log, logged
from services.embedder.training.classifier.head import Epoch, Layer, Learnt, Lesson, learn
from services.embedder.training.classifier.learners import Learner, learner
from services.embedder.training.classifier.material import Material, material
from services.embedder.training.classifier.unfreezing import Labelled, unfreeze
from services.embedder.training.exporting import About
from services.embedder.training.folders import check_free
from services.embedder.training.judging import Quality
from services.embedder.training.pictures import Photo, pixels_of
from services.embedder.training.progress import Progress, Tell
from services.embedder.training.saving import save, saved
from shared.trainings import ClassifierRequest, to_json
from shared.vectors import Floats

_LEARNT: Final = "learnt.npz"
_BATCH: Final = 32
_UNTAUGHT: Final = ("name", "version")
"""What a request says that changes nothing about what is learnt."""
_TOLD_CATEGORIES: Final = 500


@dataclass(frozen=True, eq=False, slots=True)
class Trained:
    """`manifest` is None where a model gained nothing that could not be chance; nothing is written."""

    manifest: Manifest | None
    before: Quality
    """Of the backbone's features, or the model's vectors, as they are."""
    after: Quality
    photos: int
    unreadable: Sequence[str]
    sheet: Path
    """What is taken for what, in HTML beside the model; written with it."""

    @property
    def figures(self) -> dict[str, float]:
        """Shares by name, as a manifest's `quality` has them."""
        return {
            "nearest_before": round(self.before.nearest, 4),
            "nearest_after": round(self.after.nearest, 4),
            "precision_before": round(self.before.precision, 4),
            "precision_after": round(self.after.precision, 4),
        }

    @property
    def sentence(self) -> str:
        """What came of it, for people."""
        if self.manifest is not None:
            return _told(self.before, self.after)
        return f"{_told(self.before, self.after)} That is no gain that could not be chance."


@dataclass(frozen=True, eq=False, slots=True)
class _Room:
    """What the parts of one training share."""

    request: ClassifierRequest
    learner: Learner
    material: Material
    scratch: Path
    tell: Tell
    log: Log

    @property
    def lesson(self) -> Lesson:
        asked = self.request
        return Lesson(asked.epochs, asked.patience, asked.batch, asked.learning_rate, asked.seed)

    def logged(self, stage: str, epoch: Epoch) -> dict[str, float]:
        """An epoch's figures, after they are written where TensorBoard finds them."""
        figures = {
            "loss": epoch.loss,
            "rate": epoch.rate,
            "nearest": epoch.quality.nearest,
            "precision": epoch.quality.precision,
        }
        self.log(epoch.number, {f"{stage}/{name}": value for name, value in figures.items()})
        return figures


def train(
    request: ClassifierRequest,
    out: Path,
    scratch: Path,
    tell: Tell,
    *,
    gather: Callable[[], Sequence[Photo]],
    folder: Callable[[str], Path],
    logs: Path | None = None,
) -> Trained:
    """`gather` is asked once; `folder` knows models by name, for one that serves as the backbone."""
    begun = time.monotonic()
    check_free(out)
    parent = _parent(request, folder)
    keras.utils.set_random_seed(request.seed)
    taught = learner(request, parent)
    photos = gather()
    scratch = scratch / _asked(request, taught, photos)
    seen = material(photos, taught.extractor, scratch, tell)
    before = seen.judge(taught.as_it_is(seen.judging))
    with logged(logs) as log:
        room = _Room(request, taught, seen, scratch, tell, log)
        learnt = _learnt(room)
        best = {"best_epoch": learnt.epoch}
        if request.unfreeze:
            learnt = _unfrozen(room, learnt)
            best["best_epoch_unfrozen"] = learnt.epoch
    sheet = out.with_name(f"{out.name}.confusion.html")
    found = Trained(None, before, learnt.quality, len(seen.photos), seen.unreadable, sheet)
    if parent is not None and not learnt.quality.gained_on(before):
        return found
    tell(Progress("writing", 0, 1, found.figures))
    about = _about(room, best, found, round((time.monotonic() - begun) / 60, 1))
    with _beside(sheet, confusion.page(request.name, list(_guesses(room, learnt)))):
        manifest = taught.write(learnt.layer, out, about)
    tell(Progress("writing", 1, 1, found.figures))
    return replace(found, manifest=manifest)


def _parent(request: ClassifierRequest, folder: Callable[[str], Path]) -> Path | None:
    if request.from_model is not None:
        return folder(request.from_model)
    return None if is_backbone(request.backbone) else model_or_backbone(request.backbone, folder)


def _asked(request: ClassifierRequest, taught: Learner, photos: Sequence[Photo]) -> str:
    """A name for a scratch folder: with another training's nothing can be gone on."""
    said = {name: value for name, value in to_json(request).items() if name not in _UNTAUGHT}
    told = [said, dict(taught.described()), [(one.name, one.category) for one in photos]]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def _learnt(room: _Room) -> Learnt:
    """Feature layer and classifier on features; kept, so that unfreezing goes on with the same."""
    seen = room.material

    def judge(layer: Layer) -> Quality:
        return seen.judge(layer(seen.judging))

    def told(epoch: Epoch) -> None:
        figures = room.logged("learning", epoch)
        room.tell(Progress("learning", epoch.number, room.request.epochs, figures))

    if (known := saved(room.scratch / _LEARNT)) is not None:
        layer = Layer(known["mean"], known["matrix"])
        return Learnt(layer, known["classes"], judge(layer), int(known["epoch"]))
    learnt = learn(
        room.learner.start(seen.taught.values[:, 0]),
        seen.numbers,
        judge,
        room.lesson,
        told,
    )
    numbers = {"mean": learnt.layer.mean, "matrix": learnt.layer.matrix, "classes": learnt.classes}
    save(room.scratch / _LEARNT, {**numbers, "epoch": np.array(learnt.epoch)})
    return learnt


def _unfrozen(room: _Room, learnt: Learnt) -> Learnt:
    backbone, seen = room.learner.backbone, room.material
    if backbone is None:
        return learnt
    figures: dict[str, float] = {}
    return unfreeze(
        backbone,
        learnt,
        Labelled(seen.taught.photos, seen.numbers.categories),
        lambda look, layer: seen.judge(layer(_looked(room, look))),
        groups=room.request.unfreeze,
        lesson=room.lesson,
        scratch=room.scratch,
        told=lambda epoch: figures.update(room.logged("unfreezing", epoch)),
        tell_step=lambda done, of: room.tell(Progress("unfreezing", done, of, dict(figures))),
    )


def _looked(room: _Room, look: Callable[[Pixels], Floats]) -> Floats:
    """Held-out photos seen anew; one that cannot be read any more is black."""
    preprocessing = room.learner.extractor.preprocessing
    photos = room.material.held_out.photos
    black = np.zeros((8, 8, 3), np.uint8)
    found = []
    for begin in range(0, len(photos), _BATCH):
        seen = [pixels_of(photo) for photo in photos[begin : begin + _BATCH]]
        framed = [preprocessing(black if isinstance(one, str) else one) for one in seen]
        found.append(look(np.stack(framed)))
    return np.concatenate(found)


def _guesses(room: _Room, learnt: Learnt) -> Iterator[confusion.Guess]:
    """What the classifier takes each held-out photo for, by the features that it has by then."""
    vectors = learnt.layer(_looked(room, room.learner.extractor.look))
    taken = (vectors @ learnt.classes.T).argmax(axis=1)
    for photo, number in zip(room.material.held_out.photos, taken, strict=True):
        yield confusion.Guess(photo, room.material.names[number])


def _about(room: _Room, best: Mapping[str, int], found: Trained, minutes: float) -> About:
    request, seen = room.request, room.material
    told = room.learner.described()
    return About(
        name=request.name,
        version=request.version,
        provenance=(
            f"Content is a feature layer on {told['backbone']}, learnt on "
            f"{len(seen.taught.photos):,} photos of {len(seen.names):,} categories. "
            f"{_told(found.before, found.after)}"
        ),
        training={
            "kind": request.kind,
            **told,
            "unfrozen": request.unfreeze,
            **best,
            "learning_rate": request.learning_rate,
            "batch": request.batch,
            "seed": request.seed,
            "photos": len(seen.taught.photos),
            "held_out": len(seen.held_out.photos),
            "unreadable": len(seen.unreadable),
            "categories": len(seen.names),
            "by_category": _by_category(found),
            "minutes": minutes,
        },
        quality=found.figures,
    )


def _told(before: Quality, after: Quality) -> str:
    then, now = (f"{100 * one.precision:.1f} %" for one in (before, after))
    nearest = "nearest photos" if after.among == 1 else f"{after.among} nearest photos"
    return (
        f"Of the {nearest} of held-out products, {now} are of their category; without the "
        f"training {then}."
    )


def _by_category(found: Trained) -> Mapping[str, Mapping[str, float]]:
    """The same figures of every category; the first ones only, where there are very many."""
    after = found.after.by_category
    return {
        name: {
            "nearest_before": round(nearest, 4),
            "nearest_after": round(after[name][0], 4),
            "precision_before": round(precision, 4),
            "precision_after": round(after[name][1], 4),
        }
        for name, (nearest, precision) in list(found.before.by_category.items())[:_TOLD_CATEGORIES]
    }


@contextmanager
def _beside(path: Path, text: str) -> Iterator[None]:
    """A file that is there only if what is done meanwhile succeeds."""
    path.write_text(text, encoding="utf-8")
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise
