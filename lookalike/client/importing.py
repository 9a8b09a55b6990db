"""Imports begun as flows: what lies here is uploaded first, what lies there is named."""

from functools import partial
from pathlib import Path
from typing import Any

from lookalike.client.answers import Import, Upload
from lookalike.client.calls import ask, once, sent
from lookalike.client.exchange import Call, Flow, Progress
from lookalike.client.folders import LeftOut, blocks_of
from lookalike.client.options import Format, ImportOptions
from lookalike.client.uploads import PART_BYTES, stream, upload

Source = Path | str | Upload
"""A file here, a path or `s3://` URL there, or what was uploaded already."""


def import_catalogue(
    source: Source, kind: Format, options: ImportOptions, progress: Progress | None
) -> Flow[Import]:
    yield from _ask_whether_allowed()
    place = yield from _placed(source, progress)
    return (yield from _begin(place, kind, options))


def import_folder(
    folder: Path, options: ImportOptions, progress: Progress | None, left_out: LeftOut | None
) -> Flow[Import]:
    yield from _ask_whether_allowed()
    lines = blocks_of(folder, PART_BYTES, progress, left_out)
    stored = yield from stream(partial(next, lines, b""))
    return (yield from _begin({"upload_id": stored.upload_id}, "jsonl", options))


def _ask_whether_allowed() -> Flow[None]:
    """A key that may not do this is told of before hours of uploading."""
    yield Call("GET", "/v1/jobs", params={"limit": 1})


def _begin(place: dict[str, str], kind: Format, options: ImportOptions) -> Flow[Import]:
    body: dict[str, Any] = {name: said for name, said in options.items() if said is not None}
    categories = options.get("categories")
    if categories is not None:
        body["categories"] = yield from _placed(categories, None)
    call = sent("POST", "/v1/imports", {"format": kind, "source": place, **body}, **once())
    return (yield from ask(call, Import))


def _placed(source: Source, progress: Progress | None) -> Flow[dict[str, str]]:
    if isinstance(source, str):
        return {"path": source}
    stored = source if isinstance(source, Upload) else (yield from upload(source, progress))
    return {"upload_id": stored.upload_id}
