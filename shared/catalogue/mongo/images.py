"""Images, and how far each is for each fingerprint: all of it in the image's own document."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from bson import ObjectId

from shared.catalogue.images import ImageWrite, VectorWrite
from shared.catalogue.mongo.documents import key_of
from shared.catalogue.mongo.guarded import Decision, Read, settle
from shared.catalogue.mongo.pictures import (
    LAST_LEVEL,
    by_sha256,
    claims,
    completed,
    differing,
    embedded,
    from_level,
    given_up,
    image_of,
    level,
    made,
    put_again,
    replayed,
    told,
    unleased,
)
from shared.catalogue.mongo.registry import Registry
from shared.catalogue.mongo.store import Document, Store
from shared.images import Claim, Image, Place


class MongoImages:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._documents = store.documents("images")
        self._registry = Registry(store)

    def touch(self, tenant: str, sha256s: Collection[str]) -> dict[str, Image]:
        if not sha256s:
            return {}
        these = _these(tenant, sha256s)
        # rule: touch_tests
        self._documents.update_all(these, {"$set": {"touched": self._store.now(), "doomed": None}})
        return by_sha256(self._documents.find(these))

    def put(self, writes: Sequence[ImageWrite]) -> list[Image | None]:
        known = self._registry.known() if writes else []

        def decide(position: int, read: Read) -> Decision[Image | None]:
            write, now = writes[position], self._store.now()
            if now > write.not_after:  # rule: write_deadline
                return Decision(None)
            doc = put_again(read, write, now) if read else made(write, now, known)
            for fingerprint, vector in write.vectors:
                doc = embedded(doc, fingerprint, vector)
            # A sweeper writes `doomed` beside us: what this write says of it is said in any case.
            saved = {"touched": doc["touched"], "doomed": doc["doomed"]}
            fields = {**differing(read, doc), **saved} if read else doc
            return Decision(image_of(doc), fields, write.not_after)

        keys = [key_of(write.tenant, write.sha256) for write in writes]
        return settle(self._documents, keys, decide)

    def get(self, tenant: str, sha256s: Collection[str]) -> dict[str, Image]:
        return by_sha256(self._documents.find(_these(tenant, sha256s)) if sha256s else ())

    def page(self, after: tuple[str, str] = ("", ""), limit: int = 500) -> list[Image]:
        tenant, sha256 = after
        by_key = [("tenant", 1), ("sha256", 1)]
        rest = {"tenant": tenant, "sha256": {"$gt": sha256}}
        found = self._documents.find(rest, sort=by_key, limit=limit)
        if len(found) < limit:
            others = {"tenant": {"$gt": tenant}}
            found += self._documents.find(others, sort=by_key, limit=limit - len(found))
        return [image_of(doc) for doc in found]

    def hashes(self, tenant: str, after: str, limit: int) -> list[tuple[str, str, str]]:
        rest = {"tenant": tenant, "sha256": {"$gt": after}, "phash": {"$ne": None}}
        found = self._documents.find(
            rest,
            ["sha256", "phash", "place.blob"],
            sort=[("tenant", 1), ("sha256", 1)],
            limit=limit,
        )
        return [(doc["sha256"], doc["phash"], doc["place"]["blob"]) for doc in found]

    def vectors(self, tenant: str, sha256s: Collection[str], fingerprint: str) -> dict[str, bytes]:
        fields = ["sha256", f"vectors.{fingerprint}"]
        found = self._documents.find(_these(tenant, sha256s), fields) if sha256s else []
        kept = {doc["sha256"]: doc["vectors"].get(fingerprint) for doc in found}
        return {sha256: vector for sha256, vector in kept.items() if vector is not None}

    def claimable(
        self,
        fingerprint: str,
        limit: int,
        *,
        tenant: str | None = None,
        images: Collection[str] = (),
    ) -> list[Claim]:
        self._registry.ask_for(fingerprint)
        wanted = unleased(fingerprint, self._store.now())
        if tenant is not None:
            wanted["tenant"] = tenant
        fields = ["tenant", "sha256", "place", f"state.{fingerprint}"]
        if images:
            named = {"sha256": {"$in": list(images)}, "open": from_level(fingerprint, 0)}
            return claims(self._documents.find({**wanted, **named}, fields), fingerprint)[:limit]
        found: list[Document] = []
        for one in self._levels(fingerprint, wanted):
            by_key = [("tenant", 1), ("sha256", 1)]
            left = limit - len(found)
            found += self._documents.find({**wanted, "open": one}, fields, sort=by_key, limit=left)
            if len(found) >= limit:
                break
        return claims(found, fingerprint)

    def claim(self, found: Claim, lease_ms: int) -> bool:
        now, state = self._store.now(), f"state.{found.fingerprint}"
        guard = {
            "_id": key_of(found.tenant, found.sha256),
            "open": level(found.fingerprint, found.attempts),
            f"{state}.attempts": found.attempts or {"$in": [None, 0]},
            **unleased(found.fingerprint, now),
        }
        taken = {
            "open.$": level(found.fingerprint, found.attempts + 1),
            f"{state}.attempts": found.attempts + 1,
            f"{state}.lease_until": now + lease_ms,
            "edition": ObjectId(),
        }
        return self._documents.update(guard, {"$set": taken})

    def store_vector(self, write: VectorWrite) -> bool:
        def store(doc: Document) -> Document:
            with_vector = embedded(doc, write.fingerprint, write.vector)
            return completed(with_vector, write.phash, write.thumbnail)

        return self._changed(write.tenant, write.sha256, store)

    def store_verdict(
        self, tenant: str, sha256: str, fingerprint: str, *, place: Place, error: str
    ) -> bool:
        return self._changed(tenant, sha256, lambda doc: given_up(doc, fingerprint, place, error))

    def forget_verdict(self, tenant: str, sha256: str, fingerprint: str) -> bool:
        return self._changed(tenant, sha256, lambda doc: replayed(doc, fingerprint))

    def announced(self, tenant: str, sha256s: Collection[str], fingerprint: str) -> None:
        self._each(tenant, sha256s, lambda doc: told(doc, fingerprint))

    def unembedded(self, fingerprint: str, tenant: str) -> int:
        self._registry.ask_for(fingerprint)
        return self._documents.count({"open": from_level(fingerprint, 0), "tenant": tenant})

    def doom(self, tenant: str, sha256: str, *, touched: int) -> bool:
        as_read = {"_id": key_of(tenant, sha256), "touched": touched}
        return self._documents.update(as_read, {"$set": {"doomed": self._store.now()}})

    def remove(self, tenant: str, sha256: str, *, touched: int, doomed: int | None) -> Image | None:
        # rule: sweep_untouched
        as_read = {"_id": key_of(tenant, sha256), "touched": touched, "doomed": doomed}
        while doc := self._documents.first(as_read):
            # Guarded by the edition too: what is answered is all that the document named.
            if self._documents.delete({**as_read, "edition": doc["edition"]}):
                return image_of(doc)
        return None

    def names_blob(self, blob: str) -> bool:
        return any(
            self._documents.first({field: blob}, ["_id"])
            for field in ("place.blob", "thumbnail.blob")
        )

    def count(self, tenant: str) -> int:
        return self._documents.count({"tenant": tenant})

    def _changed(
        self, tenant: str, sha256: str, change: Callable[[Document], Document | None]
    ) -> bool:
        return self._each(tenant, [sha256], change)[0]

    def _each(
        self, tenant: str, sha256s: Iterable[str], change: Callable[[Document], Document | None]
    ) -> list[bool]:
        """Whether each was changed; those that are not there were not."""

        def decide(_: int, read: Read) -> Decision[bool]:
            doc = change(read) if read else None
            if read is None or doc is None:
                return Decision(answer=False)
            return Decision(True, differing(read, doc))

        return settle(self._documents, [key_of(tenant, one) for one in sha256s], decide)

    def _levels(self, fingerprint: str, wanted: Document) -> Iterator[str]:
        """As many attempts as any open image has had, none first."""
        for attempts in range(LAST_LEVEL):
            yield level(fingerprint, attempts)
            more = {**wanted, "open": from_level(fingerprint, attempts + 1)}
            if self._documents.first(more, ["_id"]) is None:
                return
        yield level(fingerprint, LAST_LEVEL)


def _these(tenant: str, sha256s: Collection[str]) -> Document:
    return {"_id": {"$in": [key_of(tenant, sha256) for sha256 in sha256s]}}
