import numpy as np
import pytest

from services.embedder.training.judging import judged
from services.embedder.training.pictures import Photo
from shared.vectors import Floats


def photos_of(categories: str, products: str) -> list[Photo]:
    return [
        Photo(product, category, product, lambda: b"")
        for category, product in zip(categories, products, strict=True)
    ]


def at(*degrees: float) -> Floats:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)


def test_the_nearest_of_another_product_counts() -> None:
    found = judged(at(0, 10, 21, 90), photos_of("aabb", "1234"))
    assert found.nearest == pytest.approx(3 / 4)
    assert found.by_category["a"][0] == 1
    assert found.by_category["b"][0] == pytest.approx(1 / 2)


def test_a_second_photo_of_the_same_product_is_no_neighbour() -> None:
    found = judged(at(0, 1, 50, 60), photos_of("aabb", "1123"))
    assert found.by_category["a"][0] == 0
    assert found.by_category["b"][0] == 1


def test_precision_is_of_as_many_as_categories_have_to_find() -> None:
    numbers = np.random.default_rng(1).standard_normal((9, 4)).astype(np.float32)
    assert judged(numbers, photos_of("aaabbbccc", "123456789")).among == 2
    many = np.random.default_rng(1).standard_normal((60, 4)).astype(np.float32)
    names = [chr(48 + n) for n in range(60)]
    assert judged(many, photos_of("a" * 30 + "b" * 30, "".join(names))).among == 10


def test_a_gain_that_could_be_chance_is_none() -> None:
    rng = np.random.default_rng(1)
    photos = photos_of("a" * 40 + "b" * 40, "".join(chr(48 + n) for n in range(80)))
    noise = rng.standard_normal((80, 8)).astype(np.float32)
    other = judged(rng.standard_normal((80, 8)).astype(np.float32), photos)
    clear = noise.copy()
    clear[:40, 0] += 9
    assert judged(clear, photos).gained_on(judged(noise, photos))
    assert not judged(noise, photos).gained_on(judged(noise, photos))
    assert not (judged(noise, photos).gained_on(other) and other.gained_on(judged(noise, photos)))
