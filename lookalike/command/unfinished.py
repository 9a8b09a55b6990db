"""Long uploads that were begun and not imported yet, remembered from one run of the command to the next."""

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_KEPT_S: Final = 24 * 3_600.0
"""As long as a server keeps what nobody adds to."""


def usual_file() -> Path:
    """Under the user's cache folder (XDG_CACHE_HOME)."""
    said = os.environ.get("XDG_CACHE_HOME", "")
    folder = Path(said) if Path(said).is_absolute() else Path.home() / ".cache"
    return folder / "lookalike" / "uploads.json"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A convenience: what cannot be read or written of it is forgotten without a word."""

    server: str
    file: Path = field(default_factory=usual_file)

    def find(self, source: Path) -> str | None:
        """The upload of this file, if it is as it was."""
        upload_id = self._entries().get(self._name(source), {}).get("upload_id")
        return upload_id if isinstance(upload_id, str) else None

    def remember(self, source: Path, upload_id: str) -> None:
        entry = {"upload_id": upload_id, "at": time.time()}
        self._write({**self._entries(), self._name(source): entry})

    def forget(self, source: Path) -> None:
        entries = dict(self._entries())
        if entries.pop(self._name(source), None) is not None:
            self._write(entries)

    def _name(self, source: Path) -> str:
        known = source.stat()
        return f"{self.server} {source.resolve()} {known.st_size} {known.st_mtime_ns}"

    def _entries(self) -> Mapping[str, Mapping[str, Any]]:
        try:
            found = json.loads(self.file.read_text(encoding="utf-8"))
            young = time.time() - _KEPT_S
            return {name: entry for name, entry in found.items() if entry["at"] > young}
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}

    def _write(self, entries: Mapping[str, Mapping[str, Any]]) -> None:
        begun = self.file.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            begun.write_text(json.dumps(entries, indent=1), encoding="utf-8")
            begun.replace(self.file)
