"""One fixture a catalogue adapter; every law in this folder holds for each of them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pymongo import MongoClient

from shared.catalogue.images import ImageWrite
from shared.catalogue.mongo.catalogue import MongoCatalogue
from shared.catalogue.port import Catalogue
from shared.catalogue.products import Outcome, ProductWrite
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.ids import new_id
from shared.images import Claim, Image, Place
from shared.products import Attributes, Origin

MINUTE = 60_000
TARGETS = frozenset({"one/segments", "one/elasticsearch"})


@dataclass
class Clock:
    """The store's clock, which stands still until a test moves it."""

    at: int = 1_700_000_000_000

    def __call__(self) -> int:
        return self.at

    def advance(self, milliseconds: int) -> int:
        self.at += milliseconds
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """The URL of a database of its own, which is gone afterwards."""
    name = new_id("test")
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        with MongoClient[dict[str, Any]](server) as client:
            client.drop_database(name)


@contextmanager
def _mongodb(server: str, clock: Clock) -> Iterator[Catalogue]:
    with fresh_database(server) as url, MongoCatalogue(url, clock=clock) as catalogue:
        yield catalogue


def _sqlite(folder: Path, clock: Clock) -> AbstractContextManager[Catalogue]:
    folder.mkdir()
    return SqliteCatalogue(folder / "catalogue.db", clock=clock)


@pytest.fixture(params=["sqlite", "mongodb"])
def adapter(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def examples(adapter: str) -> int:
    """How many histories a stateful test tries: one costs a second over MongoDB's protocol."""
    return {"sqlite": 100, "mongodb": 6}[adapter]


@pytest.fixture
def make_catalogue(
    adapter: str, request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> Iterator[Callable[[], Catalogue]]:
    """Makes empty catalogues that share the test's clock."""
    numbers = count()
    with ExitStack() as opened:

        def make() -> Catalogue:
            if adapter == "mongodb":
                server: str = request.getfixturevalue("mongodb_url")
                return opened.enter_context(_mongodb(server, clock))
            return opened.enter_context(_sqlite(tmp_path / str(next(numbers)), clock))

        yield make


@pytest.fixture
def catalogue(make_catalogue: Callable[[], Catalogue]) -> Catalogue:
    return make_catalogue()


@pytest.fixture
def write(clock: Clock) -> Callable[..., ProductWrite]:
    """A request for product `p`, changed by keywords; `title` stands for all attributes."""

    def make(product_id: str = "p", title: str = "Lamp", **changes: Any) -> ProductWrite:
        said: dict[str, Any] = {
            "tenant": "shop",
            "attributes": Attributes(title=title, category=("Home", "Lamps"), price=9.5),
            "images": ("a" * 64,),
            "targets": TARGETS,
            "not_after": clock() + 10 * MINUTE,
        }
        return ProductWrite(product_id=product_id, **(said | changes))

    return make


@pytest.fixture
def put(catalogue: Catalogue, write: Callable[..., ProductWrite]) -> Callable[..., Outcome]:
    """Upserts one `write` and answers its outcome."""

    def upsert(product_id: str = "p", title: str = "Lamp", **changes: Any) -> Outcome:
        (outcome,) = catalogue.products.upsert([write(product_id, title, **changes)])
        return outcome

    return upsert


@pytest.fixture
def record(put: Callable[..., Outcome]) -> Callable[..., Outcome]:
    """Upserts as a record of an import does."""

    def upsert(created: int, offset: int, title: str, **changes: Any) -> Outcome:
        name = changes.pop("import_id", f"import-{created}")
        return put(title=title, origin=Origin(name, created, offset), **changes)

    return upsert


@pytest.fixture
def delete(catalogue: Catalogue, clock: Clock) -> Callable[..., Outcome]:
    def bury(product_id: str = "p", **changes: Any) -> Outcome:
        said: dict[str, Any] = {"targets": TARGETS, "not_after": clock() + 10 * MINUTE}
        return catalogue.products.delete("shop", product_id, **(said | changes))

    return bury


@pytest.fixture
def picture(clock: Clock) -> Callable[..., ImageWrite]:
    """An image by a short name; its SHA-256 is that of the name."""

    def make(name: str = "a", **changes: Any) -> ImageWrite:
        said: dict[str, Any] = {
            "tenant": "shop",
            "place": Place(f"blob-of-{name}", 0, 100),
            "media_type": "image/jpeg",
            "width": 640,
            "height": 480,
            "not_after": clock() + 10 * MINUTE,
        }
        return ImageWrite(sha256=sha256(name.encode()).hexdigest(), **(said | changes))

    return make


@pytest.fixture
def store(catalogue: Catalogue, picture: Callable[..., ImageWrite]) -> Callable[..., Image]:
    """Puts one `picture` that is in time."""

    def upload(name: str = "a", **changes: Any) -> Image:
        (image,) = catalogue.images.put([picture(name, **changes)])
        assert image is not None
        return image

    return upload


@pytest.fixture
def claimed(catalogue: Catalogue) -> Callable[[], Claim]:
    """Takes the one claim that there is for fingerprint `f1`, for a minute."""

    def take() -> Claim:
        (found,) = catalogue.images.claimable("f1", 10)
        assert catalogue.images.claim(found, MINUTE)
        return found

    return take


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a catalogue of SQLite may be made."""
    return tmp_path / "catalogue.db"


@pytest.fixture
def url(mongodb_url: str) -> Iterator[str]:
    with fresh_database(mongodb_url) as fresh:
        yield fresh


@contextmanager
def database(url: str) -> Iterator[Any]:
    with MongoClient[dict[str, Any]](url) as client:
        yield client.get_default_database()
