"""Rows of a Parquet file, however large its row groups: as much of it in memory as a page has."""

import io
import itertools
import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from services.embedder.staging.documents import Ranged, text
from shared.errors import Invalid, TooLarge

if TYPE_CHECKING:
    import pyarrow as pa

ROW: Final = "_row"
"""The number of a row, from 1 on, for files that have no ids: `{"id": "_row"}` maps it."""
_BATCH_BYTES: Final = 8 * 1024 * 1024
_BATCH_ROWS: Final = 256
"""At most: the average of a file that says a large value once and repeats it tells too little."""
_READ_AHEAD: Final = 256 * 1024
"""In each column; without it the library reads a column's whole row group at once."""
_MAX_PAGE_BYTES: Final = 256 * 1024 * 1024


def rows(source: Ranged) -> Generator[Mapping[str, Any], None, None]:
    """The columns of each row by name, in order; raises `Invalid` where the file is damaged.

    A page is the smallest piece that Parquet reads: memory is four to five times the largest
    one, whatever the file has. Writers make pages of 1 MB, or of 1,024 values where these are larger.
    """
    with _translated():
        import pyarrow as pa  # noqa: PLC0415 - heavy, and few imports want it
        import pyarrow.parquet as pq  # noqa: PLC0415

        opened = pa.PythonFile(_Positioned(source), mode="r")
        file = pq.ParquetFile(opened, pre_buffer=False, buffer_size=_READ_AHEAD)
        labels = _labels(file.schema_arrow)
        count = itertools.count(1)
        for group in range(file.metadata.num_row_groups):
            about = file.metadata.row_group(group)
            each = about.total_byte_size // max(1, about.num_rows)
            size = min(_BATCH_ROWS, max(1, _BATCH_BYTES // max(1, each)))
            for batch in file.iter_batches(size, row_groups=[group], use_threads=False):
                for row in _rows(batch, labels):
                    yield {ROW: next(count), **row}


class _Positioned(io.RawIOBase):
    """Positioned reads as the open file that the library wants."""

    def __init__(self, source: Ranged) -> None:
        self._source = source
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._source.size}[whence]
        self._at = start + offset
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(0, self._source.size - self._at)
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted > _MAX_PAGE_BYTES:
            raise TooLarge(
                f"The Parquet file has a page of {wanted:,} bytes at byte {self._at:,}; at most "
                f"{_MAX_PAGE_BYTES:,} are read at once: write it again with smaller pages."
            )
        data = self._source.whole(self._at, wanted)
        self._at += len(data)
        return data


@contextmanager
def _translated() -> Iterator[None]:
    import pyarrow as pa  # noqa: PLC0415

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        reason = str(error).strip().rstrip(".") or type(error).__name__
        raise Invalid(
            f"The source is no Parquet file that can be read, or it is damaged: {reason}."
        ) from error


def _labels(schema: "pa.Schema") -> Mapping[str, Mapping[int, str]]:
    """What the numbers of a column stand for, where Hugging Face's library wrote it into the file."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        kinds = {name: feature["names"] for name, feature in features.items() if "names" in feature}
        return {name: dict(enumerate(map(text, names))) for name, names in kinds.items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _rows(
    batch: "pa.RecordBatch", labels: Mapping[str, Mapping[int, str]]
) -> Iterator[Mapping[str, Any]]:
    columns = {name: _values(batch.column(n)) for n, name in enumerate(batch.schema.names)}
    for name in labels.keys() & columns:
        known = labels[name]
        columns[name] = [known.get(v, v) if isinstance(v, int) else v for v in columns[name]]
    for row in zip(*columns.values(), strict=True):
        yield dict(zip(columns, row, strict=True))


def _values(column: "pa.Array[Any]") -> list[Any]:
    """Python's values; None for one that Python cannot say, such as a year beyond 9999."""
    kind = _readable(column.type)
    if kind != column.type:
        column = column.cast(kind, safe=False)
    try:
        return column.to_pylist(maps_as_pydicts="lossy")
    except (ValueError, OverflowError):
        return [_value(scalar) for scalar in column]


def _value(scalar: "pa.Scalar[Any]") -> Any:
    try:
        return scalar.as_py(maps_as_pydicts="lossy")
    except (ValueError, OverflowError):
        return None


def _readable(kind: "pa.DataType") -> "pa.DataType":
    """Nanoseconds are more than Python's dates hold, and time zones may be unknown here."""
    import pyarrow as pa  # noqa: PLC0415

    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", "UTC" if kind.tz else None)
    if pa.types.is_time64(kind):
        return pa.time64("us")
    if pa.types.is_duration(kind):
        return pa.duration("us")
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_readable(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_readable(kind.value_type)))
    return kind
