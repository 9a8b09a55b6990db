"""A segment: frozen products with their rows, written once and then only mapped."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from shared.blobs import keys
from shared.blobs.port import Blobs
from shared.errors import Invalid
from shared.filters import Filter
from shared.index import annoy, exact, faiss
from shared.index.accelerator import Rows
from shared.index.annoy import Trees, TreesBuild
from shared.index.columns import (
    BLOCK,
    PLAIN,
    Bools,
    Columns,
    Ints,
    Keys,
    attributes_of,
    open_columns,
    write_columns,
)
from shared.index.damage import DamagedSegment
from shared.index.entries import Entry, Row, key_of, place
from shared.index.exact import Codes
from shared.index.faiss import Graph, GraphBuild
from shared.index.files import local, paths_of, sha256_of
from shared.index.manifest import FileKind, FileRef, SegmentRef
from shared.index.matching import matching
from shared.products import Attributes
from shared.spaces import Spaces
from shared.vectors import Floats

GRAPH = GraphBuild()
TREES = TreesBuild()
FILTERS_KEPT = 32
SUFFIXES: Mapping[FileKind, str] = {"arrow": "arrow", "codes": "faiss", "annoy": "annoy"}


@dataclass(frozen=True, slots=True)
class SegmentFiles:
    """Finished local files of a segment that is not stored yet."""

    name: str
    products: int
    rows: int
    files: Mapping[FileKind, Path]
    graph: bool = False
    build: Mapping[str, Any] = field(default_factory=dict)


def write(
    entries: Iterable[Entry], spaces: Spaces, declared: Sequence[str], folder: Path, name: str
) -> SegmentFiles:
    """One entry a product, sorted by `place`; read once, and no more than a block of them is held."""
    paths = {kind: _path(folder, name, kind) for kind in SUFFIXES}
    with exact.codes_writer(spaces.dim, paths["codes"]) as codes:
        checked = _appended(_in_order(entries), spaces, codes)
        products = write_columns(checked, spaces, declared, paths["arrow"])
    kinds: tuple[FileKind, ...] = ("arrow", "codes") if codes.rows else ("arrow",)
    return SegmentFiles(name, products, codes.rows, {kind: paths[kind] for kind in kinds})


def _path(folder: Path, name: str, kind: FileKind) -> Path:
    return folder / f"seg-{name}.{SUFFIXES[kind]}"


def _in_order(entries: Iterable[Entry]) -> Iterator[Entry]:
    before = None
    for entry in entries:
        here = place(entry)
        if here == before:
            raise Invalid(f"{entry.product_id} has two entries; a segment takes one a product.")
        if before is not None and here < before:
            raise ValueError(f"{entry.product_id} comes after entries of later places.")
        before = here
        yield entry


def _appended(
    entries: Iterable[Entry], spaces: Spaces, codes: exact.CodesWriter
) -> Iterator[Entry]:
    """The entries, whose vectors are in the file by the time they are taken."""
    for entry in entries:
        for row in entry.rows:
            if len(row.vector) != 2 * spaces.dim:
                raise Invalid(f"A vector of {entry.product_id} has not {spaces.dim} numbers.")
            codes.append(row.vector)
        yield entry


def accelerate(
    segment: SegmentFiles,
    *,
    graph: bool = True,
    trees: bool = False,
    graph_build: GraphBuild = GRAPH,
    trees_build: TreesBuild = TREES,
) -> SegmentFiles:
    """With a graph over its codes, and trees beside them where Annoy is installed."""
    if not segment.rows:
        return segment
    path = segment.files["codes"]
    codes, _ = faiss.open_codes(path)
    files, build = dict(segment.files), dict(segment.build)
    if trees and annoy.installed():
        files["annoy"] = _path(path.parent, segment.name, "annoy")
        annoy.write_trees(codes, files["annoy"], trees_build)
        build["trees"] = asdict(trees_build)
    if graph:
        linked = path.with_suffix(".graph")
        faiss.write_graph(codes, linked, graph_build)
        linked.replace(path)
        build["graph"] = asdict(graph_build)
    return replace(segment, files=files, graph=graph, build=build)


def store(files: SegmentFiles, blobs: Blobs, tenant: str, index: str, shard: int) -> SegmentRef:
    """Moves the files to where a manifest may name them."""
    refs = []
    for kind, path in files.files.items():
        key = keys.segment_file(tenant, index, shard, path.name)
        ref = FileRef(kind, key, path.stat().st_size, sha256_of(path))
        blobs.put_file(key, path)
        refs.append(ref)
    return SegmentRef(files.name, files.products, files.rows, tuple(refs), files.graph, files.build)


def verify(ref: SegmentRef, blobs: Blobs) -> None:
    """Reads every file of a segment; one that is not the one that was written is damage."""
    for file in ref.files:
        if sha256_of(local(file, blobs)) != file.sha256:
            raise DamagedSegment(f"{file.key} is not what was written; rebuild the shard.")


@dataclass(frozen=True, eq=False)
class Segment:
    """Mapped files of one segment. Products are known by ordinal, images by row."""

    ref: SegmentRef
    columns: Columns
    codes: Codes | None
    """None where no product has rows."""
    with_graph: Graph | None
    with_trees: Trees | None

    @classmethod
    def open(cls, ref: SegmentRef, blobs: Blobs) -> "Segment":
        """Maps what the manifest names and nothing else; what does not fit is refused."""
        return cls.at(ref, paths_of(ref, blobs))

    @classmethod
    def at(cls, ref: SegmentRef, paths: Mapping[FileKind, Path]) -> "Segment":
        """The same where it is known already where the files lie."""
        if "arrow" not in paths or ("codes" in paths) != (ref.rows > 0):
            raise DamagedSegment(f"Segment {ref.name} lacks a file; rebuild the shard.")
        columns = open_columns(paths["arrow"])
        codes, graph = faiss.open_codes(paths["codes"]) if ref.rows else (None, None)
        trees = None
        if "annoy" in paths and annoy.installed():
            trees = annoy.open_trees(paths["annoy"], columns.spaces.dim, ref.rows)
        segment = cls(ref, columns, codes, graph, trees)
        segment._fits()
        return segment

    def _fits(self) -> None:
        fitting = (
            len(self.columns) == self.ref.products
            and int(self.first_row[-1]) == self.ref.rows
            and (self.with_graph is not None) == self.ref.graph
            and (self.codes is None or len(self.codes) == self.ref.rows)
            and (self.codes is None or self.codes.dim == self.columns.spaces.dim)
        )
        if not fitting:
            raise DamagedSegment(f"The files of {self.name} do not fit; rebuild the shard.")

    @property
    def name(self) -> str:
        return self.ref.name

    @property
    def rows(self) -> int:
        return self.ref.rows

    @cached_property
    def keys(self) -> Keys:
        found: Keys = self.columns.numbers("key")
        return found

    @cached_property
    def revision(self) -> Ints:
        found: Ints = self.columns.numbers("revision")
        return found

    @cached_property
    def images_revision(self) -> Ints:
        found: Ints = self.columns.numbers("images_revision")
        return found

    @cached_property
    def rows_at(self) -> Ints:
        found: Ints = self.columns.numbers("rows_at")
        return found

    @cached_property
    def deleted(self) -> Bools:
        return self.columns.flags("deleted")

    @cached_property
    def first_row(self) -> Ints:
        """Where the rows of each product begin, and at last where all end."""
        return self.columns.offsets("images")

    @cached_property
    def product_of(self) -> Ints:
        """The product of each row."""
        counts = np.diff(self.first_row)
        return np.repeat(np.arange(len(counts), dtype=np.int32), counts)

    def find(self, product_id: str) -> int | None:
        key = np.uint64(key_of(product_id))
        ids = self.columns.column("product_id")
        first = int(np.searchsorted(self.keys, key))
        last = int(np.searchsorted(self.keys, key, side="right"))
        return next((i for i in range(first, last) if ids[i].as_py() == product_id), None)

    def product_id(self, ordinal: int) -> str:
        return str(self.columns.column("product_id")[ordinal].as_py())

    def attributes(self, ordinal: int) -> Attributes:
        return self.columns.attributes(ordinal)

    def images(self, ordinal: int) -> tuple[str, ...]:
        return tuple(self.columns.column("images")[ordinal].as_py())

    def hits(self, rows: Rows) -> Iterator[tuple[str, str]]:
        """Product id and image of each row; many at once cost little more than one."""
        ids = self.columns.column("product_id").take(self.product_of[rows]).to_pylist()
        images = self.columns.column("images").values.take(rows).to_pylist()
        return zip(ids, images, strict=True)

    def rows_of(self, ordinal: int) -> Rows:
        return np.arange(self.first_row[ordinal], self.first_row[ordinal + 1])

    def vectors(self, rows: Rows) -> Floats:
        if self.codes is None:
            return np.empty((0, self.columns.spaces.dim), dtype=np.float32)
        return self.codes.vectors(rows)

    def entry(self, ordinal: int) -> Entry:
        (record,) = self.columns.records(ordinal, ordinal + 1)
        return self._entry(ordinal, record)

    def entries(self) -> Iterator[Entry]:
        """By key; what compaction reads."""
        count = len(self.columns)
        for first in range(0, count, BLOCK):
            records = self.columns.records(first, min(first + BLOCK, count))
            for ordinal, record in enumerate(records, first):
                yield self._entry(ordinal, record)

    def _entry(self, ordinal: int, record: Mapping[str, Any]) -> Entry:
        return Entry(
            attributes=attributes_of(record),
            rows=self._rows(ordinal, record["images"]),
            **{name: record[name] for name in PLAIN},
        )

    def _rows(self, ordinal: int, images: Sequence[str]) -> tuple[Row, ...]:
        if self.codes is None:
            return ()
        codes = self.codes.raw[self.first_row[ordinal] : self.first_row[ordinal + 1]]
        return tuple(Row(*found) for found in zip(images, map(bytes, codes), strict=True))

    def matching(self, condition: Filter) -> Bools:
        """Which products pass by what this segment says of them; kept for the next request."""
        products, _ = self._kept(repr(condition), condition)
        return products

    def matching_rows(self, condition: Filter) -> Bools:
        """The same for rows."""
        _, rows = self._kept(repr(condition), condition)
        return rows

    @cached_property
    def _kept(self) -> Callable[[str, Filter], tuple[Bools, Bools]]:
        # Keyed by the text too: as values, the filters `1` and `True` are equal.
        columns, product_of = self.columns, self.product_of

        @lru_cache(FILTERS_KEPT)
        def kept(_text: str, condition: Filter) -> tuple[Bools, Bools]:
            products = matching(condition, columns)
            return products, products[product_of]

        return kept
