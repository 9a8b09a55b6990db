"""Why the default blend is what it is: `python -m benchmarks.blend [--products N] [--quick]`.

The bundled default model looks at the first pictures of the sample catalogue, and every product asks for its
nearest by several blends: how often is that of the same leaf category? With LOOKALIKE_DATA=FOLDER the photos
of FOLDER/clothing/validation ask FOLDER/clothing/train as well. The details tell how far apart cosines lie in
each space: what lies further apart decides more than its weight says.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.claims import Claim, at_least, options, tell
from benchmarks.quality import nearest_kind, of_its_kind, photos, queries_of, vectors_of
from lookalike.sample.catalogue import pictures
from lookalike.sample.inventing import invent
from services.embedder.decode import decode
from services.embedder.model import BUNDLED, DEFAULT, Model, load
from shared.hits import DEFAULT_BLEND
from shared.spaces import SPACES, SpaceName
from shared.vectors import Floats

PRODUCTS: Final = 1_000
FEW: Final = 72
Blend = Mapping[SpaceName, float]
LESS_CONTENT: Final[Blend] = {"content": 0.6, "style": 0.2, "colour": 0.2}
BLENDS: Final[tuple[Blend, ...]] = (
    {"content": 1.0},
    {"content": 0.9, "style": 0.05, "colour": 0.05},
    DEFAULT_BLEND,
    LESS_CONTENT,
    {"content": 0.4, "style": 0.3, "colour": 0.3},
    {"style": 1.0},
    {"colour": 1.0},
)
SAMPLE: Final = "sample, nearest of the same category"
CLOTHES: Final = "clothes, nearest of the same kind"
Shares = Mapping[str, float]
"""By blend, how often the nearest is what was wanted."""


def said(blend: Blend) -> str:
    return " / ".join(f"{blend.get(name, 0):g}" for name in SPACES)


def looked_at(model: Model, products: int) -> tuple[Floats, NDArray[np.str_]]:
    """Vectors of first pictures, no two of which are the same, and the leaf category of each."""
    found = {pictures(one)[0]: one for one in (invent(1, number) for number in range(products))}
    kinds = np.array([" > ".join(one.kind.category) for one in found.values()])
    return vectors_of(model, (decode(data).pixels for data in found)), kinds


def sample(model: Model, vectors: Floats, kinds: NDArray[np.str_]) -> Shares:
    return {
        said(blend): float(of_its_kind(vectors, kinds, 1, asked).mean())
        for blend in BLENDS
        for asked in [queries_of(model, vectors, blend)]
    }


def clothes(model: Model, data: Path) -> Shares:
    """As `benchmarks.quality` judges the default one."""
    known, kinds = photos(data / "clothing" / "train")
    asked, wanted = photos(data / "clothing" / "validation")
    answers, askers = vectors_of(model, known), vectors_of(model, asked)
    return {
        said(blend): nearest_kind(answers, kinds, queries_of(model, askers, blend), wanted)
        for blend in BLENDS
    }


def spread(model: Model, vectors: Floats) -> dict[SpaceName, float]:
    """By space the standard deviation of the cosines of all pairs of pictures."""
    pairs = np.triu_indices(len(vectors), 1)
    return {
        name: round(float((vectors[:, part] @ vectors[:, part].T)[pairs].std()), 3)
        for name, part in model.spaces.slices().items()
    }


def measured(model: Model, products: int, data: Path | None) -> dict[str, Any]:
    vectors, kinds = looked_at(model, products)
    columns = {SAMPLE: sample(model, vectors, kinds)}
    if data is not None:
        columns[CLOTHES] = clothes(model, data)
    return {
        "compared": [
            {"content / style / colour": blend}
            | {title: round(shares[blend], 3) for title, shares in columns.items()}
            for blend in map(said, BLENDS)
        ],
        "spread_of_cosines": spread(model, vectors),
        "products": len(vectors),
    }


def claims(found: Mapping[str, Any]) -> list[Claim]:
    shares = dict(zip(map(said, BLENDS), (row[SAMPLE] for row in found["compared"]), strict=True))
    default, less, lies = said(DEFAULT_BLEND), said(LESS_CONTENT), found["spread_of_cosines"]
    return [
        at_least(f"{default} against {less}, sample", shares[default] / shares[less], 1.0, "times"),
        *(
            at_least(
                f"cosines of {name} lie apart", lies[name] / lies["content"], 1.0, "of content's"
            )
            for name in ("style", "colour")
        ),
    ]


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--products", type=int, default=PRODUCTS)
    asked = parser.parse_args()
    data = None if asked.quick else os.environ.get("LOOKALIKE_DATA")
    products = FEW if asked.quick else asked.products
    found = measured(load(BUNDLED / DEFAULT), products, Path(data) if data else None)
    tell("blend", claims(found), found)


if __name__ == "__main__":
    main()
