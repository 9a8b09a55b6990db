"""What a gateway and an embedder say to each other: one body of frames there, one back."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Final
from urllib.parse import urlencode

from shared.errors import Malformed
from shared.images import MAX_PICTURE_BYTES, Crop
from shared.models import BundledModel
from shared.seams import frames
from shared.seams.embedder import Embedding, Failure
from shared.spaces import Spaces

SPACES: Final = "/v1/spaces"
EMBED: Final = "/v1/embed"
MODELS: Final = "/v1/models"
MEDIA_TYPE: Final = "application/octet-stream"
NO_MODEL: Final = "no_such_model"
"""The code of who is asked for a fingerprint that no model of theirs has."""
MAX_PICTURES: Final = 32
MAX_BYTES: Final = 64 << 20
"""Of a body; larger than any single picture, so that every call can be cut to fit."""

_UNREADABLE: Final = (EOFError, KeyError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class PicturesAsked:
    pictures: tuple[bytes, ...]
    crop: Crop | None
    thumbnails: bool
    fingerprint: str | None = None
    """None: of the model that the embedder itself was started with."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """Results, and the fingerprint of the model that made them."""

    fingerprint: str
    results: tuple[Embedding | Failure, ...]


def asked_to_body(asked: PicturesAsked) -> bytes:
    stream = BytesIO()
    head = frames.head_of(len(asked.pictures), asked.crop, thumbnails=asked.thumbnails)
    frames.write_json(stream, head | {"fingerprint": asked.fingerprint})
    for picture in asked.pictures:
        # One byte too many is enough for the other side to see that it is too large.
        frames.write_frame(stream, picture[: MAX_PICTURE_BYTES + 1])
    return stream.getvalue()


def asked_from_body(body: bytes) -> PicturesAsked:
    stream = BytesIO(body)
    try:
        head = frames.read_json(stream)
        crop = None if head["crop"] is None else Crop(**head["crop"])
        pictures = tuple(frames.read_frame(stream) for _ in range(head["count"]))
        return PicturesAsked(pictures, crop, bool(head["thumbnails"]), head.get("fingerprint"))
    except _UNREADABLE as error:
        raise Malformed("The body is not made of frames: a head, then the pictures.") from error


def embedded_to_body(embedded: Embedded) -> bytes:
    stream = BytesIO()
    head = {"fingerprint": embedded.fingerprint, "count": len(embedded.results)}
    frames.write_json(stream, head)
    for result in embedded.results:
        frames.write_result(stream, result)
    return stream.getvalue()


def embedded_from_body(body: bytes) -> Embedded:
    stream = BytesIO(body)
    try:
        head = frames.read_json(stream)
        results = tuple(frames.read_result(stream) for _ in range(head["count"]))
        return Embedded(str(head["fingerprint"]), results)
    except _UNREADABLE as error:
        raise Malformed("The body is not made of frames: a head, then the results.") from error


def spaces_path(fingerprint: str | None) -> str:
    """Where an embedder tells its spaces, or those of another model that it has."""
    return f"{SPACES}?{urlencode({'fingerprint': fingerprint})}" if fingerprint else SPACES


def spaces_to_json(spaces: Spaces) -> bytes:
    return json.dumps(frames.spaces_to_json(spaces)).encode()


def spaces_from_json(data: bytes) -> Spaces:
    try:
        return frames.spaces_from_json(json.loads(data))
    except _UNREADABLE as error:
        raise Malformed("These are no spaces.") from error


def models_to_json(models: Sequence[BundledModel]) -> bytes:
    return json.dumps([asdict(model) for model in models]).encode()


def models_from_json(data: bytes) -> tuple[BundledModel, ...]:
    try:
        return tuple(
            BundledModel(one["name"], frames.spaces_from_json(one["spaces"]), dict(one["manifest"]))
            for one in json.loads(data)
        )
    except _UNREADABLE as error:
        raise Malformed("These are no models.") from error


def batches(pictures: Sequence[bytes]) -> list[list[bytes]]:
    """In order, so many together as one body may hold."""
    found: list[list[bytes]] = []
    room = 0
    for picture in pictures:
        size = min(len(picture), MAX_PICTURE_BYTES + 1) + 1_000
        if not found or size > room or len(found[-1]) == MAX_PICTURES:
            found.append([])
            room = MAX_BYTES - 10_000
        found[-1].append(picture)
        room -= size
    return found
