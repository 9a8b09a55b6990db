"""Filters, nearest neighbours and facets in Elasticsearch's words."""

import json
import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared.filters import And, Filter, In, Not, Or, Range, Under
from shared.index.columns import token
from shared.index.elasticsearch.documents import path_token
from shared.index.elasticsearch.mapping import KEYWORDS, field_of, number_of
from shared.products import Scalar
from shared.vectors import Floats

Body = Mapping[str, Any]

FACET_VALUES: Final = 10_000
"""So many values of a field are counted exactly; of more, rare ones may be missed."""
ROWS: Final = ("product_id", "revision", "shas", "codes")
"""What a hit is made of."""
_ALL: Final[Body] = {"match_all": {}}
_NONE: Final[Body] = {"match_none": {}}
_PICTURED: Final[Body] = {"range": {"pictures": {"gte": 1}}}


def passing(condition: Filter, declared: tuple[str, ...]) -> Body:
    """Which documents pass; the same as `passes` of their products' attributes."""
    match condition:
        case And(parts):
            return {"bool": {"filter": [_ALL, *(passing(part, declared) for part in parts)]}}
        case Or(parts):
            return {"bool": {"should": [_NONE, *(passing(part, declared) for part in parts)]}}
        case Not(part):
            return {"bool": {"must_not": [passing(part, declared)]}}
        case Under(path):
            return _terms("category_under", _texts([path_token(path)]) if _good(path) else [])
        case In(field, values):
            return _in(field, values, declared)
        case Range(field):
            return _range(condition, number_of(field, declared))


def _in(field: str, values: Sequence[Scalar], declared: tuple[str, ...]) -> Body:
    if field == "price":
        return _terms(field, _exact(values))
    if field == "in_stock":
        return _terms(field, [value for value in values if isinstance(value, bool)])
    if field in KEYWORDS:
        return _terms(field, _texts(values))
    return _terms(field_of(field, declared), [token(v) for v in values if not _is_nan(v)])


def _terms(field: str, values: Sequence[Scalar]) -> Body:
    return {"terms": {field: list(values)}} if values else _NONE


def _texts(values: Sequence[Scalar]) -> list[Scalar]:
    return [v for v in values if isinstance(v, str) and _good([v])]


def _good(texts: Sequence[str]) -> bool:
    """Lone surrogates cannot be stored, so nothing equals them."""
    return not any("\ud800" <= letter <= "\udfff" for text in texts for letter in text)


def _exact(values: Sequence[Scalar]) -> list[Scalar]:
    """Numbers that a float can equal; an integer in between two floats equals none."""
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    return [float(v) + 0.0 for v in numbers if abs(v) <= sys.float_info.max and float(v) == v]


def _is_nan(value: Scalar) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _range(asked: Range, field: str) -> Body:
    named = {"gt": asked.gt, "gte": asked.gte, "lt": asked.lt, "lte": asked.lte}
    bounds = {name: bound + 0.0 for name, bound in named.items() if bound is not None}
    if any(math.isnan(bound) for bound in bounds.values()):
        return _NONE
    if not bounds:
        return {"exists": {"field": field}}
    # JSON has no infinity; as a text Elasticsearch knows it.
    told = {n: b if math.isfinite(b) else f"{'-' * (b < 0)}Infinity" for n, b in bounds.items()}
    # Of `gt` and `gte` in one clause only the last would count.
    pairs = ({n: told[n] for n in pair if n in told} for pair in (("gt", "lt"), ("gte", "lte")))
    return {"bool": {"filter": [{"range": {field: pair}} for pair in pairs if pair]}}


def pictured(condition: Filter | None, declared: tuple[str, ...]) -> Body:
    """What a search may answer: products that pass and have a vector."""
    parts = [_PICTURED] if condition is None else [_PICTURED, passing(condition, declared)]
    return {"bool": {"filter": parts}}


def nearest(query: Floats, k: int, candidates: int, within: Body | None) -> Body:
    """The k products whose best image is nearest; similarities are made anew from the codes."""
    knn = {
        "field": "images.vector",
        "query_vector": query.tolist(),
        "k": k,
        "num_candidates": candidates,
    }
    return {
        "knn": knn if within is None else {**knn, "filter": within},
        "size": k,
        "_source": list(ROWS),
        "track_total_hits": False,
    }


def all_of(within: Body) -> Body:
    """Every product that passes, with what hits are made of."""
    return {"query": within, "_source": list(ROWS)}


def newest() -> Body:
    """When the latest documents were read that an index shows."""
    aggs = {"read_at": {"max": {"field": "read_at"}}}
    return {"size": 0, "track_total_hits": False, "aggs": aggs}


def counting(fields: Sequence[str], within: Body, declared: tuple[str, ...]) -> Body:
    """How many products that pass have each value of these fields."""
    return {
        "query": within,
        "size": 0,
        "track_total_hits": False,
        "aggs": {f"f{n}": _values(field, declared) for n, field in enumerate(fields)},
    }


def _values(field: str, declared: tuple[str, ...]) -> Body:
    inside = "category_path" if field == "category" else field_of(field, declared)
    return {"terms": {"field": inside, "size": FACET_VALUES, "shard_size": FACET_VALUES}}


def counted(fields: Sequence[str], found: Body) -> dict[str, Counter[str]]:
    """The answer to `counting`, with values as facets spell them."""
    return {
        field: _counted(field, found["aggregations"][f"f{n}"]["buckets"])
        for n, field in enumerate(fields)
    }


def _counted(field: str, buckets: Sequence[Body]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for bucket in buckets:
        key = bucket.get("key_as_string", bucket["key"])
        value = json.loads(key) if field.startswith("custom.") else key
        text = value if isinstance(value, str) else json.dumps(value)
        if text:
            counts[text] += bucket["doc_count"]
    return counts
