"""What can go wrong, told kindly; the tree:

LookalikeError
├── Invalid             a value is wrong
│   ├── Malformed       the request cannot be read at all
│   ├── Undecodable     the bytes are no picture we can read
│   ├── TooLarge        more bytes, pixels or items than allowed
│   └── WrongMediaType  not a kind of content we take
├── Unauthorised        no key, or a wrong one
├── Forbidden           the key does not allow this
├── NotFound            there is no such thing
├── Conflict            the thing is not in a state for this
│   ├── NotConfigured   a backend that this installation does not have
│   └── Stale           If-Match names another version
├── PreconditionRequired  If-Match is missing
├── TooMany             slower, please
├── Unavailable         a dependency is down or the system is full
└── DeadlineExceeded    not done in the time given

Only `shared.runtime.problems` knows how these look over HTTP.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong in a body: where (JSON pointer), a short code, and a sentence."""

    pointer: str
    code: str
    detail: str


class LookalikeError(Exception):
    """Anything this project raises on purpose; `detail` is a sentence for the caller."""

    code: ClassVar[str] = "internal"

    def __init__(
        self, detail: str, *, code: str | None = None, flaws: tuple[Flaw, ...] = ()
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.kind = code or self.code
        self.flaws = flaws


class Invalid(LookalikeError):
    code = "invalid"


class Malformed(Invalid):
    code = "malformed"


class Undecodable(Invalid):
    code = "undecodable_image"


class TooLarge(Invalid):
    code = "too_large"


class WrongMediaType(Invalid):
    code = "unsupported_media_type"


class Unauthorised(LookalikeError):
    code = "unauthorised"


class Forbidden(LookalikeError):
    code = "forbidden"


class NotFound(LookalikeError):
    code = "not_found"


class Conflict(LookalikeError):
    code = "conflict"


class NotConfigured(Conflict):
    code = "backend_not_configured"


class Stale(Conflict):
    code = "stale_version"


class PreconditionRequired(LookalikeError):
    code = "precondition_required"


class TooMany(LookalikeError):
    code = "too_many_requests"


class Unavailable(LookalikeError):
    code = "unavailable"


class DeadlineExceeded(LookalikeError):
    code = "deadline_exceeded"
