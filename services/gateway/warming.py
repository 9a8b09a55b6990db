"""Models started where pictures of queries are embedded, before shoppers depend on them."""

import time
from typing import Final

from services.gateway.ports import Ports
from shared.errors import Conflict, Unavailable
from shared.indexes import Index
from shared.seams.embedder import embedder_of

_PAUSE_S: Final = 0.25
_NO_PICTURE: Final = b""
"""Fails in the model's own process, and failures are in no memory: so it answers itself or nobody does."""


def warm(ports: Ports, index: Index, *, patience_s: float) -> None:
    """Until the index's model answers; `Unavailable` when it does not, `Conflict` when nobody has it."""
    until = time.monotonic() + patience_s
    while (trouble := _trouble(ports, index)) is not None:
        if time.monotonic() >= until:
            raise Unavailable(
                f"The model {index.model!r} of {index.index_id} does not answer where pictures of "
                f"searches are embedded, so nothing was moved. {trouble.detail} Ask again, or force "
                "the alias with a `reason`."
            )
        time.sleep(_PAUSE_S)


def _trouble(ports: Ports, index: Index) -> Unavailable | None:
    try:
        embedder = embedder_of(index.spaces.fingerprint, ports.embedder, ports.embedders)
        if embedder is not None:
            embedder.embed([_NO_PICTURE])
            return None
    except Unavailable as error:
        return error
    raise Conflict(
        f"Nobody here has the model {index.model!r} of {index.index_id}, so no picture would "
        "find anything: register it, or force the alias with a `reason`.",
        code="other_model",
    )
