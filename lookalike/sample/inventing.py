"""Products by chance: what they are, how they look, what a shop says of them."""

from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random
from typing import Any

from lookalike.sample.drawing import Ground, View
from lookalike.sample.kinds import KINDS, Kind
from lookalike.sample.painting import Design
from lookalike.sample.palettes import RGB, palette
from lookalike.sample.paths import Form
from lookalike.sample.patterns import PATTERNS

FIRST_ID = 1000
YOUNG = 10 * len(KINDS)
"""Until it has so many products, a shop has as many of each kind, and each of them once."""
OFFERED_AGAIN = 0.02
"""How many of the later ones are an earlier thing again, with the same pictures."""
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
_FIRST_DESIGNS = 48
_THINGS_OF_A_DESIGN = 8
_SEASON = 96
"""How many designs are in fashion at once; few enough that their painted textures are kept."""
_POPULARITY = [1 / (rank + 4) for rank in range(len(KINDS))]
"""A long tail: of 36 kinds the first has a tenth of the products, the last a hundredth."""


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
    product_id = FIRST_ID + number
    if number >= YOUNG and random.random() < OFFERED_AGAIN:
        thing = invent(seed, random.randrange(number))
        attributes = _attributes(random, product_id, thing.kind, thing.design)
        return replace(thing, product_id=product_id, attributes=attributes)
    kind = _kind(seed, number, random)
    # A design is used for several things, as in a shop: the style finds them again.
    designs = _FIRST_DESIGNS + number // _THINGS_OF_A_DESIGN
    season = min(designs, _SEASON)
    design = _design(seed, designs - season + random.randrange(season))
    form = (random.uniform(-1, 1), random.uniform(-1, 1), random.uniform(-1, 1))
    attributes = _attributes(random, product_id, kind, design)
    return Invention(
        product_id, kind, design, form, _views(random, 0.0 if number < YOUNG else 1.0), attributes
    )


def _kind(seed: int, number: int, random: Random) -> Kind:
    """In a young shop kinds come in rounds, each in another order; later some sell far better."""
    if number >= YOUNG:
        return random.choices(_round(seed, -1), _POPULARITY)[0]
    turn, place = divmod(number, len(KINDS))
    return _round(seed, turn)[place]


@lru_cache(maxsize=16)
def _round(seed: int, turn: int) -> list[Kind]:
    return Random(f"{seed}/kinds/{turn}").sample(list(KINDS.values()), len(KINDS))


@lru_cache(maxsize=128)
def _design(seed: int, number: int) -> Design:
    random = Random(f"{seed}/design/{number}")
    pattern = random.choice(list(PATTERNS))
    angle = random.choice((0.0, 0.0, 90.0, 45.0, -45.0)) if pattern in _UPRIGHT else 0.0
    return Design(pattern, palette(random), random.uniform(0.65, 1.15), angle)


def _views(random: Random, askew: float) -> tuple[View, ...]:
    """One to four photos: as it stands, then from nearer, turned, mirrored, and a detail.

    `askew` is how carelessly they are taken: 0 puts the thing upright in the middle.
    """

    def shift(most: float) -> tuple[float, float]:
        return askew * random.uniform(-most, most), askew * random.uniform(-most, most)

    front = View(
        random.uniform(1.0 - 0.2 * askew, 1.1),
        askew * random.uniform(-7, 7),
        mirrored=random.random() < askew / 2,
        shift=shift(0.07),
        ground=random.choice(_GROUNDS),
        tint=random.choice(_TINTS),
    )
    tint = random.choice(_TINTS)
    others = (
        View(
            random.uniform(0.8, 0.95),
            random.uniform(-5, 5) * (1 + askew),
            mirrored=not front.mirrored,
            shift=shift(0.09),
            tint=tint,
        ),
        View(
            1.15 - askew * random.uniform(0.0, 0.3),
            random.uniform(-9, 9),
            mirrored=random.random() < askew / 2,
            shift=shift(0.07),
            ground="spot",
            tint=random.choice(_TINTS),
        ),
        View(
            random.uniform(1.7, 2.1),
            random.uniform(-6, 6),
            mirrored=random.random() < askew / 2,
            shift=(random.uniform(-0.08, 0.08), random.uniform(-0.16, 0.02)),
            tint=tint,
        ),
    )
    count = random.choices((0, 1, 2, 3), (50, 30, 15, 5))[0]
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
