"""Uploads as flows: short ones in one request, long ones by tus 1.0.0, resumed where they broke."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import httpx

from lookalike.client.answers import Upload
from lookalike.client.calls import ask, once, segment
from lookalike.client.exchange import Call, Flow, Progress, Work, pause_after
from lookalike.client.faults import Unreachable, Unreadable, refusal

PART_BYTES: Final = 16 * 1024 * 1024
"""What a broken connection costs at most; held in memory until it has arrived."""
TRIES: Final = 6
"""In a row without a single byte that arrived."""

Blocks = Callable[[], bytes]
"""The next bytes to be sent, at every call; none at the end."""
Begun = Callable[[str], None]
"""Told the id of an upload that may be resumed."""

_TUS: Final = {"Tus-Resumable": "1.0.0"}
_BYTES: Final = "application/octet-stream"
_PATCH: Final = {**_TUS, "Content-Type": "application/offset+octet-stream"}
_MAY_PASS: Final = frozenset({408, 409, 423, 429, 500, 502, 503, 504})


def upload(
    source: bytes | Path,
    progress: Progress | None = None,
    resume: str | None = None,
    begun: Begun | None = None,
) -> Flow[Upload]:
    if isinstance(source, bytes) or source.stat().st_size <= PART_BYTES:
        headers = {"Content-Type": _BYTES, **once()}
        call = Call("POST", "/v1/uploads", headers=headers, content=source, progress=progress)
        return ask(call, Upload)
    return _file(source, progress, resume, begun)


def stream(blocks: Blocks) -> Flow[Upload]:
    """An upload whose length is known at its end."""
    path = yield from _create({"Upload-Defer-Length": "1"})
    size = yield from _send(path, 0, blocks, None)
    yield Call("PATCH", path, headers=_at(size) | {"Upload-Length": str(size)})
    return (yield from ask(Call("GET", path), Upload))


def _file(
    source: Path, progress: Progress | None, resume: str | None, begun: Begun | None
) -> Flow[Upload]:
    size = source.stat().st_size
    found = None if resume is None else (yield from _resumed(resume, size))
    path, offset = found or ((yield from _create({"Upload-Length": str(size)})), 0)
    if begun is not None:
        begun(path.rpartition("/")[2])
    told = None if progress is None else partial(_told, progress, size)
    with source.open("rb", buffering=0) as file:
        file.seek(offset)
        end = yield from _send(path, offset, partial(file.read, PART_BYTES), told)
    if end != size:
        raise OSError(f"{source} changed while it was sent: {end:,} bytes instead of {size:,}")
    return (yield from ask(Call("GET", path), Upload))


def _create(length: dict[str, str]) -> Flow[str]:
    """Its path; one whose answer was lost is empty, and swept."""
    answer = yield Call("POST", "/v1/uploads", headers=_TUS | length)
    place = "" if answer is None else answer.headers.get("Location", "")
    path = httpx.URL(place).path
    if not path.startswith("/v1/uploads/"):
        raise Unreadable("The server takes no resumable uploads: is it a gateway of Lookalike?")
    return path


def _resumed(upload_id: str, size: int) -> Flow[tuple[str, int] | None]:
    """Path and offset, if it is there and of this file's size."""
    path = f"/v1/uploads/{segment(upload_id)}"
    answer = yield Call("HEAD", path, headers=_TUS, expected=frozenset({404}))
    if answer is None or answer.headers.get("Upload-Length") != str(size):
        return None
    return path, _offset(answer)


def _send(path: str, offset: int, blocks: Blocks, told: Callable[[int], None] | None) -> Flow[int]:
    """Everything from `offset` on; where that ends."""
    read: list[bytes] = []
    while True:
        yield Work(lambda: read.append(blocks()))
        block = read.pop()
        if not block:
            return offset
        yield from _place(path, offset, block, told)
        offset += len(block)


def _place(path: str, start: int, block: bytes, told: Callable[[int], None] | None) -> Flow[None]:
    """Sends until all of it is there, each time from where the server says."""
    at, end, tries = start, start + len(block), 0
    while at < end:
        answer = yield _patch(path, at, block[at - start :], told)
        if answer is None or not answer.is_success:
            _refuse_for_good(answer)
            yield pause_after(tries, answer)
            answer = yield Call("HEAD", path, headers=_TUS)
        arrived = _offset(answer)
        tries = 0 if arrived > at else tries + 1
        if not start <= arrived <= end:
            raise Unreadable(f"Somebody else sends to {path}: it is at {arrived:,}, not {at:,}.")
        if tries == TRIES:
            raise Unreachable(f"No byte has got through to {path} in {TRIES} tries.")
        at = arrived


def _patch(path: str, at: int, data: bytes, told: Callable[[int], None] | None) -> Call:
    progress = None if told is None else lambda sent, _total: told(at + sent)
    return Call("PATCH", path, headers=_at(at), content=data, progress=progress, single=True)


def _at(offset: int) -> dict[str, str]:
    return {**_PATCH, "Upload-Offset": str(offset)}


def _refuse_for_good(answer: httpx.Response | None) -> None:
    if answer is not None and answer.status_code not in _MAY_PASS:
        raise refusal(answer)


def _offset(answer: httpx.Response | None) -> int:
    text = "" if answer is None else answer.headers.get("Upload-Offset", "")
    if not text.isdecimal():
        raise Unreadable(
            "The server does not say how much has arrived: is it a gateway of Lookalike?"
        )
    return int(text)


def _told(progress: Progress, size: int, sent: int) -> None:
    progress(sent, size)
