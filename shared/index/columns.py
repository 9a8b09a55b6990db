"""Products of a segment as Arrow columns: how they are written, and read back without a copy."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shared.index.damage import DamagedSegment
from shared.index.entries import Entry, key_of
from shared.index.manifest import spaces_from
from shared.products import Attributes, Scalar
from shared.spaces import Spaces

FORMAT = 1
BLOCK = 512
TEXTS = ("title", "brand", "currency", "url")
LISTS = ("category", "tags")
PLAIN = ("product_id", "revision", "images_revision", "rows_at", "committed", "deleted")
"""What an entry has beside attributes and rows."""
_METADATA = b"lookalike"

Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]
Bools = NDArray[np.bool_]


def token(value: Scalar) -> str:
    """JSON that is equal where filters hold two values to be the same."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value)


def schema_of(spaces: Spaces, declared: Sequence[str]) -> pa.Schema:
    text, texts = pa.large_string(), pa.large_list(pa.large_string())
    fields: list[tuple[str, pa.DataType]] = [
        ("key", pa.uint64()),
        ("product_id", text),
        *((name, pa.int64()) for name in ("revision", "images_revision", "rows_at", "committed")),
        ("deleted", pa.bool_()),
        ("images", texts),
        *((name, text) for name in TEXTS),
        *((name, texts) for name in LISTS),
        ("price", pa.float64()),
        ("in_stock", pa.bool_()),
        ("custom", text),
    ]
    for name in declared:
        fields += [(f"custom.{name}", text), (f"number.{name}", pa.float64())]
    about = {"format": FORMAT, "spaces": asdict(spaces), "declared": list(declared)}
    return pa.schema(fields, metadata={_METADATA: json.dumps(about).encode()})


def write_columns(
    entries: Iterable[Entry], spaces: Spaces, declared: Sequence[str], path: Path
) -> int:
    """One record batch, so that every column is one piece of memory; how many entries came.

    They come sorted. Blocks of them wait in a file beside it, so that no more is held than one block
    or, in the end, the columns once.
    """
    schema = schema_of(spaces, declared)
    blocks = path.with_suffix(".blocks")
    with pa.OSFile(str(blocks), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        for batch in _batches(entries, schema, declared):
            writer.write_batch(batch)
    with pa.memory_map(str(blocks)) as source:
        waiting = list(pa.ipc.open_stream(source))
        whole = pa.concat_batches(waiting)  # type: ignore[attr-defined]  # its stubs lack it
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_batch(whole)
    blocks.unlink()
    count = int(whole.num_rows)
    del whole, waiting
    pa.default_memory_pool().release_unused()  # a graph may come next, and wants the room
    return count


def _batches(
    entries: Iterable[Entry], schema: pa.Schema, declared: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """One at least, which is empty where there are no entries."""
    coming = iter(entries)
    yield _batch(list(islice(coming, BLOCK)), schema, declared)
    while block := list(islice(coming, BLOCK)):
        yield _batch(block, schema, declared)


def _batch(entries: Sequence[Entry], schema: pa.Schema, declared: Sequence[str]) -> pa.RecordBatch:
    records = [_record(entry, declared) for entry in entries]
    arrays = [
        pa.array([record[field.name] for record in records], type=field.type) for field in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _record(entry: Entry, declared: Sequence[str]) -> Mapping[str, Any]:
    attributes = entry.attributes
    record: dict[str, Any] = {
        name: getattr(attributes, name) for name in (*TEXTS, *LISTS, "price", "in_stock")
    }
    record |= {name: getattr(entry, name) for name in PLAIN}
    record["key"] = key_of(entry.product_id)
    record["images"] = [row.sha256 for row in entry.rows]
    record["custom"] = json.dumps(dict(attributes.custom))
    for name in declared:
        value = attributes.custom.get(name)
        record[f"custom.{name}"] = None if value is None else token(value)
        record[f"number.{name}"] = _number(value)
    return record


def _number(value: Scalar | None) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)


@dataclass(frozen=True, eq=False)
class Columns:
    """The mapped columns of a segment; lists are offsets into their values."""

    batch: pa.RecordBatch
    spaces: Spaces
    declared: tuple[str, ...]

    def __len__(self) -> int:
        return self.batch.num_rows

    def column(self, name: str) -> Any:
        return self.batch.column(name)

    def numbers(self, name: str) -> Any:
        """A fixed-width column as numpy; a view on the map where there are no nulls."""
        column = self.batch.column(name)
        return column.to_numpy(zero_copy_only=column.null_count == 0)

    def flags(self, name: str) -> Bools:
        found: Bools = self.batch.column(name).to_numpy(zero_copy_only=False)
        return found

    def offsets(self, name: str) -> Ints:
        """Where each product's list begins, and at last where all end."""
        found: Ints = self.column(name).offsets.to_numpy()
        return found if len(found) else np.zeros(1, dtype=np.int64)

    def attributes(self, ordinal: int) -> Attributes:
        return attributes_of({name: self.column(name)[ordinal].as_py() for name in _ATTRIBUTES})

    def records(self, first: int, last: int) -> list[dict[str, Any]]:
        """Products as plain values; far quicker for many than one by one."""
        found: list[dict[str, Any]] = self.batch.slice(first, last - first).to_pylist()
        return found


_ATTRIBUTES = (*TEXTS, *LISTS, "price", "in_stock", "custom")


def attributes_of(record: Mapping[str, Any]) -> Attributes:
    value = {name: record[name] for name in _ATTRIBUTES}
    lists = {name: tuple(value[name]) for name in LISTS}
    return Attributes(**{**value, **lists, "custom": json.loads(value["custom"])})


def open_columns(path: Path) -> Columns:
    """Maps the file; nothing is read but its head."""
    try:
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
        about = json.loads((reader.schema.metadata or {})[_METADATA])
        if about["format"] != FORMAT:
            raise DamagedSegment(f"{path.name} has an unknown format; upgrade, or rebuild.")
        spaces, declared = spaces_from(about["spaces"]), tuple(about["declared"])
        batch = reader.get_batch(0)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedSegment(f"{path.name} is no segment; rebuild the shard.") from error
    if not batch.schema.equals(schema_of(spaces, declared)):
        raise DamagedSegment(f"{path.name} has other columns than its format; rebuild the shard.")
    return Columns(batch, spaces, declared)
