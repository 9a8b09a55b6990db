"""Many writes in one request: each has its own outcome, none hurts another."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from services.gateway import incoming, pictures, products
from services.gateway.bodies import checked
from services.gateway.keys import Caller
from services.gateway.pictures import Fetched
from services.gateway.products import Draft
from services.gateway.schemas.batch import BatchItem, BatchView, ItemView
from services.gateway.schemas.products import ProductBody, WrittenView
from shared.errors import LookalikeError
from shared.runtime.problems import problem, status_of

Op = Literal["upsert", "patch", "delete"]

_NOTHING: Final = ProductBody()


@dataclass(frozen=True, slots=True)
class _Item:
    """One of the batch, as far as it could be read; `rest` is without `op` and `id`."""

    number: int
    op: Op | None
    product_id: str | None
    rest: dict[str, Any]
    flaw: LookalikeError | None = None
    body: ProductBody = _NOTHING
    """Of an upsert."""

    @property
    def pointer(self) -> str:
        return f"/items/{self.number}"


def run(caller: Caller, bodies: Sequence[dict[str, Any]], request_id: str) -> BatchView:
    """In order; upserts that follow each other are written together."""
    items = [_read(number, body) for number, body in enumerate(bodies)]
    fetched = pictures.fetched(caller.ports, [one for item in items for one in item.body.images])
    views: list[ItemView] = []
    for op, group in itertools.groupby(items, key=lambda item: item.op):
        if op == "upsert":
            views += _upserted(caller, list(group), fetched, request_id)
        else:
            views += [_alone(caller, item, request_id) for item in group]
    accepted = sum(view.status < 400 for view in views)
    return BatchView(accepted=accepted, refused=len(views) - accepted, items=views)


def _read(number: int, body: dict[str, Any]) -> _Item:
    named = {name: body[name] for name in ("op", "id") if name in body}
    rest = {name: value for name, value in body.items() if name not in named}
    try:
        item = checked(named, BatchItem, f"/items/{number}")
        products.checked_id(item.id, f"/items/{number}/id")
    except LookalikeError as error:
        said = named.get("id")
        return _Item(number, None, said if isinstance(said, str) else None, rest, error)
    if item.op != "upsert":
        return _Item(number, item.op, item.id, rest)
    try:
        whole = checked(rest, ProductBody, f"/items/{number}")
    except LookalikeError as error:
        return _Item(number, item.op, item.id, rest, error)
    return _Item(number, item.op, item.id, rest, body=whole)


def _upserted(
    caller: Caller, items: Sequence[_Item], fetched: Fetched, request_id: str
) -> Iterable[ItemView]:
    drafts = [_draft(caller, item, fetched) for item in items]
    results = iter(products.write(caller, [d for d in drafts if isinstance(d, Draft)]))
    for item, wanted in zip(items, drafts, strict=True):
        try:
            if isinstance(wanted, LookalikeError):
                raise wanted
            outcome = products.accepted(next(results))
            yield _written(item, products.written(caller, outcome))
        except LookalikeError as error:
            yield _refused(item, error, request_id)


def _draft(caller: Caller, item: _Item, fetched: Fetched) -> Draft | LookalikeError:
    if item.flaw is not None:
        return item.flaw
    try:
        return products.draft(
            *(caller, str(item.product_id), item.body), pointer=item.pointer, fetched=fetched
        )
    except LookalikeError as error:
        return error


def _alone(caller: Caller, item: _Item, request_id: str) -> ItemView:
    try:
        if item.flaw is not None:
            raise item.flaw
        if item.op == "patch":
            changes = incoming.checked_patch(item.rest, item.pointer)
            patched = products.patch(caller, str(item.product_id), changes, pointer=item.pointer)
            return _written(item, patched)
        incoming.nothing_else(item.rest, item.pointer)
        products.delete(caller, str(item.product_id), None)
        return ItemView(id=item.product_id, status=204)
    except LookalikeError as error:
        return _refused(item, error, request_id)


def _written(item: _Item, view: WrittenView) -> ItemView:
    return ItemView(id=item.product_id, status=products.status_of(view), product=view)


def _refused(item: _Item, error: LookalikeError, request_id: str) -> ItemView:
    body = problem(error, instance=f"/v1/products:batch{item.pointer}", request_id=request_id)
    return ItemView(id=item.product_id, status=status_of(error), problem=body)
