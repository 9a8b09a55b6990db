"""iMaterialist's files: images and their annotations in one JSON object, joined on disk."""

import json
import sqlite3
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from typing import Any, Final

from services.embedder.staging.documents import Entry, Oddity, Ranged, text
from services.embedder.staging.json_items import items
from shared.attributes import MAX_TAG, MAX_TAGS, MAX_TEXT
from shared.errors import Invalid, Unavailable

_SCHEMA: Final = """
PRAGMA journal_mode = OFF;
PRAGMA cache_size = -32768;
CREATE TABLE images (place INTEGER PRIMARY KEY, id TEXT UNIQUE, urls TEXT);
CREATE TABLE labels (place INTEGER PRIMARY KEY, id TEXT, label TEXT, UNIQUE (id, label));
"""
_PUT_IMAGE: Final = """INSERT INTO images (id, urls) VALUES (?, ?)
ON CONFLICT (id) DO UPDATE SET urls = excluded.urls"""
_PUT_LABEL: Final = "INSERT OR IGNORE INTO labels (id, label) VALUES (?, ?)"
_IMAGES: Final = """SELECT id, urls FROM images
WHERE ?1 IS NULL OR EXISTS (SELECT 1 FROM labels WHERE labels.id = images.id AND label = ?1)
ORDER BY place"""
_LABELS: Final = "SELECT label FROM labels WHERE id = ? ORDER BY place"
_WITHOUT_IMAGE: Final = """SELECT DISTINCT id FROM labels
WHERE NOT EXISTS (SELECT 1 FROM images WHERE images.id = labels.id)"""
_NEEDS: Final = {"images": "an image_id", "annotations": "an image_id or a label_id"}


def images(
    source: Ranged, *, label: str | None = None, download: bool = False
) -> Generator[Entry, None, None]:
    """A document for each image that has the label, or for each image; in the order of the file.

    With `download` the picture is at the first of its URLs that answers: `url`, or one of `urls`.
    Without, it is a file that lies beside the JSON and is named after its image, `<id>.jpg`, as
    everybody's download scripts leave it. An image written twice counts once, as the later says.
    """
    # SQLite deletes a database without a name by itself, and keeps little of it in memory.
    try:
        with closing(sqlite3.connect("", isolation_level=None)) as joined:
            joined.executescript(_SCHEMA)
            yield from _gather(joined, source)
            for image_id, urls in joined.execute(_IMAGES, (label,)):
                labels = [found for (found,) in joined.execute(_LABELS, (image_id,))]
                pictures = _at(json.loads(urls)) if download else [{"path": f"{image_id}.jpg"}]
                yield _document(image_id, labels, label, pictures)
            for (image_id,) in joined.execute(_WITHOUT_IMAGE):
                yield Oddity(
                    "annotation_without_image", f"Image {image_id} has labels and no entry."
                )
    except sqlite3.Error as error:
        raise Unavailable(
            f"There is no room to join images and labels ({error}): free the temporary folder."
        ) from error


def _gather(joined: sqlite3.Connection, source: Ranged) -> Iterator[Oddity]:
    """Both lists into their tables, in whichever order they come."""
    put = {"images": _put_image, "annotations": _put_labels}
    missing = {"images"}
    joined.execute("BEGIN")
    for name, at, item in items(source, put):
        missing.discard(name)
        if not isinstance(item, dict) or not put[name](joined, item):
            yield Oddity(f"bad_{name}", f"The entry of {name} at byte {at:,} lacks {_NEEDS[name]}.")
    joined.execute("COMMIT")
    if missing:
        raise Invalid('The file has no images: it must hold {"images": […], "annotations": […]}.')


def _put_image(joined: sqlite3.Connection, item: Mapping[str, Any]) -> bool:
    image_id = _first(item, "image_id", "imageId", "id")
    if image_id:
        url = item.get("url")
        urls = [one for one in (url if isinstance(url, list) else [url]) if isinstance(one, str)]
        joined.execute(_PUT_IMAGE, (image_id, json.dumps(urls)))
    return bool(image_id)


def _put_labels(joined: sqlite3.Connection, item: Mapping[str, Any]) -> bool:
    image_id = _first(item, "image_id", "imageId")
    labels = item.get("label_id", item.get("labelId"))
    said = [_said(label) for label in (labels if isinstance(labels, list) else [labels])]
    if image_id:
        joined.executemany(_PUT_LABEL, [(image_id, label) for label in said if label])
    return bool(image_id and any(said))


def _first(item: Mapping[str, Any], *names: str) -> str:
    return next((said for name in names if (said := _said(item.get(name)))), "")


def _said(value: object) -> str:
    """A whole number or a text, as a text; nothing for whatever else."""
    return text(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""


def _at(urls: list[str]) -> list[dict[str, Any]]:
    """One picture that may be had at several places; an image without any has no picture."""
    return [{"urls": urls}] if urls else []


def _document(
    image_id: str, labels: list[str], wanted: str | None, pictures: list[dict[str, Any]]
) -> dict[str, Any]:
    tags = [f"label {label}"[:MAX_TAG] for label in labels[:MAX_TAGS]]
    main = wanted if wanted is not None else next(iter(labels), None)
    category = [] if main is None else [f"label {main}"[:MAX_TEXT]]
    return {"product_id": image_id, "category": category, "tags": tags, "images": pictures}
