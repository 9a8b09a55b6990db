"""Pictures that the records of a chunk name by URL: what is remembered costs no download."""

from collections.abc import Collection, Mapping
from typing import Final

from services.embedder.ports import Ports
from shared.errors import LookalikeError
from shared.seams.embedder import Failure

BUDGET_S: Final = 150.0
"""Half of a chunk's lease: the rest is for embedding."""


def fetched(
    ports: Ports, tenant: str, urls: Collection[str], budget_s: float = BUDGET_S
) -> dict[str, bytes | str | Failure]:
    """The picture's bytes; or its SHA-256, where it is stored already; or why there is neither."""
    if ports.fetcher is None:
        return dict.fromkeys(urls, _OFF)
    known = ports.catalogue.fetches.known(tenant, urls)
    # A picture that was swept since is fetched again.
    # rule: touch_tests
    there = ports.catalogue.images.touch(tenant, set(known.values()))
    stored = {url: sha256 for url, sha256 in known.items() if sha256 in there}
    missing = [url for url in urls if url not in stored]
    found = ports.fetcher.fetch_many(missing, budget_s)
    return {**stored, **{url: _told(outcome) for url, outcome in found.items()}}


def remember(ports: Ports, tenant: str, found: Mapping[str, str]) -> None:
    """SHA-256 by URL; called once those images are stored, so that a memory never runs ahead."""
    if found:
        ports.catalogue.fetches.remember(tenant, found)


def _told(outcome: bytes | LookalikeError) -> bytes | Failure:
    return outcome if isinstance(outcome, bytes) else Failure(outcome.kind, outcome.detail)


_OFF: Final = Failure(
    "url_fetching_off",
    "URL fetching is off here: LOOKALIKE_FETCH_HOSTS names the hosts that pictures may come from.",
)
