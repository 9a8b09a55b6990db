import numpy as np

from services.embedder.training.drawings import draw, draw_palette, draw_pattern, draw_shape
from services.embedder.training.fitting import discriminant


def test_one_seed_draws_the_same_pictures() -> None:
    def drawn(seed: int) -> bytes:
        rng = np.random.default_rng(seed)
        pictures = [
            draw(draw_shape(rng), draw_pattern(rng), draw_palette(rng), rng) for _ in range(8)
        ]
        return np.stack(pictures).tobytes()

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_a_discriminant_keeps_what_separates_and_damps_what_does_not() -> None:
    rng = np.random.default_rng(4)
    classes = np.arange(20).repeat(30)
    telling = rng.normal(0, 1, (20, 2))[classes]
    loud = rng.normal(0, 10, (600, 4))
    features = np.concatenate([loud, telling + rng.normal(0, 0.1, (600, 2))], axis=1)
    fitted = discriminant(features, classes, 2, shrink=1e-4)
    weight = np.abs(fitted.matrix)
    assert weight[4:].min(axis=0).max() > 50 * weight[:4].max()
    assert (discriminant(features, classes, 2, shrink=1e-4).matrix == fitted.matrix).all()
