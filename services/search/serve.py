"""A search process: some shards of every index, or all of them.

`python -m services.search.serve` or `lookalike serve search`.
"""

import socket
import sys
from contextlib import ExitStack, closing
from importlib.util import find_spec

from services.search.app import create_app
from services.search.backends import Backends
from services.search.elastic import ElasticSearcher
from services.search.searcher import LocalSearcher
from services.search.shards import Shards
from shared import installation
from shared.index.elasticsearch.opening import cluster_of
from shared.runtime.arguments import address
from shared.runtime.http import serve
from shared.runtime.logs import configure
from shared.runtime.settings import Installation

PORT = 8082


def run(host: str, port: int) -> None:
    """Until SIGTERM; a replica is named after its host and port, and its reports go with it."""
    known = Installation()
    configure(known.log_level, sys.stdout)
    with ExitStack() as stack:
        catalogue = stack.enter_context(closing(installation.catalogue_of(known)))
        shards = Shards(
            catalogue,
            installation.blobs_of(known),
            replica=f"{socket.gethostname()}:{port}/{installation.ordinal_of(known)}",
            group=installation.ordinal_of(known) % known.search_groups,
            groups=known.search_groups,
        )
        stack.callback(shards.close)
        shards.start()
        notices = stack.enter_context(closing(installation.notices_of(known)))
        stack.enter_context(notices.follow(shards.notice))
        local = LocalSearcher(shards, annoy=find_spec("annoy") is not None)
        stack.callback(local.close)
        cluster = stack.enter_context(cluster_of(known))
        searcher = Backends(local, ElasticSearcher(cluster, catalogue) if cluster else None)
        serve(create_app(searcher, shards), host, port)


if __name__ == "__main__":
    run(*address(__doc__, PORT))
