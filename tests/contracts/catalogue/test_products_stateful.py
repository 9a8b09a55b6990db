"""Products against a plain dictionary, under whatever order of operations there is."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from shared.catalogue.port import Catalogue
from shared.catalogue.products import ProductWrite
from shared.products import BUCKETS, Attributes, Origin, Product, bucket_of, revision_digest

SEGMENTS, ELASTIC = "one/segments", "one/elasticsearch"
TARGETS = frozenset({SEGMENTS, ELASTIC})
ids = st.sampled_from(["p", "q", "r"])
pictures = st.sampled_from(["a" * 64, "b" * 64, "c" * 64])
shown = st.lists(pictures, min_size=1, max_size=3).map(tuple)
titles = st.sampled_from(["one", "two"])
targets = st.sampled_from([TARGETS, frozenset({SEGMENTS})])
one_target = st.sampled_from([SEGMENTS, ELASTIC])
in_time = st.sampled_from([0, 0, 0, 0, -1])
RUNS = settings(
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
Doc = dict[str, Any]


def accepts(doc: Doc, date: tuple[int, int], *, imported: bool) -> bool:
    return not imported or doc["date"] <= date


class ProductsAndADictionary(RuleBasedStateMachine):
    def __init__(self, catalogue: Catalogue, clock: Any) -> None:
        super().__init__()
        self.catalogue, self.clock = catalogue, clock
        self.docs: dict[str, Doc] = {}

    def teardown(self) -> None:
        self.catalogue.close()

    def bump(self, doc: Doc, names: frozenset[str], *, images: bool = False) -> None:
        doc["revision"] += 1
        doc["pending"] = doc["pending"] | names
        if images:
            doc["images_revision"] = doc["revision"]

    @rule(by=st.sampled_from([1, 1000]))
    def time_passes(self, by: int) -> None:
        self.clock.advance(by)

    @initialize()
    def products_are_there(self) -> None:
        for pid, images in (("p", "ab"), ("q", "b")):
            self.upsert(pid, "one", tuple(sha * 64 for sha in images))
        self.clock.advance(1000)

    @rule(pid=ids, title=titles, images=shown, names=targets, urgent=st.booleans())
    def request(
        self, *, pid: str, title: str, images: tuple[str, ...], names: frozenset[str], urgent: bool
    ) -> None:
        self.upsert(pid, title, images, targets=names, urgent=urgent)

    @rule(pid=ids, title=titles, age=st.sampled_from([0, 1, 1000]), offset=st.integers(1, 3))
    def record(self, pid: str, title: str, age: int, offset: int) -> None:
        created = self.clock() - age
        self.upsert(pid, title, origin=Origin(f"i{created}", created, offset))

    @rule(pid=ids, title=titles, slack=st.sampled_from([0, -1]), version=st.integers(0, 3))
    def guarded(self, pid: str, title: str, slack: int, version: int) -> None:
        self.upsert(pid, title, not_after=self.clock() + slack, if_version=version)

    @rule(pid=ids)
    def same_again(self, pid: str) -> None:
        if doc := self.docs.get(pid):
            self.upsert(pid, doc["title"], doc["images"])

    def upsert(
        self, pid: str, title: str, images: tuple[str, ...] = ("a" * 64,), **more: Any
    ) -> None:
        now = self.clock()
        write = ProductWrite(
            **{
                "tenant": "shop",
                "product_id": pid,
                "attributes": Attributes(title=title),
                "images": images,
                "targets": TARGETS,
                "not_after": now,
                **more,
            }
        )
        (outcome,) = self.catalogue.products.upsert([write])
        origin = write.origin
        date = (now, 0) if origin is None else (origin.created, origin.offset)
        by = None if origin is None else (origin.import_id, origin.offset)
        assert outcome.status == self.decide(write, title, date, by)
        got = self.catalogue.products.get("shop", [pid]).get(pid)
        assert outcome.product == (None if outcome.status == "late" else got)

    def decide(
        self, write: ProductWrite, title: str, date: tuple[int, int], by: tuple[str, int] | None
    ) -> str:
        now, doc = self.clock(), self.docs.get(write.product_id)
        if now > write.not_after:
            return "late"
        if doc and not accepts(doc, date, imported=by is not None):
            return "superseded"
        there = doc["version"] if doc and not doc["deleted"] else 0
        if write.if_version is not None and write.if_version != there:
            return "mismatch"
        stamp = {"date": date, "written": now, "written_by": by}
        if doc is None:
            self.docs[write.product_id] = {
                **stamp,
                "title": title,
                "images": write.images,
                "deleted": False,
                "indexed": {},
                "version": 1,
                "revision": now,
                "images_revision": now,
                "pending": write.targets,
                "urgent": write.urgent,
            }
            return "created"
        doc.update(stamp, urgent=doc["urgent"] or (write.urgent and bool(doc["pending"])))
        if (doc["title"], doc["images"], doc["deleted"]) == (title, write.images, False):
            return "unchanged"
        anew = doc["deleted"] or doc["images"] != write.images
        doc.update(title=title, images=write.images, deleted=False, version=doc["version"] + 1)
        doc["urgent"] = doc["urgent"] or write.urgent
        self.bump(doc, write.targets, images=anew)
        return "changed"

    @rule(pid=ids, title=titles, lag=st.sampled_from([0, 0, 1]), slack=in_time)
    def patch(self, pid: str, title: str, lag: int, slack: int) -> None:
        now, doc = self.clock(), self.docs.get(pid)
        outcome = self.catalogue.products.patch(
            "shop",
            pid,
            revision=(doc["revision"] if doc else 0) - lag,
            attributes=Attributes(title=title),
            targets=TARGETS,
            not_after=now + slack,
        )
        if slack:
            assert outcome.status == "late"
        elif doc is None or doc["deleted"]:
            assert outcome.status == "missing"
        elif lag:
            assert outcome.status == "mismatch"
        else:
            assert outcome.status == "changed"
            doc.update(title=title, version=doc["version"] + 1)
            doc.update(date=(now, 0), written=now, written_by=None)
            self.bump(doc, TARGETS)

    @rule(pid=ids, names=targets, slack=in_time)
    def delete(self, pid: str, names: frozenset[str], slack: int) -> None:
        now, doc = self.clock(), self.docs.get(pid)
        outcome = self.catalogue.products.delete("shop", pid, targets=names, not_after=now + slack)
        if slack or doc is None:
            assert outcome.status == ("late" if slack else "missing")
            return
        assert outcome.status == ("unchanged" if doc["deleted"] else "changed")
        doc.update(date=(now, 0), written=now, written_by=None)
        if not doc["deleted"]:
            doc.update(deleted=True, version=doc["version"] + 1)
            self.bump(doc, names)

    @rule(pids=st.sets(ids), name=one_target, lag=st.sampled_from([0, 0, 0, 1]))
    def mark(self, pids: set[str], name: str, lag: int) -> None:
        there = sorted(pids & self.docs.keys())
        done = [(pid, self.docs[pid]["revision"] - lag) for pid in there]
        refused = self.catalogue.products.mark("shop", name, [*done, ("gone", 1)])
        assert refused == ([*there, "gone"] if lag else ["gone"])
        for pid, revision in () if lag else done:
            doc = self.docs[pid]
            doc["indexed"] = {**doc["indexed"], name: revision}
            self.settle(doc, doc["pending"] - {name})

    def settle(self, doc: Doc, pending: frozenset[str]) -> None:
        doc.update(pending=pending, urgent=doc["urgent"] and bool(pending))

    @rule(sha=pictures, names=targets, slack=in_time)
    def bump_showing(self, sha: str, names: frozenset[str], slack: int) -> None:
        showing = [doc for doc in self.docs.values() if sha in doc["images"]]
        bumped = self.catalogue.products.bump_showing(
            "shop", [sha], targets=names, not_after=self.clock() + slack
        )
        assert bumped == (None if slack else len(showing))
        for doc in () if slack else showing:
            self.bump(doc, names, images=True)

    @rule(pid=ids, name=one_target)
    def put_back(self, pid: str, name: str) -> None:
        assert self.catalogue.products.put_back("shop", name, pid) == (pid in self.docs)
        if doc := self.docs.get(pid):
            self.bump(doc, frozenset({name}) | doc["indexed"].keys())

    @rule(pids=st.lists(ids), names=targets)
    def add_pending(self, pids: list[str], names: frozenset[str]) -> None:
        self.catalogue.products.add_pending("shop", names, pids)
        for pid in self.docs.keys() & set(pids):
            self.settle(self.docs[pid], self.docs[pid]["pending"] | names)

    @rule(pids=st.sets(ids), name=one_target)
    def rebuild(self, pids: set[str], name: str) -> None:
        self.catalogue.products.rebuild("shop", name, sorted(pids))
        for pid in self.docs.keys() & pids:
            doc = self.docs[pid]
            doc["indexed"] = {n: r for n, r in doc["indexed"].items() if n != name}
            self.bump(doc, frozenset({name}) | doc["indexed"].keys(), images=True)

    @rule(name=one_target)
    def forget(self, name: str) -> None:
        self.catalogue.products.forget_targets("shop", frozenset({name}))
        for doc in self.docs.values():
            doc["indexed"] = {n: r for n, r in doc["indexed"].items() if n != name}
            self.settle(doc, doc["pending"] - {name})

    @rule(pid=ids, lag=st.sampled_from([0, 0, 1]))
    def remove(self, pid: str, lag: int) -> None:
        doc = self.docs.get(pid, {"revision": 0, "written": 0, "deleted": False, "pending": ()})
        removed = self.catalogue.products.remove(
            "shop", pid, revision=doc["revision"] - lag, written=doc["written"]
        )
        assert removed == (doc["deleted"] and not doc["pending"] and not lag)
        if removed:
            del self.docs[pid]

    @invariant()
    def documents_are_the_same(self) -> None:
        found = {p.product_id: as_dictionary(p) for p in self.catalogue.products.page("shop")}
        assert found == self.docs

    @invariant()
    def questions_have_the_same_answers(self) -> None:
        products, living = self.catalogue.products, self.living()
        assert products.count("shop") == len(living)
        for sha in ("a" * 64, "b" * 64, "c" * 64):
            assert products.shown("shop", sha) == any(sha in d["images"] for d in living.values())
        buried = {pid for pid, d in self.docs.items() if d["deleted"] and not d["pending"]}
        assert {p.product_id for p in products.tombstones(self.clock() + 1, 9)} == buried
        for name in (SEGMENTS, ELASTIC):
            waiting = [(not d["urgent"], p) for p, d in self.docs.items() if name in d["pending"]]
            asked = products.pending("shop", name, range(BUCKETS), 9)
            assert asked == [pid for _, pid in sorted(waiting)]
            assert products.count_pending(name)[0] == len(waiting)
            assert self.digests(name) == {
                (bucket_of("shop", pid), 1, revision_digest(pid, d["revision"]) % 2**63)
                for pid, d in living.items()
                if name not in d["pending"]
            }

    def living(self) -> dict[str, Doc]:
        return {pid: doc for pid, doc in self.docs.items() if not doc["deleted"]}

    def digests(self, name: str) -> set[tuple[int, int, int]]:
        found = self.catalogue.products.digests("shop", name, range(BUCKETS))
        return {(d.bucket, d.count, d.digest) for d in found}


def as_dictionary(product: Product) -> Doc:
    assert (product.pending_since is None) == (not product.pending)
    return {
        "title": product.attributes.title,
        "images": product.images,
        "deleted": product.deleted,
        "version": product.version,
        "revision": product.revision,
        "images_revision": product.images_revision,
        "date": tuple(product.date),
        "written": product.written,
        "written_by": product.written_by,
        "pending": product.pending,
        "indexed": dict(product.indexed),
        "urgent": product.urgent,
    }


def behave_as_a_dictionary(
    make_catalogue: Callable[[], Catalogue], clock: Any, examples: int
) -> None:
    class Here(ProductsAndADictionary):
        def __init__(self) -> None:
            super().__init__(make_catalogue(), clock)

    run_state_machine_as_test(Here, settings=settings(RUNS, max_examples=examples))


def test_products_behave_as_a_dictionary(
    make_catalogue: Callable[[], Catalogue], clock: Any, examples: int
) -> None:
    behave_as_a_dictionary(make_catalogue, clock, examples)


@pytest.mark.long
@pytest.mark.parametrize("adapter", ["mongodb"])
def test_products_behave_as_a_dictionary_in_many_histories(
    make_catalogue: Callable[[], Catalogue], clock: Any
) -> None:
    behave_as_a_dictionary(make_catalogue, clock, 100)
