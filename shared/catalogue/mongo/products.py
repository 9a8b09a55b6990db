"""Products: every write reads the document, decides, and writes it if it is still what was read."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from shared.catalogue import changes
from shared.catalogue.following import Change, Following, strides
from shared.catalogue.mongo.documents import fields_of, key_of, product_of, within
from shared.catalogue.mongo.guarded import Decision, Read, settle
from shared.catalogue.mongo.store import Document, Store
from shared.catalogue.products import BucketDigest, Outcome, ProductWrite
from shared.catalogue.texts import category_key, category_of
from shared.products import Attributes, Product, revision_digest

_BY_ID: Final = [("_id", 1)]


class MongoProducts(Following):
    def __init__(self, store: Store) -> None:
        self._store = store
        self._documents = store.documents("products")

    def upsert(self, writes: Sequence[ProductWrite]) -> list[Outcome]:
        def decide(position: int, read: Read) -> Decision[Outcome]:
            write, now = writes[position], self._store.now()
            outcome = changes.upserted(_product(read), write, now)
            return _decision(read, outcome, now, write.not_after)

        keys = [key_of(write.tenant, write.product_id) for write in writes]
        return settle(self._documents, keys, decide)

    def patch(
        self,
        tenant: str,
        product_id: str,
        *,
        revision: int,
        attributes: Attributes,
        targets: frozenset[str],
        not_after: int,
    ) -> Outcome:
        def decide(_: int, read: Read) -> Decision[Outcome]:
            now = self._store.now()
            outcome = changes.patched(
                *(_product(read), attributes, targets),
                revision=revision,
                not_after=not_after,
                now=now,
            )
            return _decision(read, outcome, now, not_after)

        return settle(self._documents, [key_of(tenant, product_id)], decide)[0]

    def delete(
        self,
        tenant: str,
        product_id: str,
        *,
        targets: frozenset[str],
        not_after: int,
        if_version: int | None = None,
    ) -> Outcome:
        def decide(_: int, read: Read) -> Decision[Outcome]:
            now = self._store.now()
            outcome = changes.tombstoned(
                _product(read), targets, if_version=if_version, not_after=not_after, now=now
            )
            return _decision(read, outcome, now, not_after)

        return settle(self._documents, [key_of(tenant, product_id)], decide)[0]

    def get(self, tenant: str, product_ids: Collection[str]) -> dict[str, Product]:
        keys = [key_of(tenant, product_id) for product_id in product_ids]
        found = self._documents.find({"_id": {"$in": keys}}) if keys else []
        return {product.product_id: product for product in map(product_of, found)}

    def page(self, tenant: str, after: str = "", limit: int = 500) -> list[Product]:
        found = self._documents.find({"_id": within(tenant, after)}, sort=_BY_ID, limit=limit)
        return [product_of(doc) for doc in found]

    def unseen(self, tenant: str, before: int, limit: int, after: str = "") -> list[str]:
        wanted = {"_id": within(tenant, after), "deleted": False, "date.0": {"$lt": before}}
        rows = self._documents.find(wanted, ["product_id"], sort=_BY_ID, limit=limit)
        return [row["product_id"] for row in rows]

    def count_unseen(self, tenant: str, before: int) -> int:
        return self._documents.count(
            {"tenant": tenant, "deleted": False, "date.0": {"$lt": before}}
        )

    def pending(
        self, tenant: str, target: str, buckets: range, limit: int, after: str = ""
    ) -> list[str]:
        found: list[str] = []
        for urgent in (True, False):
            if len(found) < limit:
                wanted = {
                    **_waiting(target),
                    "tenant": tenant,
                    "urgent": urgent,
                    "product_id": {"$gt": after},
                    "bucket": _among(buckets),
                }
                rows = self._documents.find(
                    wanted, ["product_id"], sort=[("product_id", 1)], limit=limit - len(found)
                )
                found.extend(row["product_id"] for row in rows)
        return found

    def bump_showing(
        self, tenant: str, sha256s: Collection[str], *, targets: frozenset[str], not_after: int
    ) -> int | None:
        def bump(_: int, read: Read) -> Decision[bool | None]:
            doc, now = _product(read), self._store.now()
            if self._late(not_after):
                return Decision(None)
            if doc is None:
                return Decision(answer=False)
            # rule: arrival_bumps
            bumped = changes.bumped(doc, targets, now, images=True)
            return Decision(True, fields_of(read, bumped, now), not_after)

        if self._late(not_after):
            return None
        shown = {"tenant": tenant, "images": {"$in": list(sha256s)}}
        showing = self._documents.find(shown, ["_id"])
        told = [
            bumped
            for keys in strides([doc["_id"] for doc in showing])
            for bumped in settle(self._documents, keys, bump)
        ]
        return None if None in told else told.count(True)

    def shown(self, tenant: str, sha256: str) -> bool:
        living = {"tenant": tenant, "images": sha256, "deleted": False}
        return self._documents.first(living, ["_id"]) is not None

    def showing(self, tenant: str, sha256s: Collection[str], each: int) -> dict[str, list[str]]:
        def ids(sha256: str) -> list[str]:
            living = {"tenant": tenant, "images": sha256, "deleted": False}
            by_id = [("product_id", 1)]
            found = self._documents.find(living, ["product_id"], sort=by_id, limit=each)
            return [doc["product_id"] for doc in found]

        return {sha256: ids(sha256) for sha256 in sha256s}

    def tombstones(self, written_before: int, limit: int) -> list[Product]:
        buried = self._documents.find(
            # rule: tombstone_confirmed
            {"deleted": True, "pending_since": None, "written": {"$lt": written_before}},
            sort=[("written", 1)],
            limit=limit,
        )
        return [product_of(doc) for doc in buried]

    def remove(self, tenant: str, product_id: str, *, revision: int, written: int) -> bool:
        as_read = {"_id": key_of(tenant, product_id), "revision": revision, "written": written}
        # rule: removal_guarded
        return self._documents.delete({**as_read, "deleted": True, "pending_since": None})

    def digests(self, tenant: str, target: str, buckets: range) -> list[BucketDigest]:
        confirmed = {
            "tenant": tenant,
            "bucket": _among(buckets),
            "deleted": False,
            "pending.target": {"$ne": target},
        }
        parts: defaultdict[int, list[int]] = defaultdict(list)
        for doc in self._documents.walk(confirmed, ["bucket", "product_id", "revision"]):
            parts[doc["bucket"]].append(revision_digest(doc["product_id"], doc["revision"]))
        return [
            BucketDigest(bucket, len(found), sum(found) % 2**63)
            for bucket, found in sorted(parts.items())
        ]

    def count(self, tenant: str) -> int:
        return self._documents.count({"tenant": tenant, "deleted": False})

    def count_pending(self, target: str) -> tuple[int, int | None]:
        counted = self._documents.grouped(
            _waiting(target),
            {"$unwind": "$pending"},
            {"$match": {"pending.target": target}},
            {"$group": {"_id": None, "n": {"$sum": 1}, "since": {"$min": "$pending.since"}}},
        )
        return (counted[0]["n"], counted[0]["since"]) if counted else (0, None)

    def categories(self, tenant: str) -> dict[tuple[str, ...], int]:
        counted = self._documents.grouped(
            {"tenant": tenant, "deleted": False, "category": {"$ne": category_key(())}},
            {"$group": {"_id": "$category", "n": {"$sum": 1}}},
        )
        return {category_of(one["_id"]): one["n"] for one in counted}

    def _late(self, not_after: int) -> bool:
        return self._store.now() > not_after  # rule: write_deadline

    def each(
        self,
        tenant: str,
        product_ids: Iterable[str],
        change: Change,
        not_after: int | None = None,
    ) -> list[str]:
        def decide(_: int, read: Read) -> Decision[bool]:
            doc, now = _product(read), self._store.now()
            after = change(doc, now) if doc else None
            if after is None:
                return Decision(answer=False)
            return Decision(True, fields_of(read, after, now), not_after)

        return [
            product_id
            for stride in strides(product_ids)
            for product_id, done in zip(
                stride,
                settle(self._documents, [key_of(tenant, one) for one in stride], decide),
                strict=True,
            )
            if not done
        ]


def _product(read: Read) -> Product | None:
    return product_of(read) if read else None


def _decision(read: Read, outcome: Outcome, now: int, not_after: int) -> Decision[Outcome]:
    if outcome.accepted and outcome.product:
        return Decision(outcome, fields_of(read, outcome.product, now), not_after)
    return Decision(outcome)


def _waiting(target: str) -> Document:
    # The second is what the index is limited to: a document that nothing waits for is not in it.
    return {"pending.target": target, "pending_since": {"$gt": 0}}


def _among(buckets: range) -> Document:
    return {"$gte": buckets.start, "$lt": buckets.stop}
