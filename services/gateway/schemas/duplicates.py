"""Pictures of an import that are a photo the shop has already, saved anew."""

from pydantic import ConfigDict

from services.gateway.schemas.shapes import View, example


class TwinView(View):
    """`distance`: bits of the perceptual hash that differ from the group's first picture.

    `product_ids`: the first products that show it; none where no product does any more.
    """

    sha256: str
    imported: bool
    distance: int
    product_ids: list[str]
    thumbnail_url: str
    url: str


class TwinsView(View):
    """One photo in several savings. `count` pictures, of which the first are named; what the shop
    had before the import stands first. `showing_several`: products that show more than one of them.
    """

    count: int
    pictures: list[TwinView]
    showing_several: list[str]


class DuplicatesView(View):
    """The largest groups come first; `groups` and `pictures` are counted over all pages."""

    model_config = ConfigDict(
        json_schema_extra=example(
            groups=1,
            pictures=2,
            duplicates=[
                {
                    "count": 2,
                    "pictures": [
                        {
                            "sha256": "9f86d081" * 8,
                            "imported": imported,
                            "distance": distance,
                            "product_ids": [product_id],
                            "thumbnail_url": "/v1/images/9f86?size=thumb",
                            "url": "/v1/images/9f86?size=full",
                        }
                        for imported, distance, product_id in ((False, 0, "1000"), (True, 2, "7"))
                    ],
                    "showing_several": [],
                }
            ],
            next_cursor=None,
        )
    )

    groups: int
    pictures: int
    duplicates: list[TwinsView]
    next_cursor: str | None
