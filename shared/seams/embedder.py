"""The embedder as others see it, in this process, in child processes or over HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.images import Crop
from shared.spaces import Spaces


@dataclass(frozen=True, slots=True)
class Embedding:
    """What a picture became: the vector of all spaces as float32 bytes, and what decoding showed."""

    vector: bytes
    width: int
    height: int
    phash: str
    thumbnail: bytes | None = None
    """JPEG of at most 256 pixels a side; None where the original is that small, or none was asked for."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a picture has no vector: a code for machines, a sentence for people."""

    code: str
    detail: str


class Embedder(Protocol):
    """Pictures to vectors, in order; a bad picture is a `Failure` at its place and hurts no other.

    Raises `Unavailable` when the embedder itself broke (a child process died); the caller tries
    again with fewer pictures. A vector is a function of the bytes and the fingerprint alone.
    Calls from several threads are allowed.
    """

    @property
    def spaces(self) -> Spaces: ...

    def embed(
        self, pictures: Sequence[bytes], *, crop: Crop | None = None, thumbnails: bool = False
    ) -> list[Embedding | Failure]: ...


class Embedders(Protocol):
    """An `Embedder` for the fingerprint of each model there is, whatever it takes to have it."""

    def of(self, fingerprint: str) -> Embedder | None:
        """None where nobody has a model of it; raises `Unavailable` where it cannot be had now."""
        ...


def embedder_of(fingerprint: str, own: Embedder, others: Embedders | None) -> Embedder | None:
    """`own` where it is its fingerprint, or one of the others."""
    if own.spaces.fingerprint == fingerprint:
        return own
    return others.of(fingerprint) if others else None
