"""What the MongoDB adapter sends to its server: durable writes, and lookups that an index serves."""

from collections.abc import Callable
from typing import Any

import pytest
from pymongo.monitoring import CommandListener

from shared.catalogue.images import ImageWrite, VectorWrite
from shared.catalogue.mongo import store as connection
from shared.catalogue.mongo.catalogue import MongoCatalogue
from shared.catalogue.mongo.schema import INDEXES
from shared.catalogue.office import Part
from shared.catalogue.products import ProductWrite
from shared.images import Place
from shared.jobs import Chunk, Counters, DeadLetter, Import
from tests.contracts.catalogue.conftest import database

MINUTE = 60_000
TARGETS = frozenset({"one/segments"})
A = "a" * 64

Write = Callable[..., ProductWrite]


class Commands(CommandListener):
    """What is sent to the server, as the driver tells it."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def started(self, event: Any) -> None:
        self.sent.append(dict(event.command))

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Those of every catalogue that is opened after this."""
    listener = Commands()
    monkeypatch.setattr(connection, "_FIXED", {**connection._FIXED, "event_listeners": [listener]})
    return listener.sent


def test_every_write_is_journalled_by_a_majority_before_it_is_answered(
    url: str, write: Write, commands: list[dict[str, Any]], clock: Any
) -> None:
    with MongoCatalogue(f"{url}?w=1&journal=false", clock=clock) as catalogue:
        look_everything_up(catalogue, write, clock)
    writes = [sent for sent in commands if next(iter(sent)) in ("insert", "update", "delete")]
    assert len(writes) > 20
    assert all(sent["writeConcern"] == {"w": "majority", "j": True} for sent in writes)


def test_no_lookup_walks_a_whole_collection(
    url: str, write: Write, commands: list[dict[str, Any]], clock: Any
) -> None:
    """Told from the list of indexes: the server of these tests explains less than MongoDB does."""
    with MongoCatalogue(url, clock=clock) as catalogue:
        look_everything_up(catalogue, write, clock)
    asked = [filters for sent in list(commands) for filters in looked_for(sent)]
    assert len(asked) > 60
    walked = [(name, wanted) for name, wanted in asked if not is_sought(name, wanted)]
    assert walked == []


def is_sought(name: str, wanted: dict[str, Any]) -> bool:
    """By its key, or by an index that holds all that is wanted, from the index's first field on."""
    telling = {field for field in TELLING.get(name, wanted) if "$ne" not in str(wanted.get(field))}
    return "_id" in wanted or any(
        next(iter(model.document["key"])) in wanted
        and all(
            wanted.get(field) == value
            for field, value in model.document.get("partialFilterExpression", {}).items()
        )
        and telling & wanted.keys() <= model.document["key"].keys()
        for model in INDEXES.get(name, ())
    )


# Fields that few documents share the value of: an index must have those that are asked for.
TELLING = {
    "products": {"pending.target", "images", "bucket", "category", "product_id"},
    "images": {"open", "sha256", "asked", "place.blob", "thumbnail.blob"},
    "imports": {"tenant", "state"},
    "chunks": {"import_id", "state"},
    "dead": {"tenant", "source", "key"},
    "keys": {"key_id"},
    "uploads": {"blob", "created"},
}


def test_the_indexes_that_are_wanted_are_there(url: str) -> None:
    with MongoCatalogue(url) as catalogue:
        catalogue.products.count("shop")
    with database(url) as found:
        for name, wanted in INDEXES.items():
            there = found[name].index_information()
            assert {model.document["name"] for model in wanted} | {"_id_"} == there.keys()


