"""Pictures as documents: an image is its SHA-256, embedded once however many products show it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_PICTURE_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 40_000_000
MAX_SIDE = 12_000
THUMBNAIL_SIDE = 256
MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp")
MAX_ATTEMPTS = 5
"""After so many claims without an end a picture is given up: it kills what decodes it."""


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of a picture, in fractions of its sides after orientation."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where bytes lie: a range of a blob. `length` is the picture's, not the blob's."""

    blob: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an image is for one fingerprint.

    `unannounced`: a vector or a final error is stored, but not every product that shows the image
    was bumped yet.
    """

    attempts: int = 0
    lease_until: int = 0
    error: str | None = None
    """Final: a code and a sentence, `code: sentence`."""
    unannounced: bool = False


@dataclass(frozen=True, slots=True)
class Image:
    """A stored picture. `vectors` are little-endian float16, by model fingerprint."""

    tenant: str
    sha256: str
    place: Place
    media_type: str
    width: int
    height: int
    touched: int
    doomed: int | None = None
    phash: str | None = None
    thumbnail: Place | None = None
    vectors: Mapping[str, bytes] = field(default_factory=dict)
    state: Mapping[str, Progress] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to embed one image for one fingerprint until `lease_until`."""

    tenant: str
    sha256: str
    fingerprint: str
    place: Place
    attempts: int
    """How many claims came before this one."""
    unannounced: bool
    """Its vector is there: only the bump of its products is left to do."""
