"""An exam's figures as tables of HTML: by the default blend, space by space, and the paces."""

from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Final

from services.indexer.exam.answers import Way
from services.indexer.exam.exam import Exam, Examined
from services.indexer.exam.figures import (
    FIGURES,
    SAID,
    Difference,
    Figure,
    FigureName,
    difference,
)
from services.indexer.exam.pace import Pace
from services.indexer.exam.verdict import FEW, LEAST, SURE


def _recall(pace: Pace) -> str:
    return f"{100 * pace.recall_at_10:.1f} %" if pace.accelerated else "no graph"


_PACES: Final[tuple[tuple[str, Callable[[Pace], str]], ...]] = (
    ("half of all searches take up to", lambda pace: f"{pace.p50_ms:.2f} ms"),
    ("99 of 100 searches take up to", lambda pace: f"{pace.p99_ms:.2f} ms"),
    ("of a scan's ten rows, found by graphs", _recall),
    ("products", lambda pace: f"{pace.products:,}"),
    ("rows", lambda pace: f"{pace.rows:,}"),
    ("size", lambda pace: f"{pace.size_bytes / 1e6:,.1f} MB"),
    ("size of a product", lambda pace: f"{pace.bytes_per_product:,.0f} B"),
)


def tables(exam: Exam) -> Iterator[str]:
    """Those that there is something for."""
    if any(exam.mine.figures.values()):
        yield "<h2>What searches find</h2>"
        yield _table(
            ["by the default blend", *_names(exam), *_compared(exam), "questions"], _main(exam)
        )
        yield f'<p class="soft">In per cent, ± one standard error. {_rule(exam)}</p>'
        yield "<h2>Space by space</h2>"
        ways = [way for way in exam.mine.figures if way != "blend"]
        yield _table(["", *ways], _by_space(exam, ways))
    if exam.mine.pace:
        yield "<h2>Pace and size</h2>"
        yield _table(["a search for ten", *_names(exam)], _paces(exam))


def _names(exam: Exam) -> list[str]:
    return [exam.mine.name, exam.other.name] if exam.other else [exam.mine.name]


def _compared(exam: Exam) -> list[str]:
    return ["difference"] if exam.other else []


def _rule(exam: Exam) -> str:
    if exam.other is None:
        return ""
    return (
        "The difference is taken question by question, and its error with it. It fails where it is "
        f"below \N{MINUS SIGN}{100 * LEAST:g} and by more than {SURE:g} errors; a figure over fewer than "
        f"{FEW} products, categories or photos judges nobody."
    )


def _main(exam: Exam) -> Iterator[Sequence[str]]:
    mine = exam.mine.figures["blend"]
    for name in FIGURES:
        if name in mine:
            sides = [_figure(mine[name])]
            if exam.other:
                other = exam.other.figures["blend"][name]
                sides += [_figure(other), _difference(difference(mine[name], other))]
            yield (SAID[name], *sides, f"{mine[name].questions:,}")


def _by_space(exam: Exam, ways: Sequence[Way]) -> Iterator[Sequence[str]]:
    for name in FIGURES:
        if name in exam.mine.figures["blend"]:
            yield (SAID[name], *(_in_space(exam, way, name) for way in ways))


def _in_space(exam: Exam, way: Way, name: FigureName) -> str:
    figure = exam.mine.figures[way][name]
    if exam.other is None or way not in exam.other.figures:
        return _figure(figure)
    apart = difference(figure, exam.other.figures[way][name])
    return f"{100 * figure.value:.1f} <small>{_difference(apart)}</small>"


def _paces(exam: Exam) -> Iterator[Sequence[str]]:
    sides: list[Examined] = [exam.mine, *([exam.other] if exam.other else [])]
    for said, spelled in _PACES:
        yield (said, *(spelled(side.pace) if side.pace else "" for side in sides))


def _figure(figure: Figure) -> str:
    return f"{100 * figure.value:.1f} <small>± {100 * figure.error:.1f}</small>"


def _difference(apart: Difference) -> str:
    """Coloured where chance does not explain it."""
    kind = ""
    if abs(apart.value) > SURE * apart.error:
        kind = "better" if apart.value > 0 else "worse" if apart.value < 0 else ""
    text = f"{100 * apart.value:+.1f}".replace("-", "\N{MINUS SIGN}")
    return f'<span class="{kind}">{text}</span> <small>± {100 * apart.error:.1f}</small>'


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    """Heads are text, cells are HTML."""
    heads = "".join(f'<th scope="col">{escape(one)}</th>' for one in head)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
        for first, *cells in rows
    )
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'
