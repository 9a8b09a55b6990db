"""Memory while staging, in a process of its own: it does not grow with the file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

_STAGE = """
import json, os, resource, sys
import pyarrow.parquet
from services.embedder.staging.documents import Ranged
from services.embedder.staging.stage import stage

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

format_, name = sys.argv[1:]
with open(name, "rb") as file:
    read = lambda offset, length: os.pread(file.fileno(), length, offset)
    source = Ranged(read, os.path.getsize(name))
    before = peak()
    report = stage(format_, source, len)
    print(json.dumps([report.records, report.size, peak() - before]))
"""


def _staged_apart(format_: str, file: Path) -> tuple[int, int, int]:
    """(records, bytes written, bytes by which the process grew)"""
    done = subprocess.run(
        [sys.executable, "-c", _STAGE, format_, str(file)],
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[2],
        timeout=120,
    )
    records, size, grown = json.loads(done.stdout)
    return records, size, grown


def test_one_row_group_of_300_mb_takes_a_fraction_of_it(tmp_path: Path) -> None:
    file, each, at_once = tmp_path / "one.parquet", 20_000, 1_000
    kinds: dict[str, pa.DataType] = {"product_id": pa.int64(), "image": pa.binary()}
    schema = pa.schema(kinds)
    with pq.ParquetWriter(file, schema) as to:
        pictures = [os.urandom(each) for _ in range(at_once)]
        rows = pa.table({"product_id": range(15 * at_once), "image": pictures * 15}, schema)
        to.write_table(rows, row_group_size=15 * at_once)
    assert pq.ParquetFile(file).metadata.num_row_groups == 1
    assert file.stat().st_size > 290_000_000
    records, size, grown = _staged_apart("parquet", file)
    assert records == 15 * at_once
    assert size > 300_000_000
    assert grown < 200_000_000


def test_a_json_of_60_mb_takes_a_fraction_of_it(tmp_path: Path) -> None:
    file, count = tmp_path / "many.json", 100_000
    with file.open("w") as to:
        to.write('{"annotations": [')
        to.write(",".join(f'{{"image_id": {n}, "label_id": {n % 128}}}' for n in range(count)))
        to.write('], "images": [')
        url = "https://img.example/" + "x" * 550
        to.write(",".join(f'{{"image_id": {n}, "url": ["{url}"]}}' for n in range(count)))
        to.write("]}")
    assert file.stat().st_size > 60_000_000
    records, _, grown = _staged_apart("imaterialist", file)
    assert records == count
    assert grown < 60_000_000
