"""Which segments belong together by size, and when a tier is full."""

from collections.abc import Sequence

from services.indexer.ports import Limits
from shared.index.manifest import SegmentRef


def tier_of(segment: SegmentRef, limits: Limits) -> int:
    """0 for the smallest; each tier is `limits.tier` times as large as the one below."""
    size, bound, tier = segment.products + segment.rows, limits.tier_from, 0
    while size >= bound:
        bound, tier = bound * limits.tier, tier + 1
    return tier


def full_tier(segments: Sequence[SegmentRef], limits: Limits) -> tuple[SegmentRef, ...]:
    """The first segments of the lowest tier that has enough of them; empty where none has."""
    tiers: dict[int, list[SegmentRef]] = {}
    for segment in segments:
        tiers.setdefault(tier_of(segment, limits), []).append(segment)
    full = (tiers[tier] for tier in sorted(tiers) if len(tiers[tier]) >= limits.tier)
    return tuple(next(full, [])[: limits.tier])
