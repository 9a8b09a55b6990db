"""Shoes, bags, hats and what else goes along, as parts; `a`, `b`, `c` vary the proportions."""

import math

from lookalike.sample.paths import Fill, Form, Parts, both, line, moved, oval, shape, turned


def sneaker(form: Form) -> Parts:
    a, b, c = form
    ankle, sole = 34 - 6 * a, 9 + 2 * b
    upper = shape(
        f"M 12 {ankle} Q 24 {ankle + 5} 36 {ankle - 3} Q 40 44 54 50 "
        f"C 70 57 90 56 93 70 L 93 74 L 9 74 C 7 60 13 48 12 {ankle} Z"
    )
    toe = shape("M 74 57 C 88 58 92 63 93 74 L 72 74 Q 68 64 74 57 Z", "light", "soft")
    heel = shape(
        f"M 12 {ankle + 2} Q 15 {ankle + 4} 20 {ankle + 4} Q 16 58 20 74 L 9 74 "
        f"C 7 60 13 48 12 {ankle + 2} Z",
        "third",
    )
    tongue = shape(
        f"M 31 {ankle - 1} L 40 {ankle - 8} Q 45 {ankle - 8} 47 {ankle - 2} L 56 51 L 40 47 Z",
        "second",
        "soft",
        0.95,
    )
    laces = [
        line(f"M {39 + 6 * n} {45.5 + 3.1 * n} L {46.5 + 6 * n} {39.5 + 3.6 * n}", 2.0, "light")
        for n in range(4)
    ]
    rim = line(f"M 12 {ankle} Q 24 {ankle + 5} 36 {ankle - 3}", 3, "third")
    swoosh = [line("M 28 66 Q 46 68 60 55", 2.8, "third")] if c > 0 else []
    base = shape(
        f"M 8 71 L 94 71 Q 97 {71 + sole} 91 {72 + sole} L 14 {72 + sole} Q 6 {72 + sole} 8 71 Z",
        "light",
        "flat",
        0.97,
    )
    stripe = line(f"M 9 {73.5 + sole / 2} L 94 {73.5 + sole / 2}", 1.4, "third")
    return moved([tongue, upper, toe, heel, *swoosh, rim, *laces, base, stripe], -1, 0)


def boot(form: Form) -> Parts:
    a, b, c = form
    top, w = 14 - 4 * a, 15 + b
    leg = (
        f"M {34 - w} {top} Q 34 {top + 4} {34 + w} {top - 1} C {33 + w} 40 {33 + w} 48 {36 + w} 56 "
    )
    foot = "C 62 64 86 62 89 76 Q 90 82 86 83 L 20 83 "
    body = shape(leg + foot + f"C 17 70 22 60 {34 - w} {top} Z", "body", "soft")
    rim = shape(
        f"M {33 - w} {top - 1} Q 34 {top + 3} {35 + w} {top - 2} L {35 + w} {top + 6} "
        f"Q 34 {top + 11} {33 - w + 0.5} {top + 7} Z",
        "third",
    )
    sole = shape(
        "M 18 81 L 89 81 Q 91 88 87 89 L 56 89 Q 50 86 44 89 L 20 90 Q 16 86 18 81 Z",
        "dark",
        "flat",
    )
    strap = [
        line(f"M {35 - w + 3} {60 + c} Q 38 {66 + c} {37 + w} {58 + c}", 3, "second"),
        oval(40, 64 + c, 3, fill="gold", shade="ball"),
    ]
    return moved([body, rim, *(strap if c > 0 else []), sole], -2, 0)


def handbag(form: Form) -> Parts:
    a, b, c = form
    top, w, low = 42 - 3 * a, 30 + 2 * b, 86
    high = 12 + 6 * c
    handle = line(f"M 32 {top + 4} C 32 {high - 6} 68 {high - 6} 68 {top + 4}", 4.2, "third", 0.92)
    body = turned(
        f"M 50 {top} L {46 + w} {top} Q {50 + w} {top} {51 + w} {top + 6} "
        f"L {56 + w} {low - 6} Q {56 + w} {low} {50 + w} {low} L 50 {low}",
        "body",
        "soft",
    )
    if c < -0.1:
        flap = turned(
            f"M 50 {top - 1} L {47 + w} {top - 1} Q {51 + w} {top} {51 + w} {top + 6} "
            f"Q {46 + w} {top + 20} 50 {top + 22}",
            "third",
            "soft",
        )
        clasp = [flap, oval(50, top + 20, 4, fill="gold", shade="ball")]
    else:
        clasp = [
            turned(
                f"M 50 {top} L {50 + w} {top} L {50.6 + w} {top + 6} L 50 {top + 6}",
                "third",
                "soft",
            ),
            oval(50, top + 8, 3.4, fill="gold", shade="ball"),
        ]
    rings = both(oval(68, top + 4, 3, fill="gold", shade="ball"))
    return [handle, body, *clasp, *rings]


