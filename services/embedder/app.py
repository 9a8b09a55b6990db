"""The embedder over HTTP, for gateways: pictures in, vectors out."""

from collections.abc import Sequence

from starlette.applications import Starlette

from shared.errors import Conflict
from shared.models import BundledModel
from shared.seams import embedding_wire as wire
from shared.seams.embedder import Embedder, Embedders, embedder_of
from shared.seams.embedding_wire import Embedded
from shared.seams.http.serving import Asked, Endpoint, application


def create_app(
    embedder: Embedder,
    others: Embedders | None = None,
    *,
    bundled: Sequence[BundledModel] = (),
    threads: int = 8,
    waiting: int = 32,
) -> Starlette:
    """So many calls at once, so many more that wait for their turn; others are turned away."""

    def of(fingerprint: str | None) -> Embedder:
        found = embedder_of(fingerprint, embedder, others) if fingerprint else embedder
        if found is None:
            raise Conflict(
                f"No model that is bundled or registered here gives vectors of {fingerprint}.",
                code=wire.NO_MODEL,
            )
        return found

    def spaces(asked: Asked) -> bytes:
        return wire.spaces_to_json(of(asked.query.get("fingerprint")).spaces)

    def embed(asked: Asked) -> bytes:
        wanted = wire.asked_from_body(asked.body)
        asked.left_ms(at_most=1)
        one = of(wanted.fingerprint)
        found = one.embed(wanted.pictures, crop=wanted.crop, thumbnails=wanted.thumbnails)
        return wire.embedded_to_body(Embedded(one.spaces.fingerprint, tuple(found)))

    endpoints = (
        Endpoint("GET", wire.SPACES, spaces),
        Endpoint("GET", wire.MODELS, lambda _asked: wire.models_to_json(bundled)),
        Endpoint("POST", wire.EMBED, embed, wire.MEDIA_TYPE, wire.MAX_BYTES),
    )
    return application(endpoints, lambda: embedder.spaces, threads=threads, waiting=waiting)
