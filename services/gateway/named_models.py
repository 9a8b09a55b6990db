"""Models by name: those that come along with the embedder, and those that are registered."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from services.gateway.keys import Caller
from shared.errors import Flaw, NotFound, Unavailable
from shared.models import (
    MODEL_ID,
    BundledModel,
    RegisteredModel,
    names_registered,
    unknown_model,
)
from shared.spaces import Spaces

Known = BundledModel | RegisteredModel


@dataclass(frozen=True, slots=True)
class Model:
    """What an index has to know of a model."""

    name: str
    spaces: Spaces


def find(caller: Caller, name: str) -> Known:
    """A bundled one by its name, a registered one by its id or NAME@VERSION."""
    found = _bundled(caller, name)
    if found is not None:
        return found
    models = caller.ports.catalogue.models
    title, _, version = name.rpartition("@")
    there = models.get(caller.tenant, name) or models.named(caller.tenant, title, version)
    if there is None:
        raise unknown_model(name, _names(caller))
    return there


def model_of(caller: Caller, name: str) -> Model:
    """A bundled one by name, a registered one by id, `NAME@VERSION` or name; or one an index has.

    Of several registered versions it is the last.
    """
    brought = _bundled(caller, name)
    if brought is not None:
        return Model(brought.name, brought.spaces)
    found = _registered(caller, name)
    if found is not None:
        return Model(found.title, found.spaces)
    for index in reversed(caller.ports.catalogue.indexes.all(caller.tenant)):
        if index.model == name:
            return Model(index.model, index.spaces)
    unknown = unknown_model(name, _names(caller))
    detail = f"{unknown.detail} A folder is registered first (`lookalike model add`)."
    raise NotFound(detail, code=unknown.kind, flaws=(Flaw("/model", unknown.kind, detail),))


def _bundled(caller: Caller, name: str) -> BundledModel | None:
    """By its name. Who names a registered one has an answer also while no embedder is there."""
    if names_registered(name):
        return None
    return next((one for one in caller.ports.bundled() if one.name == name), None)


def _names(caller: Caller) -> Iterator[str]:
    """Of all; bundled ones are left out while nobody tells which there are."""
    with suppress(Unavailable):
        yield from (one.name for one in caller.ports.bundled())
    yield from (one.title for one in caller.ports.catalogue.models.all(caller.tenant))


def _registered(caller: Caller, name: str) -> RegisteredModel | None:
    there = caller.ports.catalogue.models
    title, at, version = name.rpartition("@")
    if name.startswith(MODEL_ID):
        return there.get(caller.tenant, name)
    if at:
        return there.named(caller.tenant, title, version)
    return next((m for m in reversed(there.all(caller.tenant)) if m.name == name), None)
