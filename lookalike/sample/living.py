"""What stands in a living room, as parts; `a`, `b`, `c` in [-1, 1] vary the proportions."""

import math

from lookalike.sample.paths import Fill, Form, Part, Parts, both, line, moved, oval, shape, turned


def vase(form: Form) -> Parts:
    a, b, c = form
    w, neck, belly = 23 + 4 * a, 8 + 2.5 * b, 62 + 9 * c
    stem = [
        line("M 50 44 C 49 34 46 26 42 18", 1.4, "leaf", 0.8),
        line("M 51 44 C 52 32 56 24 61 15", 1.4, "leaf", 0.8),
        shape("M 47 32 C 38 32 34 27 32 22 C 40 21 46 25 47 32 Z", "leaf"),
        shape("M 53 31 C 61 32 67 29 69 25 C 62 23 55 25 53 31 Z", "leaf", "soft", 0.9),
        *_blossom(41, 15, "third"),
        *_blossom(62, 12, "second"),
    ]
    body = turned(
        f"M 50 38 L {51 + neck} 38 C {49 + neck} 48 {50 + w} {belly - 14} {50 + w} {belly} "
        f"C {50 + w} {belly + 16} {54 + w * 0.4} 88 {52 + w * 0.4} 91 L 50 91"
    )
    return [*stem, body, oval(50, 38, neck + 1, 2.2, "dark", "flat")]


def _blossom(x: float, y: float, fill: Fill) -> Parts:
    turns = (n * math.tau / 5 - 0.3 for n in range(5))
    petals = [oval(x + 4.4 * math.cos(t), y + 4.4 * math.sin(t), 3.7, fill=fill) for t in turns]
    return [*petals, oval(x, y, 2.6, fill="gold", shade="ball")]


def pot(form: Form) -> Parts:
    a, b, c = form
    w, foot, top = 23 + 3 * a, 15 + 2 * b, 56 + 3 * c
    leaf = shape(f"M 50 {top} C 40 40 44 20 50 8 C 58 22 58 42 50 {top} Z", "leaf")
    side = shape(
        f"M 50 {top} C 30 {top - 6} 20 34 22 18 C 36 24 48 38 50 {top} Z", "leaf", "soft", 0.9
    )
    low = shape(
        f"M 50 {top} C 36 {top - 2} 18 {top - 8} 12 {top - 22} "
        f"C 28 {top - 26} 44 {top - 16} 50 {top} Z",
        "leaf",
        "soft",
        0.8,
    )
    return [
        *both(low, side),
        leaf,
        line(f"M 50 {top} L 50 20", 0.8, "light", 0.75),
        turned(f"M 50 {top} L {50 + w} {top} L {50 + foot} 89 Q {49 + foot} 91 50 91"),
        turned(
            f"M 50 {top - 3} L {52 + w} {top - 3} L {52 + w} {top + 6} L 50 {top + 6}",
            "main",
            "round",
            0.92,
        ),
    ]


def lamp(form: Form) -> Parts:
    a, b, c = form
    top, low, base = 14 + 3 * a, 30 + 2 * b, 18 + 3 * c
    foot = turned(
        f"M 50 52 L 54 52 C 54 60 {50 + base * 0.9} 66 {50 + base * 0.8} 78 "
        f"C {50 + base * 0.7} 86 60 87 60 90 L 50 90",
        "third",
    )
    return [
        foot,
        turned(f"M 50 88 L {50 + base * 0.75} 88 L {50 + base * 0.75} 91 L 50 91", "gold"),
        line("M 50 48 L 50 56", 3, "gold"),
        turned(f"M 50 10 L {50 + top} 10 L {50 + low} 50 Q 50 54 50 53", "body", "round", 1.06),
        line(f"M {50 - top} 10.4 L {50 + top} 10.4", 1.6, "main", 0.8),
        line(f"M {50 - low} 50 Q 50 54 {50 + low} 50", 1.8, "main", 0.8),
    ]


def candle(form: Form) -> Parts:
    a, b, c = form
    w, top = 20 + 4 * a, 44 - 6 * b
    glass = turned(f"M 50 {top} L {50 + w} {top} L {50 + w} 86 Q {50 + w} 90 {46 + w} 90 L 50 90")
    flame = shape(
        f"M 50 {top - 24 - 2 * c} C 58 {top - 14} 57 {top - 6} 50 {top - 5} "
        f"C 43 {top - 6} 42 {top - 14} 50 {top - 24 - 2 * c} Z",
        "gold",
        "flat",
        1.15,
    )
    core = shape(
        f"M 50 {top - 15} C 54 {top - 10} 53 {top - 6} 50 {top - 6} "
        f"C 47 {top - 6} 46 {top - 10} 50 {top - 15} Z",
        "light",
        "flat",
        1.05,
    )
    label = shape(
        f"M 39 {top + 17} L 61 {top + 17} L 61 {top + 31} L 39 {top + 31} Z", "light", "flat"
    )
    words = [
        line(f"M 43 {top + 22} L 57 {top + 22}", 1.2),
        line(f"M 45 {top + 26.5} L 55 {top + 26.5}", 0.9, "third"),
    ]
    return [
        glass,
        oval(50, top, w, 5, "main", "flat", 0.9),
        oval(50, top + 0.8, w - 2, 3.8, "light", "flat", 0.98),
        line(f"M 50 {top} L 50 {top - 7}", 1.2),
        flame,
        core,
        label,
        *words,
    ]


