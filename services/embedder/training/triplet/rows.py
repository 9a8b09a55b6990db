"""Triplets that somebody wrote: a CSV of query, positive and negative, its bad rows told and left out."""

import csv
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.errors import Invalid

Ints = NDArray[np.int64]
ROLES: Final = ("query", "positive", "negative")
FEWEST: Final = 8
"""Triplets; fewer teach nothing and leave none to judge by."""
_NAMED: Final = 5
"""Bad rows that an error names; a file of millions may be wrong throughout."""


@dataclass(frozen=True, slots=True)
class Row:
    """One triplet as it stands in the file, with its line, from 1."""

    line: int
    query: str
    positive: str
    negative: str

    @property
    def names(self) -> tuple[str, str, str]:
        return self.query, self.positive, self.negative


@dataclass(frozen=True, slots=True)
class Rows:
    """The good rows, and a sentence with its line for every bad one."""

    good: tuple[Row, ...]
    failures: tuple[str, ...]

    def numbered(self, numbers: dict[str, int]) -> Ints:
        """A line of three photos' numbers each."""
        told = [[numbers[name] for name in row.names] for row in self.good]
        return np.array(told, np.int64).reshape(-1, 3)


def read_triplets(path: Path) -> Rows:
    """Rows of a file; a header that names the three columns may put them in any order among others."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _sorted_out(_rows(path, file))
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.", code="bad_triplets") from error
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} is no text in UTF-8: {error}.", code="bad_triplets") from error


def in_folder(rows: Rows, folder: Path) -> Rows:
    """Rows whose three files lie in the folder, named by their paths below it."""
    root = folder.resolve()
    return _sorted_out([*rows.failures, *(_placed(row, root) for row in rows.good)])


def among(rows: Rows, known: Collection[str], what: str) -> Rows:
    """Rows whose three names are known; `what` says in a failure what they are no names of."""

    def checked(row: Row) -> Row | str:
        strange = [name for name in row.names if name not in known]
        return f"Line {row.line}: {strange[0]!r} is {what}." if strange else row

    return _sorted_out([*rows.failures, *map(checked, rows.good)])


def enough(rows: Rows) -> Rows:
    """The rows; raises `Invalid` with what was wrong where too few of them are left."""
    if len(rows.good) >= FEWEST:
        return rows
    more = len(rows.failures) - _NAMED
    wrong = [*rows.failures[:_NAMED], *([f"So it goes on, {more:,} times."] if more > 0 else [])]
    raise Invalid(
        f"{len(rows.good)} triplets of {len(rows.good) + len(rows.failures):,} can be used, and it "
        f"takes {FEWEST} at least. {' '.join(wrong)}".strip(),
        code="too_few_triplets",
    )


def _rows(path: Path, file: Iterable[str]) -> Iterator[Row | str]:
    places, width = (0, 1, 2), len(ROLES)
    for begun, ended, cells in _lines(path, file):
        stripped = [cell.strip() for cell in cells]
        lowered = [cell.lower() for cell in stripped]
        if begun == 1 and set(ROLES) <= set(lowered):
            places = (lowered.index("query"), lowered.index("positive"), lowered.index("negative"))
            width = len(cells)
        elif any(stripped):
            row = _row(begun, stripped, places, width)
            # Other columns may hold whole paragraphs; none of these three does.
            torn = isinstance(row, str) or any("\n" in name for name in row.names)
            yield _unclosed(begun, ended) if torn and ended > begun else row


def _lines(path: Path, file: Iterable[str]) -> Iterator[tuple[int, int, list[str]]]:
    """The cells of each row, with the first and the last line of it."""
    reader, ended = csv.reader(file), 0
    try:
        for cells in reader:
            begun, ended = ended + 1, reader.line_num
            yield begun, ended, cells
    except csv.Error as error:
        said = f"{path} is no CSV from line {ended + 1} on: {error}."
        raise Invalid(said, code="bad_triplets") from error


def _unclosed(begun: int, ended: int) -> str:
    return f"Lines {begun} to {ended}: a quotation mark was opened and not closed in its line."


def _row(line: int, cells: Sequence[str], places: tuple[int, int, int], width: int) -> Row | str:
    if len(cells) != width:
        columns = "1 column" if len(cells) == 1 else f"{len(cells)} columns"
        meant = f"{width} are meant, parted by commas: {', '.join(ROLES)}"
        return f"Line {line}: {columns} where {meant}."
    row = Row(line, *(cells[place] for place in places))
    empty = [role for role, name in zip(ROLES, row.names, strict=True) if not name]
    if empty:
        return f"Line {line}: no {empty[0]} is named."
    if row.query == row.positive:
        return f"Line {line}: query and positive are the same, {row.query!r}."
    if row.negative in (row.query, row.positive):
        return f"Line {line}: the negative is the query or the positive too, {row.negative!r}."
    return row


def _placed(row: Row, root: Path) -> Row | str:
    found: list[str] = []
    for name in row.names:
        try:
            path = (root / name).resolve()
            there = path.is_file()
        except (OSError, ValueError) as error:
            return f"Line {row.line}: {name[:80]!r} cannot be a file here: {error}."
        # Links were followed: a row names nothing outside the folder that it was given.
        if not path.is_relative_to(root):
            return f"Line {row.line}: {name!r} lies outside {root}."
        if not there:
            return f"Line {row.line}: there is no file {name!r} in {root}."
        found.append(str(path.relative_to(root)))
    if len(set(found)) < len(found):
        return f"Line {row.line}: two of its three names are one file."
    return Row(row.line, *found)


def _sorted_out(found: Iterable[Row | str]) -> Rows:
    good: list[Row] = []
    failures: list[str] = []
    for one in found:
        if isinstance(one, Row):
            good.append(one)
        else:
            failures.append(one)
    return Rows(tuple(good), tuple(failures))
