"""What a caller gets for bytes."""

from pydantic import ConfigDict

from services.gateway.schemas.shapes import View, example


class UploadView(View):
    """A resumable upload has no `sha256`, and no `size` before it was declared."""

    model_config = ConfigDict(
        json_schema_extra=example(
            upload_id="upl_01jd",
            sha256="9f86d081…",
            size=48213,
            received=48213,
            media_type="image/jpeg",
        )
    )

    upload_id: str
    sha256: str | None
    size: int | None
    received: int
    media_type: str