def looked_for(sent: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """(collection, filter) of a command; those that ask for everything there is are meant to."""
    verb = next(iter(sent))
    filters = {
        "find": lambda: [sent["filter"]],
        "aggregate": lambda: [sent["pipeline"][0]["$match"]],
        "update": lambda: [one["q"] for one in sent["updates"]],
        "delete": lambda: [one["q"] for one in sent["deletes"]],
    }.get(verb, list)()
    return [(sent[verb], wanted) for wanted in filters if wanted]


def look_everything_up(catalogue: MongoCatalogue, write: Write, clock: Any) -> None:
    products = catalogue.products
    products.upsert([write()])
    (changed,) = products.upsert([write(title="Changed", urgent=True)])
    products.get("shop", ["p"])
    products.page("shop")
    products.pending("shop", "one/segments", range(9), 9)
    products.mark("shop", "one/segments", [("p", 1)])
    products.bump_showing("shop", [A], targets=TARGETS, not_after=clock())
    products.shown("shop", A)
    products.showing("shop", [A], 9)
    products.tombstones(0, 9)
    products.remove("shop", "p", revision=1, written=1)
    products.digests("shop", "one/segments", range(9))
    products.count("shop")
    products.count_pending("one/segments")
    products.categories("shop")
    products.unseen("shop", 9, 9)
    products.count_unseen("shop", 9)
    products.forget_targets("shop", TARGETS)
    assert changed.status == "changed"
    look_images_up(catalogue, clock)
    look_imports_up(catalogue)
    catalogue.indexes.all("shop")
    catalogue.indexes.swap("one", 0, expected=0, manifest="m", as_of=1)
    catalogue.indexes.report("one", 0, "pod", 1)
    catalogue.indexes.move_alias("shop", "live", "one")
    catalogue.indexes.aliases("shop")
    catalogue.indexes.set_state("one", "retired", origins=("ready",))
    catalogue.indexes.drop("one")
    catalogue.office.key_by_sha256(A)
    catalogue.office.keys("shop")
    catalogue.office.revoke_key("shop", "k")
    catalogue.office.uploads_before(9)
    catalogue.office.upload("shop", "u")
    catalogue.office.append_part("u", 0, Part("blob", 1))
    catalogue.office.declare_size("u", 1)
    catalogue.office.drop_upload("u")
    catalogue.office.upload_names_blob("blob")
    catalogue.office.remember("shop", "key", "body")
    catalogue.office.lease("sweep", "one", MINUTE)
    catalogue.models.get("shop", "m")
    catalogue.models.named("shop", "shoes", "1")
    catalogue.models.of_fingerprint("f1")
    catalogue.models.all("shop")
    catalogue.models.names_blob("blob")
    catalogue.models.remove("shop", "m")
    catalogue.office.jobs("shop")
    catalogue.office.secret("pictures")


def look_imports_up(catalogue: MongoCatalogue) -> None:
    imports = catalogue.imports
    imports.create(Import("i", "shop", "bson", "x", 9, created=0, state="running"))
    imports.planned("i", [Chunk("i", 0, 0, 9, 1)], scanned=9)
    imports.tally("i")
    imports.categories("i")
    imports.open("i")
    imports.reopen("i", [5])
    imports.waiting("i", 9)
    imports.claim("i", 0, MINUTE)
    imports.finish("i", 0, Counters())
    imports.chunks("i")
    imports.recent("shop")
    imports.unfinished()
    catalogue.dead.put([DeadLetter("k", "shop", "record", "bad", "It is broken.", 5)])
    catalogue.dead.page("shop")
    catalogue.dead.page("shop", source="i")
    catalogue.dead.drop("shop", ["k"])


def look_images_up(catalogue: MongoCatalogue, clock: Any) -> None:
    images = catalogue.images
    images.put([ImageWrite("shop", A, Place("blob", 0, 1), "image/png", 1, 1, clock())])
    (claim,) = images.claimable("f1", 9)
    images.claimable("f1", 9, tenant="shop")
    images.claimable("f1", 9, images=[A])
    images.claim(claim, MINUTE)
    images.store_vector(VectorWrite("shop", A, "f1", b"\0\1"))
    images.announced("shop", [A], "f1")
    images.unembedded("f2", "shop")
    images.names_blob("blob")
    images.touch("shop", [A])
    images.get("shop", [A])
    images.page()
    images.hashes("shop", "", 9)
    images.vectors("shop", [A], "f1")
    images.count("shop")
    images.doom("shop", A, touched=clock())
    images.remove("shop", A, touched=clock(), doomed=clock())
