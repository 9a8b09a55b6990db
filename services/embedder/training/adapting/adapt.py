"""A model's folder made into that of a model adapted to a shop; the network stays as it is."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from services.embedder.heads import HEADS
from services.embedder.model import Manifest, load
from services.embedder.training.adapting.whitening import Adapted, adapted
from services.embedder.training.folders import check_free, with_head
from services.embedder.training.nearest import Photos
from shared.errors import Invalid


def adapt(
    parent: Path, photos: Photos, out: Path, name: str, version: str | None = None
) -> tuple[Adapted, Manifest | None]:
    """Writes `out` whole or, where nothing is gained, not at all; `version` is else the parent's."""
    manifest = adaptable(parent, out)
    found = adapted(photos)
    if found.head is None:
        return found, None
    told = replace(
        manifest,
        name=name,
        version=version or manifest.version,
        provenance=f"{manifest.provenance} {_told(photos, found)}",
        training={
            "kind": "adapt",
            "parent": manifest.spaces.fingerprint,
            "photos": len(photos),
            "shrinkage": found.shrinkage,
        },
        quality={"precision_before": found.before, "precision_after": found.after},
    )
    return found, with_head(parent, out, found.head, told)


def adaptable(parent: Path, out: Path) -> Manifest:
    """The parent's; raises what can be said before its photos are looked at, which takes a while."""
    check_free(out)
    if (parent / HEADS).exists():
        raise Invalid(
            f"{parent} was adapted already: adapt the model that it was made from.",
            code="adapted_already",
        )
    return load(parent).manifest


def _told(photos: Photos, found: Adapted) -> str:
    return (
        f"Content was adapted on {len(photos):,} photos of {len(np.unique(photos.categories)):,} "
        f"categories, shrinkage {found.shrinkage:g}: of the ten nearest photos of held-out "
        f"products {found.after:.3f} are of the same category, {found.before:.3f} without it."
    )
