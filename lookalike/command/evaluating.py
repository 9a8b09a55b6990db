"""`lookalike evaluate`: the exam of a model over a folder, or of an index over its catalogue."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lookalike.command.faults import FAILED
from lookalike.command.models import folder_of, of_the_settings
from lookalike.command.output import PARTLY, Json, complain, say_json, say_table

if TYPE_CHECKING:
    from lookalike.command.examining import Examination
    from services.indexer.exam.exam import Exam

LIVE = "live"


class Products(StrEnum):
    """What says that pictures of a folder are of one product; the exam's `Layout`."""

    FOLDER = "folder"
    NAME = "name"
    PICTURE = "picture"


def evaluate(
    *,
    index: Annotated[str, typer.Option(help="An index, by id or alias.")] = LIVE,
    against: Annotated[
        str | None,
        typer.Option(help="Another index, `live` unless said; with --images, another model."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="The demo's folder; without it, the catalogue that the settings name."),
    ] = None,
    tenant: Annotated[str, typer.Option(help="Whose indexes.")] = "default",
    images: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="A folder by category, and no index."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="With --images: see `lookalike model list`, or a folder.")
    ] = None,
    products: Annotated[
        Products | None,
        typer.Option(help="With --images: what says that pictures are of one product."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(file_okay=False, help="Write report.json and report.html here.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Draw what some photos find, as one page.")
    ] = None,
    questions: Annotated[int, typer.Option(min=1, max=500, help="Rows of the --sheet.")] = 20,
    as_json: Json = False,
) -> None:
    """How well a shop's own photos find each other; exit 0 passed, 1 failed, 3 nothing to judge by."""
    if images is None and (model is not None or products is not None):
        raise typer.BadParameter("--model and --products belong to --images DIR.")
    if images is not None and index != LIVE:
        raise typer.BadParameter("Name --images or an index, one of them.")
    if images is not None:
        named = [name for name in (model or of_the_settings(), against) if name is not None]
        folders = [(name, folder_of(name, data, tenant)) for name in named]
        made = _over_folder(images, folders, products)
    else:
        made = _over_catalogue(data, tenant, index, against or LIVE)
    with made as held:
        for line in held.unreadable:
            complain(line)
        if report is not None:
            _write_report(held, report)
        if sheet is not None:
            _write_sheet(held, sheet, questions)
    _say(held.exam, report, sheet, as_json=as_json)
    passed = held.exam.verdict.passed
    if passed is False:
        raise typer.Exit(FAILED)
    if held.unreadable or (passed is None and sheet is None):
        raise typer.Exit(PARTLY)


def _over_folder(
    images: Path, models: Sequence[tuple[str, Path]], products: Products | None
) -> AbstractContextManager["Examination"]:
    from lookalike.command.examining import over_folder  # noqa: PLC0415 - loads numpy and OpenCV

    return over_folder(images, models, products.value if products else None)


def _over_catalogue(
    data: Path | None, tenant: str, index: str, against: str
) -> AbstractContextManager["Examination"]:
    from lookalike.command.examining import over_catalogue  # noqa: PLC0415 - loads numpy and OpenCV

    return over_catalogue(data, tenant, index, against)


def _write_report(held: "Examination", folder: Path) -> None:
    """The page is written last, so that one that is there is whole."""
    from services.indexer.exam.report import names_of, report  # noqa: PLC0415 - loads numpy
    from services.indexer.exam.sheets import sheets  # noqa: PLC0415

    shown = sheets(held.exam)
    page = report(held.exam, shown, held.pictures(names_of(held.exam.photos, shown)))
    folder.mkdir(parents=True, exist_ok=True)
    told = json.dumps(_told(held.exam), indent=2, ensure_ascii=False)
    _write(folder / "report.json", told + "\n")
    _write(folder / "report.html", page)


def _write_sheet(held: "Examination", file: Path, questions: int) -> None:
    from services.indexer.exam.report import names_of, sheet_page  # noqa: PLC0415 - loads numpy
    from services.indexer.exam.sheets import some  # noqa: PLC0415

    drawn = some(held.exam, questions)
    _write(file, sheet_page(held.exam, drawn, held.pictures(names_of(held.exam.photos, [drawn]))))


def _write(file: Path, text: str) -> None:
    half_written = file.with_name(file.name + ".part")
    half_written.write_text(text, encoding="utf-8")
    half_written.replace(file)


def _told(exam: "Exam") -> Mapping[str, Any]:
    return {
        "index": exam.mine.name,
        "against": exam.other.name if exam.other else None,
        "passed": exam.verdict.passed,
        "reasons": list(exam.verdict.reasons),
        "notes": list(exam.notes),
        "photos": len(exam.photos),
        "products": len(exam.photos.products),
        "categories": len(exam.photos.categories),
        "asked": len(exam.questions.asked),
        "figures": exam.told(),
    }


def _say(exam: "Exam", report: Path | None, sheet: Path | None, *, as_json: bool) -> None:
    written = {"report": report and str(report / "report.html"), "sheet": sheet and str(sheet)}
    if as_json:
        say_json({**_told(exam), **written})
        return
    sides = [exam.mine.name, *([exam.other.name, "difference"] if exam.other else [])]
    say_table(("", *sides, "questions"), _rows(exam.told()))
    for sentence in (*exam.verdict.reasons, *exam.notes):
        typer.echo(sentence)
    if exam.verdict.passed is not None:
        typer.echo("Passed." if exam.verdict.passed else "Failed.")
    for file in filter(None, written.values()):
        typer.echo(f"{file} is written.")


def _rows(figures: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """By the default blend, in per cent; then times and size where there are any."""
    sides = [figures[side] for side in ("index", "against") if figures.get(side)]
    apart = figures.get("difference", {}).get("blend", {})
    for name, told in sides[0].get("blend", {}).items():
        cells = [_per_cent(side["blend"][name]) for side in sides]
        cells += [_per_cent(apart[name], "+.1f")] if name in apart else []
        yield (name, *cells, str(told["questions"]))
    for name in ("p50_ms", "p99_ms", "recall_at_10", "size_bytes", "bytes_per_product"):
        if "pace" in sides[0]:
            yield (
                name,
                *(f"{side['pace'][name]:.10g}" if "pace" in side else "" for side in sides),
            )


def _per_cent(told: Mapping[str, float], spelled: str = ".1f") -> str:
    return f"{100 * told['value']:{spelled}} ± {100 * told['error']:.1f}"
