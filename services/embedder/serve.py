"""The embedder over HTTP: one picture, now.

`python -m services.embedder.serve` or `lookalike serve embedder-http`.
"""

import sys
from functools import partial

from services.embedder.app import create_app
from services.embedder.local import ChildEmbedder
from services.embedder.on_duty import OnDuty, start_live
from services.embedder.registry import bundled_models, shelf_of
from shared.runtime.arguments import address, processors
from shared.runtime.http import serve
from shared.runtime.logs import configure
from shared.runtime.settings import Installation

PORT = 8081


def run(host: str, port: int) -> None:
    """Until SIGTERM; of each model, as many pictures at once as there are processors."""
    known = Installation()
    configure(known.log_level, sys.stdout)
    children = partial(ChildEmbedder, children=processors())
    with (
        shelf_of(known) as shelf,
        OnDuty(
            shelf.folder_at_start(known.tenant, known.model), shelf.of_fingerprint, children
        ) as embedder,
    ):
        if shelf.catalogue is not None:
            start_live(embedder, shelf.catalogue, known.tenant)
        serve(create_app(embedder, embedder, bundled=bundled_models()), host, port)


if __name__ == "__main__":
    run(*address(__doc__, PORT))
