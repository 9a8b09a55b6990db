import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pyarrow as pa
import pytest

from shared.errors import Conflict, Invalid
from shared.filters import In
from shared.index.damage import DamagedSegment
from shared.index.entries import Entry, Row, key_of, place
from shared.index.exact import codes_writer, new_codes
from shared.index.manifest import Manifest, SegmentRef
from shared.index.segment import Segment, store, verify, write
from shared.index.view import open_view
from shared.indexes import Pointer
from shared.spaces import Space, Spaces
from tests.index.conftest import SPACES

Make = Callable[..., Entry]


def _file(shard: Any, ref: SegmentRef, kind: Any) -> Path:
    file = ref.file(kind)
    assert file is not None
    found: Path = shard.blobs.local(file.key)
    return found


def test_entries_come_back_as_they_were_written(shard: Any, entry: Make) -> None:
    written = [entry(f"p{i}", i, images=range(i % 3), title=f"t{i}") for i in range(20)]
    written.append(entry("gone", 3, deleted=True, committed=9))
    found = list(Segment.open(shard.segment(written), shard.blobs).entries())
    assert sorted(found, key=lambda e: e.product_id) == sorted(written, key=lambda e: e.product_id)


def test_products_are_found_by_id_and_others_are_not(shard: Any, entry: Make) -> None:
    segment = Segment.open(shard.segment([entry(f"p{i}") for i in range(200)]), shard.blobs)
    for i in range(200):
        ordinal = segment.find(f"p{i}")
        assert ordinal is not None
        assert segment.product_id(ordinal) == f"p{i}"
    assert segment.find("p200") is None


def test_a_graph_is_over_the_same_codes(shard: Any, entry: Make) -> None:
    entries = [entry(f"p{i}", 1, images=[i]) for i in range(100)]
    flat = Segment.open(shard.segment(entries), shard.blobs)
    graph = Segment.open(shard.segment(entries, graph=True), shard.blobs)
    assert graph.with_graph is not None
    assert flat.codes is not None
    assert graph.codes is not None
    np.testing.assert_array_equal(flat.codes.raw, graph.codes.raw)


def test_codes_are_written_as_faiss_writes_them(tmp_path: Path) -> None:
    vectors = np.random.default_rng(1).standard_normal((5, 16)).astype("<f2")
    with codes_writer(16, tmp_path / "ours") as writer:
        for vector in vectors:
            writer.append(vector.tobytes())
    theirs = new_codes(16)
    theirs.add(vectors.astype(np.float32))
    assert (tmp_path / "ours").read_bytes() == faiss.serialize_index(theirs).tobytes()


def test_writing_holds_no_more_than_a_block_of_entries(tmp_path: Path, entry: Make) -> None:
    """By what Python allocates: 20,000 vectors of 2 KB would be 40 MB."""
    spaces = Spaces("f", (Space("content", 1_000, "c"),))
    numbered = sorted((f"p{i}" for i in range(20_000)), key=key_of)
    coming = (
        replace(entry(name), rows=(Row(f"{i:064x}", bytes(2_000)),))
        for i, name in enumerate(numbered)
    )
    tracemalloc.start()
    files = write(coming, spaces, (), tmp_path, "large")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (files.products, files.rows) == (20_000, 20_000)
    assert peak < 30e6


def test_entries_out_of_order_are_refused(tmp_path: Path, entry: Make) -> None:
    ordered = sorted([entry("a"), entry("b")], key=place)
    with pytest.raises(ValueError, match="later places"):
        write(reversed(ordered), SPACES, (), tmp_path, "wrong")


def test_opening_maps_and_copies_nothing(shard: Any, entry: Make) -> None:
    ref = shard.segment([entry(f"p{i}", 1, images=[i], title="t" * 1000) for i in range(500)])
    before = pa.total_allocated_bytes()
    segment = Segment.open(ref, shard.blobs)
    numbers = [segment.keys, segment.revision, segment.rows_at, segment.first_row]
    assert pa.total_allocated_bytes() - before < 4096
    assert not any(array.flags.owndata or array.flags.writeable for array in numbers)
    maps = Path("/proc/self/maps")
    if maps.exists():
        mapped = maps.read_text()
        assert str(_file(shard, ref, "arrow")) in mapped
        assert str(_file(shard, ref, "codes")) in mapped


def test_any_arrow_reader_opens_a_segment(shard: Any, entry: Make) -> None:
    ref = shard.segment([entry("p", 4, images=[1, 2], category=("a", "b"), custom={"size": 3})])
    with pa.memory_map(str(_file(shard, ref, "arrow"))) as source:
        (line,) = pa.ipc.open_file(source).read_all().to_pylist()
    assert (line["product_id"], line["revision"], line["category"]) == ("p", 4, ["a", "b"])
    assert line["images"] == [f"{1:064x}", f"{2:064x}"]
    assert (line["custom"], line["number.size"]) == ('{"size": 3}', 3.0)


