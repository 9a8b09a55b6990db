"""If-Match and If-None-Match: writing only over the version that was read."""

from typing import Final

from shared.errors import Flaw, Malformed

ANY: Final = "*"


def etag(version: int) -> str:
    return f'"{version}"'


def tags(header: str | None) -> tuple[str, ...]:
    """The entity tags of a header, `*` among them as it is."""
    return tuple(part.strip() for part in header.split(",")) if header else ()


def version_of(tag: str) -> int:
    """The version that a strong tag of ours names; 0 stands for nothing there."""
    text = tag.removeprefix('"').removesuffix('"')
    if len(tag) != len(text) + 2 or not text.isascii() or not text.isdigit() or len(text) > 18:
        detail = f'If-Match takes the ETag of an answer, like "3", or *; not {tag[:50]!r}.'
        raise Malformed(detail, flaws=(Flaw("/header/if-match", "bad_etag", detail),))
    return int(text)


def matches(header: str | None, current: str) -> bool:
    """Whether If-None-Match names what the caller has already (weak comparison)."""
    return any(tag == ANY or tag.removeprefix("W/") == current for tag in tags(header))
