"""What is worn, as parts; `a`, `b`, `c` in [-1, 1] vary the proportions."""

from lookalike.sample.paths import Form, Parts, both, line, shape, turned


def shirt(form: Form) -> Parts:
    a, b, c = form
    w, sleeve, low = 24 + 2 * a, 42 + 6 * b, 86 + 3 * c
    neck = 22 if c < 0.2 else 31
    arm = shape(
        f"M 62 14 L {50 + w} 19 Q 84 24 92 {sleeve - 3} L 79 {sleeve + 6} L {48 + w} 36 Z",
        "body",
        "soft",
        0.94,
    )
    body = turned(
        f"M 50 {neck} Q 60 {neck - 1} 62 13 L {50 + w} 19 L {50 + w} {low} "
        f"Q 50 {low + 2} 50 {low + 2}",
        "body",
        "soft",
    )
    cuff = line(f"M 92 {sleeve - 3} L 79 {sleeve + 6}", 2.4, "third")
    collar = line(f"M 38 13 Q 40 {neck - 1} 50 {neck} Q 60 {neck - 1} 62 13", 2.8, "third")
    inside = shape(
        f"M 38 13 Q 50 17 62 13 Q 60 {neck - 1} 50 {neck} Q 40 {neck - 1} 38 13 Z",
        "main",
        "flat",
        0.66,
    )
    seam = line(f"M {49 + w} 37 L {47 + w} 22", 0.7, "main", 0.72)
    return [*both(arm, cuff), inside, body, *both(seam), collar]


def jumper(form: Form) -> Parts:
    a, b, c = form
    w, low = 25 + 2 * a, 80 + 4 * b
    arm = shape(
        f"M 61 17 L {49 + w} 21 C 88 26 90 56 93 {low - 4} L 82 {low - 2} "
        f"C 80 62 78 50 {46 + w} 38 Z",
        "body",
        "soft",
        0.93,
    )
    cuff = shape(
        f"M 93.4 {low - 5} L 94 {low + 3} L 82.4 {low + 4} L 81.6 {low - 3} Z", "third", "soft"
    )
    body = turned(
        f"M 50 22 Q 58 21 60 16 L {50 + w} 21 L {49 + w} {low} L 50 {low}", "body", "soft"
    )
    hem = turned(
        f"M 50 {low - 1} L {49 + w} {low - 1} L {47 + w} {low + 7} L 50 {low + 7}", "third", "soft"
    )
    high = 6 + 4 * c
    collar = turned(
        f"M 50 {18 - high} L 59 {17 - high} Q 62 {18 - high / 2} 61 18 Q 56 24 50 24",
        "third",
        "soft",
    )
    ribs = [line(f"M {x} {low + 0.5} L {x} {low + 6}", 0.6, "main", 0.7) for x in range(30, 72, 4)]
    return [*both(arm, cuff), hem, *ribs, body, collar]


def dress(form: Form) -> Parts:
    a, b, c = form
    waist, hem, low = 13 + 1.5 * a, 33 + 5 * b, 90
    skirt = turned(
        f"M 50 45 L {50 + waist} 45 "
        f"C {56 + waist} 58 {44 + hem} 70 {50 + hem} {low - 3} "
        f"Q 68 {low + 4} 50 {low + 2}",
        "body",
        "soft",
    )
    top = turned(
        f"M 50 24 Q 57 23 60 10 L 66 10 Q 64 24 {52 + waist} 28 L {50 + waist} 46 L 50 46",
        "body",
        "soft",
        1.02,
    )
    sleeve = shape("M 61 10 L 67 10 Q 80 16 80 28 L 68 31 Q 64 22 61 10 Z", "body", "soft", 0.92)
    belt = turned(f"M 50 43 L {50.5 + waist} 43 L {50.5 + waist} 48 L 50 48", "third", "round")
    folds = both(line(f"M 58 52 Q 62 70 {52 + hem * 0.55} {low - 4}", 0.8, "main", 0.74))
    return [*(both(sleeve) if c > -0.2 else []), skirt, *folds, top, belt]


def skirt(form: Form) -> Parts:
    a, b, c = form
    waist, hem, low = 19 + 2 * a, 36 + 4 * b, 82 + 5 * c
    body = turned(
        f"M 50 18 L {50 + waist} 18 "
        f"C {54 + waist} 40 {46 + hem} 56 {50 + hem} {low - 4} "
        f"Q 70 {low + 4} 50 {low + 3}",
        "body",
        "soft",
    )
    band = turned(f"M 50 15 L {50 + waist} 15 L {50.6 + waist} 23 L 50 23", "third", "round")
    folds = both(
        line(f"M 54 26 Q 56 50 {50 + hem * 0.22} {low}", 0.9, "main", 0.74),
        line(f"M 61 26 Q 66 48 {50 + hem * 0.6} {low - 2}", 0.9, "main", 0.74),
    )
    return [body, *folds, band]


