"""Keys, uploads, idempotency, leases, jobs and secrets."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest

from shared.catalogue.office import Key, Part, Remembered, Upload
from shared.catalogue.port import Catalogue
from shared.jobs import Job, JobState

MINUTE, DAY = 60_000, 24 * 3_600_000
KEY = Key("k1", "shop", "admin", "a" * 64, "Till", 5, origins=("https://shop",), expires=9)
UPLOAD = Upload("u1", "shop", (Part("blob-1", 100),), 100, "a" * 64, "image/jpeg", 5, 5)
GROWING = Upload("u1", "shop", (), 100, None, "text/csv", 5, 5, metadata="filename ZmVlZA==")
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
        catalogue.office.put_upload(replace(UPLOAD, upload_id=f"u{number}", touched=number))
    found = catalogue.office.uploads_before(3)
    assert [upload.upload_id for upload in found] == ["u1", "u2"]
    assert found[0] == replace(UPLOAD, touched=1)
    assert len(catalogue.office.uploads_before(9, limit=1)) == 1


def test_an_upload_names_all_its_blobs_until_it_is_dropped(catalogue: Catalogue) -> None:
    parts = (Part("blob-1", 60), Part("blob-2", 40))
    catalogue.office.put_upload(replace(UPLOAD, parts=parts))
    assert catalogue.office.upload_names_blob("blob-1")
    assert catalogue.office.upload_names_blob("blob-2")
    assert not catalogue.office.upload_names_blob("blob-3")
    catalogue.office.drop_upload("u1")
    assert not catalogue.office.upload_names_blob("blob-1")
    assert not catalogue.office.upload_names_blob("blob-2")
    assert catalogue.office.upload("shop", "u1") is None


def test_an_upload_grows_by_parts_until_it_is_complete(catalogue: Catalogue, clock: Any) -> None:
    catalogue.office.put_upload(GROWING)
    first, second = Part("blob-1", 60), Part("blob-2", 40)
    grown = catalogue.office.append_part("u1", 0, first)
    assert grown == replace(GROWING, parts=(first,), touched=clock())
    assert not grown.complete
    clock.advance(MINUTE)
    grown = catalogue.office.append_part("u1", 60, second)
    assert grown == replace(GROWING, parts=(first, second), touched=clock())
    assert grown.complete
    assert catalogue.office.upload("shop", "u1") == grown
    assert catalogue.office.upload_names_blob("blob-2")


@pytest.mark.parametrize(
    ("upload_id", "offset", "size"),
    [("u1", 0, 1), ("u1", 59, 1), ("u1", 61, 1), ("u1", 60, 41), ("u2", 60, 1)],
)
def test_a_part_that_does_not_fit_changes_nothing(
    upload_id: str, offset: int, size: int, catalogue: Catalogue
) -> None:
    grown = replace(GROWING, parts=(Part("blob-1", 60),))
    catalogue.office.put_upload(grown)
    assert catalogue.office.append_part(upload_id, offset, Part("blob-2", size)) is None
    assert catalogue.office.upload("shop", "u1") == grown
    assert not catalogue.office.upload_names_blob("blob-2")


def test_of_two_writers_at_one_offset_one_gets_it(catalogue: Catalogue) -> None:
    catalogue.office.put_upload(replace(GROWING, size=None))
    start = Barrier(2)

    def write(name: str) -> list[str]:
        """The parts that this writer got in, at offsets that both try for."""
        start.wait(10)
        parts = [Part(f"{name}-{number}", 10) for number in range(20)]
        return [
            part.blob
            for number, part in enumerate(parts)
            if catalogue.office.append_part("u1", 10 * number, part)
        ]

    with ThreadPoolExecutor(2) as pool:
        won = [blob for blobs in pool.map(write, ("a", "b")) for blob in blobs]
    upload = catalogue.office.upload("shop", "u1")
    assert upload is not None
    assert sorted(won) == sorted(part.blob for part in upload.parts)
    assert len(won) == 20, "an offset was given to nobody, or twice"


def test_a_size_that_was_deferred_is_declared_once(catalogue: Catalogue) -> None:
    upload = replace(GROWING, parts=(Part("blob-1", 60),), size=None)
    catalogue.office.put_upload(upload)
    assert not upload.complete
    assert catalogue.office.append_part("u1", 60, Part("blob-2", 10**11)) is not None
    catalogue.office.drop_upload("u1")
    catalogue.office.put_upload(upload)
    assert catalogue.office.declare_size("u1", 59) is None
    assert catalogue.office.declare_size("u2", 60) is None
    declared = catalogue.office.declare_size("u1", 60)
    assert declared == replace(upload, size=60)
    assert declared.complete
    assert catalogue.office.declare_size("u1", 60) == declared, "said again"
    assert catalogue.office.declare_size("u1", 61) is None
    assert catalogue.office.upload("shop", "u1") == declared


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
    clock.advance(MINUTE - 1)
    assert not catalogue.office.lease("sweep", "two", MINUTE)
    assert catalogue.office.lease("sweep", "one", MINUTE), "prolonged"
    clock.advance(MINUTE)
    assert catalogue.office.lease("sweep", "two", MINUTE)
    assert not catalogue.office.lease("sweep", "one", MINUTE)
    assert catalogue.office.lease("sweep", "two", 0), "given back"
    assert catalogue.office.lease("sweep", "one", MINUTE)


def test_a_job_is_made_or_replaced(catalogue: Catalogue) -> None:
    catalogue.office.put_job(JOB)
    done = replace(JOB, state="succeeded", progress={"done": 2, "by": {"shard": [1]}})
    catalogue.office.put_job(done)
    assert catalogue.office.job("shop", "j1") == done
    assert catalogue.office.job("other", "j1") is None


def test_a_job_is_swapped_only_as_it_was_read(catalogue: Catalogue) -> None:
    office = catalogue.office
    taken = replace(JOB, progress={"done": 2, "figures": {"loss": 0.1}}, updated=7)
    assert not office.swap_job(JOB, taken), "it is not there"
    office.put_job(JOB)
    assert not office.swap_job(replace(JOB, updated=5), taken)
    assert not office.swap_job(replace(JOB, progress={"done": 0}), taken)
    assert office.job("shop", "j1") == JOB
    assert office.swap_job(JOB, taken)
    assert not office.swap_job(JOB, replace(JOB, state="cancelled")), "somebody was faster"
    assert office.job("shop", "j1") == taken
    read = office.job("shop", "j1")
    assert read is not None
    assert office.swap_job(read, replace(read, state="succeeded")), "as it was read back"


def test_a_job_that_many_take_is_one_s(catalogue: Catalogue) -> None:
    catalogue.office.put_job(JOB)
    start = Barrier(4)

    def take(number: int) -> bool:
        start.wait(10)
        return catalogue.office.swap_job(JOB, replace(JOB, progress={"by": number}))

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(take, range(4))) == [False, False, False, True]


def test_unfinished_jobs_of_a_kind_are_found_the_earliest_first(catalogue: Catalogue) -> None:
    states: tuple[JobState, ...] = ("succeeded", "queued", "paused", "failed", "running")
    for number, state in enumerate(states):
        tenant = "other" if number % 2 else "shop"
        catalogue.office.put_job(
            replace(JOB, job_id=f"j{number}", tenant=tenant, state=state, created=9 - number)
        )
    catalogue.office.put_job(replace(JOB, job_id="j9", kind="evaluation"))
    found = catalogue.office.unfinished_jobs("build")
    assert [job.job_id for job in found] == ["j4", "j2", "j1"]
    assert [job.job_id for job in catalogue.office.unfinished_jobs("build", 1)] == ["j4"]


def test_jobs_are_listed_the_latest_first(catalogue: Catalogue) -> None:
    for number in (2, 3, 1):
        catalogue.office.put_job(replace(JOB, job_id=f"j{number}", created=number))
    assert [job.job_id for job in catalogue.office.jobs("shop", 2)] == ["j3", "j2"]


def test_a_secret_is_made_once(catalogue: Catalogue) -> None:
    secret = catalogue.office.secret("pictures")
    assert len(secret) == 32
    assert catalogue.office.secret("pictures") == secret
    assert catalogue.office.secret("cursors") != secret
