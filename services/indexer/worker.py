"""The indexer's worker: products into backends, compaction, building, from the queue.

`python -m services.indexer.worker` or `lookalike worker indexer`.
"""

import sys
from collections.abc import Sequence
from functools import partial

from services.indexer.installed import ports_of
from services.indexer.tasks import handle
from shared import installation
from shared.queue.celery.worker import run_worker
from shared.runtime.arguments import work
from shared.runtime.logs import configure
from shared.runtime.settings import Installation
from shared.tasks import QueueName

QUEUES: tuple[QueueName, ...] = ("index", "build")


def run(queues: Sequence[QueueName], concurrency: int) -> int:
    """Until SIGTERM."""
    known = Installation()
    configure(known.log_level, sys.stdout)
    with ports_of(known) as ports:
        return run_worker(
            installation.queue_url(known),
            partial(handle, ports),
            queues=queues,
            concurrency=concurrency,
            heartbeat=known.heartbeat,
        )


if __name__ == "__main__":
    sys.exit(run(*work(__doc__, QUEUES)))
