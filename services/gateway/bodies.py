"""Request bodies, counted while they arrive: what is too long is refused before it is kept."""

from collections.abc import AsyncGenerator, Iterator
from typing import Any, Final, TypeVar

import pydantic_core
from anyio import fail_after, from_thread
from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from services.gateway.answers import pointer_of
from shared.errors import Flaw, Invalid, Malformed, TooLarge, WrongMediaType

Model = TypeVar("Model", bound=BaseModel)

_DRAIN: Final = 4
"""Up to so many times the limit is read and thrown away, so that the client hears the refusal."""
_MAX_PARTS: Final = 32
MAX_JSON_PART: Final = 1024 * 1024
SILENCE_S: Final = 60.0
"""Whoever sends nothing for so long has gone without a word."""


class CutShort(Malformed):
    """Less arrived than was sent, or meant to be."""


def media_type(request: Request) -> str:
    """The kind of body, without parameters; empty where none is given."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def is_form(request: Request) -> bool:
    return media_type(request) == "multipart/form-data"


def read(request: Request, limit: int) -> bytes:
    """The whole body; called from a worker thread."""
    return from_thread.run(_whole, request, limit)


def chunks(request: Request, limit: int) -> Iterator[bytes]:
    """The body piece by piece; called from a worker thread."""
    stream = _counted(request, limit)

    async def following() -> bytes | None:
        try:
            with fail_after(SILENCE_S):
                return await anext(stream, None)
        except (ClientDisconnect, TimeoutError) as error:
            raise CutShort("The connection ended, or fell silent, before the body did.") from error

    while (chunk := from_thread.run(following)) is not None:
        yield chunk


def read_json(request: Request, limit: int) -> Any:
    """Strict JSON: no NaN, no lone surrogates, no strange Content-Type."""
    kind = media_type(request)
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise WrongMediaType(f"The body is to be JSON (application/json), not {kind[:100]}.")
    return parse_json(read(request, limit))


def parse_json(data: bytes) -> Any:
    try:
        return pydantic_core.from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise Malformed(f"The body is no JSON: {error}.") from error


def read_model(request: Request, model: type[Model], limit: int = MAX_JSON_PART) -> Model:
    """A JSON body of this shape."""
    return checked(read_json(request, limit), model)


def checked(body: object, model: type[Model], pointer: str = "") -> Model:
    """Parsed JSON as a model; every flaw is told with where it is."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        flaws = tuple({flaw.pointer: flaw for flaw in _flaws(error, body, pointer)}.values())
        first = flaws[0]
        raise Invalid(f"{first.pointer or 'The body'}: {first.detail}.", flaws=flaws) from error


def _flaws(error: ValidationError, body: object, pointer: str) -> Iterator[Flaw]:
    for flaw in error.errors(include_url=False, include_context=False):
        place = pointer_of(_place(flaw["loc"], body, missing=flaw["type"] == "missing"))
        yield Flaw(pointer + place, flaw["type"], flaw["msg"])


def _place(
    location: tuple[int | str, ...], body: object, *, missing: bool
) -> tuple[int | str, ...]:
    """Without the names of union members, which are no places in the body."""
    place: list[int | str] = []
    here: Any = body
    for part in location:
        if _holds(here, part):
            here = here[part]
        elif not (missing and part == location[-1]):
            continue
        place.append(part)
    return tuple(place)


def _holds(body: object, part: int | str) -> bool:
    if isinstance(body, dict):
        return part in body
    return isinstance(body, list) and isinstance(part, int)


def read_form(request: Request, limit: int) -> tuple[dict[str, bytes], list[bytes]]:
    """The plain parts of a multipart body by name, and its files in order."""
    return from_thread.run(_form, request, limit)


async def _counted(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
        if total > _DRAIN * limit:
            break
        if chunk and total <= limit:
            yield chunk
    if total > limit:
        raise TooLarge(f"The body is longer than {limit:,} bytes: send less at once.")


async def _whole(request: Request, limit: int) -> bytes:
    try:
        return b"".join([chunk async for chunk in _counted(request, limit)])
    except ClientDisconnect as error:
        raise Malformed("The connection ended before the body did.") from error


async def _form(request: Request, limit: int) -> tuple[dict[str, bytes], list[bytes]]:
    parser = MultiPartParser(
        request.headers,
        _counted(request, limit),
        max_files=_MAX_PARTS,
        max_fields=_MAX_PARTS,
        max_part_size=MAX_JSON_PART,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError, UnicodeError) as error:
        raise Malformed(f"The multipart body cannot be read: {error}.") from error
    try:
        return await _parts(form)
    finally:
        await form.close()


async def _parts(form: FormData) -> tuple[dict[str, bytes], list[bytes]]:
    plain: dict[str, bytes] = {}
    files: list[bytes] = []
    for name, part in form.multi_items():
        if not isinstance(part, UploadFile):
            plain[name] = part.encode()
        elif name in ("product", "query"):  # curl -F 'product=@product.json' sends it as a file
            plain[name] = await part.read()
        else:
            files.append(await part.read())
    return plain, files


def only(parts: dict[str, bytes], name: str) -> None:
    """Refuses plain parts of another name: they would be lost in silence."""
    if strange := sorted(set(parts) - {name}):
        detail = f"The form has no part {strange[0][:50]!r}; it takes `{name}` and files."
        raise Invalid(detail, flaws=(Flaw(f"/form/{strange[0]}", "extra_forbidden", detail),))
