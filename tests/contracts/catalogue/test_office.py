"""Keys, uploads, idempotency, leases, jobs and secrets."""

from dataclasses import replace
from typing import Any

from shared.catalogue.office import Key, Remembered, Upload
from shared.catalogue.port import Catalogue
from shared.jobs import Job

MINUTE, DAY = 60_000, 24 * 3_600_000
KEY = Key("k1", "shop", "admin", "a" * 64, "Till", 5, origins=("https://shop",), expires=9)
UPLOAD = Upload("u1", "shop", "blob-1", 100, "a" * 64, "image/jpeg", 5)
JOB = Job("j1", "shop", "build", "running", 5, 6, progress={"done": 1}, detail="On it.")


def test_a_key_is_found_by_its_hash_alone(catalogue: Catalogue) -> None:
    catalogue.office.put_key(KEY)
    assert catalogue.office.key_by_sha256("a" * 64) == KEY
    assert catalogue.office.key_by_sha256("b" * 64) is None


def test_a_key_put_again_is_replaced(catalogue: Catalogue) -> None:
    catalogue.office.put_key(KEY)
    catalogue.office.put_key(replace(KEY, label="Shop window"))
    assert catalogue.office.keys("shop") == [replace(KEY, label="Shop window")]


def test_a_revoked_key_stays_visible_as_revoked(catalogue: Catalogue) -> None:
    catalogue.office.put_key(KEY)
    catalogue.office.put_key(replace(KEY, key_id="k2", sha256="b" * 64))
    assert not catalogue.office.revoke_key("other", "k1")
    assert catalogue.office.revoke_key("shop", "k1")
    assert [key.revoked for key in catalogue.office.keys("shop")] == [True, False]
    assert catalogue.office.key_by_sha256("a" * 64) == replace(KEY, revoked=True)
    assert catalogue.office.keys("other") == []


def test_an_upload_belongs_to_its_tenant(catalogue: Catalogue) -> None:
    catalogue.office.put_upload(UPLOAD)
    assert catalogue.office.upload("shop", "u1") == UPLOAD
    assert catalogue.office.upload("other", "u1") is None


def test_uploads_that_nobody_fetched_are_found_by_age(catalogue: Catalogue) -> None:
    for number in (3, 1, 2):
        catalogue.office.put_upload(replace(UPLOAD, upload_id=f"u{number}", created=number))
    found = catalogue.office.uploads_before(3)
    assert [upload.upload_id for upload in found] == ["u1", "u2"]
    assert len(catalogue.office.uploads_before(9, limit=1)) == 1


def test_an_upload_names_its_blob_until_it_is_dropped(catalogue: Catalogue) -> None:
    catalogue.office.put_upload(UPLOAD)
    assert catalogue.office.upload_names_blob("blob-1")
    catalogue.office.drop_upload("u1")
    assert not catalogue.office.upload_names_blob("blob-1")
    assert catalogue.office.upload("shop", "u1") is None


def test_an_idempotency_key_is_given_to_one(catalogue: Catalogue) -> None:
    assert catalogue.office.remember("shop", "key", "body") is None
    assert catalogue.office.remember("shop", "key", "other") == Remembered("body", None, None)
    assert catalogue.office.remember("other", "key", "body") is None
    catalogue.office.answered("shop", "key", 202, b"{}")
    assert catalogue.office.remember("shop", "key", "body") == Remembered("body", 202, b"{}")


def test_an_idempotency_key_is_free_again_after_a_day_or_when_forgotten(
    catalogue: Catalogue, clock: Any
) -> None:
    for key in ("a", "b"):
        assert catalogue.office.remember("shop", key, "body") is None
    catalogue.office.forget("shop", "a")
    assert catalogue.office.remember("shop", "a", "body") is None
    catalogue.office.answered("shop", "b", 202, b"{}")
    clock.advance(DAY)
    assert catalogue.office.remember("shop", "b", "body") is not None
    clock.advance(1)
    assert catalogue.office.remember("shop", "b", "body") is None


def test_an_idempotency_key_whose_owner_died_is_free_after_ten_minutes(
    catalogue: Catalogue, clock: Any
) -> None:
    assert catalogue.office.remember("shop", "key", "body") is None
    clock.advance(10 * 60 * 1_000)
    assert catalogue.office.remember("shop", "key", "body") == Remembered("body", None, None)
    clock.advance(1)
    assert catalogue.office.remember("shop", "key", "body") is None


def test_a_lease_has_one_holder(catalogue: Catalogue, clock: Any) -> None:
    assert catalogue.office.lease("sweep", "one", MINUTE)
    assert not catalogue.office.lease("sweep", "two", MINUTE)
    assert catalogue.office.lease("audit", "two", MINUTE)
    clock.advance(MINUTE)
    assert not catalogue.office.lease("sweep", "two", MINUTE)
    assert catalogue.office.lease("sweep", "one", MINUTE), "prolonged"
    clock.advance(MINUTE + 1)
    assert catalogue.office.lease("sweep", "two", MINUTE)
    assert not catalogue.office.lease("sweep", "one", MINUTE)


def test_a_job_is_made_or_replaced(catalogue: Catalogue) -> None:
    catalogue.office.put_job(JOB)
    done = replace(JOB, state="succeeded", progress={"done": 2, "by": {"shard": [1]}})
    catalogue.office.put_job(done)
    assert catalogue.office.job("shop", "j1") == done
    assert catalogue.office.job("other", "j1") is None


def test_jobs_are_listed_the_latest_first(catalogue: Catalogue) -> None:
    for number in (2, 3, 1):
        catalogue.office.put_job(replace(JOB, job_id=f"j{number}", created=number))
    assert [job.job_id for job in catalogue.office.jobs("shop", 2)] == ["j3", "j2"]


def test_a_secret_is_made_once(catalogue: Catalogue) -> None:
    secret = catalogue.office.secret("pictures")
    assert len(secret) == 32
    assert catalogue.office.secret("pictures") == secret
    assert catalogue.office.secret("cursors") != secret
