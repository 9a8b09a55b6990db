"""Which categories a classifier takes for which: a matrix and its worst mistakes, in one HTML file.

It shows photos of the shop, so it lies beside the model's folder and never in it.
"""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import cv2
import simplejpeg

from services.embedder.training.pictures import Photo, pixels_of

SHOWN: Final = 40
"""Categories in the matrix: those with most mistakes, where there are more."""
_PAIRS: Final = 12
_EXAMPLES: Final = 4
_SIDE: Final = 112

_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{name}: what is taken for what</title>
<style>
body {{ font: 14px/1.4 system-ui, sans-serif; margin: 2rem; color: #222; background: #fff }}
table {{ border-collapse: collapse; font-size: 12px }}
th {{ font-weight: 400; text-align: right; padding: 2px 6px; max-width: 14rem }}
thead th {{ writing-mode: vertical-rl; text-align: left; vertical-align: bottom }}
td {{ min-width: 2rem; text-align: center; padding: 2px; border: 1px solid #eee }}
section {{ display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: .5rem 0 }}
section p {{ width: 22rem; margin: 0 }}
img {{ width: {side}px; height: {side}px; object-fit: contain; background: #f4f4f4 }}
</style>
<h1>{name}: what is taken for what</h1>
<p>{right:,} of {count:,} photos of held-out products are put into their category.{left_out}</p>
<table>
<thead><tr><th></th>{heads}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
<p>A line for each category, a column for what its photos are taken for.</p>
<h2>Most often</h2>
{pairs}
</html>
"""


@dataclass(frozen=True, eq=False, slots=True)
class Guess:
    """A held-out photo, and the category that the classifier puts it into."""

    photo: Photo
    category: str


def page(name: str, guesses: Sequence[Guess]) -> str:
    """The whole sheet, pictures inside; they are read again for it."""
    counts = Counter((guess.photo.category, guess.category) for guess in guesses)
    shown = _shown(counts)
    categories = len({name for pair in counts for name in pair})
    left_out = (
        f" {len(shown)} of {categories} categories are shown." if len(shown) < categories else ""
    )
    return _PAGE.format(
        name=escape(name),
        side=_SIDE,
        right=sum(count for (true, taken), count in counts.items() if true == taken),
        count=len(guesses),
        left_out=left_out,
        heads="".join(f"<th>{escape(one)}</th>" for one in shown),
        rows="\n".join(_row(one, shown, counts) for one in shown),
        pairs="\n".join(_pair(*pair, guesses) for pair in _worst(counts)) or "<p>Nothing.</p>",
    )


def _shown(counts: Mapping[tuple[str, str], int]) -> list[str]:
    wrong: Counter[str] = Counter()
    for (true, taken), count in counts.items():
        wrong[true] += count * (true != taken)
        wrong[taken] += count * (true != taken)
    return sorted(one for one, _ in wrong.most_common(SHOWN))


def _row(true: str, shown: Sequence[str], counts: Mapping[tuple[str, str], int]) -> str:
    total = sum(count for (one, _), count in counts.items() if one == true)
    cells = "".join(_cell(counts.get((true, one), 0), total, right=one == true) for one in shown)
    return f"<tr><th>{escape(true)}</th>{cells}</tr>"


def _cell(count: int, total: int, *, right: bool) -> str:
    if not count:
        return "<td></td>"
    hue, share = (140 if right else 10), count / total
    light = 96 - 46 * share
    return f'<td style="background:hsl({hue} 60% {light:.0f}%)" title="{share:.0%}">{count}</td>'


def _worst(counts: Mapping[tuple[str, str], int]) -> list[tuple[str, str]]:
    wrong = Counter({pair: count for pair, count in counts.items() if pair[0] != pair[1]})
    return [pair for pair, _ in wrong.most_common(_PAIRS)]


def _pair(true: str, taken: str, guesses: Sequence[Guess]) -> str:
    those = [one.photo for one in guesses if (one.photo.category, one.category) == (true, taken)]
    images = "".join(_image(photo) for photo in those[:_EXAMPLES])
    said = f"<b>{escape(true)}</b> taken for <b>{escape(taken)}</b>: {len(those):,}"
    return f"<section><p>{said}</p>{images}</section>"


def _image(photo: Photo) -> str:
    pixels = pixels_of(photo)
    if isinstance(pixels, str):
        return ""
    scale = _SIDE / max(pixels.shape[:2])
    size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    data = base64.b64encode(simplejpeg.encode_jpeg(small, quality=80)).decode()
    return f'<img alt="{escape(photo.name)}" src="data:image/jpeg;base64,{data}">'
