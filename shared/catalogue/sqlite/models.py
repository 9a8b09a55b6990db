"""Registered models, as rows."""

import json
import sqlite3
from dataclasses import asdict, replace
from typing import Final

from shared.catalogue.sqlite.store import Store
from shared.models import RegisteredModel, check_same
from shared.spaces import Space, Spaces

_BY_TITLE: Final = "SELECT body FROM models WHERE tenant = ? AND name = ? AND version = ?"


class SqliteModels:
    def __init__(self, store: Store) -> None:
        self._store = store

    def register(self, model: RegisteredModel) -> RegisteredModel:
        def work(db: sqlite3.Connection) -> RegisteredModel:
            made = replace(model, created=self._store.now())
            db.execute(
                "INSERT INTO models VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (tenant, name, version) DO NOTHING",
                (
                    *(made.tenant, made.name, made.version, made.model_id, made.fingerprint),
                    *(made.archive, made.created, json.dumps(asdict(made))),
                ),
            )
            found = db.execute(_BY_TITLE, (made.tenant, made.name, made.version))
            return _model(*found.fetchone())

        return check_same(self._store.write(work), model)

    def get(self, tenant: str, model_id: str) -> RegisteredModel | None:
        return self._one(
            "SELECT body FROM models WHERE tenant = ? AND model_id = ?", tenant, model_id
        )

    def named(self, tenant: str, name: str, version: str) -> RegisteredModel | None:
        return self._one(_BY_TITLE, tenant, name, version)

    def of_fingerprint(self, fingerprint: str) -> RegisteredModel | None:
        return self._one(
            "SELECT body FROM models WHERE fingerprint = ? ORDER BY created, model_id LIMIT 1",
            fingerprint,
        )

    def all(self, tenant: str) -> list[RegisteredModel]:
        rows = self._store.all(
            "SELECT body FROM models WHERE tenant = ? ORDER BY name, created, model_id", (tenant,)
        )
        return [_model(body) for (body,) in rows]

    def remove(self, tenant: str, model_id: str) -> bool:
        removed = self._store.write(
            lambda db: (
                db.execute(
                    "DELETE FROM models WHERE tenant = ? AND model_id = ?", (tenant, model_id)
                ).rowcount
            )
        )
        return removed == 1

    def names_blob(self, blob: str) -> bool:
        return self._store.one("SELECT 1 FROM models WHERE archive = ?", (blob,)) is not None

    def _one(self, sql: str, *values: str) -> RegisteredModel | None:
        row = self._store.one(sql, values)
        return None if row is None else _model(*row)


def _model(body: str) -> RegisteredModel:
    said = json.loads(body)
    spaces = said.pop("spaces")
    parts = tuple(Space(**space) for space in spaces["spaces"])
    return RegisteredModel(**said, spaces=Spaces(spaces["fingerprint"], parts))
