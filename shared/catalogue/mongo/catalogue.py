"""The door: everything that a catalogue does, in one database of a MongoDB server."""

from collections.abc import Callable
from typing import Self

from shared.catalogue.mongo.fetches import MongoFetches
from shared.catalogue.mongo.images import MongoImages
from shared.catalogue.mongo.imports import MongoDeadLetters, MongoImports
from shared.catalogue.mongo.indexes import MongoIndexes
from shared.catalogue.mongo.models import MongoModels
from shared.catalogue.mongo.office import MongoOffice
from shared.catalogue.mongo.products import MongoProducts
from shared.catalogue.mongo.store import Store


class MongoCatalogue:
    """`url` is `mongodb://host:port/database[?options]`; the server may come up later.

    The clock is the server's; tests bring their own.
    """

    def __init__(self, url: str, *, clock: Callable[[], int] | None = None) -> None:
        self._store = Store(url, clock)
        self.products = MongoProducts(self._store)
        self.images = MongoImages(self._store)
        self.imports = MongoImports(self._store)
        self.dead = MongoDeadLetters(self._store)
        self.indexes = MongoIndexes(self._store)
        self.office = MongoOffice(self._store)
        self.fetches = MongoFetches(self._store)
        self.models = MongoModels(self._store)

    def now(self) -> int:
        return self._store.now()

    def close(self) -> None:
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
