"""Named operations on what the house itself needs: keys, idempotency, uploads, leases, jobs."""

from dataclasses import dataclass
from typing import Literal, Protocol

from shared.jobs import Job

KeyKind = Literal["search", "admin"]

REMEMBERED_MS = 24 * 60 * 60 * 1000
ANSWERING_MS = 10 * 60 * 1_000
"""Whoever has not answered by then died over it; the next one with the key does it anew."""


@dataclass(frozen=True, slots=True)
class Key:
    """An API key; the key itself is nowhere, only its SHA-256."""

    key_id: str
    tenant: str
    kind: KeyKind
    sha256: str
    label: str
    created: int
    origins: tuple[str, ...] = ()
    expires: int | None = None
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an upload, in a blob of its own."""

    blob: str
    size: int


@dataclass(frozen=True, slots=True)
class Upload:
    """Bytes that arrived before they were given a purpose: its parts, end to end.

    `size` is what the sender declared; it is None as long as the sender cannot know it.
    """

    upload_id: str
    tenant: str
    parts: tuple[Part, ...]
    size: int | None
    sha256: str | None
    """None where the bytes came in several parts."""
    media_type: str
    created: int
    touched: int
    """When the last part came."""
    metadata: str = ""
    """What a tus client wants to be told again, as it was sent."""

    @property
    def received(self) -> int:
        return sum(part.size for part in self.parts)

    @property
    def complete(self) -> bool:
        return self.received == self.size


@dataclass(frozen=True, slots=True)
class Remembered:
    """An answer given under an idempotency key; `answer` is None while the first is being made."""

    body_sha256: str
    status: int | None
    answer: bytes | None


class Office(Protocol):
    def put_key(self, key: Key) -> None: ...

    def key_by_sha256(self, sha256: str) -> Key | None: ...

    def keys(self, tenant: str) -> list[Key]: ...

    def revoke_key(self, tenant: str, key_id: str) -> bool: ...

    def put_upload(self, upload: Upload) -> None:
        """A new one, of an id that was never used."""
        ...

    def upload(self, tenant: str, upload_id: str) -> Upload | None: ...

    def append_part(self, upload_id: str, at_offset: int, part: Part) -> Upload | None:
        """None, and nothing changed, where it does not end at `at_offset` or has no room for it.

        So of two that race for an offset one gets it.
        """
        ...

    def declare_size(self, upload_id: str, size: int) -> Upload | None:
        """None, and nothing changed, where another size was declared or more than this came."""
        ...

    def uploads_before(self, touched: int, limit: int = 500) -> list[Upload]:
        """Those to which nothing was added since, the oldest first."""
        ...

    def drop_upload(self, upload_id: str) -> None:
        """The document; its blobs stay."""
        ...

    def upload_names_blob(self, blob: str) -> bool:
        """Whether it is a part of any."""
        ...

    def remember(self, tenant: str, key: str, body_sha256: str) -> Remembered | None:
        """None: nobody used the key in the last 24 h, and it is yours to answer.

        So it is too when whoever had it has not answered within ten minutes.
        """
        ...

    def answered(self, tenant: str, key: str, status: int, answer: bytes) -> None: ...

    def forget(self, tenant: str, key: str) -> None:
        """The first try failed in a way worth trying again."""
        ...

    def lease(self, name: str, holder: str, lease_ms: int) -> bool:
        """Taken or prolonged, or, with 0, given back; False while somebody else holds it."""
        ...

    def put_job(self, job: Job) -> None:
        """Made or replaced."""
        ...

    def swap_job(self, before: Job, after: Job) -> bool:
        """`after` in the place of `before`; False, and nothing changed, where it is not as it was read."""
        ...

    def job(self, tenant: str, job_id: str) -> Job | None: ...

    def unfinished_jobs(self, kind: str, limit: int = 500) -> list[Job]:
        """Of all tenants, the earliest first."""
        ...

    def jobs(self, tenant: str, limit: int = 100) -> list[Job]:
        """The latest first."""
        ...

    def secret(self, name: str) -> bytes:
        """32 random bytes, made at the first call and the same ever after; signs picture URLs."""
        ...
