"""A chunk of a dry run: what an import would do, by the same rules, and nothing written."""

from collections import Counter
from collections.abc import Mapping

from services.embedder.gathering import Ready, gather
from services.embedder.intake import kind_of, write_of
from services.embedder.letters import put_records
from services.embedder.ports import Ports
from services.embedder.records import Draft, Records
from shared.catalogue.changes import upserted
from shared.catalogue.products import Outcome
from shared.images import sha256_of
from shared.jobs import Counters, Import
from shared.products import Product
from shared.sources.records import Named

BETWEEN = " > "


def rehearse(ports: Ports, job: Import, records: Records) -> tuple[Counters, Mapping[str, int]]:
    """The counters, and how many products each category would get.

    Nothing is fetched: a product with pictures by URL counts as if those it has were all that it
    names. Dead letters are written, for they are what a dry run is for.
    """
    put_records(ports, job, records.bad)
    far = [draft for draft in records.drafts if _is_far(draft)]
    gathered = gather(ports, job, [draft for draft in records.drafts if not _is_far(draft)])
    put_records(ports, job, gathered.lost)
    there = ports.catalogue.products.get(job.tenant, [d.product_id for d in records.drafts])
    ready = [*gathered.ready, *(_unfetched(draft, there.get(draft.product_id)) for draft in far)]
    outcomes = [_outcome(ports, job, one, there.get(one.product_id)) for one in ready]
    kinds = Counter(kind_of(job, outcome) for outcome in outcomes)
    shown = {sha256 for one in ready for sha256 in one.images}
    stored = ports.catalogue.images.get(job.tenant, shown)
    counters = Counters(
        imported=kinds["imported"],
        unchanged=kinds["unchanged"],
        superseded=kinds["superseded"],
        duplicate=kinds["duplicate"] + records.duplicates,
        failed=len(records.bad) + gathered.failed,
        left_out=records.left_out,
        created=sum(outcome.status == "created" for outcome in outcomes),
        pictures=len(shown),
        embedded=len(shown) - len(stored),
    )
    categories = Counter(BETWEEN.join(one.attributes.category) for one in ready)
    return counters, categories


def _is_far(draft: Draft) -> bool:
    return any(isinstance(one, Named) and one.kind == "url" for one in draft.pictures)


def _unfetched(draft: Draft, doc: Product | None) -> Ready:
    held = tuple(dict.fromkeys(sha256_of(one) for one in draft.pictures if isinstance(one, bytes)))
    images = held if doc is None else doc.images
    return Ready(draft.offset, draft.product_id, draft.attributes, images)


def _outcome(ports: Ports, job: Import, one: Ready, doc: Product | None) -> Outcome:
    now = ports.catalogue.now()
    return upserted(doc, write_of(job, one, frozenset(), now), now)
