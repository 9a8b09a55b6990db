"""The embedder of queries: shoppers ask about the same pictures again and again."""

from collections.abc import Sequence

from shared.images import Crop, sha256_of
from shared.seams.embedder import Embedder, Embedders, Embedding, Failure, embedder_of
from shared.seams.vectors_cache import VectorCache
from shared.spaces import Spaces


class RememberingEmbedder:
    """The `embedder`, asked only about what is not in the cache. Failures are not remembered.

    A vector is a function of the bytes, the crop and the fingerprint, so these are the key.
    """

    def __init__(
        self, embedder: Embedder, cache: VectorCache, others: Embedders | None = None
    ) -> None:
        self._embedder, self._cache, self._others = embedder, cache, others

    @property
    def spaces(self) -> Spaces:
        return self._embedder.spaces

    def of(self, fingerprint: str) -> Embedder | None:
        """One of the others, remembered in the same cache."""
        found = embedder_of(fingerprint, self._embedder, self._others)
        return RememberingEmbedder(found, self._cache) if found else None

    def embed(
        self, pictures: Sequence[bytes], *, crop: Crop | None = None, thumbnails: bool = False
    ) -> list[Embedding | Failure]:
        if thumbnails:
            return self._embedder.embed(pictures, crop=crop, thumbnails=True)
        keys = [self._key(picture, crop) for picture in pictures]
        known = {key: found for key in keys if (found := self._cache.get(key))}
        missing = {key: one for key, one in zip(keys, pictures, strict=True) if key not in known}
        return self._completed(keys, known, missing, crop)

    def _completed(
        self,
        keys: Sequence[str],
        known: dict[str, Embedding],
        missing: dict[str, bytes],
        crop: Crop | None,
    ) -> list[Embedding | Failure]:
        answers: dict[str, Embedding | Failure] = dict(known)
        if missing:
            results = self._embedder.embed(list(missing.values()), crop=crop)
            answers |= zip(missing, results, strict=True)
        for key in missing:
            if isinstance(answer := answers[key], Embedding):
                self._cache.put(key, answer)
        return [answers[key] for key in keys]

    def _key(self, picture: bytes, crop: Crop | None) -> str:
        part = f"{crop.x}:{crop.y}:{crop.width}:{crop.height}" if crop else "whole"
        return f"{self._embedder.spaces.fingerprint}:{sha256_of(picture)}:{part}"
