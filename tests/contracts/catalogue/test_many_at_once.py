"""Many at once: every write counts once, and nobody sees half of one."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

from shared.catalogue.images import ImageWrite, VectorWrite
from shared.catalogue.port import Catalogue
from shared.catalogue.products import Outcome, ProductWrite
from shared.images import Image

T = TypeVar("T")
CROWD = 8


def together(work: Callable[[int], T], crowd: int = CROWD) -> list[T]:
    """`work(0)`, `work(1)`, … on threads that start at the same moment."""
    barrier = Barrier(crowd)

    def one(number: int) -> T:
        barrier.wait(timeout=30)
        return work(number)

    with ThreadPoolExecutor(crowd) as pool:
        return list(pool.map(one, range(crowd)))


def test_every_accepted_write_of_one_product_is_a_version(
    catalogue: Catalogue, put: Callable[..., Outcome]
) -> None:
    # rule: duplicate_key_retries
    rounds = 10

    def work(number: int) -> list[Outcome]:
        return [put(title=f"{number}.{turn}") for turn in range(rounds)]

    outcomes = [outcome for part in together(work) for outcome in part]
    assert Counter(o.status for o in outcomes) == {"created": 1, "changed": CROWD * rounds - 1}
    versions = sorted(o.product.version for o in outcomes if o.product)
    assert versions == list(range(1, CROWD * rounds + 1))
    (product,) = catalogue.products.page("shop")
    assert product.version == CROWD * rounds


def test_every_accepted_write_of_a_batch_is_a_version(
    catalogue: Catalogue, write: Callable[..., ProductWrite]
) -> None:
    # rule: duplicate_key_retries
    names = [f"p{number}" for number in range(12)]

    def work(number: int) -> list[Outcome]:
        return catalogue.products.upsert([write(name, title=f"{number}") for name in names])

    outcomes = list(zip(*together(work), strict=True))
    for name, ours in zip(names, outcomes, strict=True):
        assert Counter(o.status for o in ours) == {"created": 1, "changed": CROWD - 1}
        assert sorted(o.product.version for o in ours if o.product) == list(range(1, CROWD + 1))
        last = max(ours, key=lambda o: o.product.version if o.product else 0)
        assert catalogue.products.get("shop", [name])[name] == last.product


def test_no_target_that_a_product_waits_for_is_lost(
    catalogue: Catalogue, put: Callable[..., Outcome]
) -> None:
    names = ["p", "q", "r"]
    for name in names:
        put(name)

    def work(number: int) -> None:
        for turn in range(4):
            target = f"{number}.{turn}/segments"
            catalogue.products.add_pending("shop", frozenset({target}), names)
            put(names[turn % 3], title=f"{number}.{turn}")
            read = catalogue.products.get("shop", names)
            mine = [(name, product.revision) for name, product in read.items()]
            catalogue.products.mark("shop", "one/elasticsearch", mine)

    together(work)
    added = {f"{number}.{turn}/segments" for number in range(CROWD) for turn in range(4)}
    for product in catalogue.products.page("shop"):
        assert product.pending - {"one/elasticsearch"} == added | {"one/segments"}
    for name in added:
        assert catalogue.products.count_pending(name)[0] == len(names)


def test_no_image_misses_a_fingerprint_that_is_first_asked_for_beside_it(
    catalogue: Catalogue, picture: Callable[..., ImageWrite]
) -> None:
    def work(number: int) -> None:
        for turn in range(6):
            catalogue.images.put([picture(f"{number}.{turn}.{part}") for part in range(3)])
            catalogue.images.claimable(f"f{number % 2}{turn}", 1)

    together(work)
    for asked in [f"f{half}{turn}" for half in range(2) for turn in range(6)]:
        found = catalogue.images.claimable(asked, 1000)
        assert len({claim.sha256 for claim in found}) == len(found) == CROWD * 6 * 3
        assert catalogue.images.unembedded(asked, "shop") == CROWD * 6 * 3


def test_a_touch_is_not_undone_by_who_stores_a_vector(
    catalogue: Catalogue, store: Callable[..., Image], clock: Any
) -> None:
    # rule: touch_tests
    image = store()

    def work(number: int) -> None:
        for turn in range(10):
            if number:
                write = VectorWrite("shop", image.sha256, f"f{number}", bytes([turn, 0]))
                assert catalogue.images.store_vector(write)
            else:
                now = clock.advance(1)
                touched = catalogue.images.touch("shop", [image.sha256])
                assert touched[image.sha256].touched == now

    together(work)
    found = catalogue.images.get("shop", [image.sha256])[image.sha256]
    assert found.touched == clock()
    assert found.vectors == {f"f{number}": bytes([9, 0]) for number in range(1, CROWD)}


def test_of_many_patches_of_one_revision_one_is_taken(
    catalogue: Catalogue, put: Callable[..., Outcome], write: Callable[..., ProductWrite]
) -> None:
    read = put().product
    assert read is not None

    def patch(number: int) -> str:
        wanted = write(title=f"Patch {number}")
        return catalogue.products.patch(
            "shop",
            "p",
            revision=read.revision,
            attributes=wanted.attributes,
            targets=wanted.targets,
            not_after=wanted.not_after,
        ).status

    assert Counter(together(patch)) == {"changed": 1, "mismatch": CROWD - 1}


def test_of_many_claims_one_is_granted(catalogue: Catalogue, store: Callable[..., Image]) -> None:
    store()
    (claim,) = catalogue.images.claimable("f1", 1)
    assert sum(together(lambda _: catalogue.images.claim(claim, 60_000))) == 1


def test_of_many_commits_on_one_generation_one_lands(catalogue: Catalogue) -> None:
    def swap(number: int) -> bool:
        moved = catalogue.indexes.swap("one", 0, expected=0, manifest=f"m{number}", as_of=1)
        return moved is not None

    assert sum(together(swap)) == 1


def test_of_many_who_ask_for_a_lease_or_an_answer_one_gets_it(catalogue: Catalogue) -> None:
    def ask(number: int) -> tuple[bool, bool, bytes]:
        leased = catalogue.office.lease("sweep", f"holder-{number}", 60_000)
        mine = catalogue.office.remember("shop", "key", "body") is None
        return leased, mine, catalogue.office.secret("pictures")

    leased, mine, secrets = zip(*together(ask), strict=True)
    assert (sum(leased), sum(mine), len(set(secrets))) == (1, 1, 1)
