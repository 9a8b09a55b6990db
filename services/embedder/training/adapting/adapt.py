"""A model's folder made into that of a model adapted to a shop; the network stays as it is."""

import shutil
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np

from services.embedder.heads import HEADS, Head, Heads, read_heads, write_heads
from services.embedder.model import GOLDEN, Manifest, fingerprinted_by, load
from services.embedder.training.adapting.whitening import Adapted, Photos, adapted
from services.embedder.training.folders import check_free, drawn, finish, whole
from shared.errors import Invalid
from shared.spaces import SpaceName


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


def with_head(
    parent: Path, out: Path, head: Head, told: Manifest, leave: Collection[str] = ()
) -> Manifest:
    """A copy of the parent whose content goes through `head`, in place of the one it had.

    `told` is the parent's manifest but for what the new model says of itself; files of the parent
    named in `leave` do not come along.
    """
    with whole(out) as folder:
        left = shutil.ignore_patterns(HEADS, GOLDEN.name, *leave)
        shutil.copytree(parent, folder, ignore=left, dirs_exist_ok=True)
        heads: Heads = {**read_heads(parent), "content": head}
        write_heads(folder, heads)
        dims: dict[SpaceName, int] = {space.name: space.dim for space in told.spaces.spaces}
        manifest = replace(
            told,
            spaces=fingerprinted_by(told.weights_sha256, told.preprocessing, dims, heads),
            sizes={**told.sizes, HEADS: (folder / HEADS).stat().st_size},
        )
        return finish(folder, manifest, drawn())


def _told(photos: Photos, found: Adapted) -> str:
    return (
        f"Content was adapted on {len(photos):,} photos of {len(np.unique(photos.categories)):,} "
        f"categories, shrinkage {found.shrinkage:g}: of the ten nearest photos of held-out "
        f"products {found.after:.3f} are of the same category, {found.before:.3f} without it."
    )
