"""The kinds of things there are: their names, their place among the categories, their price."""

from collections.abc import Callable
from dataclasses import dataclass

from lookalike.sample import accessories, clothes, kitchen, leisure, living
from lookalike.sample.paths import Form, Parts


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing; `lying` things are photographed from above and cast a shadow all around."""

    name: str
    category: tuple[str, str, str]
    prices: tuple[int, int]
    parts: Callable[[Form], Parts]
    materials: tuple[str, ...]
    lying: bool = False


_KITCHEN = ("ceramic", "stoneware", "porcelain", "enamel")
_CLOTH = ("cotton", "linen", "organic cotton", "viscose")
_WOOL = ("wool", "merino", "cashmere", "cotton knit")
_LEATHER = ("leather", "canvas", "vegan leather")
_FABRIC = ("velvet", "linen", "bouclé", "cotton")


def _kinds() -> tuple[Kind, ...]:
    return (
        Kind("mug", ("Home", "Kitchen", "Mugs"), (8, 24), kitchen.mug, _KITCHEN),
        Kind("teapot", ("Home", "Kitchen", "Teapots"), (22, 60), kitchen.teapot, _KITCHEN),
        Kind("plate", ("Home", "Kitchen", "Plates"), (9, 30), kitchen.plate, _KITCHEN, lying=True),
        Kind("bowl", ("Home", "Kitchen", "Bowls"), (8, 28), kitchen.bowl, _KITCHEN),
        Kind(
            "bottle", ("Home", "Kitchen", "Bottles"), (14, 38), kitchen.bottle, ("steel", "glass")
        ),
        Kind("jug", ("Home", "Kitchen", "Jugs"), (15, 45), kitchen.jug, _KITCHEN),
        Kind("vase", ("Home", "Decoration", "Vases"), (16, 70), living.vase, ("glass", "ceramic")),
        Kind(
            "plant pot",
            ("Home", "Decoration", "Plant pots"),
            (12, 40),
            living.pot,
            ("terracotta", "ceramic"),
        ),
        Kind(
            "lamp",
            ("Home", "Lighting", "Table lamps"),
            (35, 140),
            living.lamp,
            ("linen", "paper", "cotton"),
        ),
        Kind(
            "candle",
            ("Home", "Decoration", "Candles"),
            (7, 26),
            living.candle,
            ("soy wax", "beeswax"),
        ),
        Kind(
            "clock",
            ("Home", "Decoration", "Clocks"),
            (25, 90),
            living.clock,
            ("wood", "steel"),
            lying=True,
        ),
        Kind(
            "cushion",
            ("Home", "Textiles", "Cushions"),
            (14, 45),
            living.cushion,
            _FABRIC,
            lying=True,
        ),
        Kind("chair", ("Home", "Furniture", "Chairs"), (60, 260), living.chair, _FABRIC),
        Kind("armchair", ("Home", "Furniture", "Armchairs"), (180, 620), living.armchair, _FABRIC),
        Kind("sofa", ("Home", "Furniture", "Sofas"), (420, 1500), living.sofa, _FABRIC),
        Kind(
            "T-shirt", ("Fashion", "Tops", "T-shirts"), (12, 35), clothes.shirt, _CLOTH, lying=True
        ),
        Kind(
            "jumper", ("Fashion", "Tops", "Jumpers"), (35, 120), clothes.jumper, _WOOL, lying=True
        ),
        Kind(
            "dress",
            ("Fashion", "Dresses", "Day dresses"),
            (35, 140),
            clothes.dress,
            _CLOTH,
            lying=True,
        ),
        Kind(
            "skirt", ("Fashion", "Bottoms", "Skirts"), (25, 80), clothes.skirt, _CLOTH, lying=True
        ),
        Kind(
            "trousers",
            ("Fashion", "Bottoms", "Trousers"),
            (30, 110),
            clothes.trousers,
            _CLOTH,
            lying=True,
        ),
        Kind("socks", ("Fashion", "Underwear", "Socks"), (5, 16), clothes.socks, _WOOL, lying=True),
        Kind(
            "scarf",
            ("Fashion", "Accessories", "Scarves"),
            (18, 75),
            clothes.scarf,
            _WOOL,
            lying=True,
        ),
        Kind("sneaker", ("Fashion", "Shoes", "Sneakers"), (45, 150), accessories.sneaker, _LEATHER),
        Kind(
            "boot",
            ("Fashion", "Shoes", "Boots"),
            (70, 220),
            accessories.boot,
            ("rubber", "leather"),
        ),
        Kind("handbag", ("Fashion", "Bags", "Handbags"), (40, 240), accessories.handbag, _LEATHER),
        Kind(
            "backpack",
            ("Fashion", "Bags", "Backpacks"),
            (35, 140),
            accessories.backpack,
            ("canvas", "nylon"),
        ),
        Kind(
            "suitcase",
            ("Travel", "Luggage", "Suitcases"),
            (80, 320),
            accessories.suitcase,
            ("polycarbonate", "aluminium"),
        ),
        Kind(
            "sun hat",
            ("Fashion", "Accessories", "Hats"),
            (18, 70),
            accessories.hat,
            ("straw", "felt"),
        ),
        Kind("beanie", ("Fashion", "Accessories", "Beanies"), (12, 40), accessories.beanie, _WOOL),
        Kind(
            "watch",
            ("Fashion", "Accessories", "Watches"),
            (60, 380),
            accessories.watch,
            ("leather", "silicone"),
            lying=True,
        ),
        Kind(
            "umbrella",
            ("Travel", "Rainwear", "Umbrellas"),
            (15, 60),
            accessories.umbrella,
            ("nylon", "polyester"),
        ),
        Kind(
            "guitar",
            ("Leisure", "Music", "Guitars"),
            (120, 900),
            leisure.guitar,
            ("spruce", "maple"),
            lying=True,
        ),
        Kind(
            "book",
            ("Leisure", "Stationery", "Notebooks"),
            (6, 24),
            leisure.book,
            ("paper", "linen"),
            lying=True,
        ),
        Kind("ball", ("Leisure", "Games", "Balls"), (8, 30), leisure.ball, ("rubber", "vinyl")),
        Kind(
            "kite",
            ("Leisure", "Games", "Kites"),
            (14, 50),
            leisure.kite,
            ("nylon", "paper"),
            lying=True,
        ),
        Kind(
            "balloon",
            ("Leisure", "Party", "Balloons"),
            (2, 9),
            leisure.balloon,
            ("latex", "foil"),
            lying=True,
        ),
    )


KINDS = {kind.name: kind for kind in _kinds()}
