"""Whether one index may take another's place, by its figures and its pace."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from services.indexer.exam.figures import SAID, Difference, FigureName, Figures, differences
from services.indexer.exam.pace import Pace

LEAST: Final = 0.01
"""What a figure may lose in any case: a hundredth of all questions."""
SURE: Final = 2.0
"""And so many standard errors of the difference, which chance explains."""
FEW: Final = 10
"""A figure over fewer products, categories or photos is shown and judges nobody."""
SLOWER: Final = 2.0
GRACE_MS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`passed` is None where there was nothing to judge by. `reasons` say why it is not True."""

    passed: bool | None
    reasons: tuple[str, ...] = ()


def verdict(
    mine: Figures,
    other: Figures | None = None,
    pace: Pace | None = None,
    other_pace: Pace | None = None,
) -> Verdict:
    """By the figures of the default blend, which is what searches go by; alone, nothing is worse."""
    judging = {n: f for n, f in mine.get("blend", {}).items() if len(f.values) >= FEW}
    if not judging:
        return Verdict(None, (_nothing(mine),))
    reasons: list[str] = []
    if other is not None:
        apart = differences(mine, other).get("blend", {})
        reasons += _worse({name: found for name, found in apart.items() if name in judging})
    if pace is not None and other_pace is not None:
        reasons += _slower(pace, other_pace)
    return Verdict(not reasons, tuple(reasons))


def is_worse(apart: Difference) -> bool:
    """Beyond what is let pass and what chance explains."""
    return apart.value < -max(LEAST, SURE * apart.error)


def _worse(apart: Mapping[FigureName, Difference]) -> Iterator[str]:
    for name, found in apart.items():
        if is_worse(found):
            yield (
                f"It is worse at this: {SAID[name]} ({name}, {100 * found.value:+.1f} points, "
                f"± {100 * found.error:.1f})."
            )


def _slower(pace: Pace, other: Pace) -> Iterator[str]:
    if pace.p99_ms > SLOWER * other.p99_ms + GRACE_MS:
        yield (
            f"It is slower: 99 of 100 searches take up to {pace.p99_ms:.1f} ms, "
            f"with the other index {other.p99_ms:.1f} ms."
        )


def _nothing(mine: Figures) -> str:
    few = (
        f"; {FEW} products, categories or duplicates would be enough" if any(mine.values()) else ""
    )
    return (
        "There is nothing to judge by: the catalogue has too few products with several photos, "
        f"with a category, or with a photo in two savings{few}."
    )
