"""An exam's photos out of a folder: whose product and of which category each is, by where it lies."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal, get_args

from shared.errors import Invalid
from shared.products import MAX_IMAGES

Layout = Literal["folder", "name", "picture"]
"""What says that pictures are of one product: their folder, the beginning of their names, nothing."""
LAYOUTS: Final[tuple[Layout, ...]] = get_args(Layout)
_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})
_NUMBERED: Final = re.compile(r"(.+)[-_ ]\d{1,2}")


@dataclass(frozen=True, slots=True)
class Filed:
    """A picture's path below the folder, and what it says of it."""

    name: str
    product: str
    category: str


def filed(folder: Path, layout: Layout | None = None) -> list[Filed]:
    """In sorted order; without a layout, the folder itself shows which it has.

    `CATEGORY/PRODUCT/1.jpg`: where all pictures lie two levels deep or deeper, no more than a
    product has in one folder, such a folder is a product's. Otherwise, of `CATEGORY/4711_1.jpg` and
    `4711_2.jpg`, what comes before a short number is the product, if it tells any apart in its
    folder. Otherwise each picture is a product.
    """
    found = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix.lower() in _SUFFIXES and path.is_file()
    )
    if not found:
        raise Invalid(
            f"{folder} holds no pictures ({', '.join(sorted(_SUFFIXES))}): an exam takes a folder "
            "for each category.",
            code="no_pictures",
        )
    inside: dict[str, list[str]] = {}
    for name in found:
        inside.setdefault(PurePosixPath(name).parent.as_posix(), []).append(name)
    if layout == "folder" or (layout is None and all(map(_is_product, inside, inside.values()))):
        return [
            Filed(name, parent, _category(PurePosixPath(parent).parent.as_posix()))
            for parent, names in inside.items()
            for name in names
        ]
    return [one for parent, names in inside.items() for one in _named(parent, names, layout)]


def _is_product(parent: str, names: Sequence[str]) -> bool:
    return "/" in parent and len(names) <= MAX_IMAGES


def _named(parent: str, names: Sequence[str], layout: Layout | None) -> Iterator[Filed]:
    product: Callable[[str], str] = str if layout == "picture" else _numbered(names, layout)
    yield from (Filed(name, product(name), _category(parent)) for name in names)


def _numbered(names: Sequence[str], layout: Layout | None) -> Callable[[str], str]:
    """By name the product; `dress-1`, `dress-2` alone in their folder are no photos of one dress."""
    products: Mapping[str, str] = {name: _before_number(name) for name in names}
    several = len(Counter(products.values())) > 1
    return products.__getitem__ if several or layout == "name" else str


def _before_number(name: str) -> str:
    path = PurePosixPath(name)
    numbered = _NUMBERED.fullmatch(path.stem)
    return (path.parent / numbered[1]).as_posix() if numbered else name


def _category(folder: str) -> str:
    return "" if folder == "." else folder
