"""Products in the order of their ids, as a shop window walks along them."""

from services.gateway.keys import Caller
from services.gateway.products import picture_url
from services.gateway.schemas.products import CardsView, CardView
from shared.products import Product


def page(caller: Caller, cursor: str, limit: int) -> CardsView:
    """Those that are not deleted; the cursor is the last id."""
    found: list[Product] = []
    while len(found) <= limit:
        read = caller.ports.catalogue.products.page(caller.tenant, cursor, limit + 1)
        found += [product for product in read if not product.deleted]
        if len(read) <= limit:
            break
        cursor = read[-1].product_id
    shown = found[:limit]
    more = len(found) > limit
    return CardsView(
        products=[_card(caller, product) for product in shown],
        next_cursor=shown[-1].product_id if more else None,
    )


def one(caller: Caller, product_id: str) -> CardsView:
    found = caller.ports.catalogue.products.get(caller.tenant, [product_id]).values()
    cards = [_card(caller, product) for product in found if not product.deleted]
    return CardsView(products=cards, next_cursor=None)


def _card(caller: Caller, product: Product) -> CardView:
    image = next(iter(product.images), None)
    now = caller.ports.catalogue.now()
    attributes = product.attributes
    return CardView(
        product_id=product.product_id,
        title=attributes.title,
        brand=attributes.brand,
        category=attributes.category,
        price=attributes.price,
        currency=attributes.currency,
        in_stock=attributes.in_stock,
        url=attributes.url,
        image=image,
        thumbnail_url=None if image is None else picture_url(caller, image, "thumb", now),
        version=product.version,
    )
