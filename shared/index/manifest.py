"""Which segments a shard consists of at one generation; immutable, like the files it names."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from shared.index.damage import DamagedSegment
from shared.spaces import Space, Spaces

FORMAT = 1
FileKind = Literal["arrow", "codes", "annoy"]


@dataclass(frozen=True, slots=True)
class FileRef:
    """One stored file of a segment, with what it has to measure."""

    kind: FileKind
    key: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SegmentRef:
    """A segment by name (a ULID). `graph`: its codes carry an HNSW graph. `build`: arguments."""

    name: str
    products: int
    rows: int
    files: tuple[FileRef, ...]
    graph: bool = False
    build: Mapping[str, Any] = field(default_factory=dict)

    def file(self, kind: FileKind) -> FileRef | None:
        return next((file for file in self.files if file.kind == kind), None)


@dataclass(frozen=True, slots=True)
class Manifest:
    """Segments in order of position: the later one wins among equal revisions."""

    index: str
    shard: int
    generation: int
    as_of: int
    spaces: Spaces
    declared: tuple[str, ...]
    segments: tuple[SegmentRef, ...]

    def to_json(self) -> bytes:
        return json.dumps({"format": FORMAT, **asdict(self)}, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Manifest":
        """Unknown formats and what is no manifest are refused."""
        try:
            body = json.loads(data)
            if body.pop("format") != FORMAT:
                raise DamagedSegment("The manifest has another format; upgrade, or rebuild.")
            return cls(
                **{
                    **body,
                    "spaces": spaces_from(body["spaces"]),
                    "declared": tuple(body["declared"]),
                    "segments": tuple(_segment(segment) for segment in body["segments"]),
                }
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DamagedSegment("The manifest cannot be read; rebuild the shard.") from error


def spaces_from(body: Mapping[str, Any]) -> Spaces:
    """Back from what `asdict` made of it."""
    return Spaces(body["fingerprint"], tuple(Space(**space) for space in body["spaces"]))


def _segment(body: Mapping[str, Any]) -> SegmentRef:
    return SegmentRef(**{**body, "files": tuple(FileRef(**file) for file in body["files"])})
