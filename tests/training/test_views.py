import numpy as np
import pytest

from services.embedder.training.views import VIEWS, some_view, views


@pytest.mark.parametrize("shape", [(90, 60), (1, 1), (1, 400), (300, 2)])
def test_a_photo_of_any_shape_is_seen_in_five_ways(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (*shape, 3)).astype(np.uint8)
    seen = views(pixels, np.random.default_rng(2))
    assert len(seen) == VIEWS
    assert (seen[0] == pixels).all()
    for _ in range(20):
        seen.append(some_view(pixels, np.random.default_rng(len(seen))))
    assert {(one.dtype.name, one.ndim, one.shape[2]) for one in seen} == {("uint8", 3, 3)}


def test_one_seed_sees_the_same() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (64, 80, 3)).astype(np.uint8)

    def seen(seed: int) -> bytes:
        return b"".join(one.tobytes() for one in views(pixels, np.random.default_rng(seed)))

    assert seen(3) == seen(3)
    assert seen(3) != seen(4)


def test_colours_stay_in_their_channels() -> None:
    """What is saved and read again would swap red and blue if it were seen the other way round."""
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[..., 0] = 220
    for seed in range(8):
        for view in views(pixels, np.random.default_rng(seed))[1:4]:
            red, _, blue = view.reshape(-1, 3).mean(axis=0)
            assert red > 2 * blue
