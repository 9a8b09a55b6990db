"""Books, balls, guitars, as parts; `a`, `b`, `c` in [-1, 1] vary the proportions."""

from lookalike.sample.paths import Fill, Form, Part, Parts, line, moved, oval, shape, turned


def guitar(form: Form) -> Parts:
    a, b, c = form
    low, waist, high = 22 + 2 * a, 13 + b, 17 + 1.5 * c
    body = turned(
        f"M 50 44 C {50 + high} 42 {54 + high} 54 {50 + waist} 62 "
        f"C {52 + low} 68 {54 + low} 95 50 96",
        "body",
        "soft",
    )
    frets = [line(f"M 47 {y} L 53 {y}", 0.6, "metal") for y in range(16, 52, 5)]
    pegs = [oval(x, y, 1.8, 1.4, "gold", "ball") for x in (42.4, 57.6) for y in (4.5, 8.5, 12)]
    strings = [
        line(f"M {48.2 + 1.2 * n} 8 L {47.6 + 1.6 * n} 84", 0.3, "light", 0.9) for n in range(4)
    ]
    return [
        body,
        oval(50, 66, 8, fill="third", shade="flat"),
        oval(50, 66, 6.4, fill="dark", shade="flat", tone=0.8),
        shape("M 46.8 12 L 53.2 12 L 53.6 62 L 46.4 62 Z", "wood", "flat", 0.62),
        *frets,
        *pegs,
        shape("M 45 2 L 55 2 L 56 13 L 53.4 16 L 46.6 16 L 44 13 Z", "wood", "soft", 0.8),
        shape("M 41 83 L 59 83 L 59 87 L 41 87 Z", "wood", "flat", 0.6),
        *strings,
    ]


def book(form: Form) -> Parts:
    a, b, c = form
    w, h = 27 + 3 * a, 38 + 2 * b
    left, top, right, low = 50 - w, 50 - h, 50 + w, 47 + h
    ribbon = (
        f"M {right - 12} {low} L {right - 8} {low} L {right - 8} {low + 9} "
        f"L {right - 10} {low + 6} L {right - 12} {low + 9} Z"
    )
    label = [
        _board(38, top + 14, 66, top + 32, "light"),
        line(f"M 43 {top + 20} L 61 {top + 20}", 1.6),
        line(f"M 46 {top + 26} L 58 {top + 26}", 1.0, "third"),
    ]
    band = [_board(right - 9, top, right - 6, low, "dark")]
    return [
        shape(ribbon, "third", "flat", 0.9),
        _board(left + 3, top + 4, right + 4, low + 4, "main", tone=0.6),
        _board(left + 3, top + 3, right + 2.5, low + 2, "light", tone=0.92),
        _board(left, top, right, low, "body"),
        _board(left, top, left + 8, low, "third", tone=0.95),
        *(label if c > -0.3 else band),
    ]


def _board(
    left: float, top: float, right: float, low: float, fill: Fill, *, tone: float = 1.0
) -> Part:
    outline = f"M {left} {top} L {right} {top} L {right} {low} L {left} {low} Z"
    return shape(outline, fill, "flat", tone)


def ball(form: Form) -> Parts:
    a, b, c = form
    r = 36 + 3 * a
    parts = [oval(50, 52, r, fill="body", shade="ball")]
    if b > 0:
        parts.append(
            shape(
                f"M {50 - r} 50 Q 50 {60 + 4 * c} {50 + r} 50 L {50 + r} 55 "
                f"Q 50 {66 + 4 * c} {50 - r} 55 Z",
                "third",
                "ball",
            )
        )
    return [*parts, oval(50 - r * 0.38, 52 - r * 0.5, r * 0.14, r * 0.09, "light", "flat", 1.0)]


def kite(form: Form) -> Parts:
    a, b, c = form
    w, cross = 31 + 3 * a, 34 + 3 * b
    tail = line(f"M 50 74 C 66 80 40 86 {56 + 6 * c} 97", 1.0, "dark")
    bows = [*_bow(56, 80.5, "third"), *_bow(50, 88, "second")]
    return [
        tail,
        *bows,
        turned(f"M 50 5 L {50 + w} {cross} L 50 76", "body", "flat"),
        shape(f"M 50 5 L {50 + w} {cross} L 50 {cross} Z", "third", "flat"),
        shape(f"M 50 76 L {50 - w} {cross} L 50 {cross} Z", "second", "flat", 0.96),
        line("M 50 5 L 50 76", 1.0, "wood", 0.8),
        line(f"M {50 - w} {cross} L {50 + w} {cross}", 1.0, "wood", 0.8),
    ]


def _bow(x: float, y: float, fill: Fill) -> Parts:
    wing = (
        f"M {x} {y} L {x + 6} {y - 3.4} L {x + 6} {y + 3.4} Z M {x} {y} "
        f"L {x - 6} {y - 3.4} L {x - 6} {y + 3.4} Z"
    )
    return [
        shape(wing, fill, "flat"),
        oval(x, y, 1.4, fill="dark"),
    ]


def balloon(form: Form) -> Parts:
    a, b, c = form
    w, low = 27 + 3 * a, 66 + 3 * b
    envelope = turned(f"M 50 6 C {60 + w} 6 {60 + w} 44 54 {low} L 50 {low}", "body", "ball")
    string = line(f"M 50 {low + 2} C {56 + 4 * c} 76 {44 - 4 * c} 86 {51 + 3 * c} 97", 0.9, "dark")
    knot = shape(f"M 50 {low - 1} L 54 {low + 4.5} L 46 {low + 4.5} Z", "main", "soft", 0.85)
    shine = moved([oval(0, 0, 3.2, 6.4, "light", "flat")], 50 - w * 0.52, 25)
    return [string, knot, envelope, *shine]
