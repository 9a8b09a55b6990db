"""What stands in a kitchen, as parts; `a`, `b`, `c` in [-1, 1] vary the proportions."""

from lookalike.sample.paths import Form, Parts, line, moved, oval, shape, turned


def mug(form: Form) -> Parts:
    a, b, c = form
    w, top, foot = 25 + 3 * a, 27 - 5 * b, 21 + 4 * c
    r = 50 + w
    return moved(
        [
            line(
                f"M {r - 2} {top + 15} C {r + 19} {top + 8} {r + 20} 70 {r - 4} 70", 6, "main", 0.86
            ),
            turned(
                f"M 50 {top} L {r} {top} C {r} 60 {50 + foot + 3} 76 {50 + foot} 80 "
                f"Q {50 + foot - 2} 84 50 84"
            ),
            oval(50, top, w, 5.5, "main", "flat", 0.92),
            oval(50, top + 0.8, w - 2.4, 4, "dark", "flat", 0.9),
            oval(50, top + 1.8, w - 4.6, 2.8, "wood", "flat", 0.62),
        ],
        -7,
        0,
    )


def teapot(form: Form) -> Parts:
    a, b, c = form
    w, top = 27 + 2 * a, 38 - 4 * b
    return [
        line(f"M 27 {top + 8} C 4 {top} 2 74 28 70", 5.5, "main", 0.84),
        shape(
            f"M 70 72 C 84 68 80 50 93 {top + 2} L 97 {top + 5} C 91 56 92 78 70 80 Z",
            "main",
            "soft",
            0.95,
        ),
        turned(
            f"M 50 {top} L 62 {top} C {50 + w + 7} {top + 6} {50 + w + 4} 80 66 83 L 66 86 L 50 86"
        ),
        turned(
            f"M 50 {top - 8} C 62 {top - 8} 66 {top - 2} 66 {top + 2} Q 50 {top + 6} 50 {top + 5}",
            "second",
            "round",
            0.97,
        ),
        oval(50, top - 11 - c, 4 + c, 4 + c, "third", "ball"),
    ]


def plate(form: Form) -> Parts:
    a, b, c = form
    inner = 24 + 4 * a
    well = oval(50.3, 50.4, inner, fill="light" if c > 0 else "main", shade="flat", tone=0.97)
    return [
        oval(50, 50, 43 + b, fill="third" if c > 0 else "second", shade="flat", tone=0.97),
        oval(50, 50, 41 + b, shade="flat", tone=0.98),
        oval(49.4, 49.2, inner + 1.4, fill="dark", shade="flat", tone=1.5),
        oval(50.6, 50.8, inner + 1.4, fill="light", shade="flat"),
        well,
        line(
            f"M {50 - inner * 0.62:.1f} {50 + inner * 0.1:.1f} "
            f"C {50 - inner * 0.6:.1f} {50 - inner * 0.5:.1f} "
            f"{50 - inner * 0.2:.1f} {50 - inner * 0.7:.1f} 50 {50 - inner * 0.72:.1f}",
            1.6,
            "light",
            1.02,
        ),
    ]


def bowl(form: Form) -> Parts:
    a, b, c = form
    w, top, deep = 36 + 3 * a, 42 - 4 * b, 80 + 2 * c
    r = 50 + w
    return [
        turned(
            f"M 50 {deep - 2} L 64 {deep - 2} L 62 {deep + 5} L 50 {deep + 5}", "main", "round", 0.8
        ),
        turned(
            f"M 50 {top} L {r} {top} C {r} {top + 24} {50 + w * 0.6} {deep} 62 {deep + 1} "
            f"L 50 {deep + 1}"
        ),
        oval(50, top, w, 8, "main", "flat", 0.94),
        oval(50, top + 1, w - 2.6, 6.2, "second", "round", 0.86),
    ]


def bottle(form: Form) -> Parts:
    a, b, c = form
    w, neck, shoulder = 15 + 2.5 * a, 6.5 + b, 36 + 6 * c
    r = 50 + w
    return [
        turned(
            f"M 50 16 L {50 + neck} 16 L {50 + neck} {shoulder - 12} "
            f"C {50 + neck} {shoulder - 4} {r} {shoulder - 6} "
            f"{r} {shoulder + 6} L {r} 84 Q {r} 90 {r - 5} 90 L 50 90"
        ),
        turned(
            f"M 50 8 L {51 + neck} 8 Q {52 + neck} 8 {52 + neck} 10 L {52 + neck} 18 L 50 18",
            "third",
            "round",
        ),
        line(f"M {52 - w + 3} {shoulder + 10} L {52 - w + 3} 78", 2.2, "light", 0.96),
    ]


def jug(form: Form) -> Parts:
    a, b, c = form
    w, waist, top = 22 + 3 * a, 13 + 2 * b, 16 + 3 * c
    return moved(
        [
            line(f"M 63 {top + 8} C 92 {top + 2} 86 62 66 64", 5.5, "main", 0.84),
            shape(
                f"M 32 {top} Q 50 {top + 6} 68 {top - 2} C 66 34 {50 + waist} 36 {50 + waist} 42 "
                f"C {50 + w} 52 {50 + w + 6} 82 64 87 L 36 87 "
                f"C {50 - w - 6} 82 {50 - w} 52 {50 - waist} 42 "
                f"C {50 - waist} 34 38 30 32 {top} Z",
                shade="round",
            ),
            shape(
                f"M 32 {top} Q 50 {top + 6} 68 {top - 2} Q 50 {top - 7} 32 {top} Z", "dark", "flat"
            ),
        ],
        -4,
        0,
    )
