"""API keys: 256 random bits with a checksum; of a key only its SHA-256 is kept."""

import base64
import hashlib
import secrets
import sys
import zlib
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.gateway.ports import Ports, ports_of
from shared.catalogue.office import Key, KeyKind
from shared.catalogue.port import Catalogue
from shared.errors import Forbidden, NotFound, Unauthorised
from shared.ids import new_id

_CHECKSUM: Final = 8
bearer = HTTPBearer(auto_error=False, description="`lk_search_…` or `lk_admin_…`")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what the gateway stands on to answer."""

    tenant: str
    kind: KeyKind
    key_id: str
    ports: Ports


def make_key(
    catalogue: Catalogue,
    tenant: str,
    kind: KeyKind,
    label: str,
    *,
    origins: tuple[str, ...] = (),
    expires: int | None = None,
) -> tuple[str, Key]:
    """A new key; this is the only time that it is to be seen."""
    text = spelled(kind, secrets.token_bytes(32))
    key = Key(
        key_id=new_id("key"),
        tenant=tenant,
        kind=kind,
        sha256=_digest(text),
        label=label,
        created=catalogue.now(),
        origins=origins,
        expires=expires,
    )
    catalogue.office.put_key(key)
    return text, key


def ensure_key(catalogue: Catalogue, tenant: str, kind: KeyKind, label: str) -> str:
    """The same key at every start: it is derived from a secret that only the catalogue has."""
    text = spelled(kind, catalogue.office.secret(f"key:{tenant}:{kind}:{label}"))
    if catalogue.office.key_by_sha256(_digest(text)) is None:
        key = Key(new_id("key"), tenant, kind, _digest(text), label, catalogue.now())
        catalogue.office.put_key(key)
    return text


def revoke(catalogue: Catalogue, tenant: str, key_id: str) -> None:
    if not catalogue.office.revoke_key(tenant, key_id):
        raise NotFound(f"There is no key {key_id!r} that could be revoked.")


def admitted(ports: Ports, text: str | None, origin: str | None) -> Caller:
    """Whose key this is; refuses what is no key, or one that is over."""
    if text is None:
        raise Unauthorised("Send a key: `Authorization: Bearer lk_…`.")
    if _is_the_operators(ports, text):
        return Caller(ports.tenant, "admin", "operator", ports)
    key = ports.catalogue.office.key_by_sha256(_digest(text)) if well_formed(text) else None
    if key is None:
        raise Unauthorised("This key is not known here; was it copied whole?")
    if key.revoked or (key.expires is not None and key.expires <= ports.catalogue.now()):
        raise Unauthorised("This key was revoked or has expired; ask for another.")
    if key.origins and origin not in key.origins:
        raise Forbidden("This key is only for pages of other origins.", code="wrong_origin")
    return Caller(key.tenant, key.kind, key.key_id, ports)


def any_key(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
) -> Caller:
    text = bearer.credentials if bearer else None
    return admitted(ports_of(request), text, request.headers.get("origin"))


async def admin_key(caller: Annotated[Caller, Depends(any_key)]) -> Caller:
    # async, for it waits for nothing: a plain function would cost a worker thread
    if caller.kind != "admin":
        raise Forbidden("A search key may only search and look; this needs an admin key.")
    return caller


Searching = Annotated[Caller, Depends(any_key)]
Admin = Annotated[Caller, Depends(admin_key)]


def spelled(kind: KeyKind, bits: bytes) -> str:
    """256 bits as a key."""
    body = f"lk_{kind}_{base64.urlsafe_b64encode(bits).decode().rstrip('=')}"
    return body + _checksum(body)


def well_formed(text: str) -> bool:
    """Whether a look into the catalogue is worth it at all."""
    body, checksum = text[:-_CHECKSUM], text[-_CHECKSUM:]
    return body.startswith(("lk_search_", "lk_admin_")) and _checksum(body) == checksum


def main() -> None:
    """`python -m services.gateway.keys`: an admin key that no server knows yet, on standard output."""
    sys.stdout.write(spelled("admin", secrets.token_bytes(32)) + "\n")


def _is_the_operators(ports: Ports, text: str) -> bool:
    chosen = ports.settings.admin_key
    return chosen is not None and secrets.compare_digest(
        text.encode(), chosen.get_secret_value().encode()
    )


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):0{_CHECKSUM}x}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    main()
