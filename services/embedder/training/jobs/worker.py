"""The trainer: trainings from the queue, one at a time.

`python -m services.embedder.training.jobs.worker` or `lookalike worker trainer`. TensorFlow is loaded in
the process of a training alone, and goes with it.
"""

import sys
from contextlib import ExitStack, closing
from functools import partial
from typing import Final

from services.embedder.training.jobs.running import Trainer, handle
from shared import installation
from shared.queue.celery.worker import run_worker
from shared.runtime.arguments import nothing
from shared.runtime.logs import configure
from shared.runtime.settings import Installation
from shared.tasks import QueueName

QUEUES: tuple[QueueName, ...] = ("train",)
GRACE_S: Final = 2.0
"""A training takes hours and is gone on with by another: nobody waits for its end."""


def run() -> int:
    """Until SIGTERM; what runs then is handed over to the next trainer."""
    known = Installation()
    configure(known.log_level, sys.stdout)
    with ExitStack() as stack:
        catalogue = stack.enter_context(closing(installation.catalogue_of(known)))
        blobs = installation.blobs_of(known)
        trainer = Trainer(
            catalogue,
            blobs,
            installation.places_of(known, catalogue, blobs),
            known.data / "trainings",
        )
        stack.callback(trainer.stop)
        return run_worker(
            installation.queue_url(known),
            partial(handle, trainer),
            queues=QUEUES,
            concurrency=1,
            heartbeat=known.heartbeat,
            grace_s=GRACE_S,
        )


if __name__ == "__main__":
    nothing(__doc__)
    sys.exit(run())
