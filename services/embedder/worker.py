"""The embedder's worker: pictures and imports, from the queue.

`python -m services.embedder.worker` or `lookalike worker embedder`.
"""

import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import partial

from services.embedder.local import ChildEmbedder
from services.embedder.on_duty import OnDuty
from services.embedder.ports import Ports
from services.embedder.registry import Shelf, keep
from services.embedder.tasks import handle
from shared import installation
from shared.catalogue.targets import Targets
from shared.queue.celery.worker import run_worker
from shared.runtime.arguments import work
from shared.runtime.logs import configure
from shared.runtime.memory import share_arenas
from shared.runtime.settings import Installation
from shared.tasks import QueueName

QUEUES: tuple[QueueName, ...] = ("embed_now", "embed_bulk")


def run(queues: Sequence[QueueName], concurrency: int) -> int:
    """Until SIGTERM; as many child processes decode and embed as tasks run at once."""
    known = Installation()
    configure(known.log_level, sys.stdout)
    share_arenas()
    with ExitStack() as stack:
        catalogue = stack.enter_context(closing(installation.catalogue_of(known)))
        blobs = installation.blobs_of(known)
        shelf = Shelf(catalogue, blobs, known.data / "cache")
        model = shelf.folder_at_start(known.tenant, known.model)
        keep(catalogue, blobs, known.tenant, model)
        children = partial(ChildEmbedder, children=concurrency)
        embedder = stack.enter_context(OnDuty(model, shelf.of_fingerprint, children))
        ports = Ports(
            catalogue=catalogue,
            blobs=blobs,
            queue=stack.enter_context(closing(installation.queue_of(known))),
            embedder=embedder,
            embedders=embedder,
            targets=Targets(catalogue),
            fetcher=stack.enter_context(installation.fetcher_of(known)),
            places=installation.places_of(known, catalogue, blobs),
        )
        return run_worker(
            installation.queue_url(known),
            partial(handle, ports),
            queues=queues,
            concurrency=concurrency,
            heartbeat=known.heartbeat,
        )


if __name__ == "__main__":
    sys.exit(run(*work(__doc__, QUEUES)))
