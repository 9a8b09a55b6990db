"""Pictures of an import that are a photo the shop has already, saved anew: re-encoded, resized, trimmed.

They are told of and never merged: an image is its SHA-256. Hashes find what may be one photo, the
stored vectors decide; what was not decoded by the import's end is not looked at.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.embedder.hamming import FEW, Hashes, Numbers, Pairs, pairs
from services.embedder.ports import Ports
from shared.blobs import keys
from shared.jobs import Import
from shared.spaces import SAME_PHOTO, SpaceName, Spaces
from shared.vectors import Floats

NEAR: Final = 6
"""Bits that the hashes of one photo differ in at most; docs/benchmarks.md says what they find."""
LISTED: Final = 100
"""Pictures of a group that the report names; it counts them all."""
_PAGE: Final = 10_000
_COMPARED_TOGETHER: Final = 2_500


@dataclass(frozen=True, slots=True)
class Twins:
    """How many groups, of how many pictures; `blob` is the report, a JSON object a line and group."""

    groups: int = 0
    pictures: int = 0
    blob: str | None = None
    left_out: int = 0
    """More was alike than is looked at: a crowd of plain pictures."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """All decoded images of a tenant, by position."""

    names: NDArray[np.void]
    hashes: Hashes
    fresh: NDArray[np.bool_]

    def sha256(self, position: int) -> str:
        return bytes(self.names[position]).hex()


def find_twins(ports: Ports, job: Import, between: Callable[[], object] = lambda: None) -> Twins:
    """Writes the report of an import; called at its end, and each call writes one of its own.

    `between` is called every second or so, by whoever has to tell that it is still at it.
    """
    seen = _read(ports, job, between)
    if not seen.fresh.any():
        return Twins()
    found = pairs(seen.hashes, seen.fresh, NEAR, between)
    compared = min(len(found), max(len(seen.hashes), FEW))
    same = _confirmed(ports, job.tenant, seen, found, compared, between=between)
    groups = _groups(seen, found.first[same], found.second[same])
    left_out = found.left_out + len(found) - compared
    if not groups:
        return Twins(left_out=left_out)
    key = keys.report(job.tenant, job.import_id)
    with ports.blobs.writer(key) as report:
        for group in groups:
            report.write(json.dumps(_told(seen, group)).encode() + b"\n")
    return Twins(len(groups), sum(map(len, groups)), key, left_out)


def likeness(one: Floats, other: Floats, spaces: Spaces) -> Mapping[SpaceName, Floats]:
    """Row by row the cosines in each space; both hold vectors of all spaces."""
    return {
        name: np.einsum("ij,ij->i", one[:, part], other[:, part])
        for name, part in spaces.slices().items()
    }


def alike(cosines: Mapping[SpaceName, Floats]) -> NDArray[np.bool_]:
    """Row by row, what `likeness` found of pictures whose hashes are near."""
    judged = [cosines[name] >= least for name, least in SAME_PHOTO.items() if name in cosines]
    return np.asarray(np.all(judged, axis=0))


def _read(ports: Ports, job: Import, between: Callable[[], object]) -> _Seen:
    """32 bytes of name, 8 of hash and a bit an image, in arrays: twelve million of them fit."""
    ours = keys.pack_folder(job.tenant, job.import_id)
    names, hashes, fresh, after = bytearray(), bytearray(), bytearray(), ""
    while page := ports.catalogue.images.hashes(job.tenant, after, _PAGE):
        between()
        names += bytes.fromhex("".join(sha256 for sha256, _, _ in page))
        hashes += bytes.fromhex("".join(phash.zfill(16) for _, phash, _ in page))
        fresh += bytes(blob.startswith(ours) for _, _, blob in page)
        after = page[-1][0]
    return _Seen(
        np.frombuffer(names, np.dtype("V32")),
        np.frombuffer(hashes, np.dtype(">u8")).astype(np.uint64),
        np.frombuffer(fresh, np.bool_),
    )


def _confirmed(
    ports: Ports,
    tenant: str,
    seen: _Seen,
    found: Pairs,
    compared: int,
    *,
    between: Callable[[], object],
) -> NDArray[np.bool_]:
    """Which of the pairs are one photo by their vectors, of the first `compared` ones."""
    same = np.zeros(len(found), np.bool_)
    neighbours = np.argsort(found.first[:compared], kind="stable")
    for start in range(0, compared, _COMPARED_TOGETHER):
        between()
        these = neighbours[start : start + _COMPARED_TOGETHER]
        both = np.stack([found.first[these], found.second[these]])
        pictures, rows = np.unique(both, return_inverse=True)
        one, other = _vectors(ports, tenant, seen, pictures)[rows.reshape(both.shape)]
        same[these] = alike(likeness(one, other, ports.embedder.spaces))
    return same


def _vectors(ports: Ports, tenant: str, seen: _Seen, pictures: Numbers) -> Floats:
    """A row a picture; zeros, which are like nothing, where there is no vector."""
    names = [seen.sha256(position) for position in pictures]
    stored = ports.catalogue.images.vectors(tenant, names, ports.fingerprint)
    none = bytes(2 * ports.embedder.spaces.dim)
    rows = b"".join(stored.get(name, none) for name in names)
    return np.frombuffer(rows, "<f2").reshape(len(names), -1).astype(np.float32)


def _groups(seen: _Seen, first: Numbers, second: Numbers) -> list[Numbers]:
    """What hangs together and has a picture of the import; the largest first, what was there first."""
    members = np.unique(np.concatenate([first, second]))
    label = _joined(len(members), np.searchsorted(members, first), np.searchsorted(members, second))
    order = np.lexsort((members, seen.fresh[members], label))
    starts = np.flatnonzero(np.diff(label[order], prepend=-1))
    groups = np.split(members[order], starts[1:]) if len(members) else []
    ours = [group for group in groups if seen.fresh[group[-1]]]
    return sorted(ours, key=len, reverse=True)


def _joined(count: int, first: Numbers, second: Numbers) -> Numbers:
    """The least position that each hangs together with."""
    label = np.arange(count)
    while (label[first] != label[second]).any():
        one, other = label[first], label[second]
        np.minimum.at(label, np.maximum(one, other), np.minimum(one, other))
        while (label != label[label]).any():
            label = label[label]
    return label


def _told(seen: _Seen, group: Numbers) -> Mapping[str, Any]:
    """A line of the report: distances are from the group's first picture, in bits."""
    return {"count": len(group), "pictures": list(_pictures(seen, group))}


def _pictures(seen: _Seen, group: Numbers) -> Iterator[Mapping[str, Any]]:
    listed = group[:LISTED]
    distances = np.bitwise_count(seen.hashes[listed] ^ seen.hashes[group[0]])
    for position, distance in zip(listed.tolist(), distances.tolist(), strict=True):
        yield {
            "sha256": seen.sha256(position),
            "imported": bool(seen.fresh[position]),
            "distance": distance,
        }
