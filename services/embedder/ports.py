"""What the embedder's queue side stands on, handed to every function of it."""

from dataclasses import dataclass

from shared.blobs.port import Blobs
from shared.catalogue.port import Catalogue
from shared.catalogue.targets import Targets
from shared.fetching.fetcher import Fetcher
from shared.places import Places
from shared.queue.port import Queue
from shared.seams.embedder import Embedder, Embedders


@dataclass(frozen=True, slots=True)
class Ports:
    """Leases are longer than the work they are for: one that ends early costs double work."""

    catalogue: Catalogue
    blobs: Blobs
    queue: Queue
    embedder: Embedder
    targets: Targets
    places: Places
    """Where the sources of imports may lie."""
    batch: int = 32
    """Pictures that are held and embedded together at most."""
    lease_ms: int = 30_000
    chunk_lease_ms: int = 300_000
    chunk_records: int = 64
    fetcher: Fetcher | None = None
    """Gets pictures that records name by URL; None: they fail."""
    embedders: Embedders | None = None
    """For fingerprints other than the embedder's; None: these are left to other workers."""

    @property
    def fingerprint(self) -> str:
        return self.embedder.spaces.fingerprint