def test_a_segment_without_pictures_has_no_codes(shard: Any, entry: Make) -> None:
    ref = shard.segment([entry("p", 2, price=1.0)], graph=True, trees=True)
    assert [file.kind for file in ref.files] == ["arrow"]
    view = shard.view(ref)
    query = np.ones(shard.spaces.dim, dtype=np.float32)
    assert view.product("p").vectors.shape == (0, shard.spaces.dim)
    for similarities, rows in (
        view.segments[0].exact(query, 3, view.segments[0].passing(None)),
        view.segments[0].graph(query, 3, 16),
        view.segments[0].trees(query, 3),
    ):
        assert len(similarities) == len(rows) == 0


def test_an_empty_shard_is_a_view(shard: Any) -> None:
    view = open_view(shard.blobs, Pointer("i", 0), shard.spaces)
    assert (view.generation, view.segments, view.live_rows) == (0, (), 0)
    assert view.product("p") is None
    assert shard.view().segments == ()


def test_one_product_has_one_entry(shard: Any, entry: Make) -> None:
    with pytest.raises(Invalid, match="two entries"):
        shard.segment([entry("p", 1), entry("p", 2)])


def test_vectors_of_another_length_are_refused(shard: Any, entry: Make) -> None:
    wrong = replace(entry("p"), rows=(Row("a" * 64, b"\0\0"),))
    with pytest.raises(Invalid, match="numbers"):
        shard.segment([wrong])


@pytest.mark.parametrize("kind", ["arrow", "codes", "annoy"])
@pytest.mark.parametrize("how", ["shorter", "missing", "rubbish"])
def test_a_damaged_segment_is_refused_and_the_rest_serves(
    shard: Any, entry: Make, kind: str, how: str
) -> None:
    if kind == "annoy":
        pytest.importorskip("annoy")
    good = shard.segment([entry("good", 1, images=[1])])
    bad = shard.segment([entry(f"p{i}", 1, images=[i]) for i in range(40)], graph=True, trees=True)
    path = _file(shard, bad, kind)
    data = path.read_bytes()
    path.unlink()
    if how != "missing":
        path.write_bytes(data[:-1] if how == "shorter" else b"\x07" * (len(data) - 3) + b"abc")
    if (kind, how) == ("annoy", "rubbish"):  # Annoy cannot tell; the checksum does
        with pytest.raises(DamagedSegment):
            verify(bad, shard.blobs)
        return
    view = shard.view(good, bad)
    assert view.damaged == (bad.name,)
    assert dict(view.products()) == {"good": 1}


@pytest.mark.parametrize("kind", ["arrow", "codes"])
def test_one_flipped_bit_is_found_by_verifying(shard: Any, entry: Make, kind: str) -> None:
    ref = shard.segment([entry("p", 1, images=[1])])
    verify(ref, shard.blobs)
    path = _file(shard, ref, kind)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    with pytest.raises(DamagedSegment, match="not what was written"):
        verify(ref, shard.blobs)


def test_counts_that_do_not_fit_the_files_are_refused(shard: Any, entry: Make) -> None:
    ref = shard.segment([entry("p", 1, images=[1])])
    for wrong in (replace(ref, products=2), replace(ref, rows=2), replace(ref, graph=True)):
        with pytest.raises(DamagedSegment):
            Segment.open(wrong, shard.blobs)


def test_segments_of_another_model_are_refused(shard: Any, entry: Make) -> None:
    other = Spaces("f2", shard.spaces.spaces)
    files = write([entry("p", 1, images=[1])], other, (), shard.folder, "foreign")
    ref = store(files, shard.blobs, "t", "i", 0)
    assert shard.view(ref).damaged == ("foreign",)


def test_a_manifest_of_another_model_is_refused(shard: Any, entry: Make) -> None:
    pointer = shard.pointer(shard.segment([entry("p")]))
    with pytest.raises(Conflict, match="another model"):
        open_view(shard.blobs, pointer, Spaces("f2", shard.spaces.spaces))


def test_a_manifest_comes_back_as_it_was(shard: Any, entry: Make) -> None:
    ref = shard.segment([entry("p", 1, images=[1])], graph=True)
    manifest = Manifest("i", 1, 2, 3, shard.spaces, ("size",), (ref,))
    assert Manifest.from_json(manifest.to_json()) == manifest


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"format":2}', b'{"format":1,"x":1}', b"\xff"]
)
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(DamagedSegment):
        Manifest.from_json(data)


def test_kept_filters_tell_one_from_true(shard: Any, entry: Make) -> None:
    ref = shard.segment([entry("one", custom={"size": 1}), entry("yes", custom={"size": True})])
    segment = Segment.open(ref, shard.blobs)
    first = segment.matching(In("custom.size", (1,)))
    second = segment.matching(In("custom.size", (True,)))
    assert first.sum() == second.sum() == 1
    assert not (first & second).any()
