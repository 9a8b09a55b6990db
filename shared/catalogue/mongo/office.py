"""What the house itself needs: keys, uploads, idempotency, leases, jobs, secrets."""

import json
import secrets
from dataclasses import asdict
from typing import Any, Final, get_args

from shared.catalogue.mongo.documents import key_of
from shared.catalogue.mongo.store import Document, Store
from shared.catalogue.office import ANSWERING_MS, REMEMBERED_MS, Key, Part, Remembered, Upload
from shared.jobs import FINISHED, Job, JobState

_LATEST: Final = [("created", -1), ("job_id", -1)]
_EARLIEST: Final = [("created", 1), ("job_id", 1)]
_UNFINISHED: Final = sorted(set(get_args(JobState)) - FINISHED)


class MongoOffice:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.documents("keys")
        self._uploads = store.documents("uploads")
        self._answers = store.documents("idempotency")
        self._leases = store.documents("leases")
        self._jobs = store.documents("jobs")
        self._secrets = store.documents("secrets")

    def put_key(self, key: Key) -> None:
        self._keys.put({"_id": key.sha256, **asdict(key), "origins": list(key.origins)})

    def key_by_sha256(self, sha256: str) -> Key | None:
        found = self._keys.get(sha256)
        return _key(found) if found else None

    def keys(self, tenant: str) -> list[Key]:
        return [_key(doc) for doc in self._keys.find({"tenant": tenant}, sort=[("key_id", 1)])]

    def revoke_key(self, tenant: str, key_id: str) -> bool:
        this = {"tenant": tenant, "key_id": key_id}
        return self._keys.update(this, {"$set": {"revoked": True}})

    def put_upload(self, upload: Upload) -> None:
        # How much came is kept beside the parts, for the guards of what is added later.
        said = {**asdict(upload), "received": upload.received}
        self._uploads.put({"_id": upload.upload_id, **said})

    def upload(self, tenant: str, upload_id: str) -> Upload | None:
        found = self._uploads.first({"_id": upload_id, "tenant": tenant})
        return _upload(found) if found else None

    def append_part(self, upload_id: str, at_offset: int, part: Part) -> Upload | None:
        fits = {"$or": [{"size": None}, {"size": {"$gte": at_offset + part.size}}]}
        change = {
            "$push": {"parts": asdict(part)},
            "$inc": {"received": part.size},
            "$set": {"touched": self._store.now()},
        }
        return self._changed({"_id": upload_id, "received": at_offset, **fits}, change)

    def declare_size(self, upload_id: str, size: int) -> Upload | None:
        fits = {"received": {"$lte": size}, "size": {"$in": [None, size]}}
        return self._changed({"_id": upload_id, **fits}, {"$set": {"size": size}})

    def uploads_before(self, touched: int, limit: int = 500) -> list[Upload]:
        old = {"touched": {"$lt": touched}}
        return [_upload(doc) for doc in self._uploads.find(old, sort=[("touched", 1)], limit=limit)]

    def drop_upload(self, upload_id: str) -> None:
        self._uploads.delete({"_id": upload_id})

    def upload_names_blob(self, blob: str) -> bool:
        return self._uploads.first({"parts.blob": blob}, ["_id"]) is not None

    def remember(self, tenant: str, key: str, body_sha256: str) -> Remembered | None:
        now, name = self._store.now(), key_of(tenant, key)
        self._answers.delete_all({"at": {"$lt": now - REMEMBERED_MS}})
        self._answers.delete({"_id": name, "status": None, "at": {"$lt": now - ANSWERING_MS}})
        mine = {"_id": name, "body_sha256": body_sha256, "status": None, "answer": None, "at": now}
        while not self._answers.insert(mine):
            if found := self._answers.get(name):
                return Remembered(found["body_sha256"], found["status"], found["answer"])
        return None

    def answered(self, tenant: str, key: str, status: int, answer: bytes) -> None:
        said = {"$set": {"status": status, "answer": answer}}
        self._answers.update({"_id": key_of(tenant, key)}, said)

    def forget(self, tenant: str, key: str) -> None:
        self._answers.delete({"_id": key_of(tenant, key)})

    def lease(self, name: str, holder: str, lease_ms: int) -> bool:
        now = self._store.now()
        mine = {"holder": holder, "until": now + lease_ms}
        free = {"_id": name, "$or": [{"holder": holder}, {"until": {"$lte": now}}]}
        return self._leases.update(free, {"$set": mine}) or self._leases.insert(
            {"_id": name, **mine}
        )

    def put_job(self, job: Job) -> None:
        self._jobs.put({"_id": key_of(job.tenant, job.job_id), **_job_said(job)})

    def swap_job(self, before: Job, after: Job) -> bool:
        this = {"_id": key_of(before.tenant, before.job_id), **_job_said(before)}
        return self._jobs.update(this, {"$set": _job_said(after)})

    def job(self, tenant: str, job_id: str) -> Job | None:
        found = self._jobs.get(key_of(tenant, job_id))
        return _job(found) if found else None

    def jobs(self, tenant: str, limit: int = 100) -> list[Job]:
        return [_job(doc) for doc in self._jobs.find({"tenant": tenant}, sort=_LATEST, limit=limit)]

    def unfinished_jobs(self, kind: str, limit: int = 500) -> list[Job]:
        wanted = {"kind": kind, "state": {"$in": _UNFINISHED}}
        return [_job(doc) for doc in self._jobs.find(wanted, sort=_EARLIEST, limit=limit)]

    def secret(self, name: str) -> bytes:
        while (found := self._secrets.get(name)) is None:
            self._secrets.insert({"_id": name, "secret": secrets.token_bytes(32)})
        return bytes(found["secret"])

    def _changed(self, wanted: Document, change: Document) -> Upload | None:
        if not self._uploads.update(wanted, change):
            return None
        found = self._uploads.get(wanted["_id"])
        return _upload(found) if found else None


def _said(doc: Document) -> dict[str, Any]:
    return {name: value for name, value in doc.items() if name != "_id"}


def _key(doc: Document) -> Key:
    return Key(**{**_said(doc), "origins": tuple(doc["origins"])})


def _upload(doc: Document) -> Upload:
    said = {name: value for name, value in _said(doc).items() if name != "received"}
    return Upload(**{**said, "parts": tuple(Part(**part) for part in doc["parts"])})


def _job_said(job: Job) -> dict[str, Any]:
    """Progress is whatever the work says; as JSON it comes back as it was."""
    return {**asdict(job), "progress": json.dumps(job.progress)}


def _job(doc: Document) -> Job:
    return Job(**{**_said(doc), "progress": json.loads(doc["progress"])})
