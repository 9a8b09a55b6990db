"""What a shop does, whichever way Lookalike runs."""

import base64
import time
from collections.abc import Callable
from typing import Any, Protocol

import httpx
import simplejpeg

from lookalike.sample.drawing import draw


class Shop(Protocol):
    """Whatever can be asked with two keys."""

    @property
    def admin(self) -> httpx.Client: ...

    @property
    def shopper(self) -> httpx.Client: ...


def photo(kind: str, pattern: str = "plain", scale: float = 1.0) -> bytes:
    return bytes(simplejpeg.encode_jpeg(draw(kind, pattern, scale=scale), quality=90))


def body(*pictures: bytes, **attributes: Any) -> dict[str, Any]:
    images = [{"base64": base64.b64encode(picture).decode()} for picture in pictures]
    return {**attributes, "images": images}


def put(shop: Shop, product_id: str, *pictures: bytes, **attributes: Any) -> dict[str, Any]:
    answer = shop.admin.put(
        f"/v1/products/{product_id}",
        params={"wait": "searchable", "within": "10s"},
        json=body(*pictures, **attributes),
    )
    assert answer.status_code in (200, 202), answer.text
    found: dict[str, Any] = answer.json()
    return found


def asked(shop: Shop, picture: bytes, **params: Any) -> httpx.Response:
    """A search by picture, whatever its answer is."""
    return shop.shopper.post(
        "/v1/search/image", params=params, content=picture, headers={"Content-Type": "image/jpeg"}
    )


def searched(shop: Shop, picture: bytes, **params: Any) -> dict[str, Any]:
    answer = asked(shop, picture, **params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def hits(shop: Shop, picture: bytes, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = searched(shop, picture, **params)["hits"]
    return found


def until(done: Callable[[], bool], within: float = 10.0) -> None:
    deadline = time.monotonic() + within
    while not done():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)
