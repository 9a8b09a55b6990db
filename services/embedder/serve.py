"""The embedder over HTTP: one picture, now.

`python -m services.embedder.serve` or `lookalike serve embedder-http`.
"""

import sys

from services.embedder.app import create_app
from services.embedder.local import ChildEmbedder
from services.embedder.model import folder_of
from shared.runtime.arguments import address, processors
from shared.runtime.http import serve
from shared.runtime.logs import configure
from shared.runtime.settings import Installation

PORT = 8081


def run(host: str, port: int) -> None:
    """Until SIGTERM; as many pictures at once as there are processors."""
    known = Installation()
    configure(known.log_level, sys.stdout)
    children = processors()
    with ChildEmbedder(folder_of(known.model), children=children) as embedder:
        serve(create_app(embedder), host, port)


if __name__ == "__main__":
    run(*address(__doc__, PORT))
