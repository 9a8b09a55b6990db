"""The gateway as a process: the one place that names its adapters.

`python -m services.gateway.serve` or `lookalike serve gateway`.
"""

import sys
from contextlib import ExitStack, closing

from services.gateway.app import create_app
from services.gateway.ports import Ports
from services.gateway.settings import GatewaySettings
from shared import installation
from shared.catalogue.targets import Targets
from shared.runtime.arguments import address
from shared.runtime.http import serve
from shared.runtime.logs import configure
from shared.runtime.settings import Installation
from shared.seams.remembering import RememberingEmbedder
from shared.seams.remote_embedder import RemoteEmbedder
from shared.seams.remote_searcher import RemoteSearcher

PORT = 8080


def run(host: str, port: int) -> None:
    """Until SIGTERM; whatever it stands on may start later than this."""
    known = Installation()
    configure(known.log_level, sys.stdout)
    with ExitStack() as stack:
        catalogue = stack.enter_context(closing(installation.catalogue_of(known)))
        embedder = stack.enter_context(closing(RemoteEmbedder(known.embedder_url)))
        remembering = RememberingEmbedder(embedder, installation.cache_of(known), embedder)
        searcher = RemoteSearcher(known.search_urls, known.search_groups)
        blobs = installation.blobs_of(known)
        ports = Ports(
            catalogue=catalogue,
            blobs=blobs,
            queue=stack.enter_context(closing(installation.queue_of(known))),
            embedder=remembering,
            searcher=stack.enter_context(closing(searcher)),
            targets=Targets(catalogue),
            settings=GatewaySettings(),
            places=installation.places_of(known, catalogue, blobs),
            tenant=known.tenant,
            fetcher=stack.enter_context(installation.fetcher_of(known)),
            embedders=remembering,
            bundled=embedder.bundled,
        )
        serve(create_app(ports), host, port)


if __name__ == "__main__":
    run(*address(__doc__, PORT))
