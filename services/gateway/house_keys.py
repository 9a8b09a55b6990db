"""Keys as an admin makes and lists them."""

from services.gateway.answers import stamp
from services.gateway.keys import Caller, make_key
from services.gateway.schemas.house import KeyBody, KeyView
from shared.catalogue.office import Key

_DAY_MS = 24 * 60 * 60 * 1000


def make(caller: Caller, body: KeyBody) -> KeyView:
    catalogue, days = caller.ports.catalogue, body.expires_in_days
    text, key = make_key(
        catalogue,
        caller.tenant,
        body.kind,
        body.label,
        origins=tuple(body.origins),
        expires=None if days is None else catalogue.now() + days * _DAY_MS,
    )
    return _view(key, text)


def everyone(caller: Caller) -> list[KeyView]:
    return [_view(key) for key in caller.ports.catalogue.office.keys(caller.tenant)]


def _view(key: Key, text: str | None = None) -> KeyView:
    return KeyView(
        key_id=key.key_id,
        kind=key.kind,
        label=key.label,
        created_at=stamp(key.created),
        expires_at=None if key.expires is None else stamp(key.expires),
        origins=key.origins,
        revoked=key.revoked,
        key=text,
    )
