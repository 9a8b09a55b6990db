"""Models on kinds of photos that they were not taught with: a table of docs/models.md.

    LOOKALIKE_DATA=FOLDER python -m benchmarks.generality [MODEL_FOLDER …]

Folders are those that `python -m services.embedder.training.bundled` writes; without any, the bundled ones.
What `--leave-out` left out is told by their manifests, and Fashion-MNIST taught none. Beside a model stand
the network that it began from and the teacher, as they came: the means of their features, of pictures framed
as ours are. A difference is one on the same photos, with its standard error: kinds, not photos, are drawn by
chance, for photos of one kind are alike.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality import answered, content_of, fashion_mnist, of_its_kind, photos
from services.embedder.model import Manifest, Model, load, read_manifest
from services.embedder.registry import bundled
from services.embedder.training.bundled.recipes import DOMAINS, RECIPES, TEACHER, TEACHER_SIDE
from shared.vectors import Floats

Kinds = NDArray[np.str_]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Photo by photo, how much of what was found is of its kind."""

    shares: Floats
    kinds: Kinds


ByFigure = dict[str, Found]
FASHION: Final = "Fashion-MNIST"


@dataclass(frozen=True, slots=True)
class Origin:
    """A network that others trained, and the side of its pictures."""

    backbone: str
    side: int

    def __str__(self) -> str:
        return f"{self.backbone} at {self.side}"


THE_TEACHER: Final = Origin(TEACHER, TEACHER_SIDE)


def among_each_other(vectors: Floats, kinds: Kinds) -> ByFigure:
    return {
        "nearest": Found(of_its_kind(vectors, kinds, 1), kinds),
        "of ten nearest": Found(of_its_kind(vectors, kinds, 10), kinds),
    }


def groceries(model: Model, data: Path) -> ByFigure:
    pictures, kinds = photos(data / DOMAINS["grocery"])
    return among_each_other(content_of(model, pictures), kinds)


def clothes(model: Model, data: Path) -> ByFigure:
    """`validation` by its nearest in `train`; and, as these are few, `train` among each other."""
    known, kinds = photos(data / DOMAINS["clothing"])
    asked, wanted = photos(data / "clothing" / "validation")
    vectors = content_of(model, known)
    validated = answered(vectors, kinds, content_of(model, asked), wanted)
    return {"validation, nearest in train": Found(validated, wanted)} | among_each_other(
        vectors, kinds
    )


def grey_clothes(model: Model, data: Path) -> ByFigure:
    pictures, kinds = fashion_mnist(data)
    return among_each_other(content_of(model, pictures), kinds)


JUDGES: Final[Mapping[str, Callable[[Model, Path], ByFigure]]] = {
    "clothing": clothes,
    "grocery": groceries,
    FASHION: grey_clothes,
}


def unseen(manifest: Manifest) -> list[str]:
    """Kinds of photos that a model learnt nothing of, by its manifest."""
    return [name for name in JUDGES if name not in manifest.training["photos"]]


def origins(manifest: Manifest) -> list[Origin]:
    """What it began from, and the teacher where that is another."""
    recipe = RECIPES[manifest.name]
    return list(dict.fromkeys([Origin(recipe.backbone, recipe.side), THE_TEACHER]))


def apart(one: Found, other: Found) -> tuple[float, float]:
    """By how much the mean of one is more, and the standard error of that; both are of the same photos."""
    more = (one.shares - other.shares).astype(np.float64)
    mean = more.mean()
    of_kind = np.unique(one.kinds, return_inverse=True)[1]
    by_kind = np.bincount(of_kind, more - mean)
    return float(mean), float(np.sqrt((by_kind**2).sum()) / len(more))


def line(name: str, judged_on: str, figure: str, own: Found, others: list[Found]) -> str:
    """One of the table; the last cells are empty where what it began from is the teacher."""
    cells = [name, judged_on, figure, f"{len(own.shares):,}", f"{own.shares.mean():.3f}"]
    for other in others:
        more, error = apart(own, other)
        cells += [f"{other.shares.mean():.3f}", f"{more:+.3f} ± {error:.3f}"]
    return f"| {' | '.join(cells + [''] * (9 - len(cells)))} |"


def lines(folders: list[Path], data: Path, scratch: Path) -> Iterator[str]:
    @cache
    def as_it_came(origin: Origin) -> Model:
        from benchmarks.raw_networks import as_it_came  # noqa: PLC0415 - loads TensorFlow

        return load(as_it_came(origin.backbone, origin.side, data, scratch))

    @cache
    def judged(origin: Origin, kind: str) -> ByFigure:
        return JUDGES[kind](as_it_came(origin), data)

    for folder in folders:
        model = load(folder)
        for kind in unseen(model.manifest):
            beside = [judged(origin, kind) for origin in origins(model.manifest)]
            for figure, own in JUDGES[kind](model, data).items():
                others = [found[figure] for found in beside]
                yield line(model.manifest.name, kind, figure, own, others)


def main() -> None:
    data = os.environ.get("LOOKALIKE_DATA")
    if data is None:
        sys.exit(
            "Set LOOKALIKE_DATA to the folder that has photos and weights; docs/models.md says which."
        )
    folders = [Path(name) for name in sys.argv[1:]] or bundled()
    strangers = [str(folder) for folder in folders if read_manifest(folder).name not in RECIPES]
    if strangers:
        sys.exit(
            f"Made by no recipe, so that nobody knows what they began from: {', '.join(strangers)}."
        )
    print(
        "| model | judged on | figure | photos | finds | as it came | more "
        f"| {THE_TEACHER}, as it came | more |\n|---|---|---|---|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as scratch:
        for one in lines(folders, Path(data), Path(scratch)):
            print(one, flush=True)


if __name__ == "__main__":
    main()
