"""The indexer's adapters as the settings name them, for its worker and its reconciler."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib.util import find_spec

from services.indexer.ports import Limits, Ports
from shared import installation
from shared.catalogue.targets import Targets
from shared.index.elasticsearch.opening import cluster_of
from shared.runtime.settings import Installation


@contextmanager
def ports_of(known: Installation) -> Iterator[Ports]:
    scratch = known.data / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        catalogue = stack.enter_context(closing(installation.catalogue_of(known)))
        notices = stack.enter_context(closing(installation.notices_of(known)))
        yield Ports(
            catalogue=catalogue,
            blobs=installation.blobs_of(known),
            queue=stack.enter_context(closing(installation.queue_of(known))),
            targets=Targets(catalogue),
            scratch=scratch,
            limits=Limits(trees=find_spec("annoy") is not None, workers=known.workers),
            committed=notices.tell,
            elastic=stack.enter_context(cluster_of(known)),
        )
