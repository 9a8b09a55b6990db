"""What a training is asked to do: the same for the command, `POST /v1/trainings` and whoever does it.

Places (`folder`, `weights`, `triplets`) are paths of this machine where a training runs, and names
that `shared.places` knows while it is a job.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar, Final, Literal, get_args

from shared.errors import Flaw, Invalid
from shared.jobs import Job, JobState

TrainingKind = Literal["adapt", "classifier", "triplet"]
Loss = Literal["triplet", "multi_similarity"]

NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""Of a model and of its version; `name@version` is what they are together."""
RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "batch": (2, 4_096),
    "dim": (8, 2_048),
    "epochs": (1, 1_000),
    "forget": (0.0, 1.0),
    "learning_rate": (1e-7, 1.0),
    "margin": (0.0, 2.0),
    "patience": (1, 1_000),
    "seed": (0, 2**31 - 1),
    "side": (32, 512),
    "steps": (1, 1_000_000),
    "unfreeze": (0, 100),
}
"""Least and most of every number that a training takes."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """What is learnt from: a folder with a folder for each category, or the catalogue."""

    folder: str | None = None
    """None: the catalogue's products."""
    categories: tuple[tuple[str, ...], ...] = ()
    """Of the catalogue, only products under one of these paths; none: all that have a category."""
    since: int | None = None
    """Of the catalogue, only what was created from this millisecond on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptRequest:
    """A model's content space whitened by categories: closed form, without TensorFlow."""

    kind: ClassVar[TrainingKind] = "adapt"
    name: str
    version: str = "1"
    pictures: Pictures = Pictures()
    from_model: str | None = None
    """The model to adapt; None: the installation's."""

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierRequest:
    """A feature layer and a classifier on a backbone; the feature layer becomes the content space."""

    kind: ClassVar[TrainingKind] = "classifier"
    name: str
    version: str = "1"
    pictures: Pictures = Pictures()
    backbone: str = "mobilenetv2-0.35"
    """Or a model, which gets a head; empty: the installation's."""
    weights: str | None = None
    """A file of the backbone's weights, or `RANDOM`; None where the backbone is a model."""
    side: int | None = None
    """Pixels a side of what the network sees; None: what suits the backbone."""
    dim: int = 192
    unfreeze: int = 0
    """Groups of the backbone's layers, from the last, that learn too once the new layers have."""
    epochs: int = 30
    patience: int = 5
    """Epochs without gain on held-out products before it stops."""
    batch: int = 32
    learning_rate: float = 3e-4
    from_model: str | None = None
    """A model of an earlier training to go on from."""
    seed: int = 7

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class TripletRequest:
    """A ranking network that learns which of two photos is nearer to a third."""

    kind: ClassVar[TrainingKind] = "triplet"
    name: str
    version: str = "1"
    pictures: Pictures = Pictures()
    triplets: str | None = None
    """A CSV of query, positive, negative; None: they are mined from the pictures."""
    backbone: str = "mobilenetv2-0.35"
    """Or a model, which gets a head; empty: the installation's."""
    weights: str | None = None
    side: int | None = None
    dim: int = 256
    loss: Loss = "triplet"
    margin: float = 0.2
    unfreeze: int = 0
    steps: int = 2_000
    batch: int = 32
    learning_rate: float = 1e-4
    from_model: str | None = None
    """Incremental: goes on from this model, and is guarded against forgetting what it knew."""
    forget: float = 0.01
    """How much of its quality on held-out old products it may lose and still be written."""
    allow_forgetting: bool = False
    seed: int = 7

    def __post_init__(self) -> None:
        _check(self)


TrainingRequest = AdaptRequest | ClassifierRequest | TripletRequest

TRAINING: Final = "training"
"""The kind of a training's job."""
REGISTERING: Final = "registering"
"""The last stage: from here on it cannot be cancelled."""
LEASE_MS: Final = 15_000
"""Whoever carries a training out says every second that it lives."""
RANDOM: Final = "none"
"""Where weights are named: a network that begins with random numbers."""
ATTEMPTS: Final = 3
"""Workers or processes that may die over one training."""
NO_TENSORFLOW: Final = (
    "Training a network takes TensorFlow, which is not installed here: `uv sync --group training`, "
    "or run a trainer that has it. A training of kind adapt does without."
)
KINDS: Final[Mapping[str, type[TrainingRequest]]] = {
    one.kind: one for one in get_args(TrainingRequest)
}