def trousers(form: Form) -> Parts:
    a, b, c = form
    hip, foot, low = 18 + 2 * a, 5 + 2 * b, 95 if c > -0.5 else 62
    out = 58 + foot * 1.7
    leg = shape(
        f"M 50 9 L {46.6 + hip} 9 C {50 + hip} 30 {50 + hip} 50 {out} {low} L 57 {low} L 50.2 42 Z",
        "body",
        "soft",
    )
    band = turned(f"M 50 6 L {46.5 + hip} 6 L {47 + hip} 12 L 50 15", "third", "round")
    hem = line(f"M 58 {low - 2} L {out - 1} {low - 2}", 1.2, "main", 0.75)
    pocket = line(f"M {42 + hip} 13 Q {43 + hip} 23 {49 + hip} 26", 0.9, "main", 0.7)
    fly = line("M 50 12 L 50 33 Q 53 31 54 13", 0.8, "main", 0.7)
    return [*both(leg, hem, pocket), fly, band]


def socks(form: Form) -> Parts:
    a, b, c = form
    top, w = 12 - 3 * a, 8 + b

    def one(x: float, y: float, tone: float) -> Parts:
        leg = f"M {x - w} {top + y} L {x + w} {top + y} L {x + w} {54 + y} "
        foot = (
            f"C {x + w} {62 + y} {x + 30} {64 + y} {x + 30} {74 + y} "
            f"C {x + 30} {84 + y} {x + 14} {83 + y} {x + 6} {82 + y} "
        )
        heel = f"C {x - w - 3} {80 + y} {x - w - 1} {66 + y} {x - w} {56 + y} Z"
        toe = (
            f"M {x + 17} {63.5 + y} "
            f"C {x + 28} {66 + y} {x + 30} {70 + y} {x + 30} {74 + y} "
            f"C {x + 30} {82 + y} {x + 20} {83.5 + y} {x + 13} {83 + y} "
            f"Q {x + 22} {74 + y} {x + 17} {63.5 + y} Z"
        )
        cuff = (
            f"M {x - w - 0.8} {top + y - 2} L {x + w + 0.8} {top + y - 2} "
            f"L {x + w + 0.8} {top + y + 6} L {x - w - 0.8} {top + y + 6} Z"
        )
        return [
            shape(leg + foot + heel, "body", "soft", tone),
            shape(toe, "third", "soft", tone),
            shape(cuff, "third", "soft", tone),
        ]

    return [*one(55 + c, -1, 0.9), *one(28, 8, 1.0)]


def scarf(form: Form) -> Parts:
    a, b, c = form
    w, low, short = 11 + 1.5 * a, 84 + 2 * b, 66 + 6 * c
    behind = shape(
        f"M 44 34 L {46 + w * 1.3} 34 L 74 {short} L {73 - 2 * w} {short + 3} Z",
        "body",
        "soft",
        0.88,
    )
    front = shape(
        f"M {50 - w} 36 L {50 + w * 0.8} 36 L {44 + w * 0.7} {low} L {38 - w} {low} Z",
        "body",
        "soft",
    )
    loop = shape(
        "M 50 8 C 78 8 84 30 72 42 C 62 50 38 50 28 42 C 16 30 22 8 50 8 Z M 50 8",
        "body",
        "soft",
        0.98,
    )
    hole = shape(
        "M 50 16 C 66 16 70 25 63 29 C 56 32 44 32 37 29 C 30 25 34 16 50 16 Z", "main", "flat", 0.5
    )
    knot = shape(
        f"M {47 - w} 36 Q 46 30 {52 + w} 36 Q {55 + w} 44 {50 + w} 50 "
        f"Q 44 54 {46 - w} 49 Q {43 - w} 42 {47 - w} 36 Z",
        "body",
        "soft",
        1.05,
    )
    left, right = 38 - w, 44 + w * 0.7
    fringe = [
        line(f"M {x} {low - 0.5} L {x - 0.5} {low + 6}", 1.3, "third")
        for x in (left + 1 + n * (right - left - 2) / 7 for n in range(8))
    ]
    return [behind, *fringe, front, loop, hole, knot]
