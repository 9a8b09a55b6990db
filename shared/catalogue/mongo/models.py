"""Registered models, a document each; its key is its name and version."""

import json
from dataclasses import asdict, replace
from typing import Final

from shared.catalogue.mongo.documents import key_of
from shared.catalogue.mongo.store import Document, Store
from shared.models import RegisteredModel, check_same
from shared.spaces import Space, Spaces

_FIRST: Final = [("created", 1), ("model_id", 1)]


class MongoModels:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._models = store.documents("models")

    def register(self, model: RegisteredModel) -> RegisteredModel:
        made = replace(model, created=self._store.now())
        while not self._models.insert(_document(made)):
            if there := self.named(model.tenant, model.name, model.version):
                return check_same(there, model)
        return made

    def get(self, tenant: str, model_id: str) -> RegisteredModel | None:
        return _model(self._models.first({"tenant": tenant, "model_id": model_id}))

    def named(self, tenant: str, name: str, version: str) -> RegisteredModel | None:
        return _model(self._models.get(_key(tenant, name, version)))

    def of_fingerprint(self, fingerprint: str) -> RegisteredModel | None:
        found = self._models.find({"fingerprint": fingerprint}, sort=_FIRST, limit=1)
        return _model(found[0]) if found else None

    def all(self, tenant: str) -> list[RegisteredModel]:
        found = self._models.find({"tenant": tenant}, sort=[("name", 1), *_FIRST])
        return [model for doc in found if (model := _model(doc))]

    def remove(self, tenant: str, model_id: str) -> bool:
        return self._models.delete({"tenant": tenant, "model_id": model_id})

    def names_blob(self, blob: str) -> bool:
        return self._models.first({"archive": blob}, ["_id"]) is not None


def _key(tenant: str, name: str, version: str) -> str:
    return key_of(tenant, f"{name}@{version}")


def _document(model: RegisteredModel) -> Document:
    # A manifest may have dots and dollars in its names; as JSON it comes back as it was.
    said = {**asdict(model), "manifest": json.dumps(model.manifest)}
    spaces = [asdict(space) for space in model.spaces.spaces]
    key = _key(model.tenant, model.name, model.version)
    return {"_id": key, **said, "fingerprint": model.fingerprint, "spaces": spaces}


def _model(doc: Document | None) -> RegisteredModel | None:
    if doc is None:
        return None
    said = {name: value for name, value in doc.items() if name not in ("_id", "fingerprint")}
    spaces = Spaces(doc["fingerprint"], tuple(Space(**space) for space in doc["spaces"]))
    return RegisteredModel(**{**said, "spaces": spaces, "manifest": json.loads(doc["manifest"])})
