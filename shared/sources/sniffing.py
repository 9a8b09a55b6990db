"""How a CSV file is written, found from its beginning: encoding, delimiter, quotes, header.

Every pair of delimiter and quote reads the first rows; the pair with which most of them have the
header's number of cells, and those are many, is taken.
"""

import codecs
import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from shared.errors import Flaw, Invalid
from shared.sources.csv import Csv
from shared.sources.records import BadRecord, slices

HEAD_BYTES: Final = 1024 * 1024
_DELIMITERS: Final = ",;\t|"
_QUOTES: Final = "\"'"
_SAMPLE_BYTES: Final = 64 * 1024
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def sniff(head: bytes) -> dict[str, Any]:
    """A dialect that can be kept as JSON, for `Csv.of`; `header_end` is where data begins.

    Raises `Invalid` where there is no header that names each column once.
    """
    encoding, mark = _encoding(head)
    # A file of old Macs ends its lines with a carriage return alone.
    newline = "\n" if "\n".encode(encoding) in head or "\r".encode(encoding) not in head else "\r"
    guesses = [
        Csv(encoding, delimiter, quote, newline, (), mark)
        for quote in _QUOTES
        for delimiter in _DELIMITERS
        if quote == _QUOTES[0] or _begins_cells(quote, delimiter, head, encoding)
    ]
    best = max(guesses, key=lambda guess: _score(guess, head[:_SAMPLE_BYTES]))
    first = next(_rows(best, head), None)
    if first is None or first[1] == HEAD_BYTES:
        raise _no_header("The file has no header: a first row that names its columns.")
    start, end = first
    return {
        "encoding": encoding,
        "delimiter": best.delimiter,
        "quotechar": best.quotechar,
        "newline": newline,
        "header": _names(best, head[start:end]),
        "header_end": end,
    }


def _begins_cells(quote: str, delimiter: str, head: bytes, encoding: str) -> bool:
    """Else it is an apostrophe, and would only seem to read rows that the other quote cannot."""
    before = (delimiter, "\n", "\r")
    return any((one + quote).encode(encoding) in head for one in before) or head.startswith(
        quote.encode(encoding)
    )


def _encoding(head: bytes) -> tuple[str, int]:
    """With the length of the mark that says so, if there is one."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    for zeros, encoding in ((head[1::2], "utf-16-le"), (head[::2], "utf-16-be")):
        if zeros.count(0) * 4 > len(zeros) * 3:
            return encoding, 0
    # The head may end within a character.
    whole = len(head) < HEAD_BYTES
    for encoding in ("utf-8", "cp1252"):
        try:
            codecs.getincrementaldecoder(encoding)().decode(head, whole)
        except UnicodeDecodeError:
            continue
        return encoding, 0
    return "latin-1", 0


def _rows(guess: Csv, head: bytes) -> Iterator[tuple[int, int]]:
    for stretch in guess.rows(slices(head, 0), len(head), guess.start):
        if not isinstance(stretch, BadRecord):
            start, ends = stretch
            yield from pairwise([start, *ends])


def _score(guess: Csv, sample: bytes) -> float:
    """The share of rows as wide as the header, times the number of cuts that make it so wide."""
    widths = [_width(guess, sample[start:end]) for start, end in _rows(guess, sample)]
    # The sample may end within the last row.
    widths = widths[:-1] if len(widths) > 1 else widths
    if not widths or not widths[0]:
        return 0
    return Counter(widths)[widths[0]] / len(widths) * (widths[0] - 1)


def _width(guess: Csv, row: bytes) -> int:
    try:
        return len(guess.cells(row))
    except (UnicodeDecodeError, csv.Error):
        return 0


def _names(dialect: Csv, row: bytes) -> Sequence[str]:
    try:
        names = dialect.cells(row)
    except (UnicodeDecodeError, csv.Error) as error:
        raise _no_header(
            f"The first row, which names the columns, cannot be read: {error}."
        ) from error
    if not all(name.isprintable() for name in names):
        raise _no_header("The first row holds characters that no text has; is this a CSV file?")
    if "" in names:
        raise _no_header(f"Column {names.index('') + 1} has no name in the first row.")
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise _no_header(f"{times} columns have the name {name!r}; give each its own.")
    return names


def _no_header(detail: str) -> Invalid:
    return Invalid(detail, code="bad_header", flaws=(Flaw("/source", "bad_header", detail),))
