"""The items of the lists in one large JSON object, a window of the file at a time."""

import codecs
import json
import re
from collections.abc import Container, Iterator
from typing import Any, Final

from services.embedder.staging.documents import Ranged
from shared.errors import Invalid

_BLOCK_BYTES: Final = 256 * 1024
_MAX_VALUE: Final = 4 * 1024 * 1024
"""Characters of one value that is no list of the object; a longer one is taken for damage."""
_NUMBER_GOES_ON: Final = len("e+")
_SPACE: Final = re.compile(r"[ \t\r\n]*")


def items(source: Ranged, names: Container[str]) -> Iterator[tuple[str, int, Any]]:
    """(name of its list, byte offset, item) of the lists so named, in the order of the file.

    Raises `Invalid` with the byte offset from where on the file is no JSON object.
    """
    window = _Window(source)
    window.at("\ufeff")
    window.expect("{")
    for _ in window.separated("}"):
        name = window.value()
        if not isinstance(name, str):
            raise window.flaw("a name in quotes should stand before this place")
        window.expect(":")
        if not window.at("["):
            window.value()
            continue
        for offset in window.separated("]"):
            item = window.value()
            if name in names:
                yield name, offset, item
    if not window.ended():
        raise window.flaw("the object has ended, and something follows")


class _Window:
    """The text of a file from some place on, read ahead as values need it."""

    def __init__(self, source: Ranged) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._parse = json.JSONDecoder().raw_decode
        self._read_to = 0
        self._text = ""
        self._place = 0
        self._counted = (0, 0)
        """A place in the text at or before the current one, and its byte in the file."""

    @property
    def offset(self) -> int:
        """The byte where the next sign stands."""
        place, byte = self._counted
        self._counted = (self._place, byte + len(self._text[place : self._place].encode()))
        return self._counted[1]

    def at(self, sign: str) -> bool:
        """Whether this sign comes next, which is stepped over then."""
        self._skip_space()
        found = self._text.startswith(sign, self._place)
        self._place += len(sign) if found else 0
        return found

    def expect(self, sign: str) -> None:
        if not self.at(sign):
            raise self.flaw(f"{sign!r} should stand here")

    def ended(self) -> bool:
        self._skip_space()
        return self._place == len(self._text)

    def separated(self, closing: str) -> Iterator[int]:
        """The byte of each value up to the closing sign; whoever is told it reads the value."""
        if self.at(closing):
            return
        while True:
            self._skip_space()
            yield self.offset
            if self.at(closing):
                return
            self.expect(",")

    def value(self) -> Any:
        """The value that comes next, whole."""
        self._skip_space()
        while True:
            try:
                value, end = self._parse(self._text, self._place)
            except (ValueError, RecursionError) as error:
                if not self._read_on():
                    raise self._damage(error) from error
                continue
            # A number may go on in what has not been read: `1` of `1e+9`, for one.
            if end + _NUMBER_GOES_ON < len(self._text) or not self._read_on():
                self._place = end
                return value

    def flaw(self, what: str) -> Invalid:
        if self.ended():
            what = "the file ends too early"
        return Invalid(f"The JSON is damaged at byte {self.offset:,}: {what}. Copy the file again.")

    def _damage(self, error: Exception) -> Invalid:
        if isinstance(error, json.JSONDecodeError):
            self._place = error.pos
            return self.flaw(error.msg)
        return self.flaw("this value is nested too deep, or has too many digits")

    def _skip_space(self) -> None:
        while True:
            match = _SPACE.match(self._text, self._place)
            self._place = match.end() if match else self._place
            if self._place < len(self._text) or not self._read_on():
                return

    def _read_on(self) -> bool:
        """Another block, or more where the value is long; false where there is none, or too much."""
        pending = len(self._text) - self._place
        if self._read_to >= self._source.size or pending > _MAX_VALUE:
            return False
        data = self._source.whole(self._read_to, max(_BLOCK_BYTES, pending))
        byte = self.offset
        self._text = self._text[self._place :] + self._decoded(data)
        self._place, self._counted = 0, (0, byte)
        self._read_to = self._read_to + len(data) if data else self._source.size
        return True

    def _decoded(self, data: bytes) -> str:
        kept = len(self._decoder.getstate()[0])
        is_last = not data or self._read_to + len(data) >= self._source.size
        try:
            return self._decoder.decode(data, is_last)
        except UnicodeDecodeError as error:
            raise Invalid(
                f"The JSON is no UTF-8 at byte {self._read_to - kept + error.start:,}: "
                f"{error.reason}. Save the file as UTF-8."
            ) from error
