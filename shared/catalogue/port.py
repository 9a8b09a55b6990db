"""The catalogue is the truth: named operations, no query language, every write atomic on one document.

A write that returned is durable. A store that does not answer raises `Unavailable`.
"""

from typing import Protocol

from shared.catalogue.fetches import Fetches
from shared.catalogue.images import Images
from shared.catalogue.imports import DeadLetters, Imports
from shared.catalogue.indexes import Indexes
from shared.catalogue.models import Models
from shared.catalogue.office import Office
from shared.catalogue.products import Products


class Catalogue(Protocol):
    @property
    def products(self) -> Products: ...

    @property
    def images(self) -> Images: ...

    @property
    def imports(self) -> Imports: ...

    @property
    def dead(self) -> DeadLetters: ...

    @property
    def indexes(self) -> Indexes: ...

    @property
    def office(self) -> Office: ...

    @property
    def fetches(self) -> Fetches: ...

    @property
    def models(self) -> Models: ...

    def now(self) -> int:
        """Milliseconds since 1970 by the store's clock; the only clock that decides anything."""
        ...

    def close(self) -> None: ...
