"""A ranking network's training, from photos to a model's folder: `lookalike train triplet`.

It goes on where it was killed, from what lies in its scratch folder; it writes nothing that could be
no better by chance, and nothing that forgot what the model it went on from knew.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.embedder.model import Manifest
from services.embedder.training import saving
from services.embedder.training.exporting import About
from services.embedder.training.features import features
from services.embedder.training.folders import check_free
from services.embedder.training.pictures import lot
from services.embedder.training.progress import Progress, Tell
from services.embedder.training.triplet.forgetting import (
    PAIRED_LEAST,
    Exam,
    Verdict,
    held_out_groups,
    held_out_triplets,
    judged,
    refuse_forgetting,
)
from services.embedder.training.triplet.learners import Learner, learner
from services.embedder.training.triplet.learning import Course, diverged, learn, vectors_of
from services.embedder.training.triplet.mining import Bools, Ints, Lessons
from services.embedder.training.triplet.subjects import Subject
from shared.trainings import TripletRequest, to_json

_MATERIAL: Final = "material.npz"
_UNTAUGHT: Final = ("name", "version", "forget", "allow_forgetting")
"""What a request says that changes nothing about the steps."""


@dataclass(frozen=True, eq=False)
class Trained:
    """`manifest` is None where nothing was gained, and nothing is written then."""

    manifest: Manifest | None
    verdict: Verdict
    photos: int
    failures: tuple[str, ...]
    """A sentence for every row and picture that was left out."""

    @property
    def sentence(self) -> str:
        """What came of it, for people."""
        figures = self.verdict.figures
        found = "Held-out new products find their own with a precision of"
        if self.manifest is None:
            return (
                f"{found} {figures['new_after']:.3f}, where it was {figures['new_before']:.3f}: "
                "no gain that could not be chance."
            )
        old = (
            f"; old ones {figures['old_after']:.3f} after {figures['old_before']:.3f}"
            if "old_after" in figures
            else ""
        )
        return (
            f"{found} {figures['new_after']:.3f}; before it was {figures['new_before']:.3f}{old}."
        )


@dataclass(frozen=True, eq=False)
class Material:
    """Photos as numbers: `inputs` has a line a photo and view, the others one a photo."""

    inputs: NDArray[Any]
    lots: Ints
    products: Ints
    categories: Ints
    fresh: Bools
    triplets: Ints
    """Lines of query, positive, negative; none where pairs are mined."""
    failures: tuple[str, ...]

    def divided(self) -> tuple[Lessons, Exam]:
        """What is taught, and what is held out to judge by."""
        if len(self.triplets):
            return held_out_triplets(self.lots, self.triplets, self.fresh[self.triplets[:, 0]])
        if self._have_pairs():
            groups, fields = self.products, self.categories
        else:
            groups, fields = self.categories, np.zeros_like(self.categories)
        return held_out_groups(self.lots, self.products, groups, fields, self.fresh)

    def _have_pairs(self) -> bool:
        """Whether products have photos enough of their own to be told apart by."""
        _, counts = np.unique(self.products[self.fresh], return_counts=True)
        return int((counts > 1).sum()) >= PAIRED_LEAST


def train(
    request: TripletRequest,
    out: Path,
    scratch: Path,
    tell: Tell,
    *,
    gather: Callable[[], Subject],
    folder: Callable[[str], Path],
) -> Trained:
    """`gather` is asked once; `folder` gives that of a model by its name.

    Raises `Conflict` with the figures where too much of what is old was forgotten.
    """
    check_free(out)
    begun = time.monotonic()
    taught = learner(request, folder)
    scratch = scratch / _asked(request, taught)
    material = _material(scratch, taught, gather, tell)
    lessons, exam = material.divided()
    taught.begin(material.inputs[:, 0])
    before = vectors_of(taught.learnt, material.inputs[:, 0])
    learn(taught.learnt, material.inputs, lessons, _course(request), scratch=scratch, tell=tell)
    after = vectors_of(taught.learnt, material.inputs[:, 0])
    if not np.isfinite(after).all():
        raise diverged(request.steps)
    verdict = judged(exam, before, after)
    tell(Progress("judging", 1, 1, verdict.figures))
    if not request.allow_forgetting:
        refuse_forgetting(verdict, request.forget)
    manifest = None
    if verdict.gained:
        told = {"minutes": round((time.monotonic() - begun) / 60, 1), **_counts(material)}
        manifest = taught.write(out, _about(request, taught, verdict, told))
    return Trained(manifest, verdict, len(material.products), material.failures)


def _asked(request: TripletRequest, taught: Learner) -> str:
    """A name for a scratch folder: of another training nothing can be gone on with."""
    said = {name: value for name, value in to_json(request).items() if name not in _UNTAUGHT}
    parent = taught.parent.spaces.fingerprint if taught.parent else None
    basis = json.dumps([said, taught.described(), parent], sort_keys=True)
    return hashlib.sha256(basis.encode()).hexdigest()[:16]


def _course(request: TripletRequest) -> Course:
    return Course(
        steps=request.steps,
        batch=request.batch,
        rate=request.learning_rate,
        loss=request.loss,
        margin=request.margin,
        seed=request.seed,
    )


def _material(
    scratch: Path, taught: Learner, gather: Callable[[], Subject], tell: Tell
) -> Material:
    """As it was gathered the first time: a shop goes on changing while a training is repeated."""
    arrays = saving.saved(scratch / _MATERIAL)
    if arrays is None:
        arrays = _gathered(scratch, taught, gather(), tell)
        saving.save(scratch / _MATERIAL, arrays)
    failures = arrays.pop("failures").tolist()
    return Material(**arrays, failures=tuple(failures))


def _gathered(
    scratch: Path, taught: Learner, subject: Subject, tell: Tell
) -> dict[str, NDArray[Any]]:
    seen = features(subject.photos, taught.extractor, scratch / "seen", tell, of_each=taught.views)
    subject = subject.without(seen.photos)
    products, codes = np.unique([photo.product for photo in seen.photos], return_inverse=True)
    fresh = subject.fresh
    rows = subject.rows
    # Triplets name products, each of which has one photo then.
    numbers = {photo.product: number for number, photo in enumerate(seen.photos)}
    return {
        "inputs": seen.values,
        "lots": np.array([lot(photo.product) for photo in seen.photos], np.int64),
        "products": codes,
        "categories": np.unique([one.category for one in seen.photos], return_inverse=True)[1],
        "fresh": np.array([fresh is None or name in fresh for name in products], bool)[codes],
        "triplets": rows.numbered(numbers) if rows else np.empty((0, 3), np.int64),
        "failures": np.array([*(rows.failures if rows else ()), *seen.unreadable], np.str_),
    }


def _counts(material: Material) -> dict[str, int]:
    return {
        "photos": len(material.products),
        "products": len(np.unique(material.products)),
        "new_photos": int(material.fresh.sum()),
        "triplets": len(material.triplets),
        "left_out": len(material.failures),
    }


def _about(
    request: TripletRequest, taught: Learner, verdict: Verdict, told: Mapping[str, Any]
) -> About:
    parent = taught.parent.spaces.fingerprint if taught.parent else None
    names = ("loss", "margin", "steps", "batch", "learning_rate", "unfreeze", "seed")
    options = {name: getattr(request, name) for name in names}
    figures = verdict.figures
    return About(
        request.name,
        request.version,
        f"Content was taught to rank by {request.steps:,} steps of {request.loss} loss on "
        f"{told['photos']:,} photos of {told['products']:,} products; held-out new ones find their "
        f"own with a precision of {figures['new_after']:.3f}, {figures['new_before']:.3f} before.",
        training={"kind": request.kind, "parent": parent, **options, **taught.described(), **told},
        quality=figures,
    )
