"""A chunk of a dry run: what an import would do, by the same rules, and nothing written."""

from collections import Counter
from collections.abc import Mapping

from services.embedder.intake import kind_of
from services.embedder.letters import put_records
from services.embedder.ports import Ports
from services.embedder.records import Draft, Records
from shared.catalogue.changes import upserted
from shared.catalogue.products import Outcome, ProductWrite
from shared.images import sha256_of
from shared.jobs import Counters, Import
from shared.products import Origin, Product

BETWEEN = " > "


def rehearse(ports: Ports, job: Import, records: Records) -> tuple[Counters, Mapping[str, int]]:
    """The counters, and how many products each category would get.

    Pictures that a record names by path or URL are not looked at; dead letters are written, for
    they are what a dry run is for.
    """
    put_records(ports, job, records.bad)
    there = ports.catalogue.products.get(job.tenant, [d.product_id for d in records.drafts])
    outcomes = [_outcome(ports, job, d, there.get(d.product_id)) for d in records.drafts]
    kinds = Counter(kind_of(job, outcome) for outcome in outcomes)
    shown = {sha256 for draft in records.drafts for sha256 in _held(draft)}
    stored = ports.catalogue.images.get(job.tenant, shown)
    counters = Counters(
        imported=kinds["imported"],
        unchanged=kinds["unchanged"],
        superseded=kinds["superseded"],
        duplicate=kinds["duplicate"] + records.duplicates,
        failed=len(records.bad),
        left_out=records.left_out,
        created=sum(outcome.status == "created" for outcome in outcomes),
        pictures=len(shown),
        embedded=len(shown) - len(stored),
    )
    categories = Counter(BETWEEN.join(draft.attributes.category) for draft in records.drafts)
    return counters, categories


def _outcome(ports: Ports, job: Import, draft: Draft, doc: Product | None) -> Outcome:
    now = ports.catalogue.now()
    held = _held(draft)
    whole = len(held) == len(draft.pictures)
    write = ProductWrite(
        tenant=job.tenant,
        product_id=draft.product_id,
        attributes=draft.attributes,
        images=held if whole or doc is None else doc.images,
        targets=frozenset(),
        not_after=now,
        origin=Origin(job.import_id, job.created, draft.offset),
    )
    return upserted(doc, write, now)


def _held(draft: Draft) -> tuple[str, ...]:
    """The SHA-256 of the pictures that are in the record itself."""
    held = (sha256_of(one) for one in draft.pictures if isinstance(one, bytes))
    return tuple(dict.fromkeys(held))
