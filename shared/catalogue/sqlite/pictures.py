"""Image documents and their embeddings as rows."""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, Final

from shared.catalogue.sqlite.store import Row
from shared.images import Claim, Image, Place, Progress

COLUMNS: Final = (
    "tenant, sha256, blob, start, length, media_type, width, height, touched, doomed, phash,"
    " thumbnail_blob, thumbnail_start, thumbnail_length"
)
THESE: Final = "tenant = ? AND sha256 IN (SELECT value FROM json_each(?))"
THIS: Final = "tenant = ? AND sha256 = ?"
EMBEDDING: Final = f"{THIS} AND fingerprint = ?"


def register(db: sqlite3.Connection, fingerprint: str) -> None:
    known = "INSERT INTO fingerprints VALUES (?) ON CONFLICT DO NOTHING"
    if db.execute(known, (fingerprint,)).rowcount:
        db.execute(
            "INSERT INTO embeddings (tenant, sha256, fingerprint)"
            " SELECT tenant, sha256, ? FROM images WHERE true ON CONFLICT DO NOTHING",
            (fingerprint,),
        )


def store_vector(
    db: sqlite3.Connection, key: tuple[str, str], fingerprint: str, vector: bytes
) -> None:
    db.execute(
        "INSERT INTO embeddings (tenant, sha256, fingerprint, vector, unannounced)"
        " VALUES (?, ?, ?, ?, 1) ON CONFLICT (tenant, sha256, fingerprint) DO UPDATE"
        # rule: announce
        " SET vector = excluded.vector, error = NULL, unannounced = 1",
        (*key, fingerprint, vector),
    )


def add_missing(
    db: sqlite3.Connection, key: tuple[str, str], phash: str | None, thumbnail: Place | None
) -> None:
    """What the document lacks; what it has stays, for somebody may be reading it."""
    if phash is not None:
        db.execute(
            f"UPDATE images SET phash = ? WHERE {THIS} AND phash IS NULL",  # noqa: S608
            (phash, *key),
        )
    if thumbnail is not None:
        db.execute(
            "UPDATE images SET thumbnail_blob = ?, thumbnail_start = ?, thumbnail_length = ?"  # noqa: S608
            f" WHERE {THIS} AND thumbnail_blob IS NULL",
            (*where(thumbnail), *key),
        )


def is_there(db: sqlite3.Connection, values: Row, wanted: str = THIS) -> bool:
    return db.execute(f"SELECT 1 FROM images WHERE {wanted}", values).fetchone() is not None  # noqa: S608


def where(place: Place | None) -> tuple[str | None, int | None, int | None]:
    return (None, None, None) if place is None else (place.blob, place.offset, place.length)


def images_where(db: sqlite3.Connection, wanted: str, values: Row) -> list[Image]:
    rows = db.execute(f"SELECT {COLUMNS} FROM images WHERE {wanted}", values).fetchall()  # noqa: S608
    return with_embeddings(db, rows)


def with_embeddings(db: sqlite3.Connection, rows: Iterable[Row]) -> list[Image]:
    return [_image(row, _embeddings(db, row[:2])) for row in rows]


def _embeddings(db: sqlite3.Connection, key: Row) -> Mapping[str, tuple[Any, Progress]]:
    found = db.execute(
        "SELECT fingerprint, vector, attempts, lease_until, error, unannounced"  # noqa: S608
        f" FROM embeddings WHERE {THIS}",
        key,
    )
    return {row[0]: (row[1], _progress(row)) for row in found}


def _progress(row: Row) -> Progress:
    attempts, lease_until, error, unannounced = row[2:]
    return Progress(attempts, lease_until, error, bool(unannounced))


def claim_of(row: Row) -> Claim:
    tenant, sha256, fingerprint, blob, start, length, attempts, unannounced = row
    place = Place(blob, start, length)
    return Claim(tenant, sha256, fingerprint, place, attempts, bool(unannounced))


def _image(row: Row, embeddings: Mapping[str, tuple[Any, Progress]]) -> Image:
    return Image(
        tenant=row[0],
        sha256=row[1],
        place=Place(*row[2:5]),
        media_type=row[5],
        width=row[6],
        height=row[7],
        touched=row[8],
        doomed=row[9],
        phash=row[10],
        thumbnail=None if row[11] is None else Place(*row[11:14]),
        vectors={name: vector for name, (vector, _) in embeddings.items() if vector is not None},
        # Where nothing has happened yet, nothing is said.
        state={name: state for name, (_, state) in embeddings.items() if state != Progress()},
    )


def by_sha256(images: Iterable[Image]) -> dict[str, Image]:
    return {image.sha256: image for image in images}
