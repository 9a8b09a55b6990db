"""Who is right, for all products of a shard at once: the rules of `winner_and_rows` as columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from shared.index.columns import Bools, Ints, Keys
from shared.index.segment import Segment

Override = tuple[Ints, Ints]
"""Ordinals here (rising), and of the same products in the segment whose attributes hold."""


@dataclass(frozen=True, eq=False)
class Standing:
    """What of a segment counts beside the others: its word by product, its rows."""

    segment: Segment
    wins: Bools
    bears: Bools
    live: Bools
    overrides: Mapping[str, Override] = field(default_factory=dict)
    """By the name of the segment that wins over products whose rows live here."""


@dataclass(frozen=True, eq=False)
class _Ruling:
    """All entries of some products: who wins, and whose rows live (with that winner)."""

    where: Ints
    ordinal: Ints
    winner: Ints
    bearer: Ints
    bearers_winner: Ints


def settle(segments: Sequence[Segment], before: Sequence[Standing]) -> tuple[Standing, ...]:
    """Standings of these segments; only products of segments that came or went are looked at."""
    known = {standing.segment.name: standing for standing in before}
    standings = [known.get(segment.name) or _alone(segment) for segment in segments]
    touched = _touched(segments, before)
    if not len(touched):
        return tuple(standings)
    ruling = _rule(segments, touched)
    return tuple(_revised(i, standings, ruling) for i in range(len(standings)))


def _alone(segment: Segment) -> Standing:
    """A segment that shares no product with another."""
    count = len(segment.columns)
    bears = (
        (np.diff(segment.first_row) > 0)
        & ~segment.deleted
        & (segment.rows_at >= segment.images_revision)
    )
    return Standing(segment, np.ones(count, dtype=np.bool_), bears, bears[segment.product_of])


def _touched(segments: Sequence[Segment], before: Sequence[Standing]) -> Keys:
    """Keys whose ruling may differ: shared among the new segments, or with a carried one."""
    known = {standing.segment.name for standing in before}
    names = {segment.name for segment in segments}
    carried = [segment for segment in segments if segment.name in known]
    added = [segment.keys for segment in segments if segment.name not in known]
    removed = [s.segment.keys for s in before if s.segment.name not in names]
    fresh, counts = np.unique(_joined(added), return_counts=True)
    moved = _joined([*added, *removed])
    shared = [moved[_contains(segment.keys, moved)] for segment in carried]
    return np.unique(_joined([fresh[counts > 1], *shared]))


def _joined(keys: Sequence[Keys]) -> Keys:
    return np.concatenate(keys) if keys else np.empty(0, dtype=np.uint64)


def _contains(keys: Keys, asked: Keys) -> Bools:
    found: Bools = np.searchsorted(keys, asked, "right") > np.searchsorted(keys, asked)
    return found


def ranges(first: Ints, last: Ints) -> Ints:
    """All numbers of these ranges, one range after the other."""
    lengths = last - first
    shift = first - np.concatenate(([0], np.cumsum(lengths)[:-1])) if len(first) else first
    found: Ints = np.repeat(shift, lengths) + np.arange(lengths.sum())
    return found


def _rule(segments: Sequence[Segment], touched: Keys) -> _Ruling:
    found = [
        ranges(np.searchsorted(s.keys, touched), np.searchsorted(s.keys, touched, "right"))
        for s in segments
    ]
    pairs = list(zip(segments, found, strict=True))
    where = np.repeat(np.arange(len(found)), [len(ordinals) for ordinals in found])
    product = _products(pairs)
    revision = np.concatenate([s.revision[at] for s, at in pairs])
    rows_at = np.concatenate([s.rows_at[at] for s, at in pairs])
    has_rows = np.concatenate([np.diff(s.first_row)[at] > 0 for s, at in pairs])
    # rule: highest_revision
    winner = _best(product, revision, where, np.ones(len(product), dtype=np.bool_))
    bearer = _best(product, rows_at, where, has_rows)
    deleted = np.concatenate([s.deleted[at] for s, at in pairs])
    images_revision = np.concatenate([s.images_revision[at] for s, at in pairs])
    # rule: images_revision
    alive = (bearer >= 0) & ~deleted[winner] & (rows_at[bearer] >= images_revision[winner])
    return _Ruling(where, np.concatenate(found), winner, bearer[alive], winner[alive])


def _products(pairs: Sequence[tuple[Segment, Ints]]) -> Ints:
    """One number a product id: keys may collide, ids do not."""
    ids = [s.columns.column("product_id").take(pa.array(at)) for s, at in pairs]
    found: Ints = pa.concat_arrays(ids).dictionary_encode().indices.to_numpy()
    return found


def _best(product: Ints, number: Ints, where: Ints, eligible: Bools) -> Ints:
    """Of each product the entry with the highest number, the later one of equals; -1 if none."""
    best = np.full(product.max() + 1, -1, dtype=np.int64)
    among = np.flatnonzero(eligible)
    rising = among[np.lexsort((where[among], number[among]))]
    best[product[rising]] = rising  # of repeated places, the last assignment stays
    return best


def _revised(position: int, standings: Sequence[Standing], ruling: _Ruling) -> Standing:
    """A standing with the ruling in it; the very same one where nothing changed."""
    standing = standings[position]
    entries = np.flatnonzero(ruling.where == position)
    if not len(entries):
        return standing
    touched = ruling.ordinal[entries]
    wins = _with(standing.wins, touched, np.isin(entries, ruling.winner))
    bears = _with(standing.bears, touched, np.isin(entries, ruling.bearer))
    live = standing.live
    if bears is not standing.bears:
        segment = standing.segment
        rows = ranges(segment.first_row[touched], segment.first_row[touched + 1])
        live = _with(live, rows, bears[segment.product_of[rows]])
    overrides = _overrides(position, standings, ruling, touched)
    return replace(standing, wins=wins, bears=bears, live=live, overrides=overrides)


def _with(flags: Bools, places: Ints, values: Bools) -> Bools:
    if np.array_equal(flags[places], values):
        return flags
    changed = flags.copy()
    changed[places] = values
    return changed


def _overrides(
    position: int, standings: Sequence[Standing], ruling: _Ruling, touched: Ints
) -> dict[str, Override]:
    kept = {}
    for name, (here, there) in standings[position].overrides.items():
        stays = ~np.isin(here, touched)
        kept[name] = here[stays], there[stays]
    mine = (ruling.where[ruling.bearer] == position) & (ruling.bearer != ruling.bearers_winner)
    bearer, winner = ruling.bearer[mine], ruling.bearers_winner[mine]
    for other in np.unique(ruling.where[winner]):
        those = ruling.where[winner] == other
        name = standings[other].segment.name
        here, there = ruling.ordinal[bearer[those]], ruling.ordinal[winner[those]]
        old_here, old_there = kept.get(name, (here[:0], there[:0]))
        here, there = np.concatenate((old_here, here)), np.concatenate((old_there, there))
        order = np.argsort(here)
        kept[name] = here[order], there[order]
    return {name: override for name, override in kept.items() if len(override[0])}
