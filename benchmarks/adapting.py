"""What adapting a model to a shop is worth, there and elsewhere: a table of docs/models.md.

    LOOKALIKE_DATA=FOLDER python -m benchmarks.adapting [MODEL_FOLDER]

The model is adapted to clothes, and to groceries, by the folders that the photos lie in. Each is judged three
ways: by what adapting itself found on held-out products; on clothes that neither saw, whose nearest in the
clothes' other folder should be of the same kind; and on the other's photos, a domain that it never saw. Of
groceries many are nearly the same photo, so they are judged by ten nearest instead of one.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

from services.embedder.local import ChildEmbedder
from services.embedder.model import BUNDLED, DEFAULT
from services.embedder.training.adapting.photos import in_folders
from services.embedder.training.adapting.whitening import Adapted, adapted
from services.embedder.training.nearest import Photos, shares, units

FOLDERS: Final = ("clothing/train", "clothing/validation", "grocery/train")


def seen(data: Path, model: Path) -> tuple[dict[str, Photos], float]:
    """All photos of each folder, and how long one took to embed, in milliseconds."""
    begun = time.perf_counter()
    with ChildEmbedder(model) as embedder:
        found = {name: in_folders(data / name, embedder)[0] for name in FOLDERS}
    count = sum(len(photos) for photos in found.values())
    return found, (time.perf_counter() - begun) / count * 1e3


def mapped(photos: Photos, found: Adapted | None) -> Photos:
    if found is None or found.head is None:
        return photos
    return Photos(found.head(photos.vectors), photos.categories, photos.products)


def nearest(asked: Photos, among: Photos) -> float:
    """The share whose nearest is of the same category; both number their folders alike."""
    likeness = units(asked.vectors) @ units(among.vectors).T
    return float((among.categories[likeness.argmax(axis=1)] == asked.categories).mean())


def judged(photos: dict[str, Photos], found: Adapted | None) -> dict[str, float]:
    by = {name: mapped(some, found) for name, some in photos.items()}
    return {
        "clothes_first": round(nearest(by["clothing/validation"], by["clothing/train"]), 4),
        "groceries_of_ten": round(float(shares(by["grocery/train"]).mean()), 4),
    }


def measured(data: Path, model: Path) -> dict[str, Any]:
    photos, milliseconds = seen(data, model)
    answer: dict[str, Any] = {
        "embedding_ms": round(milliseconds, 2),
        "as_it_is": judged(photos, None),
    }
    for name in ("clothing/train", "grocery/train"):
        begun = time.perf_counter()
        found = adapted(photos[name])
        answer[name] = {
            "photos": len(photos[name]),
            "seconds": round(time.perf_counter() - begun, 2),
            "shrinkage": found.shrinkage,
            "held_out_before": round(found.before, 4),
            "held_out_after": round(found.after, 4),
            **judged(photos, found),
        }
    return answer


def main() -> None:
    data = os.environ.get("LOOKALIKE_DATA")
    if data is None:
        sys.exit("Set LOOKALIKE_DATA to the folder that has clothing/ and grocery/.")
    model = Path(sys.argv[1]) if len(sys.argv) > 1 else BUNDLED / DEFAULT
    print(json.dumps(measured(Path(data), model), indent=1))


if __name__ == "__main__":
    main()