def backpack(form: Form) -> Parts:
    a, b, c = form
    w, top = 26 + 2 * a, 20 - 3 * b
    strap = both(
        shape(
            f"M {44 + w} 40 C {56 + w} 44 {58 + w} 70 {52 + w} 84 L {47 + w} 84 "
            f"C {52 + w} 68 {50 + w} 52 {44 + w} 48 Z",
            "dark",
            "soft",
            1.1,
        )
    )
    loop = line(f"M 42 {top + 2} C 42 {top - 11} 58 {top - 11} 58 {top + 2}", 3.4, "third")
    body = turned(
        f"M 50 {top} C {44 + w} {top - 1} {50 + w} {top + 8} {50 + w} 40 L {52 + w} 82 "
        f"Q {52 + w} 90 {44 + w} 90 L 50 90",
        "body",
        "soft",
    )
    pocket = turned(
        f"M 50 {58 + c} L {42 + w * 0.8} {58 + c} "
        f"Q {47 + w * 0.8} {58 + c} {47 + w * 0.8} {63 + c} L {47 + w * 0.8} 82 "
        f"Q {47 + w * 0.8} 85 {43 + w * 0.8} 85 L 50 85",
        "third",
        "soft",
    )
    zips = [
        line(f"M {54 - w * 0.8} {65 + c} L {46 + w * 0.8} {65 + c}", 1.3, "dark"),
        oval(46 + w * 0.7, 66.5 + c, 1.5, 2.4, "gold"),
    ]
    arch = line(
        f"M {53 - w} 50 C {53 - w} {top + 2} {47 + w} {top + 2} {47 + w} 50", 1.3, "main", 0.62
    )
    patch = oval(50, 44, 5.5, fill="second", shade="soft")
    return [*strap, loop, body, arch, pocket, *zips, patch]


def suitcase(form: Form) -> Parts:
    a, b, c = form
    w, top = 24 + 3 * a, 28 - 3 * b
    handle = [
        line(f"M 40 {top} L 40 9 L 60 9 L 60 {top}", 2.4, "metal"),
        line("M 39 9 L 61 9", 4.4, "dark"),
    ]
    body = turned(
        f"M 50 {top} L {42 + w} {top} Q {50 + w} {top} {50 + w} {top + 8} "
        f"L {50 + w} 80 Q {50 + w} 87 {43 + w} 87 L 50 87",
        "body",
        "soft",
    )
    ribs = [
        line(f"M {50 + x} {top + 5} L {50 + x} 82", 0.9, "main", 0.72)
        for x in (-w * 0.6, -w * 0.2, w * 0.2, w * 0.6)
    ]
    corner = both(
        shape(
            f"M {42 + w} {top} Q {50 + w} {top} {50 + w} {top + 8} L {50 + w} {top + 12} "
            f"Q {48 + w} {top + 3} {38 + w} {top} Z",
            "third",
        ),
        shape(
            f"M {43 + w} 87 Q {50 + w} 87 {50 + w} 80 L {50 + w} 75 Q {48 + w} 84 {38 + w} 87 Z",
            "third",
        ),
    )
    wheels = both(oval(44 + w, 90.5, 3.8, fill="dark", shade="ball"))
    grip = line("M 43 56 L 57 56", 3.4, "third") if c > 0 else oval(50, 56, 6, fill="third")
    return [*handle, *wheels, body, *(ribs if c > -0.5 else []), *corner, grip]


