"""Purging a product: its pictures' bytes at once where nothing else needs them."""

from services.gateway.keys import Caller
from services.gateway.schemas.removal import KeptView, ReceiptView
from shared.products import Product
from shared.removal import purge_images


def purge(caller: Caller, gone: Product) -> ReceiptView:
    """`gone` is the product as it was before it was deleted."""
    ports = caller.ports
    receipt = purge_images(ports.catalogue, ports.blobs, caller.tenant, gone.images)
    return ReceiptView(
        product_id=gone.product_id,
        removed=receipt.removed,
        later=[KeptView(sha256=kept.sha256, reason=kept.reason) for kept in receipt.later],
    )
