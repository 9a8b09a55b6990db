"""Makes the bundled models: `python -m services.embedder.training.bundled DATA OUT --scratch DIR`.

DATA holds the photos and the weights that `recipes` names. What was looked at stays in the scratch
folder, so that an interrupted run goes on; `--leave-out` makes the models that judge how a recipe
does on kinds of photos that it never saw.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import keras  # type: ignore[import-untyped]  # it brings no types
import numpy as np
import tensorflow as tf

from services.embedder.decode import decode
from services.embedder.model import Model, load, write_manifest
from services.embedder.training import streams
from services.embedder.training.bundled.recipes import (
    DOMAINS,
    LICENCE,
    RECIPES,
    SOURCES,
    WEIGHTS,
    Recipe,
)
from services.embedder.training.bundled.seen import Network, looked_at, network_of
from services.embedder.training.bundled.teaching import as_it_came, student_of, teach
from services.embedder.training.exporting import About, export, whole_network
from services.embedder.training.int8 import beside, samples
from services.embedder.training.pictures import in_folders
from services.embedder.training.progress import Progress

VERSION = "1"


def make(
    recipe: Recipe, domains: Sequence[str], data: Path, out: Path, scratch: Path, *, int8: bool
) -> None:
    """One model's folder, from photos of these domains; `int8`: another beside it."""
    seen = looked_at(data, recipe, domains, scratch, say)
    whole, taught = (network_of(recipe.backbone, recipe.side, data) for _ in range(2))
    student = student_of(taught, recipe)
    kept = scratch / f"{recipe.name}-{'+'.join(domains)}-{recipe.lesson}.weights.h5"
    if kept.is_file():
        student.network.load_weights(kept)
    else:
        teach(student, seen, recipe, say)
        half_written = kept.with_name(f"part-{kept.name}")
        student.network.save_weights(half_written)
        half_written.replace(kept)
    about = About(
        name=recipe.name,
        version=VERSION,
        provenance=_provenance(recipe, len(seen.kinds)),
        licence=LICENCE,
        training={
            "photos": {domain: DOMAINS[domain] for domain in domains},
            "count": len(seen.kinds),
            "weights": WEIGHTS[recipe.backbone],
            "steps": recipe.steps,
            "share": recipe.share,
        },
    )
    content = content_of(whole, as_it_came(whole, seen, recipe), student.network, recipe)
    manifest = export(content, out, about)
    write_manifest(out, replace(manifest, quality={"clothes_nearest": _clothes(load(out), data)}))
    if int8:
        plain, _ = whole_network(content, recipe.side)
        beside(out, plain, samples(data / DOMAINS[domains[0]]))


def _clothes(model: Model, data: Path) -> float:
    """The share of photos of `validation` whose nearest in `train` is of the same kind."""
    content = model.spaces.slices()["content"]
    kinds, vectors = {}, {}
    for part in ("train", "validation"):
        photos = in_folders(data / "clothing" / part)
        kinds[part] = np.array([photo.category for photo in photos])
        pictures = (decode(photo.read()).pixels for photo in photos)
        vectors[part] = np.stack([model.vector(pixels)[content] for pixels in pictures])
    nearest = (vectors["validation"] @ vectors["train"].T).argmax(axis=1)
    return round(float((kinds["train"][nearest] == kinds["validation"]).mean()), 3)


def content_of(whole: Network, came: Network, taught: Network, recipe: Recipe) -> Network:
    """From pictures to what both see, each of its share; with textures, where these layers see them."""
    pictures = keras.Input(batch_shape=(1, recipe.side, recipe.side, 3), dtype="uint8")
    prepared = keras.ops.cast(pictures, "float32") / 127.5 - 1
    textures = whole.get_layer(streams.TEXTURES).output
    below = keras.Model(whole.input, [whole.get_layer(recipe.frozen).output, textures])
    stem, seen = below(prepared, training=False)
    shares = ((came, 1 - recipe.share), (taught, recipe.share))
    parts = [
        keras.layers.UnitNormalization()(network(stem, training=False)) * share**0.5
        for network, share in shares
    ]
    vector = keras.ops.concatenate(parts, -1)
    has_textures = recipe.backbone == streams.BACKBONE and recipe.side == streams.SIDE
    return keras.Model(pictures, [vector, seen] if has_textures else vector)


def say(progress: Progress) -> None:
    figures = "".join(f", {name} {value:.3f}" for name, value in progress.figures.items())
    sys.stderr.write(f"\r{progress.stage}: {progress.done:,} of {progress.of:,}{figures}   ")
    if progress.done >= progress.of:
        sys.stderr.write("\n")


def _provenance(recipe: Recipe, photos: int) -> str:
    return (
        f"{recipe.backbone} trained by others on ImageNet, taught further on {photos:,} photos of "
        f"clothes and groceries to see as a larger network does and to tell kinds apart. Content: "
        f"{recipe.came} numbers of what it sees as it came, {recipe.learnt} of what it learnt to "
        f"see; style and colour are the same in all models of the project. {SOURCES}"
    )


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="bundled", description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path, help="gets a folder for each model")
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--only", choices=RECIPES, action="append")
    parser.add_argument("--leave-out", choices=DOMAINS)
    parser.add_argument("--int8", action="store_true", help="a variant in eight bits beside each")
    asked = parser.parse_args(arguments)
    tf.config.experimental.enable_op_determinism()
    asked.scratch.mkdir(parents=True, exist_ok=True)
    domains = [domain for domain in DOMAINS if domain != asked.leave_out]
    for name in asked.only or RECIPES:
        keras.utils.set_random_seed(RECIPES[name].seed)
        make(RECIPES[name], domains, asked.data, asked.out / name, asked.scratch, int8=asked.int8)


if __name__ == "__main__":
    main(sys.argv[1:])
