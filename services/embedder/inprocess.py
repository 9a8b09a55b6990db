from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import numpy as np

from services.embedder.decode import Picture, cut, decode, perceptual_hash, thumbnail
from services.embedder.model import Model, load
from shared.errors import Invalid
from shared.images import Crop, sha256_of
from shared.pictures import check_crop
from shared.runtime.failpoints import armed, reach
from shared.seams.embedder import Embedding, Failure
from shared.spaces import Spaces


class InProcessEmbedder:
    """The `Embedder` of worker processes and children: a poison picture takes the process along."""

    def __init__(self, model: Path | Model) -> None:
        self._model = load(model) if isinstance(model, Path) else model
        self._one_at_a_time = Lock()

    @property
    def spaces(self) -> Spaces:
        return self._model.spaces

    def embed(
        self, pictures: Sequence[bytes], *, crop: Crop | None = None, thumbnails: bool = False
    ) -> list[Embedding | Failure]:
        if crop is not None:
            check_crop(crop)
        return [self._embed_one(data, crop, thumbnails=thumbnails) for data in pictures]

    def _embed_one(
        self, data: bytes, crop: Crop | None, *, thumbnails: bool
    ) -> Embedding | Failure:
        if armed("embedder.decode"):
            reach("embedder.decode", sha256_of(data))
        try:
            picture = decode(data, crop)
        except Invalid as error:
            return Failure(error.kind, error.detail)
        return Embedding(
            self._vector(picture, crop),
            picture.width,
            picture.height,
            perceptual_hash(picture.pixels),
            thumbnail(picture) if thumbnails else None,
        )

    def _vector(self, picture: Picture, crop: Crop | None) -> bytes:
        looked_at = picture.pixels if crop is None else cut(picture.pixels, crop)
        with self._one_at_a_time:
            return self._model.vector(looked_at).astype(np.float32, copy=False).tobytes()
