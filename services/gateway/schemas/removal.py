"""What a purge tells."""

from pydantic import ConfigDict

from services.gateway.schemas.shapes import View, example


class KeptView(View):
    sha256: str
    reason: str


class ReceiptView(View):
    """Pictures whose bytes are gone, and those that go later, each with the reason."""

    model_config = ConfigDict(
        json_schema_extra=example(
            product_id="1000",
            removed=["9f86d081…"],
            later=[{"sha256": "60303ae2…", "reason": "Another product shows it."}],
        )
    )

    product_id: str
    removed: tuple[str, ...]
    later: list[KeptView]
