"""`lookalike reembed`: the catalogue brought to another model, beside the one that is live."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from lookalike.command.connection import HERE, Key, Server, connected
from lookalike.command.faults import FAILED
from lookalike.command.indexes import Shards, Targets
from lookalike.command.live import live
from lookalike.command.output import PARTLY, Json, complain, say, say_json
from shared.errors import Conflict, Invalid

if TYPE_CHECKING:
    from lookalike.client import Lookalike
    from lookalike.client.answers import Job

_NAMES: Final = "A model's folder, the name of one that the server brings, NAME@VERSION or mdl_…."


def reembed(
    *,
    model: Annotated[str, typer.Argument(help=_NAMES, metavar="MODEL")],
    shards: Shards = None,
    targets: Targets = None,
    evaluate: Annotated[bool, typer.Option(help="Examine it once it is complete.")] = True,
    watch: Annotated[bool, typer.Option("--watch", help="Until it has ended.")] = False,
    server: Server = HERE,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Bring the catalogue to another model, in an index beside the live one.

    With --watch, exit 3 when it ended without standing its exam. The alias is yours to move.
    """
    with connected(server, key) as shop:
        named = _named(shop, model)
        job = shop.reembed(named, shards=shards, targets=targets, evaluate=evaluate)
        if watch:
            job = _watched(shop, job)
    if as_json:
        say_json(job)
    else:
        _tell(job)
    if watch and job.state in ("failed", "cancelled"):
        raise typer.Exit(FAILED)
    if watch and (job.state != "succeeded" or job.progress.get("passed", True) is not True):
        raise typer.Exit(PARTLY)


def _named(shop: "Lookalike", model: str) -> str:
    """What the server knows a model by; a folder is registered."""
    folder = Path(model)
    if not (folder / "model.json").is_file():
        if os.sep in model:
            raise Invalid(f"{model} is no folder of a model: there is no model.json in it.")
        return model
    registered = shop.wait(shop.register_model(folder))
    if registered.state != "succeeded":
        raise Conflict(registered.detail or f"The model {model} cannot be registered.")
    return str(registered.progress["model_id"])


def line(progress: Mapping[str, Any]) -> str:
    """Such as `embedding: 640 of 6,400 pictures, 300 of 3,200 products`."""
    if "images" not in progress:
        return str(progress["stage"])
    pictures = f"{progress['images_embedded']:,} of {progress['images']:,} pictures"
    products = f"{progress['products_indexed']:,} of {progress['products']:,} products"
    return f"{progress['stage']}: {pictures}, {products}"


def _counted(progress: Mapping[str, Any]) -> tuple[int, int | None]:
    """Pictures and products together."""
    done = progress.get("images_embedded", 0) + progress.get("products_indexed", 0)
    return done, (progress.get("images", 0) + progress.get("products", 0)) or None


def _watched(shop: "Lookalike", job: "Job") -> "Job":
    try:
        with live("re-embedding", lambda seen: line(seen.progress), _counted) as show:
            return shop.wait(job, progress=show)
    except KeyboardInterrupt:
        complain(f"It goes on without you, as the job {job.job_id}.")
        raise


def _tell(job: "Job") -> None:
    told = job.progress
    known = {name: told[name] for name in ("index", "model", "passed") if name in told}
    say({"job": job.job_id, "state": job.state, **known}, as_json=False)
    for sentence in (job.detail, *told.get("reasons", ())):
        if sentence:
            complain(sentence)
    if job.state == "running":
        complain("It goes on as this job; the same command with --watch shows how far it is.")
    elif told.get("passed"):
        complain(f"Make it live: lookalike alias set live {told['index']}")
    elif told.get("stage") in ("ready", "unexamined"):
        complain(f"It has sat no exam: lookalike index examine {told['index']}")