def clock(form: Form) -> Parts:
    a, b, c = form
    face = 29 + 3 * a
    rim: Part = oval(50, 50, 41, shade="ball")
    if b > 0.3:
        rim = shape(
            "M 26 10 L 74 10 Q 90 10 90 26 L 90 74 Q 90 90 74 90 L 26 90 Q 10 90 10 74 "
            "L 10 26 Q 10 10 26 10 Z"
        )
    ticks = [
        _spoke(n * 30, face - (5 if n % 3 else 8), face - 2.5, 1.0 if n % 3 else 2.0)
        for n in range(12)
    ]
    return [
        rim,
        oval(50, 50, face + 1.5, fill="dark", shade="flat", tone=0.9),
        oval(50, 50, face, fill="light", shade="ball", tone=0.97),
        *ticks,
        _spoke(305 + 40 * c, -3, face * 0.55, 2.6),
        _spoke(60 + 50 * b, -4, face * 0.8, 1.8),
        _spoke(190, -6, face * 0.8, 0.8, third=True),
        oval(50, 50, 2.4, fill="third", shade="ball"),
    ]


def _spoke(degrees: float, start: float, end: float, width: float, *, third: bool = False) -> Part:
    x, y = math.sin(math.radians(degrees)), -math.cos(math.radians(degrees))
    path = f"M {50 + start * x:.2f} {50 + start * y:.2f} L {50 + end * x:.2f} {50 + end * y:.2f}"
    return line(path, width, "third" if third else "dark")


def cushion(form: Form) -> Parts:
    a, b, c = form
    h = 38 + 2 * a if b < 0.3 else 27
    t, d = 50 - h, 50 + h
    sag = 5 + 2 * c
    outline = (
        f"M 9 {t} Q 50 {t + sag} 91 {t} Q {91 - sag} 50 91 {d} Q 50 {d - sag} 9 {d} "
        f"Q {9 + sag} 50 9 {t} Z"
    )
    corners = [oval(x, y, 2.6, fill="third", shade="ball") for x in (9, 91) for y in (t, d)]
    piping = line(outline[:-1] + f"L 9 {t}", 1.8, "third", 0.95)
    button = [oval(50, 50, 3, fill="second", shade="ball")] if c > 0.3 else []
    return [*corners, shape(outline), piping, *button]


def chair(form: Form) -> Parts:
    a, b, c = form
    w, top = 19 + 2 * a, 14 - 3 * b
    legs = both(
        line(f"M {52 + w} 62 L {55 + w} 92", 4, "wood", 0.95),
        line(f"M {46 + w} 62 L {46 + w} 84", 3.4, "wood", 0.72),
        line(f"M {48 + w} 24 L {49 + w} 60", 3.6, "wood", 0.9),
    )
    back = turned(
        f"M 50 {top} L {44 + w} {top} Q {50 + w} {top} {50 + w} {top + 7} "
        f"L {49 + w} {44 + 3 * c} Q 50 {50 + 3 * c} 50 {49 + 3 * c}",
        "body",
        "soft",
    )
    seat = turned(
        f"M 50 54 L {48 + w} 54 Q {54 + w} 56 {56 + w} 62 Q {56 + w} 67 {50 + w} 67 L 50 67",
        "body",
        "soft",
        0.93,
    )
    return [*legs, back, seat]


def armchair(form: Form) -> Parts:
    a, b, c = form
    w, top = 25 + 2 * a, 22 - 4 * b
    feet = both(line(f"M {44 + w} 84 L {46 + w} 93", 3.6, "wood"))
    back = turned(
        f"M 50 {top} C {50 + w} {top} {52 + w} {top + 6} {52 + w} 40 L {50 + w} 70 L 50 70",
        "body",
        "soft",
        0.86,
    )
    seat = turned(
        f"M 50 58 L {46 + w} 58 Q {50 + w} 58 {50 + w} 63 L {50 + w} 74 L 50 74",
        "body",
        "soft",
        1.08,
    )
    base = turned(f"M 50 72 L {50 + w} 72 L {50 + w} 86 L 50 86", "body", "soft", 0.74)
    arm = shape(
        f"M {44 + w} 52 Q {50 + w} {46 + 2 * c} {57 + w} 50 Q {60 + w} 54 {59 + w} 62 "
        f"L {57 + w} 84 Q {57 + w} 87 {52 + w} 87 L {46 + w} 87 Z",
        "body",
        "soft",
        0.97,
    )
    return [*feet, back, base, seat, *both(arm)]


def sofa(form: Form) -> Parts:
    a, b, c = form
    top = 32 - 4 * a
    feet = both(line("M 84 76 L 86 85", 3, "wood"), line("M 62 76 L 62 84", 2.6, "wood", 0.8))
    back = turned(
        f"M 50 {top} L 82 {top} Q 89 {top} 89 {top + 8} L 88 66 L 50 66", "body", "soft", 0.86
    )
    seat = shape("M 51 54 L 84 54 Q 88 54 88 58 L 88 66 L 51 66 Z", "body", "soft", 1.07)
    base = turned("M 50 66 L 88 66 L 88 78 L 50 78", "body", "soft", 0.72)
    arm = shape(
        f"M 82 {50 - 3 * b} Q 89 {44 - 3 * b} 95 {48 - 3 * b} Q 98 52 97 60 L 95 76 "
        "Q 95 79 90 79 L 84 79 Z",
        "body",
        "soft",
        0.96,
    )
    pillow = shape("M 22 42 Q 32 44 42 40 Q 40 50 43 59 Q 32 56 22 60 Q 25 50 22 42 Z", "third")
    return [*feet, back, base, *both(seat), *moved([pillow], 2 * c, 0), *both(arm)]
