"""The exam of an index over the catalogue it follows: its model's vectors, and its own searches."""

from collections.abc import Sequence

import numpy as np

from services.indexer.exam.exam import Exam, Side, Tell, examine
from services.indexer.exam.gathering import gathered
from services.indexer.exam.pace import SEARCHES, Pace, opened, paces
from services.indexer.exam.photos import Judged
from services.indexer.exam.questions import MOST
from shared.blobs.port import Blobs
from shared.catalogue.port import Catalogue
from shared.errors import Conflict, NotFound
from shared.indexes import Index
from shared.vectors import Floats


def index_named(catalogue: Catalogue, tenant: str, name: str) -> Index:
    """By its id or an alias; raises where there is none, and where it is not whole yet."""
    alias = catalogue.indexes.alias(tenant, name)
    index = catalogue.indexes.get(alias.index_id if alias else name)
    if index is None or index.tenant != tenant:
        raise NotFound(f"There is no index {name!r}.", code="no_such_index")
    if index.state != "ready":
        told = "still being built" if index.state == "building" else "being dropped"
        detail = f"Index {index.index_id} is {told}: an exam is of a whole one."
        raise Conflict(detail, code="index_not_ready")
    return index


def examine_indexes(
    catalogue: Catalogue,
    blobs: Blobs,
    index: Index,
    against: Index | None,
    tell: Tell,
    *,
    most: int = MOST,
) -> Exam:
    """Deterministic but for the paces, as far as the catalogue stands still."""
    indexes = [index] if against is None else [index, against]
    photos = catalogue.images.count(index.tenant)
    found = gathered(
        catalogue,
        index.tenant,
        [one.spaces for one in indexes],
        lambda done: tell("reading vectors", done, photos),
    )
    measured = _measured(catalogue, blobs, indexes, found.judged, tell)
    notes = [*found.notes, *_unmeasured(indexes, measured)]
    sides = [
        Side(one.index_id, judged, pace, one.model)
        for one, judged, pace in zip(indexes, found.judged, measured, strict=True)
    ]
    return examine(sides[0], sides[1] if against else None, tell, notes, most)


def _measured(
    catalogue: Catalogue,
    blobs: Blobs,
    indexes: Sequence[Index],
    judged: Sequence[Judged],
    tell: Tell,
) -> list[Pace | None]:
    """By index; None where it has no segments to search."""
    seen = [
        opened(catalogue, blobs, index, _queries(one))
        for index, one in zip(indexes, judged, strict=True)
    ]
    there = [one for one in seen if one is not None]
    found = iter(paces(there, lambda: tell("timing searches", 0, 1)) if there else [])
    return [None if one is None else next(found) for one in seen]


def _queries(judged: Judged) -> Floats:
    """Vectors by lot."""
    drawn = np.argsort(judged.photos.lots, kind="stable")[:SEARCHES]
    return judged.vectors[drawn].astype(np.float32)


def _unmeasured(indexes: Sequence[Index], measured: Sequence[Pace | None]) -> list[str]:
    return [
        f"{index.index_id} has no segments to search, so neither time nor size is measured."
        for index, pace in zip(indexes, measured, strict=True)
        if pace is None
    ]
