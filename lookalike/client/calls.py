"""Every call of the API as a flow: requests built and answers read, without any I/O of its own."""

import base64
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, TypeVar
from urllib.parse import quote
from uuid import uuid4

from lookalike.client.answers import (
    Backends,
    DeadLetters,
    Duplicates,
    Found,
    Import,
    Job,
    Key,
    Keys,
    Presence,
    Product,
    Ready,
    Replay,
    Stats,
    Written,
)
from lookalike.client.exchange import Call, Flow, Parameter, Part, Pause
from lookalike.client.faults import Unreadable
from lookalike.client.options import Attributes, Changes, SearchOptions, SimilarOptions
from lookalike.client.reading import read

Image = bytes | Path
Crop = tuple[float, float, float, float]
"""x, y, width, height in fractions of the picture's sides."""
Verb = Literal["pause", "resume", "cancel"]
Watch = Callable[[Job], None]

_POLL_S: Final = 10.0
_BREATH_S: Final = 0.1
_BYTES: Final = "application/octet-stream"

Answer = TypeVar("Answer")


def put_product(
    product_id: str, attributes: Attributes, images: Sequence[Image], within_s: float | None
) -> Flow[Written]:
    product: Part = ("product", (None, json.dumps(attributes).encode(), "application/json"))
    pictures: list[Part] = [
        ("image", (f"{number}", _bytes(image), _BYTES)) for number, image in enumerate(images)
    ]
    params = _waiting(within_s)
    return ask(Call("PUT", _product(product_id), params=params, form=(product, *pictures)), Written)


def patch_product(product_id: str, changes: Changes) -> Flow[Written]:
    return ask(sent("PATCH", _product(product_id), changes), Written)


def get_product(product_id: str) -> Flow[Product]:
    return ask(Call("GET", _product(product_id)), Product)


def delete_product(product_id: str) -> Flow[None]:
    yield Call("DELETE", _product(product_id))


def presence(product_id: str, within_s: float | None) -> Flow[Presence]:
    path = f"{_product(product_id)}/presence"
    return ask(Call("GET", path, params=_waiting(within_s)), Presence)


def search(
    image: Image | None,
    product: str | Mapping[str, float] | None,
    crop: Crop | None,
    options: SearchOptions,
) -> Flow[Found]:
    query: dict[str, Any] = {}
    if image is not None:
        query["image"] = {"base64": base64.b64encode(_bytes(image)).decode()}
        if crop is not None:
            names = ("x", "y", "width", "height")
            query["image"]["crop"] = dict(zip(names, crop, strict=True))
    if product is not None:
        weights = {product: 1.0} if isinstance(product, str) else product
        query["products"] = [{"id": name, "weight": weight} for name, weight in weights.items()]
    return ask(sent("POST", "/v1/search", {"query": query, **options}), Found)


def similar(product_id: str, options: SimilarOptions) -> Flow[Found]:
    blend: Mapping[Any, float] = options.get("blend", {})
    params: dict[str, Any] = {**options, **blend}
    params.pop("blend", None)
    return ask(Call("GET", f"{_product(product_id)}/similar", params=params), Found)


def get_import(import_id: str) -> Flow[Import]:
    return ask(Call("GET", f"/v1/imports/{segment(import_id)}"), Import)


def move_import(import_id: str, verb: Verb) -> Flow[Import]:
    return ask(Call("POST", f"/v1/imports/{segment(import_id)}:{verb}"), Import)


def retry_import(import_id: str) -> Flow[Replay]:
    return ask(Call("POST", f"/v1/imports/{segment(import_id)}:retry_failed"), Replay)


def job(job_id: str, within_s: float = 0.0) -> Flow[Job]:
    """With `within_s`, once it is finished or has got further."""
    path = f"/v1/jobs/{segment(job_id)}"
    return ask(Call("GET", path, params={"wait": f"{within_s:.3f}s"}), Job)


