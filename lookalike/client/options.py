"""What callers may say beside the main thing, as typed dictionaries."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict

Scalar = str | int | float | bool
SpaceName = Literal["content", "style", "colour"]
BackendChoice = Literal["auto", "exact", "faiss", "annoy", "elasticsearch"]


class Attributes(TypedDict, total=False):
    """What a shop says of a product, apart from its pictures."""

    title: str
    brand: str | None
    category: Sequence[str]
    price: float | None
    currency: str | None
    in_stock: bool | None
    tags: Sequence[str]
    url: str | None
    custom: Mapping[str, Scalar]


class Changes(TypedDict, total=False):
    """What is named is set, None clears, the rest stays."""

    title: str | None
    brand: str | None
    category: Sequence[str] | None
    price: float | None
    currency: str | None
    in_stock: bool | None
    tags: Sequence[str] | None
    url: str | None
    custom: Mapping[str, Scalar | None] | None


Format = Literal["bson", "jsonl", "csv", "parquet", "folder", "imaterialist"]


class ImportOptions(TypedDict, total=False):
    """`categories` names categories, as a file here (`Path`) or on the server (text).

    `mapping` says which field of a feed is what; `label` and `download` are for iMaterialist.
    A `dry_run` writes nothing; `mode` "replace" deletes what the feed does not name, if that is no
    larger a share of the catalogue than `max_deleted`.
    """

    categories: Path | str | None
    mapping: Mapping[str, Any] | None
    label: str | None
    download: bool
    limit: int | None
    sample: float | None
    on_error: Literal["skip", "stop"]
    dry_run: bool
    mode: Literal["upsert", "replace"]
    max_deleted: float


class SimilarOptions(TypedDict, total=False):
    """`limit` is 24 unless said, at most 100; `cursor` is the last answer's `next_cursor`."""

    blend: Mapping[SpaceName, float]
    backend: BackendChoice
    limit: int
    cursor: str
    index: str
    min_similarity: float
    deadline_ms: int
    exact: bool


class SearchOptions(SimilarOptions, total=False):
    """`filter` is a tree such as `{"field": "price", "lte": 40}`, `facets` counts values of fields."""

    filter: Mapping[str, Any]
    facets: Sequence[Mapping[str, Any]]
    group_by: Literal["product", "image"]
