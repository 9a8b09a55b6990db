"""The embedder over HTTP, for gateways: pictures in, vectors out."""

from starlette.applications import Starlette

from shared.seams import embedding_wire as wire
from shared.seams.embedder import Embedder
from shared.seams.embedding_wire import Embedded
from shared.seams.http.serving import Asked, Endpoint, application


def create_app(embedder: Embedder, *, threads: int = 8, waiting: int = 32) -> Starlette:
    """So many calls at once, so many more that wait for their turn; others are turned away."""

    def spaces(_asked: Asked) -> bytes:
        return wire.spaces_to_json(embedder.spaces)

    def embed(asked: Asked) -> bytes:
        wanted = wire.asked_from_body(asked.body)
        asked.left_ms(at_most=1)
        found = embedder.embed(wanted.pictures, crop=wanted.crop, thumbnails=wanted.thumbnails)
        return wire.embedded_to_body(Embedded(embedder.spaces.fingerprint, tuple(found)))

    endpoints = (
        Endpoint("GET", wire.SPACES, spaces),
        Endpoint("POST", wire.EMBED, embed, wire.MEDIA_TYPE, wire.MAX_BYTES),
    )
    return application(endpoints, lambda: embedder.spaces, threads=threads, waiting=waiting)
