"""A model's folder made into that of a model adapted to a shop; the network stays as it is."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from services.embedder.decode import decode
from services.embedder.heads import HEADS, Head, write_heads
from services.embedder.model import (
    GOLDEN,
    GOLDEN_VECTORS,
    WEIGHTS,
    Manifest,
    Model,
    fingerprinted,
    load,
    verify,
    write_manifest,
)
from services.embedder.training.whitening import Adapted, Photos, adapted
from shared.errors import Conflict, Invalid
from shared.spaces import SpaceName


def adapt(
    parent: Path, photos: Photos, out: Path, name: str, version: str | None = None
) -> tuple[Adapted, Manifest | None]:
    """Writes `out` whole or, where nothing is gained, not at all; `version` is else the parent's."""
    manifest = adaptable(parent, out)
    found = adapted(photos)
    if found.head is None:
        return found, None
    half_written = out.with_name(out.name + ".part")
    shutil.rmtree(half_written, ignore_errors=True)
    shutil.copytree(parent, half_written)
    named = replace(manifest, name=name, version=version or manifest.version)
    made = _described(named, found.head, _told(photos, found), half_written)
    half_written.replace(out)
    return found, made


def adaptable(parent: Path, out: Path) -> Manifest:
    """The parent's; raises what can be said before its photos are looked at, which takes a while."""
    if out.exists():
        raise Conflict(f"{out} is there already; name a folder that is not.", code="exists")
    if (parent / HEADS).exists():
        raise Invalid(
            f"{parent} was adapted already: adapt the model that it was made from.",
            code="adapted_already",
        )
    return load(parent).manifest


def _described(parent: Manifest, head: Head, told: str, folder: Path) -> Manifest:
    """The copied folder with head, manifest and golden vectors of its own."""
    heads: dict[SpaceName, Head] = {"content": head}
    weights = (folder / WEIGHTS).read_bytes()
    dims = {space.name: space.dim for space in parent.spaces.spaces}
    write_heads(folder, heads)
    manifest = replace(
        parent,
        spaces=fingerprinted(weights, parent.preprocessing, dims, heads),
        provenance=f"{parent.provenance} {told}",
        sizes={**parent.sizes, HEADS: (folder / HEADS).stat().st_size},
    )
    write_manifest(folder, manifest)
    model = Model(manifest, weights, heads)
    pictures = sorted((folder / GOLDEN).glob("*.png"))
    golden = [model.vector(decode(picture.read_bytes()).pixels) for picture in pictures]
    np.save(folder / GOLDEN_VECTORS, np.stack(golden))
    return verify(folder)


def _told(photos: Photos, found: Adapted) -> str:
    return (
        f"Content was adapted on {len(photos):,} photos of {len(np.unique(photos.categories)):,} "
        f"categories, shrinkage {found.shrinkage:g}: of the ten nearest photos of held-out "
        f"products {found.after:.3f} are of the same category, {found.before:.3f} without it."
    )
