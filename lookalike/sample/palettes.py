"""Named colours, and which of them go together."""

from random import Random

RGB = tuple[int, int, int]

COLOURS: dict[str, RGB] = {
    "red": (200, 49, 52),
    "coral": (239, 113, 96),
    "terracotta": (191, 96, 66),
    "orange": (238, 137, 48),
    "mustard": (222, 172, 52),
    "yellow": (247, 212, 84),
    "lime": (163, 197, 73),
    "olive": (124, 130, 62),
    "green": (62, 142, 85),
    "forest": (38, 88, 68),
    "mint": (150, 215, 187),
    "teal": (34, 138, 141),
    "turquoise": (69, 187, 194),
    "sky": (128, 186, 226),
    "blue": (54, 108, 188),
    "navy": (36, 52, 96),
    "lavender": (178, 162, 218),
    "purple": (116, 74, 150),
    "plum": (110, 46, 84),
    "pink": (240, 168, 186),
    "rose": (214, 98, 134),
    "brown": (124, 82, 56),
    "sand": (219, 195, 156),
    "cream": (248, 238, 216),
    "white": (247, 247, 244),
    "grey": (150, 156, 164),
    "charcoal": (62, 66, 76),
}

_LIGHT_COMPANIONS = ("cream", "white", "sand", "yellow", "pink", "mint", "sky")
_DARK_COMPANIONS = ("navy", "charcoal", "forest", "plum", "red", "teal", "terracotta", "blue")
_THIRDS = ("mustard", "coral", "teal", "cream", "navy", "rose", "orange", "white", "turquoise")
_CONTRAST = 62


def rgb(colour: str | RGB) -> RGB:
    """A colour by its name, or as it is."""
    return COLOURS[colour] if isinstance(colour, str) else colour


def palette(random: Random) -> tuple[str, str, str]:
    """Three names: a main colour, one that stands out against it, and one for details."""
    main = random.choice(list(COLOURS))
    companions = _LIGHT_COMPANIONS if _lightness(main) < 150 else _DARK_COMPANIONS
    second = random.choice([name for name in companions if _stands_out(name, main)])
    third = random.choice([name for name in _THIRDS if name not in (main, second)])
    return main, second, third


def _lightness(name: str) -> float:
    red, green, blue = COLOURS[name]
    return 0.3 * red + 0.59 * green + 0.11 * blue


def _stands_out(name: str, against: str) -> bool:
    return abs(_lightness(name) - _lightness(against)) > _CONTRAST