def wait(watched: str | Job | Import, progress: Watch | None, timeout_s: float | None) -> Flow[Job]:
    """Looks until the job is finished."""
    job_id = watched if isinstance(watched, str) else watched.job_id
    end = float("inf") if timeout_s is None else time.monotonic() + timeout_s
    while True:
        left = max(end - time.monotonic(), 0.0)
        seen = yield from job(job_id, min(left, _POLL_S))
        if progress is not None:
            progress(seen)
        if seen.finished:
            return seen
        if time.monotonic() >= end:
            raise TimeoutError(f"The job {job_id} is still {seen.state} after {timeout_s:g} s.")
        yield Pause(_BREATH_S)


def duplicates(import_id: str, limit: int, cursor: str) -> Flow[Duplicates]:
    path = f"/v1/imports/{segment(import_id)}/duplicates"
    return ask(Call("GET", path, params={"limit": limit, "cursor": cursor}), Duplicates)


def dead_letters(import_id: str | None, limit: int, cursor: str) -> Flow[DeadLetters]:
    params: dict[str, Parameter] = {"limit": limit, "cursor": cursor}
    if import_id is not None:
        params["import_id"] = import_id
    return ask(Call("GET", "/v1/dead_letters", params=params), DeadLetters)


def replay(keys: Sequence[str] | None, import_id: str | None) -> Flow[Replay]:
    body = {"keys": None if keys is None else list(keys), "import_id": import_id}
    return ask(sent("POST", "/v1/dead_letters:replay", body), Replay)


def create_key(
    kind: Literal["search", "admin"],
    label: str,
    origins: Sequence[str],
    expires_in_days: int | None,
) -> Flow[Key]:
    body = {
        "kind": kind,
        "label": label,
        "origins": list(origins),
        "expires_in_days": expires_in_days,
    }
    return ask(sent("POST", "/v1/keys", body, **once()), Key)


def keys() -> Flow[Keys]:
    return ask(Call("GET", "/v1/keys"), Keys)


def revoke_key(key_id: str) -> Flow[None]:
    yield Call("DELETE", f"/v1/keys/{segment(key_id)}")


def backends() -> Flow[Backends]:
    return ask(Call("GET", "/v1/backends"), Backends)


def stats() -> Flow[Stats]:
    return ask(Call("GET", "/v1/stats"), Stats)


def ready() -> Flow[Ready]:
    return ask(Call("GET", "/readyz"), Ready)


def picture(url: str) -> Flow[bytes]:
    response = yield Call("GET", url)
    return b"" if response is None else response.content


def ask(call: Call, kind: type[Answer]) -> Flow[Answer]:
    """One call, its answer read."""
    response = yield call
    assert response is not None  # noqa: S101 - only pauses are followed by nothing
    try:
        return read(kind, response.json())
    except (ValueError, TypeError) as error:
        raise Unreadable(
            f"What answered {call.method} {call.path} speaks another language than a gateway of "
            "Lookalike: is it the right address?"
        ) from error


def sent(method: str, path: str, body: object, **headers: str) -> Call:
    """A call with a JSON body."""
    content = json.dumps(body).encode()
    return Call(
        method, path, headers={"Content-Type": "application/json", **headers}, content=content
    )


def once() -> dict[str, str]:
    """However often the request arrives, its work is done once."""
    return {"Idempotency-Key": uuid4().hex}


def _waiting(within_s: float | None) -> Mapping[str, Parameter]:
    return {} if within_s is None else {"wait": "searchable", "within": f"{within_s:.3f}s"}


def _product(product_id: str) -> str:
    return f"/v1/products/{segment(product_id)}"


def segment(text: str) -> str:
    """One segment of a path, whatever stands in it; dots alone would climb."""
    return text.replace(".", "%2E") if text in (".", "..") else quote(text, safe="")


def _bytes(image: Image) -> bytes:
    return image.read_bytes() if isinstance(image, Path) else image
