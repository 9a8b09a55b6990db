"""What tests of images do to them and look at."""

from collections.abc import Callable
from typing import Any

from shared.catalogue.images import VectorWrite
from shared.catalogue.port import Catalogue
from shared.images import Image, Place, Progress

Store = Callable[..., Image]
VECTOR, OTHER = b"\x00\x3c" * 4, b"\x00\x40" * 4


def stored(catalogue: Catalogue, image: Image) -> Image:
    return catalogue.images.get("shop", [image.sha256])[image.sha256]


def progress(catalogue: Catalogue, image: Image) -> Progress:
    return stored(catalogue, image).state.get("f1", Progress())


def embedded(catalogue: Catalogue, image: Image, **more: Any) -> bool:
    return catalogue.images.store_vector(VectorWrite("shop", image.sha256, "f1", VECTOR, **more))


def given_up(catalogue: Catalogue, image: Image, place: Place | None = None) -> bool:
    return catalogue.images.store_verdict(
        "shop", image.sha256, "f1", place=place or image.place, error="broken: No picture."
    )


def open_now(catalogue: Catalogue, **narrowed: Any) -> list[tuple[str, int, bool]]:
    found = catalogue.images.claimable("f1", 100, **narrowed)
    return [(claim.sha256, claim.attempts, claim.unannounced) for claim in found]
