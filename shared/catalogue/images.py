"""Named operations on image documents; each is one atomic update of one document."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.images import Claim, Image, Place


@dataclass(frozen=True, slots=True)
class ImageWrite:
    """An image whose bytes are stored at `place`; with `vectors`, it needs an announcement only."""

    tenant: str
    sha256: str
    place: Place
    media_type: str
    width: int
    height: int
    not_after: int
    phash: str | None = None
    thumbnail: Place | None = None
    vectors: tuple[tuple[str, bytes], ...] = ()
    """(fingerprint, float16 bytes)."""


@dataclass(frozen=True, slots=True)
class VectorWrite:
    """What embedding an image gave."""

    tenant: str
    sha256: str
    fingerprint: str
    vector: bytes
    phash: str | None = None
    thumbnail: Place | None = None


class Images(Protocol):
    """Rules that every adapter keeps: touch_tests, blob_key_once (a document there keeps its
    place), announce, verdict_guarded, sweep_untouched, write_deadline.
    """

    def touch(self, tenant: str, sha256s: Collection[str]) -> dict[str, Image]:
        """Those that there are, touched and no longer doomed: the touch itself tells."""
        ...

    def put(self, writes: Sequence[ImageWrite]) -> list[Image | None]:
        """Makes the document or touches the one that is there, whose place stays.

        Vectors that come along are stored and unannounced. None: too late.
        """
        ...

    def get(self, tenant: str, sha256s: Collection[str]) -> dict[str, Image]: ...

    def page(self, after: tuple[str, str] = ("", ""), limit: int = 500) -> list[Image]:
        """By (tenant, sha256), for the sweeper."""
        ...

    def hashes(self, tenant: str, after: str, limit: int) -> list[tuple[str, str, str]]:
        """(sha256, phash, blob) by sha256 beyond `after`, of images that were decoded; no vectors.

        `blob` is where the bytes lie, which tells who brought them.
        """
        ...

    def vectors(self, tenant: str, sha256s: Collection[str], fingerprint: str) -> dict[str, bytes]:
        """float16 bytes by sha256, of those that have one; nothing else is read."""
        ...

    def claimable(
        self,
        fingerprint: str,
        limit: int,
        *,
        tenant: str | None = None,
        images: Collection[str] = (),
    ) -> list[Claim]:
        """Images without vector and final error, or unannounced, that nobody holds a lease on.

        Fewest attempts first. `images` narrows to these.
        """
        ...

    def claim(self, found: Claim, lease_ms: int) -> bool:
        """Guarded by the attempts that were read and the lease being over."""
        ...

    def store_vector(self, write: VectorWrite) -> bool:
        """Stored and unannounced; False when the image is gone."""
        ...

    def store_verdict(
        self, tenant: str, sha256: str, fingerprint: str, *, place: Place, error: str
    ) -> bool:
        """A final failure, unannounced; only where there is no vector and the bytes are these."""
        ...

    def forget_verdict(self, tenant: str, sha256: str, fingerprint: str) -> bool:
        """Replay: attempts and error are gone, so the image is claimable again."""
        ...

    def announced(self, tenant: str, sha256s: Collection[str], fingerprint: str) -> None:
        """Every product that shows one of the images was bumped."""
        ...

    def unembedded(self, fingerprint: str, tenant: str) -> int:
        """Images lacking vector, verdict or the announcement of either, leased or not."""
        ...

    def doom(self, tenant: str, sha256: str, *, touched: int) -> bool: ...

    def remove(self, tenant: str, sha256: str, *, touched: int, doomed: int | None) -> Image | None:
        """The document's end, only as it was read; the removed document, whose bytes may go."""
        ...

    def names_blob(self, blob: str) -> bool:
        """Whether any image has its bytes or thumbnail in this blob."""
        ...

    def count(self, tenant: str) -> int: ...
