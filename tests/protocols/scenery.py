"""What the stage is set with: pictures, their vectors, an embedder that dies of one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import simplejpeg

from shared.errors import Unavailable
from shared.images import Crop, sha256_of
from shared.seams.embedder import Embedding, Failure
from shared.spaces import SPACES, Space, Spaces
from shared.vectors import Floats, unit_spaces

TENANT = "shop"
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
DAY = 24 * HOUR
CACHE = MINUTE
SHARDS = 2
PIDS = ("1", "2")
ONE, TWO = "idx_one", "idx_two"


def _picture(shade: int) -> bytes:
    grey = np.full((16, 16, 3), shade, dtype=np.uint8)
    return bytes(simplejpeg.encode_jpeg(grey, quality=90))


PICTURES: Mapping[str, bytes] = {
    "A": _picture(10),
    "B": _picture(90),
    "C": _picture(170),
    "X": _picture(250),
    "T": _picture(130)[:-40],
}
"""X kills whoever decodes it, T is cut off."""
SHA = {name: sha256_of(data) for name, data in PICTURES.items()}
NAME = {sha: name for name, sha in SHA.items()}


def spaces(version: str) -> Spaces:
    return Spaces(version, tuple(Space(name, 4, f"{version}-{name}") for name in SPACES))


def vector(data: bytes, version: str) -> Floats:
    seed = int(sha256_of(data + version.encode())[:8], 16)
    raw = np.random.default_rng(seed).normal(size=12).astype(np.float32)
    return unit_spaces(raw, spaces(version))


@dataclass(frozen=True)
class SeededEmbedder:
    """Vectors that are a function of bytes and fingerprint; dies of X, refuses T."""

    spaces: Spaces

    def embed(
        self,
        pictures: Sequence[bytes],
        *,
        crop: Crop | None = None,  # noqa: ARG002 - the port's
        thumbnails: bool = False,  # noqa: ARG002 - the port's
    ) -> list[Embedding | Failure]:
        if PICTURES["X"] in pictures:
            raise Unavailable("The embedding process died.")
        return [
            Failure("undecodable_image", "The picture is cut off.")
            if data == PICTURES["T"]
            else Embedding(vector(data, self.spaces.fingerprint).tobytes(), 16, 16, "0" * 16)
            for data in pictures
        ]
