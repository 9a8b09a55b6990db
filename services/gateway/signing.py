"""Picture URLs that need no key: signed by the day, so that caches work, and over in two days."""

import base64
import hashlib
import hmac
from typing import Final, Literal

from shared.errors import Forbidden

Size = Literal["thumb", "full"]
_DAY: Final = 86_400


def signed_path(secret: bytes, tenant: str, sha256: str, size: Size, *, now: int) -> str:
    """The same all day; good for one to two days. `now` is in milliseconds."""
    expires = (now // 1000 // _DAY + 2) * _DAY
    signature = _signature(secret, tenant, sha256, size, expires)
    # no part needs quoting: tenants are lower-case names, signatures base64url
    query = f"size={size}&tenant={tenant}&expires={expires}&signature={signature}"
    return f"/v1/images/{sha256}?{query}"


def check(
    secret: bytes,
    tenant: str,
    sha256: str,
    size: Size,
    *,
    expires: int,
    signature: str,
    now: int,
) -> None:
    """Refuses a URL that was not signed here or is over."""
    expected = _signature(secret, tenant, sha256, size, expires)
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise Forbidden("The picture's URL was not signed here.", code="bad_signature")
    if expires <= now // 1000:
        raise Forbidden("The picture's URL is over; search again for a new one.", code="expired")


def _signature(secret: bytes, tenant: str, sha256: str, size: Size, expires: int) -> str:
    text = f"{tenant}/{sha256}/{size}/{expires}"
    digest = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
