"""Images against a plain dictionary, under whatever order of operations there is."""

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

from shared.catalogue.images import ImageWrite, VectorWrite
from shared.catalogue.port import Catalogue
from shared.images import Image, Place

MINUTE = 60_000
BLANK = {"attempts": 0, "lease": 0, "error": None, "unannounced": False}
pictures = st.sampled_from(["a" * 64, "b" * 64, "c" * 64])
in_time = st.sampled_from([0, 0, 0, 0, -1])
RUNS = settings(
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
Doc = dict[str, Any]


class ImagesAndADictionary(RuleBasedStateMachine):
    def __init__(self, catalogue: Catalogue, clock: Any) -> None:
        super().__init__()
        self.catalogue, self.clock, self.uploads = catalogue, clock, 0
        self.docs: dict[str, Doc] = {}

    def teardown(self) -> None:
        self.catalogue.close()

    @rule(by=st.sampled_from([1, MINUTE + 1]))
    def time_passes(self, by: int) -> None:
        self.clock.advance(by)

    @initialize()
    def images_are_there(self) -> None:
        self.put("a" * 64, set(), 0)
        self.put("b" * 64, set(), 0)

    @rule(sha=pictures, fingerprints=st.sets(st.sampled_from(["f1", "f2"])), slack=in_time)
    def put(self, sha: str, fingerprints: set[str], slack: int) -> None:
        self.uploads += 1
        place = Place(f"blob-{self.uploads}", 0, 9)
        vectors = tuple((name, bytes([self.uploads % 256, 0])) for name in sorted(fingerprints))
        write = ImageWrite(
            "shop", sha, place, "image/png", 9, 9, self.clock() + slack, vectors=vectors
        )
        (image,) = self.catalogue.images.put([write])
        if slack:
            assert image is None
            return
        doc = self.docs.setdefault(sha, {"place": place, "vectors": {}, "state": {}})
        doc.update(touched=self.clock(), doomed=None)
        for name, vector in vectors:
            doc["vectors"][name] = vector
            self.state(sha, name).update(error=None, unannounced=True)

    def state(self, sha: str, name: str) -> Doc:
        found: Doc = self.docs[sha]["state"].setdefault(name, dict(BLANK))
        return found

    @rule(shas=st.sets(pictures))
    def touch(self, shas: set[str]) -> None:
        assert self.catalogue.images.touch("shop", shas).keys() == shas & self.docs.keys()
        for sha in shas & self.docs.keys():
            self.docs[sha].update(touched=self.clock(), doomed=None)

    @rule(limit=st.integers(1, 3))
    def claim(self, limit: int) -> None:
        found = self.catalogue.images.claimable("f1", limit)
        taken = [(c.attempts, c.sha256, c.unannounced) for c in found]
        assert taken == self.claimable()[:limit]
        for claim in found:
            assert self.catalogue.images.claim(claim, MINUTE)
            assert not self.catalogue.images.claim(claim, MINUTE)
            state = self.state(claim.sha256, "f1")
            state.update(attempts=claim.attempts + 1, lease=self.clock() + MINUTE)

    def claimable(self, *, leased: bool = False) -> list[tuple[int, str, bool]]:
        return sorted(
            (state["attempts"], sha, state["unannounced"])
            for sha, doc in self.docs.items()
            for state in [self.state(sha, "f1")]
            if (leased or state["lease"] < self.clock())
            and (state["unannounced"] or ("f1" not in doc["vectors"] and not state["error"]))
        )

    @rule(sha=pictures)
    def embed(self, sha: str) -> None:
        stored = self.catalogue.images.store_vector(VectorWrite("shop", sha, "f1", b"\0\1"))
        assert stored == (sha in self.docs)
        if stored:
            self.docs[sha]["vectors"]["f1"] = b"\0\1"
            self.state(sha, "f1").update(error=None, unannounced=True)

    @rule(sha=pictures, same=st.booleans())
    def give_up(self, *, sha: str, same: bool) -> None:
        doc = self.docs.get(sha)
        place = doc["place"] if doc and same else Place("elsewhere", 0, 9)
        stored = self.catalogue.images.store_verdict("shop", sha, "f1", place=place, error="e: E.")
        assert stored == bool(doc and same and "f1" not in doc["vectors"])
        if stored:
            self.state(sha, "f1").update(error="e: E.", unannounced=True)

    @rule(sha=pictures)
    def replay(self, sha: str) -> None:
        failed = sha in self.docs and self.state(sha, "f1")["error"] is not None
        assert self.catalogue.images.forget_verdict("shop", sha, "f1") == failed
        if failed:
            self.state(sha, "f1").update(BLANK)

    @rule(sha=pictures)
    def announce(self, sha: str) -> None:
        self.catalogue.images.announced("shop", [sha], "f1")
        if sha in self.docs:
            self.state(sha, "f1")["unannounced"] = False

    @rule(sha=pictures, lag=st.sampled_from([0, 0, 1]))
    def doom(self, sha: str, lag: int) -> None:
        doc = self.docs.get(sha, {"touched": 0})
        doomed = self.catalogue.images.doom("shop", sha, touched=doc["touched"] - lag)
        assert doomed == (sha in self.docs and not lag)
        if doomed:
            doc["doomed"] = self.clock()

    @rule(sha=pictures, lag=st.sampled_from([0, 1]), forgot=st.booleans())
    def remove(self, *, sha: str, lag: int, forgot: bool) -> None:
        doc = self.docs.get(sha, {"touched": 0, "doomed": None})
        doomed = None if forgot else doc["doomed"]
        removed = self.catalogue.images.remove(
            "shop", sha, touched=doc["touched"] - lag, doomed=doomed
        )
        expected = sha in self.docs and not lag and doomed == doc["doomed"]
        assert (removed is not None) == expected
        if expected:
            del self.docs[sha]

    @invariant()
    def documents_are_the_same(self) -> None:
        wanted = {
            sha: doc | {"state": {n: s for n, s in doc["state"].items() if s != BLANK}}
            for sha, doc in self.docs.items()
        }
        found = {image.sha256: as_dictionary(image) for image in self.catalogue.images.page()}
        assert found == wanted

    @invariant()
    def questions_have_the_same_answers(self) -> None:
        images = self.catalogue.images
        open_now = [(c.attempts, c.sha256, c.unannounced) for c in images.claimable("f1", 9)]
        assert open_now == self.claimable()
        assert images.unembedded("f1", "shop") == len(self.claimable(leased=True))
        named = {doc["place"].blob for doc in self.docs.values()}
        for number in range(1, self.uploads + 1):
            assert images.names_blob(f"blob-{number}") == (f"blob-{number}" in named)


def as_dictionary(image: Image) -> Doc:
    return {
        "place": image.place,
        "touched": image.touched,
        "doomed": image.doomed,
        "vectors": dict(image.vectors),
        "state": {
            name: {
                "attempts": progress.attempts,
                "lease": progress.lease_until,
                "error": progress.error,
                "unannounced": progress.unannounced,
            }
            for name, progress in image.state.items()
        },
    }


def behave_as_a_dictionary(
    make_catalogue: Callable[[], Catalogue], clock: Any, examples: int
) -> None:
    class Here(ImagesAndADictionary):
        def __init__(self) -> None:
            super().__init__(make_catalogue(), clock)

    run_state_machine_as_test(Here, settings=settings(RUNS, max_examples=examples))


def test_images_behave_as_a_dictionary(
    make_catalogue: Callable[[], Catalogue], clock: Any, examples: int
) -> None:
    behave_as_a_dictionary(make_catalogue, clock, examples)


@pytest.mark.long
@pytest.mark.parametrize("adapter", ["mongodb"])
def test_images_behave_as_a_dictionary_in_many_histories(
    make_catalogue: Callable[[], Catalogue], clock: Any
) -> None:
    behave_as_a_dictionary(make_catalogue, clock, 100)
