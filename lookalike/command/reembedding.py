"""`lookalike reembed`: the catalogue brought to another model, beside the one that is live."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from lookalike.command.connection import HERE, Key, Server, connected
from lookalike.command.faults import FAILED
from lookalike.command.indexes import Shards, Targets
from lookalike.command.output import PARTLY, Json, complain, say, say_json
from shared.errors import Conflict

if TYPE_CHECKING:
    from lookalike.client import Lookalike
    from lookalike.client.answers import Job

_LINES_APART_S: Final = 10.0
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
    """What the server knows a model by; a folder, or one that is bundled there, is registered."""
    folder = Path(model)
    is_folder = (folder / "model.json").is_file()
    if not is_folder and (model.startswith("mdl_") or "@" in model or _is_known(shop, model)):
        return model
    registered = shop.wait(shop.register_model(folder if is_folder else model))
    if registered.state != "succeeded":
        raise Conflict(registered.detail or f"The model {model} cannot be registered.")
    return str(registered.progress["model_id"])


def _is_known(shop: "Lookalike", model: str) -> bool:
    return any(model == one.name for one in shop.models().models)


def line(progress: Mapping[str, Any]) -> str:
    """Such as `embedding: 640 of 6,400 pictures, 300 of 3,200 products`."""
    if "images" not in progress:
        return str(progress["stage"])
    pictures = f"{progress['images_embedded']:,} of {progress['images']:,} pictures"
    products = f"{progress['products_indexed']:,} of {progress['products']:,} products"
    return f"{progress['stage']}: {pictures}, {products}"


def _watched(shop: "Lookalike", job: "Job") -> "Job":
    try:
        with _live() as show:
            return shop.wait(job, progress=lambda seen: show(seen.progress))
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
    if told.get("passed"):
        complain(f"Make it live: lookalike alias set live {told['index']}")


@contextmanager
def _live() -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """A bar on a terminal, elsewhere a line every ten seconds; always on standard error."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console  # noqa: PLC0415 - only people wait for it
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("re-embedding", total=None)
        yield lambda progress: bars.update(
            task,
            description=line(progress),
            completed=progress.get("images_embedded", 0) + progress.get("products_indexed", 0),
            total=(progress.get("images", 0) + progress.get("products", 0)) or None,
        )


def _lines() -> Callable[[Mapping[str, Any]], None]:
    said_at = 0.0

    def show(progress: Mapping[str, Any]) -> None:
        nonlocal said_at
        if time.monotonic() - said_at >= _LINES_APART_S:
            said_at = time.monotonic()
            complain(line(progress))

    return show
