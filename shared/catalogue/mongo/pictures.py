"""Image documents as they are kept, and what happens to them, without I/O.

`open` says for which fingerprints something is left to be done, as `fingerprint/attempts`: so what
is claimable is found by an index, fewest attempts first. `asked` counts the fingerprints that the
document has heard of; `registry` tells the rest to it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Final

from shared.catalogue.images import ImageWrite
from shared.catalogue.mongo.store import Document
from shared.images import Claim, Image, Place, Progress

LAST_LEVEL: Final = 9
_BLANK: Final = asdict(Progress())


def level(fingerprint: str, attempts: int) -> str:
    """An entry of `open`; from `LAST_LEVEL` attempts on they are all alike."""
    return f"{fingerprint}/{min(attempts, LAST_LEVEL)}"


def from_level(fingerprint: str, attempts: int) -> Document:
    """Open for this fingerprint, after at least so many attempts."""
    return {"$in": [level(fingerprint, number) for number in range(attempts, LAST_LEVEL + 1)]}


def unleased(fingerprint: str, now: int) -> Document:
    return {f"state.{fingerprint}.lease_until": {"$not": {"$gte": now}}}


def made(write: ImageWrite, now: int, known: Sequence[str]) -> Document:
    """A document that has heard of these fingerprints, and has no vector yet."""
    return {
        "tenant": write.tenant,
        "sha256": write.sha256,
        "place": asdict(write.place),
        "media_type": write.media_type,
        "width": write.width,
        "height": write.height,
        "touched": now,
        "doomed": None,
        "phash": write.phash,
        "thumbnail": _kept(write.thumbnail),
        "vectors": {},
        "state": {},
        "open": [level(fingerprint, 0) for fingerprint in known],
        "asked": len(known),
    }


def put_again(doc: Document, write: ImageWrite, now: int) -> Document:
    """Touched, and its place kept."""  # rule: blob_key_once
    return completed({**doc, "touched": now, "doomed": None}, write.phash, write.thumbnail)


def completed(doc: Document, phash: str | None, thumbnail: Place | None) -> Document:
    """With what the document lacked; what it has stays, for somebody may be reading it."""
    return {
        **doc,
        "phash": phash if doc["phash"] is None else doc["phash"],
        "thumbnail": _kept(thumbnail) if doc["thumbnail"] is None else doc["thumbnail"],
    }


def embedded(doc: Document, fingerprint: str, vector: bytes) -> Document:
    """With a vector that nobody was told of."""
    vectors = {**doc["vectors"], fingerprint: vector}
    # rule: announce
    return _progressed({**doc, "vectors": vectors}, fingerprint, error=None, unannounced=True)


def given_up(doc: Document, fingerprint: str, place: Place, error: str) -> Document | None:
    """With a final failure that nobody was told of; None where there is a vector, or other bytes."""
    if fingerprint in doc["vectors"] or doc["place"] != asdict(place):  # rule: verdict_guarded
        return None
    # rule: announce
    return _progressed(doc, fingerprint, error=error, unannounced=True)


def replayed(doc: Document, fingerprint: str) -> Document | None:
    """As if it had never been tried; None where there is no failure."""
    if _state(doc, fingerprint)["error"] is None:
        return None
    return _progressed(doc, fingerprint, **_BLANK)


def told(doc: Document, fingerprint: str) -> Document | None:
    """Every product knows; None where there was nothing to be told of."""
    if not _state(doc, fingerprint)["unannounced"]:
        return None
    return _progressed(doc, fingerprint, unannounced=False)


def differing(read: Document, doc: Document) -> Document:
    """The fields to be written; no others, for sweepers and uploads write beside us."""
    return {name: value for name, value in doc.items() if read[name] != value}


def claims(docs: Iterable[Document], fingerprint: str) -> list[Claim]:
    """Fewest attempts first."""
    found = [_claim(doc, fingerprint) for doc in docs]
    return sorted(found, key=lambda claim: (claim.attempts, claim.tenant, claim.sha256))


def image_of(doc: Document) -> Image:
    progress = {name: Progress(**_state(doc, name)) for name in doc["state"]}
    return Image(
        tenant=doc["tenant"],
        sha256=doc["sha256"],
        place=Place(**doc["place"]),
        media_type=doc["media_type"],
        width=doc["width"],
        height=doc["height"],
        touched=doc["touched"],
        doomed=doc["doomed"],
        phash=doc["phash"],
        thumbnail=Place(**doc["thumbnail"]) if doc["thumbnail"] else None,
        vectors=dict(doc["vectors"]),
        # Where nothing has happened yet, nothing is said.
        state={name: found for name, found in progress.items() if found != Progress()},
    )


def by_sha256(docs: Iterable[Document]) -> dict[str, Image]:
    return {image.sha256: image for image in map(image_of, docs)}


def _progressed(doc: Document, fingerprint: str, **said: Any) -> Document:
    """Another state for one fingerprint, and `open` in step with it."""
    state = {**_state(doc, fingerprint), **said}
    missing = fingerprint not in doc["vectors"] and state["error"] is None
    others = [one for one in doc["open"] if one.rpartition("/")[0] != fingerprint]
    mine = [level(fingerprint, state["attempts"])] if missing or state["unannounced"] else []
    return {**doc, "state": {**doc["state"], fingerprint: state}, "open": [*others, *mine]}


def _state(doc: Document, fingerprint: str) -> Document:
    return {**_BLANK, **doc["state"].get(fingerprint, {})}


def _claim(doc: Document, fingerprint: str) -> Claim:
    state = _state({"state": doc.get("state", {})}, fingerprint)
    return Claim(
        tenant=doc["tenant"],
        sha256=doc["sha256"],
        fingerprint=fingerprint,
        place=Place(**doc["place"]),
        attempts=state["attempts"],
        unannounced=state["unannounced"],
    )


def _kept(place: Place | None) -> Document | None:
    return asdict(place) if place else None