def hat(form: Form) -> Parts:
    a, b, c = form
    w, top, brim = 22 + 2 * a, 30 - 4 * b, 43 + 2 * c
    return [
        oval(50, 68, brim, 11 + c, "body", "soft", 0.92),
        oval(50, 66.5, w + 3, 6, "dark", "flat", 1.0),
        turned(
            f"M 50 {top + 3 * max(c, 0)} "
            f"C {54 + w * 0.5} {top - 4} {48 + w} {top + 2} {50 + w} 66 Q 50 73 50 72"
        ),
        turned(
            f"M 50 60 Q {50 + w * 0.7} 60 {49.4 + w} 55 L {50.3 + w} 66 "
            f"Q {50 + w * 0.7} 72 50 72.5",
            "third",
        ),
    ]


def beanie(form: Form) -> Parts:
    a, b, c = form
    w, top, fold = 30 + 2 * a, 24 - 3 * b, 64
    cap = turned(
        f"M 50 {top} C {52 + w * 0.8} {top} {50 + w} 44 {50 + w} {fold + 4} L 50 {fold + 4}",
        "body",
        "ball",
    )
    cuff = turned(
        f"M 50 {fold + 2} Q {50 + w * 0.6} {fold + 2} {51 + w} {fold - 2} "
        f"Q {54 + w} {fold + 9} {51 + w} 81 Q {50 + w * 0.6} 85 50 85",
        "third",
        "round",
    )
    ribs = [
        line(f"M {50 + x} {fold + 3.5} L {50 + x * 1.02} 83", 0.8, "third", 0.78)
        for x in range(-28, 29, 4)
    ]
    puffs = [
        oval(
            50 + (9 + c) * math.cos(t),
            top - 4 + (8 + c) * math.sin(t),
            4.5,
            fill="second",
            shade="ball",
        )
        for t in (n * math.tau / 11 for n in range(11))
    ]
    return [cap, cuff, *ribs, *puffs, oval(50, top - 4, 10 + c, 9 + c, "second", "ball")]


def watch(form: Form) -> Parts:
    a, b, c = form
    w, r = 10 + a, 21 + 1.5 * b
    strap = turned(
        f"M 50 2 L {48 + w} 2 Q {50 + w} 2 {50 + w} 5 L {53 + w} 34 L {53 + w} 66 "
        f"L {50 + w} 95 Q {50 + w} 98 {48 + w} 98 L 50 98",
        "body",
        "round",
    )
    holes = [oval(50, y, 1.1, 1.4, "dark", "flat") for y in (78, 84, 90)]
    case: Fill = "gold" if c > 0 else "metal"
    crown = shape(
        f"M {49 + r} 47 L {55 + r} 47 L {55 + r} 53 L {49 + r} 53 Z",
        case,
        "flat",
        0.85,
    )
    ticks = [
        line(
            f"M {50 + (r - 6) * x:.1f} {50 + (r - 6) * y:.1f} "
            f"L {50 + (r - 4) * x:.1f} {50 + (r - 4) * y:.1f}",
            1.3,
        )
        for x, y in ((math.sin(n * math.tau / 12), math.cos(n * math.tau / 12)) for n in range(12))
    ]
    return [
        strap,
        *holes,
        crown,
        oval(50, 50, r + 1, fill=case, shade="ball"),
        oval(50, 50, r - 2, fill="light", shade="ball"),
        *ticks,
        line("M 50 50 L 43 43", 2.0),
        line(f"M 50 50 L {54 + 3 * a} {50 - r * 0.62}", 1.5),
        oval(50, 50, 1.8, fill="third", shade="ball"),
    ]


def umbrella(form: Form) -> Parts:
    a, b, c = form
    top, edge = 12 - 3 * a, 50 + 2 * b
    scallops = f"Q 81 {edge - 7} 71 {edge} Q 60.5 {edge - 6} 50 {edge}"
    dome = turned(f"M 50 {top} C 74 {top} 91 {edge - 22} 92 {edge} {scallops}", "body", "ball")
    seams = [
        *both(line(f"M 50 {top} C 60 {top + 6} 70 30 71 {edge}", 0.9, "main", 0.7)),
        line(f"M 50 {top} L 50 {edge}", 0.9, "main", 0.7),
    ]
    hook = 8 + 2 * c
    return [
        line(f"M 50 {edge - 8} L 50 82", 2.2, "metal"),
        line(f"M 50 74 L 50 84 C 50 94 {50 - 2 * hook} 94 {50 - 2 * hook} 83", 4, "wood"),
        line(f"M 50 {top - 6} L 50 {top + 2}", 2.4, "metal"),
        dome,
        *seams,
    ]
