"""Many at once: every write counts once, and nobody sees half of one."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

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
