"""What a gateway and a search process say to each other, as JSON.

Read back strictly: a field of another type, or one that nobody knows, is refused. What has its
default value is not sent, so a process of the version before understands all that it can do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from shared.errors import Malformed
from shared.filters import And, Filter, In, Not, Or, Range, Under, fields_of, parse
from shared.hits import SearchAnswer, SearchRequest
from shared.seams.searcher import BackendState

SEARCH: Final = "/v1/search"
VECTORS: Final = "/v1/vectors"
BACKENDS: Final = "/v1/backends"

_STRICT = ConfigDict(strict=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")


@dataclass(frozen=True, slots=True)
class ProductsAsked:
    """Products whose vectors are wanted before a search."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    tenant: str
    index: str
    product_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProductVectors:
    """Mean vectors (float32 bytes) by product; `absent` are those that have none.

    What is in neither is held by another process, or is not open.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    vectors: Mapping[str, bytes]
    absent: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Request:
    """The filter goes as the API spells it, `custom` are the declared fields that it names."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    request: SearchRequest
    filter: Any = None
    custom: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Answer:
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    answer: SearchAnswer


@dataclass(frozen=True, slots=True)
class _Backends:
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    backends: tuple[BackendState, ...]


_REQUEST: Final = TypeAdapter(_Request)
_ANSWER: Final = TypeAdapter(_Answer)
_BACKENDS: Final = TypeAdapter(_Backends)
_ASKED: Final = TypeAdapter(ProductsAsked)
_VECTORS: Final = TypeAdapter(ProductVectors)
_Read = TypeVar("_Read")


def request_to_json(request: SearchRequest) -> bytes:
    condition = request.filter
    if condition is None:
        return _REQUEST.dump_json(_Request(request), exclude_defaults=True)
    custom = (name.removeprefix("custom.") for name in fields_of(condition) if "." in name)
    sent = _Request(
        replace(request, filter=None), _filter_to_json(condition), tuple(sorted(custom))
    )
    return _REQUEST.dump_json(sent, exclude_defaults=True)


def request_from_json(data: bytes) -> SearchRequest:
    sent = _read(_REQUEST, data)
    if sent.filter is None:
        return sent.request
    return replace(sent.request, filter=parse(sent.filter, sent.custom))


def answer_to_json(answer: SearchAnswer) -> bytes:
    return _ANSWER.dump_json(_Answer(answer), exclude_defaults=True)


def answer_from_json(data: bytes) -> SearchAnswer:
    return _read(_ANSWER, data).answer


def backends_to_json(backends: Sequence[BackendState]) -> bytes:
    return _BACKENDS.dump_json(_Backends(tuple(backends)), exclude_defaults=True)


def backends_from_json(data: bytes) -> Sequence[BackendState]:
    return _read(_BACKENDS, data).backends


def asked_to_json(asked: ProductsAsked) -> bytes:
    return _ASKED.dump_json(asked)


def asked_from_json(data: bytes) -> ProductsAsked:
    return _read(_ASKED, data)


def vectors_to_json(found: ProductVectors) -> bytes:
    return _VECTORS.dump_json(found)


def vectors_from_json(data: bytes) -> ProductVectors:
    return _read(_VECTORS, data)


def _read(adapter: TypeAdapter[_Read], data: bytes) -> _Read:
    try:
        return adapter.validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = "/".join(map(str, first["loc"]))
        raise Malformed(f"The JSON cannot be read at /{where}: {first['msg']}.") from error


def _filter_to_json(condition: Filter) -> dict[str, Any]:
    """As `filters.parse` reads it."""
    match condition:
        case And(parts):
            return {"and": [_filter_to_json(part) for part in parts]}
        case Or(parts):
            return {"or": [_filter_to_json(part) for part in parts]}
        case Not(part):
            return {"not": _filter_to_json(part)}
        case Under(path):
            return {"field": "category", "under": list(path)}
        case In(field, values):
            return {"field": field, "in": list(values)}
        case Range(field, gt, gte, lt, lte):
            bounds = {"gt": gt, "gte": gte, "lt": lt, "lte": lte}
            return {"field": field} | {k: v for k, v in bounds.items() if v is not None}
