"""The pictures of a chunk's products, from wherever the records say they are."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.embedder.arrivals import Arrival
from services.embedder.fetched import BUDGET_S, fetched
from services.embedder.ports import Ports
from services.embedder.records import Draft
from shared.errors import LookalikeError, Unavailable
from shared.images import sha256_of
from shared.jobs import Import
from shared.products import Attributes
from shared.seams.embedder import Failure
from shared.sources.records import BadRecord, Named

_EMPTY: Final = Failure("empty_picture", "it has no bytes.")
"""As a picture that is stored, it would be one and the same for all products that have such."""

Had = bytes | str | Failure
"""A picture's bytes, the SHA-256 of one that is stored, or why there is none."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A product whose pictures are known, in order, each once."""

    offset: int
    product_id: str
    attributes: Attributes
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gathered:
    """`lost` names every record with a picture that could not be had; `failed` have none left."""

    ready: Sequence[Ready]
    arrivals: Mapping[str, Arrival]
    lost: Sequence[BadRecord] = ()
    failed: int = 0
    urls: Mapping[str, str] = field(default_factory=dict)
    """Which URL a picture was fetched from: its SHA-256 by URL."""


def gather(ports: Ports, job: Import, drafts: Sequence[Draft]) -> Gathered:
    """A product goes on with the pictures that there are; without any, its record has failed."""
    from_urls = _from_urls(ports, job, drafts)
    urls = {url: sha256_of(had) for url, had in from_urls.items() if isinstance(had, bytes)}
    ready: list[Ready] = []
    arrivals: dict[str, Arrival] = {}
    lost: list[BadRecord] = []
    for draft in drafts:
        images: dict[str, None] = {}
        reasons: list[str] = []
        for picture, had in _had(ports, job, draft, from_urls):
            if isinstance(had, Failure):
                reasons.append(f"{_shown(picture)}: {had.detail}")
                continue
            sha256 = had if isinstance(had, str) else _sha256(picture, had, urls)
            images[sha256] = None
            if isinstance(had, bytes):
                arrivals[sha256] = Arrival(sha256, had, draft.offset)
        if reasons:
            lost.append(_lost(draft, reasons, left=len(images)))
        if images:
            ready.append(Ready(draft.offset, draft.product_id, draft.attributes, tuple(images)))
    return Gathered(ready, arrivals, lost, len(drafts) - len(ready), urls)


def _had(
    ports: Ports, job: Import, draft: Draft, from_urls: Mapping[str, Had]
) -> Iterator[tuple[bytes | Named, Had]]:
    for picture in draft.pictures:
        if isinstance(picture, bytes):
            yield picture, picture or _EMPTY
        elif picture.kind == "url":
            yield picture, from_urls[picture.value]
        elif picture.kind == "path":
            yield picture, _tried(ports.places.picture, job.source, picture.value)
        else:
            yield picture, _tried(_uploaded, ports, job.tenant, picture.value)


def _from_urls(ports: Ports, job: Import, drafts: Sequence[Draft]) -> Mapping[str, Had]:
    """By the first URL of each picture: what it gave, or else what one of the others gave."""
    named = {
        one.value: one
        for draft in drafts
        for one in draft.pictures
        if isinstance(one, Named) and one.kind == "url"
    }
    if not named:
        return {}
    deadline = time.monotonic() + BUDGET_S
    found = dict(fetched(ports, job.tenant, list(named), BUDGET_S))
    for first, failure in [(u, had) for u, had in found.items() if isinstance(had, Failure)]:
        others = iter(named[first].others)
        while isinstance(found[first], Failure) and (url := next(others, None)):
            left = max(deadline - time.monotonic(), 0)
            found[first] = fetched(ports, job.tenant, [url], left)[url]
        if isinstance(found[first], Failure):
            found[first] = failure
    return found


def _sha256(picture: bytes | Named, data: bytes, urls: Mapping[str, str]) -> str:
    """One photo in many records is fetched once, and named once."""
    if isinstance(picture, Named) and picture.kind == "url":
        return urls[picture.value]
    return sha256_of(data)


def _tried(read: Callable[..., bytes], *where: object) -> Had:
    """A store that is down is no fault of the picture: the chunk is tried again."""
    try:
        return read(*where) or _EMPTY
    except Unavailable:
        raise
    except LookalikeError as error:
        return Failure(error.kind, error.detail)


def _uploaded(ports: Ports, tenant: str, upload_id: str) -> bytes:
    source = ports.places.of_upload(tenant, upload_id)
    with ports.places.opened(tenant, source.name) as (read, size):
        return read(0, size)


def _lost(draft: Draft, reasons: Sequence[str], *, left: int) -> BadRecord:
    how = f"it was brought in with {left} others" if left else "it has no other and was left out"
    detail = f"Product {draft.product_id} lacks {len(reasons)} of its pictures ({how}): "
    return BadRecord(draft.offset, "missing_picture", detail + " ".join(reasons), draft.product_id)


def _shown(picture: bytes | Named) -> str:
    return picture.value[:200] if isinstance(picture, Named) else "a picture in the record"
