"""Named operations on what was fetched from where."""

from collections.abc import Collection, Mapping
from typing import Protocol

REMEMBERED_MS = 7 * 24 * 60 * 60 * 1000
"""A picture that changes under its URL is seen again after so long."""
FORGOTTEN_AT_ONCE = 1_000
"""More than are remembered at once, so that what is old grows less; few enough to hold up nobody."""


class Fetches(Protocol):
    """A URL fetched lately need not be fetched again, while the image it gave is there.

    A memory, not a truth: whoever trusts it touches the image, and fetches when that is gone.
    """

    def known(self, tenant: str, urls: Collection[str]) -> dict[str, str]:
        """The SHA-256 of each that was remembered within the last seven days."""
        ...

    def remember(self, tenant: str, found: Mapping[str, str]) -> None:
        """SHA-256 by URL, written over what was known; called once the images are stored.

        Some of what is older than seven days, of whatever tenant, goes: the oldest first.
        """
        ...
