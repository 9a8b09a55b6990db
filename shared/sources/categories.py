"""The names of categories, as Cdiscount's `category_names.csv` gives them."""

import csv
import io
from collections.abc import Iterable, Mapping

from shared.errors import Invalid, Malformed

CATEGORY_COLUMNS = ("category_id", "category_level1", "category_level2", "category_level3")


def categories(csv_text: str) -> Mapping[int, tuple[str, ...]]:
    """The path of each category, as `category_names.csv` has it; empty levels are left out."""
    reader = csv.DictReader(io.StringIO(csv_text.removeprefix("\ufeff")))
    try:
        _check_columns(reader.fieldnames or ())
        return dict(_category(reader.line_num, row) for row in reader)
    except csv.Error as error:
        raise Malformed(
            f"The category file cannot be read at line {reader.line_num}: {error}."
        ) from error


def _check_columns(columns: Iterable[str]) -> None:
    missing = [column for column in CATEGORY_COLUMNS if column not in columns]
    if missing:
        raise Malformed(
            f"The category file lacks the columns {', '.join(missing)}; its first line must name "
            f"{', '.join(CATEGORY_COLUMNS)} and names {', '.join(columns) or 'nothing'}."
        )


def _category(line: int, row: Mapping[str, str | None]) -> tuple[int, tuple[str, ...]]:
    number, *levels = ((row[column] or "").strip() for column in CATEGORY_COLUMNS)
    try:
        return int(number), tuple(level for level in levels if level)
    except ValueError as error:
        raise Invalid(
            f"Line {line} of the category file has {number!r} as category_id, "
            "which must be a whole number."
        ) from error