def to_json(request: TrainingRequest) -> dict[str, Any]:
    """`{"kind": "adapt", "name": …}`; tuples are lists once they are JSON."""
    return {"kind": request.kind, **asdict(request)}


def from_json(said: Mapping[str, Any]) -> TrainingRequest:
    """What `to_json` wrote, perhaps in another version of this program."""
    values = dict(said)
    asked = KINDS.get(kind := values.pop("kind", None))
    if asked is None:
        raise _wrong("/kind", "unknown_kind", f"{kind!r} is no training: {', '.join(KINDS)} are.")
    known = {field.name for field in fields(asked)}
    if strange := sorted(values.keys() - known):
        detail = f"A training of kind {kind} takes no {strange[0]!r}."
        raise _wrong(f"/{strange[0]}", "extra_forbidden", detail)
    try:
        return asked(**{**values, "pictures": _pictures(values.get("pictures", {}))})
    except TypeError as error:
        raise Invalid(f"A training of kind {kind} cannot be read: {error}.") from error


def _pictures(said: Mapping[str, Any]) -> Pictures:
    categories = tuple(tuple(path) for path in said.get("categories", ()))
    return Pictures(**{**said, "categories": categories})


def _check(request: TrainingRequest) -> None:
    """All that is wrong at once, each with where it is."""
    if flaws := tuple(_flaws(request)):
        raise Invalid(flaws[0].detail, flaws=flaws)


def _flaws(request: TrainingRequest) -> Iterator[Flaw]:
    for name in ("name", "version"):
        if not re.fullmatch(NAME, value := getattr(request, name)):
            detail = f"{value[:80]!r} is no {name}: letters, digits, `.`, `_` and `-`, 64 at most."
            yield Flaw(f"/{name}", "bad_name", detail)
    for name, (least, most) in RANGES.items():
        value = getattr(request, name, None)
        if value is not None and not least <= value <= most:
            yield Flaw(
                f"/{name}", "out_of_range", f"{name} is from {least:g} to {most:g}, not {value:g}."
            )
    if isinstance(request, TripletRequest) and request.loss not in get_args(Loss):
        losses = " or ".join(get_args(Loss))
        yield Flaw("/loss", "unknown_loss", f"The loss is {losses}, not {request.loss!r}.")
    pictures = request.pictures
    if pictures.folder is not None and (pictures.categories or pictures.since is not None):
        detail = "categories and since choose from the catalogue: leave them, or the folder."
        yield Flaw("/pictures", "folder_or_catalogue", detail)


def _wrong(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, code=code, flaws=(Flaw(pointer, code, detail),))


def posted(job_id: str, tenant: str, request: TrainingRequest, now: int) -> Job:
    """Waits for whoever is rung."""
    progress = {"request": to_json(request), "attempts": 0, "lease_until": 0}
    return Job(job_id, tenant, TRAINING, "queued", now, now, progress)


def is_due(job: Job, now: int) -> bool:
    """Whether it waits to be carried out, or whoever was at it has died."""
    return job.state in ("queued", "running") and job.progress["lease_until"] <= now


def taken(job: Job, worker: str, now: int) -> Job:
    """In the hands of `worker`, which is a fresh name for every try."""
    attempts = job.progress["attempts"] + 1
    held = {"worker": worker, "attempts": attempts, "lease_until": now + LEASE_MS}
    return replace(job, state="running", updated=now, progress={**job.progress, **held})


def told(job: Job, now: int, news: Mapping[str, Any]) -> Job:
    """`news` is added to its progress."""
    return replace(job, updated=now, progress={**job.progress, **news})


def put_back(job: Job, now: int, detail: str | None, *, wait_ms: int, counted: bool) -> Job:
    """For another to go on with, in a while; what was asked to stop is not `counted` as an attempt."""
    attempts = job.progress["attempts"] - (not counted)
    left = {"worker": None, "attempts": attempts, "lease_until": now + wait_ms}
    return replace(
        job, state="queued", updated=now, progress={**job.progress, **left}, detail=detail
    )


def ended(job: Job, state: JobState, now: int, detail: str | None, **told: Any) -> Job:
    """`told` is added to its progress."""
    progress = {**job.progress, "lease_until": 0, "worker": None, **told}
    return replace(job, state=state, updated=now, progress=progress, detail=detail)
