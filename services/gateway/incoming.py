"""Products as they arrive: JSON that names pictures, or multipart with files."""

from collections.abc import Mapping

from fastapi import Request

from services.gateway import bodies
from services.gateway.keys import Caller
from services.gateway.products import Draft, checked_id, draft
from services.gateway.schemas.products import PatchBody, ProductBody
from services.gateway.schemas.shapes import Body
from shared.errors import Flaw, Invalid


def product(caller: Caller, product_id: str, request: Request) -> Draft:
    """A whole product, read and checked."""
    checked_id(product_id)
    settings = caller.ports.settings
    if not bodies.is_form(request):
        body = bodies.read_model(request, ProductBody, settings.max_json_bytes)
        return draft(caller, product_id, body)
    plain, files = bodies.read_form(request, settings.max_form_bytes)
    bodies.only(plain, "product")
    body = bodies.checked(bodies.parse_json(plain.get("product", b"{}")), ProductBody)
    return draft(caller, product_id, body, files)


def patch(request: Request) -> Mapping[str, object]:
    """A merge patch; what it does not name is not in it."""
    return checked_patch(bodies.read_json(request, bodies.MAX_JSON_PART))


def checked_patch(changes: object, pointer: str = "") -> Mapping[str, object]:
    if isinstance(changes, dict) and "images" in changes:
        detail = "A patch leaves the pictures; PUT replaces them."
        flaw = Flaw(f"{pointer}/images", "not_patchable", detail)
        raise Invalid(detail, code="not_patchable", flaws=(flaw,))
    return bodies.checked(changes, PatchBody, pointer).model_dump(exclude_unset=True)


def nothing_else(rest: Mapping[str, object], pointer: str) -> None:
    """A deletion names its product and nothing more."""
    bodies.checked(dict(rest), Body, pointer)
