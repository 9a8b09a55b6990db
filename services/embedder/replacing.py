"""A full feed: products that it does not name any more are deleted, within a limit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from services.embedder.announce import ring_shards
from services.embedder.ports import Ports
from shared.jobs import Import, Tally
from shared.products import Origin

_PAGE: Final = 500
_BEFORE_THE_FIRST: Final = -1
"""The offset that a feed's silence about a product has: any record of it is later."""


@dataclass(frozen=True, slots=True)
class Removal:
    """How many products the feed does not name, how many of them are deleted, and why not all."""

    wanted: int
    deleted: int = 0
    refused: str = ""


def remove_unseen(ports: Ports, job: Import, tally: Tally, goes_on: Callable[[], bool]) -> Removal:
    """Products dated before the import, which stamped every one that it named."""
    before = int(job.findings.get("deleted", 0))
    wanted = ports.catalogue.products.count_unseen(job.tenant, job.created)
    if refused := _refused(ports, job, tally, wanted):
        return Removal(wanted, before, refused)
    deleted, after = 0, ""
    origin = Origin(job.import_id, job.created, _BEFORE_THE_FIRST)
    while goes_on() and (
        found := ports.catalogue.products.unseen(job.tenant, job.created, _PAGE, after)
    ):
        fresh = ports.targets.fresh(job.tenant)
        stay = ports.catalogue.products.withdraw(
            job.tenant, found, origin=origin, targets=fresh.names, not_after=fresh.not_after
        )
        deleted, after = deleted + len(found) - len(stay), found[-1]
    if deleted:
        ring_shards(ports, job.tenant)
    return Removal(wanted, before + deleted)


def would_remove(ports: Ports, job: Import, tally: Tally) -> int:
    """Of a dry run, which stamps nothing: all that are there but those that the feed met."""
    met = tally.counters.imported - tally.counters.created
    met += tally.counters.unchanged + tally.counters.superseded
    return max(ports.catalogue.products.count(job.tenant) - met, 0)


def _refused(ports: Ports, job: Import, tally: Tally, wanted: int) -> str:
    """Why nothing may be deleted; empty when it may."""
    if wanted and tally.counters.failed:
        return (
            f"{wanted:,} products are not in the feed, but neither are those of the "
            f"{tally.counters.failed:,} records that failed: nothing was deleted. Mend the feed "
            "and try what failed again, or import the feed anew."
        )
    there = ports.catalogue.products.count(job.tenant)
    if wanted > job.options.max_deleted * there:
        return (
            f"The feed lacks {wanted:,} of {there:,} products, more than the "
            f"{job.options.max_deleted:.0%} that it may delete: nothing was deleted. If that is "
            f"right, import it again with max_deleted {-(-wanted * 100 // there) / 100:.2f}."
        )
    return ""
