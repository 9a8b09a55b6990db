"""What is done to many products for the targets that follow them: the same over every store."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from shared.catalogue import changes
from shared.products import Origin, Product

STRIDE: Final = 256
"""Documents changed in one go by operations on many, so that other writes come in between."""

Change = Callable[[Product, int], Product | None]
"""A document as it is to be, from what it is and the store's clock; None: not to be changed."""


class Following(ABC):
    """The part of `Products` that asks nothing of its store but to change each of some documents."""

    @abstractmethod
    def page(self, tenant: str, after: str = "", limit: int = 500) -> list[Product]: ...

    @abstractmethod
    def each(
        self,
        tenant: str,
        product_ids: Iterable[str],
        change: Change,
        not_after: int | None = None,
    ) -> list[str]:
        """Changes each document; the ids that are not there or that `change` refused.

        A change with a `not_after` refuses by itself what the store's clock has overtaken.
        """

    def withdraw(
        self,
        tenant: str,
        product_ids: Sequence[str],
        *,
        origin: Origin,
        targets: frozenset[str],
        not_after: int,
    ) -> list[str]:
        def change(doc: Product, now: int) -> Product | None:
            return changes.withdrawn(doc, origin, targets, not_after=not_after, now=now)

        return self.each(tenant, product_ids, change, not_after)

    def mark(self, tenant: str, target: str, done: Sequence[tuple[str, int]]) -> list[str]:
        read = dict(done)

        def change(doc: Product, now: int) -> Product | None:
            return changes.marked(doc, target, read[doc.product_id], now)

        return self.each(tenant, read, change)

    def put_back(self, tenant: str, target: str, product_id: str) -> bool:
        return not self.each(
            tenant, [product_id], lambda doc, now: changes.put_back(doc, target, now)
        )

    def add_pending(self, tenant: str, targets: frozenset[str], product_ids: Sequence[str]) -> None:
        self.each(
            tenant,
            product_ids,
            lambda doc, now: changes.waiting(doc, doc.pending | targets, now),
        )

    def rebuild(self, tenant: str, target: str, product_ids: Sequence[str]) -> None:
        self.each(tenant, product_ids, lambda doc, now: changes.rebuilt(doc, target, now))

    def forget_targets(self, tenant: str, targets: frozenset[str]) -> None:
        after = ""
        while page := self.page(tenant, after, STRIDE):
            named = [p.product_id for p in page if targets & (p.pending | p.indexed.keys())]
            self.each(tenant, named, lambda doc, now: changes.without_targets(doc, targets, now))
            after = page[-1].product_id


def strides(names: Iterable[str]) -> Iterator[list[str]]:
    """A few at a time, in order."""
    whole = list(names)
    for start in range(0, len(whole), STRIDE):
        yield whole[start : start + STRIDE]
