"""Products by chance: what they are, how they look, what a shop says of them."""

from dataclasses import dataclass
from random import Random
from typing import Any

from lookalike.sample.drawing import Ground, View
from lookalike.sample.kinds import KINDS, Kind
from lookalike.sample.painting import Design
from lookalike.sample.palettes import RGB, palette
from lookalike.sample.paths import Form
from lookalike.sample.patterns import PATTERNS

FIRST_ID = 1000
FIRST_CATEGORY = 1_000_000_001
CATEGORY_IDS = {
    path: FIRST_CATEGORY + n
    for n, path in enumerate(sorted({kind.category for kind in KINDS.values()}))
}

_BRANDS = {
    "Home": ("Hearth & Loom", "Maison Pomme", "Kivi", "Little Harbour", "Oak & Ember"),
    "Fashion": ("Ottilie", "Northwind", "Bellamy", "Studio Fig", "Marlow Lane", "Pico"),
    "Travel": ("Wayfare", "Cumulus", "Northwind"),
    "Leisure": ("Larkspur", "Jolly Finch", "Pico"),
}
_TINTS: tuple[RGB, ...] = (
    (240, 238, 234),
    (243, 236, 224),
    (228, 236, 240),
    (242, 229, 227),
    (230, 238, 228),
    (235, 231, 242),
    (247, 240, 222),
    (226, 229, 233),
)
_GROUNDS: tuple[Ground, ...] = ("studio", "table", "spot")
_UPRIGHT = ("striped", "pinstriped", "checked", "tartan", "zigzag", "wavy", "dotted", "plain")
"""Patterns that look as well turned."""


@dataclass(frozen=True, slots=True)
class Invention:
    """A product before it is photographed."""

    product_id: int
    kind: Kind
    design: Design
    form: Form
    views: tuple[View, ...]
    attributes: dict[str, Any]

    @property
    def category_id(self) -> int:
        return CATEGORY_IDS[self.kind.category]


def invent(seed: int, number: int) -> Invention:
    """The product of that number; it depends on nothing but the seed and its number."""
    random = Random(f"{seed}/product/{number}")
    kind = _kind(seed, number)
    # A design is used for several things, as in a shop: the style finds them again.
    design = _design(Random(f"{seed}/design/{random.randrange(48 + number // 8)}"))
    form = (random.uniform(-1, 1), random.uniform(-1, 1), random.uniform(-1, 1))
    product_id = FIRST_ID + number
    attributes = _attributes(random, product_id, kind, design)
    return Invention(product_id, kind, design, form, _views(random), attributes)


def _kind(seed: int, number: int) -> Kind:
    """Kinds come in rounds, each time in another order, so that there are as many of each."""
    turn, place = divmod(number, len(KINDS))
    order = Random(f"{seed}/kinds/{turn}").sample(list(KINDS.values()), len(KINDS))
    return order[place]


def _design(random: Random) -> Design:
    pattern = random.choice(list(PATTERNS))
    angle = random.choice((0.0, 0.0, 90.0, 45.0, -45.0)) if pattern in _UPRIGHT else 0.0
    return Design(pattern, palette(random), random.uniform(0.65, 1.15), angle)


def _views(random: Random) -> tuple[View, ...]:
    """One to four photos: as it stands, then from nearer, turned, mirrored, and a detail."""
    front = View(
        random.uniform(1.0, 1.1), ground=random.choice(_GROUNDS), tint=random.choice(_TINTS)
    )
    tint = random.choice(_TINTS)
    others = (
        View(random.uniform(0.8, 0.95), random.uniform(-5, 5), mirrored=True, tint=tint),
        View(1.15, random.uniform(-9, 9), ground="spot", tint=random.choice(_TINTS)),
        View(
            random.uniform(1.7, 2.1),
            random.uniform(-6, 6),
            shift=(random.uniform(-0.08, 0.08), random.uniform(-0.16, 0.02)),
            tint=tint,
        ),
    )
    count = random.choices((0, 1, 2, 3), (40, 35, 17, 8))[0]
    return (front, *random.sample(others, count))


def _attributes(random: Random, product_id: int, kind: Kind, design: Design) -> dict[str, Any]:
    main, second, third = map(str, design.colours)
    low, high = kind.prices
    return {
        "title": f"{design.pattern} {main} {kind.name}".capitalize().replace("t-shirt", "T-shirt"),
        "brand": random.choice(_BRANDS[kind.category[0]]),
        "price": float(random.randint(low, high)) - random.choice((0.0, 0.01, 0.05, 0.5)),
        "currency": "EUR",
        "in_stock": random.random() < 0.86,
        "tags": [design.pattern, main] + ([] if design.pattern == "plain" else [second]),
        "url": f"https://shop.example/products/{product_id}",
        "custom": {
            "kind": kind.name,
            "pattern": design.pattern,
            "colour": main,
            "second_colour": second,
            "detail_colour": third,
            "material": random.choice(kind.materials),
        },
    }
