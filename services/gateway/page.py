"""The shop window: one page, served with a nonce of its own and the publishable key."""

import secrets
from dataclasses import dataclass

from services.gateway.keys import ensure_key
from services.gateway.ports import Ports
from shared.errors import NotFound

_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Page:
    html: str
    policy: str


def render(ports: Ports) -> Page:
    """`{{nonce}}` and `{{search_key}}` are filled in; nothing else is a template."""
    try:
        template = (ports.settings.page_folder / "index.html").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound("This gateway has no page; the API is under /v1.") from error
    nonce = secrets.token_urlsafe(16)
    key = ensure_key(ports.catalogue, ports.tenant, "search", "page")
    html = template.replace("{{nonce}}", nonce).replace("{{search_key}}", key)
    return Page(html, _POLICY.format(nonce=nonce))
