"""What feeds get wrong, one entry at a time: how it looks in a file, and what has to become of it."""

import json
import struct
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import bson

from shared.products import MAX_IMAGES
from tests.imports import pictures
from tests.imports.pictures import jpeg

Fate = Literal["left out", "kept without it", "rejected", "brought in"]
"""Of the product: not written; written with its other pictures; written with no picture that can be
looked for; written and found."""
Form = Literal["bson", "jsonl", "csv"]

CSV_HEADER: Final = b"id,title,images\n"


@dataclass(frozen=True)
class Case:
    """`entry` makes the bytes of a product's entry, which stands between two good ones."""

    name: str
    form: Form
    code: str | None
    fate: Fate
    entry: Callable[[int], bytes]
    last: bool = False
    """It stands at the end of the file instead."""


def good(form: Form, number: int) -> bytes:
    """A product with the picture that its number draws; CSV names a file beside it."""
    match form:
        case "bson":
            return record(number, [{"picture": jpeg(number)}])
        case "jsonl":
            return line(id=number, images=[{"base64": b64encode(jpeg(number)).decode()}])
        case "csv":
            return f"{number},Product {number},{number}.jpg\n".encode()


def record(number: object, images: object, **fields: Any) -> bytes:
    return bson.encode({"_id": number, "imgs": images, **fields})


def line(**fields: Any) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def _with_length(length: int) -> Callable[[int], bytes]:
    """A record that says it has so many bytes."""
    return lambda n: struct.pack("<i", length) + good("bson", n)[4:]


def _of_picture(make: Callable[[int], bytes]) -> Callable[[int], bytes]:
    return lambda n: record(n, [{"picture": make(n)}])


def _beside_a_good_one(make: Callable[[int], bytes]) -> Callable[[int], bytes]:
    return lambda n: record(n, [{"picture": make(n)}, {"picture": jpeg(n)}])


def _of_images(images: object) -> Callable[[int], bytes]:
    return lambda n: record(n, images)


def _with(**fields: Any) -> Callable[[int], bytes]:
    return lambda n: record(n, [{"picture": jpeg(n)}], **fields)


def _of_id(value: object) -> Callable[[int], bytes]:
    return lambda n: record(value, [{"picture": jpeg(n)}])


def _in_json(*images: object) -> Callable[[int], bytes]:
    return lambda n: line(id=n, images=images)


def _named_beside_a_good_one(image: object) -> Callable[[int], bytes]:
    return lambda n: line(id=n, images=[image, {"path": f"{n}.jpg"}])


def _page(n: int) -> bytes:
    return f"<!doctype html><title>404: {n}.jpg is not here</title>".encode()


