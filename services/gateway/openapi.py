"""The API's description: OpenAPI 3.1, the same text at every start.

`python -m services.gateway.openapi` writes it to docs/api.openapi.json.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

_REF: Final = "#/components/schemas/{model}"
_bodies: set[type[BaseModel]] = set()


def takes(
    model: type[BaseModel], *, media_type: str = "application/json", form: bool = False
) -> dict[str, Any]:
    """Describes a JSON body that the route reads itself; `form` adds the multipart way."""
    _bodies.add(model)
    content = {media_type: {"schema": {"$ref": _REF.format(model=model.__name__)}}}
    if form:
        content["multipart/form-data"] = {"schema": _form(model)}
    return {"requestBody": {"required": True, "content": content}}


def takes_bytes(*media_types: str, required: bool = True) -> dict[str, Any]:
    """Describes a body that is the bytes themselves."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in media_types}
    return {"requestBody": {"required": required, "content": content}}


def describe(app: FastAPI) -> dict[str, Any]:
    description = get_openapi(
        title="Lookalike",
        version="1",
        openapi_version="3.1.0",
        summary="Visual product search",
        description="Find products that look alike. Errors are RFC 9457 problem bodies.",
        routes=app.routes,
    )
    ordered = sorted(_bodies, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(m, "validation") for m in ordered], ref_template=_REF)
    components = description.setdefault("components", {})
    components["schemas"] = dict(
        sorted({**components.get("schemas", {}), **schemas.get("$defs", {})}.items())
    )
    return description


def text_of(description: dict[str, Any]) -> str:
    return json.dumps(description, indent=2, ensure_ascii=False) + "\n"


def _form(model: type[BaseModel]) -> dict[str, Any]:
    binary = {"type": "string", "format": "binary"}
    return {
        "type": "object",
        "properties": {
            "product": {"$ref": _REF.format(model=model.__name__)},
            "images": {"type": "array", "items": binary},
        },
    }


def main() -> None:
    from services.gateway.app import description  # noqa: PLC0415 - routes need this module

    target = Path("docs/api.openapi.json")
    target.write_text(text_of(description()), encoding="utf-8")
    sys.stdout.write(f"wrote {target}\n")


if __name__ == "__main__":
    main()
