"""Visual product search: the Python client here, the command and the launcher beside it.

from lookalike import Lookalike

with Lookalike("http://127.0.0.1:8080", key="lk_admin_…") as shop:
    shop.put_product("1000", {"title": "Brass lamp"}, images=[Path("lamp.jpg")])
    for hit in shop.search(image=Path("photo.jpg"), limit=5).hits:
        print(hit.product_id, hit.similarity)
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lookalike.client import AsyncLookalike, Lookalike

__all__ = ["AsyncLookalike", "Lookalike"]


def __getattr__(name: str) -> object:
    """The client is loaded when it is asked for, so that the command starts quickly."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lookalike import client  # noqa: PLC0415 - see above

    return getattr(client, name)
