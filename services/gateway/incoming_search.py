"""Pictures to look for as they arrive: the raw body, or the one file of a form."""

from fastapi import Request

from services.gateway import bodies
from shared.errors import Malformed
from shared.images import MAX_PICTURE_BYTES

_FORM_SLACK = 64 * 1024


def picture(request: Request) -> bytes:
    if not bodies.is_form(request):
        return bodies.read(request, MAX_PICTURE_BYTES)
    _, files = bodies.read_form(request, MAX_PICTURE_BYTES + _FORM_SLACK)
    if len(files) != 1:
        raise Malformed(f"The form is to have one file, the picture; it has {len(files)}.")
    return files[0]
