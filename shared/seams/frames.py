"""How pictures go to an embedder in another process: JSON for what is small, raw frames for bytes.

A request is a head, then per picture one frame; a result is a head and its bytes. A child process
answers each picture before it is sent the next, so neither side ever waits with a full buffer for
the other; over HTTP all pictures are one body, and all results another.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, BinaryIO

from shared.errors import Malformed
from shared.images import MAX_PICTURE_BYTES, Crop
from shared.seams.embedder import Embedding, Failure
from shared.spaces import Space, Spaces

_LENGTH = struct.Struct("<I")
_MAX_FRAME = MAX_PICTURE_BYTES + 1


def write_frame(stream: BinaryIO, data: bytes) -> None:
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)


def read_frame(stream: BinaryIO) -> bytes:
    """The next frame; EOFError when the other side is gone."""
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    if length > _MAX_FRAME:
        raise Malformed(
            f"A frame of {length:,} bytes was announced: the two sides are out of step."
        )
    return _exactly(stream, length)


def write_json(stream: BinaryIO, value: Mapping[str, Any]) -> None:
    write_frame(stream, json.dumps(value).encode())


def read_json(stream: BinaryIO) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(read_frame(stream))
    return value


def write_result(stream: BinaryIO, result: Embedding | Failure) -> None:
    if isinstance(result, Failure):
        write_json(stream, {"failure": asdict(result)})
        return
    head = {"width": result.width, "height": result.height, "phash": result.phash}
    write_json(stream, head | {"has_thumbnail": result.thumbnail is not None})
    write_frame(stream, result.vector)
    if result.thumbnail is not None:
        write_frame(stream, result.thumbnail)


def read_result(stream: BinaryIO) -> Embedding | Failure:
    head = read_json(stream)
    if "failure" in head:
        return Failure(**head["failure"])
    has_thumbnail = head.pop("has_thumbnail")
    vector = read_frame(stream)
    return Embedding(vector, **head, thumbnail=read_frame(stream) if has_thumbnail else None)


def head_of(count: int, crop: Crop | None, *, thumbnails: bool) -> dict[str, Any]:
    return {"count": count, "crop": crop and asdict(crop), "thumbnails": thumbnails}


def spaces_to_json(spaces: Spaces) -> dict[str, Any]:
    return asdict(spaces)


def spaces_from_json(value: Mapping[str, Any]) -> Spaces:
    return Spaces(value["fingerprint"], tuple(Space(**one) for one in value["spaces"]))


def _exactly(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data
