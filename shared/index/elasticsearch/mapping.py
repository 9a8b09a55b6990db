"""What an index of ours is in Elasticsearch: its names, its settings, its fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from shared.errors import Invalid
from shared.indexes import Index

Graph = Literal["hnsw", "int8_hnsw", "bbq_hnsw"]

KEYWORDS: Final = ("title", "brand", "currency", "url", "tags", "category")


@dataclass(frozen=True, slots=True)
class Layout:
    """How vectors lie; `replicas` is a range that follows the number of nodes.

    `int8_hnsw` takes a quarter of the memory of `hnsw` and `bbq_hnsw` a thirtieth, for tens of
    millions of products; their order is of rounded numbers, so they miss more.
    """

    graph: Graph = "hnsw"
    links: int = 32
    construction: int = 100
    replicas: str = "0-1"


def alias_of(prefix: str, index: Index) -> str:
    """What is written to and searched; names of tenants and indexes hold no dots."""
    return f"{prefix}.{index.tenant}.{index.index_id}"


def name_of(prefix: str, index: Index) -> str:
    """The index behind the alias: one that is dropped and made again gets another."""
    return f"{alias_of(prefix, index)}-{index.created}"


def field_of(field: str, declared: tuple[str, ...]) -> str:
    """Where a filterable field lies; names of `custom` may hold anything, so they are numbered."""
    name = field.removeprefix("custom.")
    if name == field:
        return field
    return f"declared.c{_place(name, declared)}"


def number_of(field: str, declared: tuple[str, ...]) -> str:
    """Where the numbers of a field lie."""
    name = field.removeprefix("custom.")
    return field if name == field else f"number.c{_place(name, declared)}"


def _place(name: str, declared: tuple[str, ...]) -> int:
    if name not in declared:
        raise Invalid(
            f"`custom.{name}` is not declared in this index, so Elasticsearch does not look at it.",
            code="bad_filter",
        )
    return declared.index(name)


def body_of(index: Index, layout: Layout) -> dict[str, Any]:
    """Settings and mapping of a fresh index: as many primaries as the index has shards."""
    return {
        "settings": {
            "number_of_shards": index.shards,
            "auto_expand_replicas": layout.replicas,
            # A sync refreshes before it marks; nobody waits for any other refresh.
            "refresh_interval": "30s",
            "gc_deletes": "1h",
        },
        "mappings": {
            "dynamic": "strict",
            # The codes say the same in a quarter of the room.
            "_source": {"excludes": ["images"]},
            "properties": _properties(index, layout),
        },
    }


def _properties(index: Index, layout: Layout) -> Mapping[str, Any]:
    keyword, double = {"type": "keyword"}, {"type": "double"}
    places = range(len(index.declared))
    return {
        "product_id": keyword,
        "bucket": {"type": "short"},
        "revision": {"type": "long"},
        "images_revision": {"type": "long"},
        "read_at": {"type": "long"},
        "pictures": {"type": "short"},
        **dict.fromkeys(KEYWORDS, keyword),
        "category_path": keyword,
        "category_under": keyword,
        "price": double,
        "in_stock": {"type": "boolean"},
        "custom": {"type": "object", "enabled": False},
        "declared": {"properties": {f"c{place}": keyword for place in places}},
        "number": {"properties": {f"c{place}": double for place in places}},
        "shas": {"type": "keyword", "index": False, "doc_values": False},
        "codes": {"type": "binary"},
        "images": {"type": "nested", "properties": {"vector": _vector(index, layout)}},
    }


def _vector(index: Index, layout: Layout) -> Mapping[str, Any]:
    return {
        "type": "dense_vector",
        "dims": index.spaces.dim,
        # Blended queries have other lengths than one, and stored vectors one for each space.
        "similarity": "max_inner_product",
        "index_options": {
            "type": layout.graph,
            "m": layout.links,
            "ef_construction": layout.construction,
        },
    }