CASES: Final[Sequence[Case]] = (
    # records that cannot be followed
    Case("last record cut off", "bson", "torn_record", "left out",
         lambda n: good("bson", n)[:-20], last=True),
    Case("length 0", "bson", "bad_length", "left out", _with_length(0)),
    Case("negative length", "bson", "bad_length", "left out", _with_length(-7)),
    Case("length beyond the end of the file", "bson", "torn_record", "left out",
         _with_length(16_000_000)),
    Case("length beyond 16 MB", "bson", "bad_length", "left out", _with_length(17_000_000)),
    Case("length too short", "bson", "bad_end", "left out", _with_length(40)),
    Case("record of 17 MB", "bson", "bad_length", "left out",
         lambda n: record(n, [{"picture": bytes(17_000_000)}])),
    Case("garbage between records", "bson", "bad_length", "left out", lambda _: b"\xfa garbage " * 9),
    Case("damage within a record", "bson", "unreadable", "left out",
         lambda n: good("bson", n).replace(b"\x04imgs", b"\x7fimgs")),
    # records that are no products
    Case("no `_id`", "bson", "wrong_type", "left out",
         lambda n: bson.encode({"imgs": [{"picture": jpeg(n)}]})),
    Case("`_id` of a wrong type", "bson", "wrong_type", "left out", _of_id([1, 2])),
    Case("`_id` that is no id", "bson", "bad_product_id", "left out", _of_id("shoes/red")),
    Case("`category_id` of a wrong type", "bson", "wrong_type", "left out", _with(category_id="lamps")),
    Case("no `imgs`", "bson", "missing_imgs", "left out", lambda n: bson.encode({"_id": n})),
    Case("`imgs` of a wrong type", "bson", "wrong_type", "left out", _of_images(5)),
    Case("empty `imgs`", "bson", "picture_count", "left out", _of_images([])),
    Case("`picture` of a wrong type", "bson", "wrong_type", "left out",
         _of_images([{"picture": "mug.jpg"}])),
    Case("more than 16 pictures", "bson", "picture_count", "left out",
         lambda n: record(n, [{"picture": jpeg(n)}] * (MAX_IMAGES + 1))),
    Case("attribute of a wrong type", "bson", "wrong_type", "left out", _with(title=["a", "list"])),
    # pictures that are none
    Case("empty picture", "bson", "missing_picture", "left out", _of_picture(lambda _: b"")),
    Case("empty picture beside a good one", "bson", "missing_picture", "kept without it",
         _beside_a_good_one(lambda _: b"")),
    Case("HTML instead of a picture", "bson", "unsupported_media_type", "rejected", _of_picture(_page)),
    Case("HTML beside a good picture", "bson", "unsupported_media_type", "kept without it",
         _beside_a_good_one(_page)),
    Case("GIF", "bson", "unsupported_media_type", "rejected",
         _of_picture(lambda n: pictures.animated(n, ".gif"))),
    Case("JPEG cut off", "bson", "undecodable_image", "rejected", _of_picture(lambda n: jpeg(n)[:-200])),
    Case("JPEG cut off beside a good one", "bson", "undecodable_image", "kept without it",
         _beside_a_good_one(lambda n: jpeg(n + 50)[:-200])),
    Case("PNG of 60,000 by 60,000", "bson", "too_large", "rejected", _of_picture(pictures.monstrous_png)),
    Case("JPEG of 60,000 by 60,000", "bson", "too_large", "rejected", _of_picture(pictures.monstrous_jpeg)),
    # pictures that are only unusual
    Case("CMYK JPEG", "bson", None, "brought in", _of_picture(pictures.cmyk_jpeg)),
    Case("progressive JPEG", "bson", None, "brought in", _of_picture(pictures.progressive_jpeg)),
    Case("16-bit PNG", "bson", None, "brought in", _of_picture(pictures.deep_png)),
    Case("palette PNG", "bson", None, "brought in", _of_picture(pictures.palette_png)),
    Case("animated PNG", "bson", None, "brought in", _of_picture(lambda n: pictures.animated(n, ".png"))),
    Case("animated WebP", "bson", None, "brought in", _of_picture(lambda n: pictures.animated(n, ".webp"))),
    # lines of JSON
    Case("line that is no JSON", "jsonl", "not_json", "left out", lambda n: b'{"id": %d,\n' % n),
    Case("last line cut off", "jsonl", "not_json", "left out", lambda n: good("jsonl", n)[:-20], last=True),
    Case("line that is no object", "jsonl", "wrong_type", "left out", lambda n: b"[%d]\n" % n),
    Case("line that is not UTF-8", "jsonl", "not_utf8", "left out", lambda n: b'{"id": "caf\xe9%d"}\n' % n),
    Case("base64 that is none", "jsonl", "bad_base64", "left out", _in_json({"base64": "!!!"})),
    Case("price that says two things", "jsonl", "wrong_type", "left out",
         lambda n: line(id=n, price="1.299", images=[{"path": f"{n}.jpg"}])),
    # pictures that lie elsewhere
    Case("picture whose file is missing", "jsonl", "missing_picture", "left out",
         _in_json({"path": "nothing.jpg"})),
    Case("missing file beside a good picture", "jsonl", "missing_picture", "kept without it",
         _named_beside_a_good_one({"path": "nothing.jpg"})),
    Case("picture outside the open folders", "jsonl", "missing_picture", "left out",
         _in_json({"path": "../secret.jpg"})),
    Case("link that leads outside", "jsonl", "missing_picture", "left out", _in_json({"path": "link.jpg"})),
    Case("picture that is a folder", "jsonl", "missing_picture", "left out", _in_json({"path": "."})),
    Case("upload that is not there", "jsonl", "missing_picture", "left out",
         _in_json({"upload_id": "upl_none"})),
    Case("URL that may not be fetched", "jsonl", "missing_picture", "left out",
         _in_json({"url": "https://pictures.invalid/1.jpg"})),
    # rows of CSV
    Case("row with too few cells", "csv", "cell_count", "left out", lambda n: b"%d,Short\n" % n),
    Case("row with another delimiter", "csv", "cell_count", "left out",
         lambda n: b"%d;Semicolons;%d.jpg\n" % (n, n)),
    Case("quote within a quoted cell", "csv", "bad_row", "left out",
         lambda n: b'%d,"A "fine" mug",%d.jpg\n' % (n, n)),
    Case("row whose file is missing", "csv", "missing_picture", "left out",
         lambda n: b"%d,Gone,nothing.jpg\n" % n),
    Case("row that is not UTF-8", "csv", None, "brought in", lambda n: b"%d,Caf\xe9,%d.jpg\n" % (n, n)),
)  # fmt: skip
