"""An exam as one HTML page that needs no other file: figures, reasons, and what was found for whom."""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import chain
from pathlib import Path
from string import Template
from typing import Final

from services.indexer.exam.exam import Exam
from services.indexer.exam.photos import Photos
from services.indexer.exam.sheets import Neighbour, Row, Sheet
from services.indexer.exam.tables import tables

Pictures = Mapping[str, bytes]
"""By photo's name; what is not there is shown as missing."""

_FRAME: Final = Path(__file__).with_name("page.html")
_VERDICTS: Final[Mapping[bool | None, tuple[str, str]]] = {
    True: ("passed", "Passed"),
    False: ("failed", "Failed"),
    None: ("open", "Nothing to judge by"),
}


def names_of(photos: Photos, sheets: Iterable[Sheet]) -> list[str]:
    """The photos whose pictures a page of these sheets shows, each once."""
    shown = {photo for sheet in sheets for row in sheet.rows for photo in _shown(row)}
    return [photos.names[photo] for photo in sorted(shown)]


def report(exam: Exam, sheets: Sequence[Sheet], pictures: Pictures) -> str:
    """The verdict first, then figures, then sheets."""
    names = f"{exam.mine.name} against {exam.other.name}" if exam.other else exam.mine.name
    parts = (_verdict(exam), *tables(exam), _sentences("Left out", exam.notes))
    return _page(exam, f"Exam of {names}", parts, sheets, pictures)


def sheet_page(exam: Exam, sheet: Sheet, pictures: Pictures) -> str:
    """Pictures alone."""
    return _page(exam, f"What {exam.mine.name} finds alike", (), [sheet], pictures)


def _page(
    exam: Exam, title: str, parts: Iterable[str], sheets: Sequence[Sheet], pictures: Pictures
) -> str:
    body = chain([_head(title, exam)], parts, _sheets(exam, sheets, pictures))
    shown = [photo for photo, name in enumerate(exam.photos.names) if name in pictures]
    rules = (f".p{photo}{{{_painted(pictures[exam.photos.names[photo]])}}}" for photo in shown)
    frame = Template(_FRAME.read_text(encoding="utf-8"))
    return frame.substitute(title=escape(title), pictures="\n".join(rules), body="\n".join(body))


def _head(title: str, exam: Exam) -> str:
    photos = exam.photos
    said = (
        f"{len(photos):,} photos of {len(photos.products):,} products in "
        f"{len(photos.categories):,} categories; {len(exam.questions.asked):,} photos asked."
    )
    models = "".join(f"<p>{escape(one)}</p>" for one in _models(exam))
    return f'<header><h1>{escape(title)}</h1><p class="soft">{said}</p>{models}</header>'


def _models(exam: Exam) -> Iterator[str]:
    """Whose vectors an index has; a model's own name says it already."""
    for side in (exam.mine, exam.other):
        if side is not None and side.model != side.name:
            yield f"{side.name} has the vectors of {side.model}."


def _verdict(exam: Exam) -> str:
    kind, said = _VERDICTS[exam.verdict.passed]
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in exam.verdict.reasons)
    listed = f"<ul>{reasons}</ul>" if reasons else ""
    return f'<section class="verdict {kind}"><strong>{said}</strong>{listed}</section>'


def _sentences(title: str, sentences: Sequence[str]) -> str:
    if not sentences:
        return ""
    return f"<h2>{title}</h2>" + "".join(f"<p>{escape(one)}</p>" for one in sentences)


def _sheets(exam: Exam, sheets: Sequence[Sheet], pictures: Pictures) -> Iterator[str]:
    if sheets:
        yield (
            '<p class="key" style="margin-top: 44px">'
            '<span class="product"><i class="photo"></i>another photo of the same product</span>'
            '<span class="category"><i class="photo"></i>a product of the same category</span>'
            "<span>of 100: how well what was asked of this photo was answered</span></p>"
        )
    for sheet in sheets:
        yield f"<h2>{escape(sheet.title)}</h2>"
        yield from (_row(exam, row, pictures) for row in sheet.rows)
        if not sheet.rows:
            yield '<p class="soft">None.</p>'


def _row(exam: Exam, row: Row, pictures: Pictures) -> str:
    photos = exam.photos
    title = (
        photos.titles[photos.product_of[row.photo]] or photos.products[photos.product_of[row.photo]]
    )
    asked = (
        f'<div class="asked">{_photo(exam, row.photo, pictures)}<p>{escape(title)}<br>'
        f"<small>{escape(photos.category(row.photo))}</small></p></div>"
    )
    strips = [_strip(exam, exam.mine.name, row.mark, row.near, pictures)]
    if exam.other is not None:
        strips.append(_strip(exam, exam.other.name, row.other_mark, row.other, pictures))
    return f'<article class="row">{asked}<div class="strips">{"".join(strips)}</div></article>'


def _strip(
    exam: Exam, name: str, mark: float | None, near: Sequence[Neighbour], pictures: Pictures
) -> str:
    said = "" if mark is None else f" · {100 * mark:.0f} of 100"
    tiles = "".join(
        f'<li class="{one.right}">{_photo(exam, one.photo, pictures)}{one.similarity:.2f}</li>'
        for one in near
    )
    return f'<p class="by">{escape(name)}{said}</p><ol class="strip">{tiles}</ol>'


def _photo(exam: Exam, photo: int, pictures: Pictures) -> str:
    photos = exam.photos
    product = photos.product_of[photo]
    title = photos.titles[product] or photos.products[product]
    said = escape(" · ".join(filter(None, (title, photos.category(photo)))), quote=True)
    kind = f"p{photo}" if photos.names[photo] in pictures else "missing"
    return f'<span class="photo {kind}" role="img" aria-label="{said}" title="{said}"></span>'


def _shown(row: Row) -> Iterator[int]:
    yield row.photo
    yield from (one.photo for one in (*row.near, *row.other))


def _painted(picture: bytes) -> str:
    data = base64.b64encode(picture).decode()
    return f'background-image:url("data:{_media_type(picture)};base64,{data}")'


def _media_type(picture: bytes) -> str:
    if picture.startswith(b"\x89PNG"):
        return "image/png"
    return "image/webp" if picture[8:12] == b"WEBP" else "image/jpeg"
