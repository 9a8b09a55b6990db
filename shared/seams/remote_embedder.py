"""The `Embedder` port over HTTP."""

import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from shared.errors import Conflict, LookalikeError, NotFound, Unavailable
from shared.images import Crop
from shared.models import BundledModel
from shared.pictures import check_crop
from shared.seams import embedding_wire as wire
from shared.seams.embedder import Embedder, Embedding, Failure
from shared.seams.embedding_wire import PicturesAsked
from shared.seams.http.exchange import Call
from shared.seams.http.processes import Process
from shared.seams.http.race import race
from shared.seams.http.replies import read_by
from shared.spaces import Spaces

TIMEOUT_S: Final = 10.0
SPACES_TIMEOUT_S: Final = 3.0

Answer = TypeVar("Answer")


class _RemoteModel:
    """One model of the embedder: the one that it was started with, or that of a fingerprint."""

    def __init__(self, process: Process, timeout_s: float, fingerprint: str | None = None) -> None:
        self._process = process
        self._timeout_s = timeout_s
        self._fingerprint = fingerprint
        self._spaces: Spaces | None = None

    @property
    def spaces(self) -> Spaces:
        known = self._spaces
        if known is None:
            call = Call("GET", wire.spaces_path(self._fingerprint))
            known = self._spaces = self._told(call, wire.spaces_from_json, SPACES_TIMEOUT_S)
        return known

    def embed(
        self, pictures: Sequence[bytes], *, crop: Crop | None = None, thumbnails: bool = False
    ) -> list[Embedding | Failure]:
        if crop is not None:
            check_crop(crop)
        return [
            result
            for batch in wire.batches(pictures)
            for result in self._embedded(
                PicturesAsked(tuple(batch), crop, thumbnails, self._fingerprint)
            )
        ]

    def _embedded(self, asked: PicturesAsked) -> Sequence[Embedding | Failure]:
        spaces = self.spaces
        call = Call("POST", wire.EMBED, wire.asked_to_body(asked), wire.MEDIA_TYPE)
        found = self._told(call, wire.embedded_from_body, self._timeout_s)
        if found.fingerprint != spaces.fingerprint:
            self._spaces = None
            raise Unavailable("The embedder runs another model than a moment ago; try again.")
        if len(found.results) != len(asked.pictures):
            raise Unavailable("The embedder left out pictures; try again.")
        return found.results

    def _told(
        self,
        call: Call,
        parse: Callable[[bytes], Answer],
        timeout_s: float,
        without: str = "No picture can be embedded at the moment",
    ) -> Answer:
        """`without` is what has to wait while the embedder does not answer."""
        until = time.monotonic() + timeout_s
        (told,) = race(call, [[self._process]], read_by(parse), until)
        if isinstance(told, NotFound | Unavailable):
            raise Unavailable(f"{without}, try again: {told.detail}.")
        if isinstance(told, LookalikeError):
            raise told
        return told


class RemoteEmbedder(_RemoteModel):
    """Asks the embedder at `url`, which may start later than this: until then it is `Unavailable`.

    Its spaces are asked for once. When it comes back with another model, the call that finds out
    fails and the next one knows the new spaces, so a vector is never taken for another model's.
    """

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        super().__init__(Process(url, "the embedder"), timeout_s)
        self._others: dict[str, _RemoteModel] = {}

    def of(self, fingerprint: str) -> Embedder | None:
        """Whatever else it has, over the same connections; asked for once."""
        if fingerprint == self.spaces.fingerprint:
            return self
        if fingerprint not in self._others:
            other = _RemoteModel(self._process, self._timeout_s, fingerprint)
            try:
                found = other.spaces.fingerprint
            except Conflict:
                return None
            if found != fingerprint:  # an embedder of an older release has one model only
                return None
            self._others[fingerprint] = other
        return self._others[fingerprint]

    def bundled(self) -> tuple[BundledModel, ...]:
        """The models that come along with it, asked for every time: another release has others."""
        return self._told(
            Call("GET", wire.MODELS),
            wire.models_from_json,
            SPACES_TIMEOUT_S,
            "Nobody tells at the moment which models are bundled",
        )

    def close(self) -> None:
        """Closes the connections that nobody uses."""
        self._process.close()
