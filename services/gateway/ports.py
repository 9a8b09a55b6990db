"""What the gateway stands on, handed to it whole by whoever starts it."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from fastapi import Request

from services.gateway.settings import GatewaySettings
from shared.blobs.port import Blobs
from shared.catalogue.port import Catalogue
from shared.catalogue.targets import Targets
from shared.fetching.fetcher import Fetcher
from shared.models import BundledModel
from shared.places import Places
from shared.queue.port import Queue
from shared.seams.embedder import Embedder, Embedders
from shared.seams.searcher import Searcher


@dataclass(frozen=True)
class Ports:
    catalogue: Catalogue
    blobs: Blobs
    queue: Queue
    embedder: Embedder
    searcher: Searcher
    targets: Targets
    places: Places
    """Where the sources of imports may lie."""
    settings: GatewaySettings
    tenant: str = "default"
    """Whose catalogue the page at `/` shows, and whom the operator's key is for."""
    fetcher: Fetcher | None = None
    """Gets pictures that are named by URL; None: they are refused."""
    embedders: Embedders | None = None
    """For indexes of other models than the embedder's; None: their pictures are refused."""
    bundled: Callable[[], Sequence[BundledModel]] = tuple
    """Models that come along with the embedder, told by it; raises `Unavailable`."""
    untrainable: str | None = None
    """Why networks cannot be trained here; None where they can, or where only trainers know."""

    @cached_property
    def image_secret(self) -> bytes:
        """Signs picture URLs; read at first use, for a catalogue may start after the gateway."""
        return self.catalogue.office.secret("image-urls")

    @cached_property
    def waiting_room(self) -> threading.Semaphore:
        """Seats for requests that wait, so that these never take all worker threads."""
        return threading.Semaphore(self.settings.waiting_requests)


def ports_of(request: Request) -> Ports:
    return cast("Ports", request.app.state.ports)
