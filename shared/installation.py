"""The settings' URLs as adapters: the one place that knows which scheme is whose.

Adapters are imported when they are asked for, so that a process carries only the libraries it uses.
"""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.blobs.fsspec import FsspecBlobs
from shared.blobs.port import Blobs
from shared.catalogue.port import Catalogue
from shared.errors import Invalid
from shared.places import Places
from shared.runtime.settings import Installation

if TYPE_CHECKING:
    from shared.fetching.fetcher import Fetcher
    from shared.notices.redis import RedisNotices
    from shared.queue.celery.queue import CeleryQueue
    from shared.seams.redis_vectors import RedisVectors
    from shared.seams.vectors_cache import LruVectors


def catalogue_of(known: Installation) -> Catalogue:
    """Closed by whoever opened it; a server that does not answer yet is no failure."""
    url = known.catalogue.get_secret_value()
    match urlsplit(url).scheme:
        case "sqlite":
            from shared.catalogue.sqlite.catalogue import SqliteCatalogue  # noqa: PLC0415

            return SqliteCatalogue(Path(url.removeprefix("sqlite:///")))
        case "mongodb" | "mongodb+srv":
            from shared.catalogue.mongo.catalogue import MongoCatalogue  # noqa: PLC0415

            return MongoCatalogue(url)
        case scheme:
            raise _strange("LOOKALIKE_CATALOGUE", scheme, "sqlite:///… or mongodb://host/database")


def blobs_of(known: Installation) -> Blobs:
    return FsspecBlobs(known.blobs.get_secret_value(), known.data / "cache")


def places_of(known: Installation, catalogue: Catalogue, blobs: Blobs) -> Places:
    """Where imports may read."""
    return Places(blobs, catalogue.office, known.import_roots, known.import_buckets)


def queue_of(known: Installation) -> "CeleryQueue":
    """For processes: a queue that lives in one of them would ring nobody."""
    from shared.queue.celery.queue import CeleryQueue  # noqa: PLC0415

    return CeleryQueue(queue_url(known))


def queue_url(known: Installation) -> str:
    url = known.queue.get_secret_value()
    if urlsplit(url).scheme not in ("redis", "rediss"):
        raise _strange("LOOKALIKE_QUEUE", url.partition(":")[0], "redis://host:6379/0")
    return url


def ordinal_of(known: Installation) -> int:
    """Which search process this is: as set, else the number at the end of the host name."""
    if known.search_ordinal is not None:
        return known.search_ordinal
    found = re.search(r"-(\d+)$", socket.gethostname())
    return int(found[1]) if found else 0


def cache_of(known: Installation) -> "LruVectors | RedisVectors":
    """What is remembered of queries: by all gateways together, or by each for itself."""
    if known.cache is None:
        from shared.seams.vectors_cache import LruVectors  # noqa: PLC0415

        return LruVectors()
    from shared.seams.redis_vectors import RedisVectors  # noqa: PLC0415

    return RedisVectors(known.cache.get_secret_value())


def notices_of(known: Installation) -> "RedisNotices":
    """Over the queue's Redis: what is told there is heard at once or never, and takes no room."""
    from shared.notices.redis import RedisNotices  # noqa: PLC0415

    return RedisNotices(queue_url(known))


@contextmanager
def fetcher_of(known: Installation) -> "Iterator[Fetcher | None]":
    """None until somebody's pictures may be fetched."""
    if not (known.fetch_hosts or known.fetch_private):
        yield None
        return
    from shared.fetching.fetcher import Fetcher  # noqa: PLC0415

    with Fetcher(known.fetch_hosts, known.fetch_private) as fetcher:
        yield fetcher


def _strange(name: str, found: str, wanted: str) -> Invalid:
    return Invalid(f"{name} begins with {found!r}; it takes {wanted}.", code="bad_settings")
