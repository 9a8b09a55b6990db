"""`lookalike train start`: a training on the server, as a job that is watched, or left to itself."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, cast

import typer

from lookalike.command.connection import HERE, Key, Server, connected
from lookalike.command.faults import FAILED
from lookalike.command.live import live
from lookalike.command.output import Json, complain, say

if TYPE_CHECKING:
    from lookalike.client import Lookalike
    from lookalike.client.answers import Job
    from lookalike.client.training.flows import TrainingOptions

Id = Annotated[str, typer.Argument(help="The training's id, trn_….", metavar="ID")]
Kind = Literal["adapt", "classifier", "triplet"]
_TOLD: Final = ("stage", "model", "model_id", "fingerprint", "attempts")


def add_to(app: typer.Typer) -> None:
    for command in (start, status, watch, cancel):
        app.command()(command)


def start(
    kind: Annotated[Kind, typer.Argument(help="What to train.")],
    *,
    name: Annotated[str, typer.Option(help="What the new model is called.")],
    version: Annotated[str, typer.Option(help="No two models share name and version.")] = "1",
    folder: Annotated[
        str, typer.Option(help="A folder of the server by category; else its catalogue.")
    ] = "",
    category: Annotated[
        list[str] | None, typer.Option(help="Only products under it: `Home > Mugs`; repeatable.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(help="Only what is dated since then, UTC.")
    ] = None,
    from_model: Annotated[str, typer.Option("--from", help="The model to go on from.")] = "",
    backbone: Annotated[str, typer.Option(help="The network to begin with.")] = "",
    weights: Annotated[str, typer.Option(help="A file of the server; `none`: random.")] = "",
    triplets: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A CSV here.")
    ] = None,
    more: Annotated[
        list[str] | None, typer.Option("--set", help="As the API has it: `epochs=10`; repeatable.")
    ] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not watch it.")] = False,
    server: Server = HERE,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Begin a training on the server; it goes on whatever becomes of this command."""
    said = {
        "folder": folder,
        "categories": [_path(one) for one in category or ()],
        "since": since and since.replace(tzinfo=UTC),
        "from_model": from_model,
        "backbone": backbone,
        "weights": weights,
        "triplets": triplets,
    }
    options = {"version": version} | {one: value for one, value in said.items() if value}
    options |= dict(_setting(one) for one in more or ())
    with connected(server, key) as shop:
        job = shop.train(kind, name, **cast("TrainingOptions", options))
        if no_wait:
            _say(job, as_json=as_json)
        else:
            _watch(shop, job.job_id, as_json=as_json)


def status(job_id: Id, server: Server = HERE, key: Key = "", as_json: Json = False) -> None:
    """How far a training on the server is."""
    with connected(server, key) as shop:
        _say(shop.job(job_id), as_json=as_json)


def watch(job_id: Id, server: Server = HERE, key: Key = "", as_json: Json = False) -> None:
    """Until a training on the server is over; exit 1 when it made no end of it."""
    with connected(server, key) as shop:
        _watch(shop, job_id, as_json=as_json)


def cancel(job_id: Id, server: Server = HERE, key: Key = "", as_json: Json = False) -> None:
    """Stop a training on the server; nothing is registered."""
    with connected(server, key) as shop:
        _say(shop.cancel(job_id), as_json=as_json)


def _watch(shop: "Lookalike", job_id: str, *, as_json: bool) -> None:
    try:
        with live("waiting for a trainer", _line, _counted) as show:
            ended = shop.wait(job_id, progress=show)
    except KeyboardInterrupt:
        complain(f"The training goes on without you: lookalike train watch {job_id}")
        raise
    _say(ended, as_json=as_json)
    if ended.state != "succeeded":
        raise typer.Exit(FAILED)


def _say(job: "Job", *, as_json: bool) -> None:
    if as_json:
        say(job, as_json=True)
        return
    told = {name: job.progress.get(name) for name in _TOLD}
    figures = job.progress.get("figures", {})
    say(
        {"training": job.job_id, "state": job.state, "detail": job.detail, **told, **figures},
        as_json=False,
    )


def _line(job: "Job") -> str:
    """Such as `learning, 3 of 10, loss 0.21`."""
    told = job.progress
    if "stage" not in told or job.state == "queued":
        return job.detail or "waiting for a trainer"
    figures = [f"{name} {value:.4g}" for name, value in told.get("figures", {}).items()]
    return ", ".join([told["stage"], f"{told['done']:,} of {told['of']:,}", *figures])


def _counted(progress: Mapping[str, Any]) -> tuple[int, int | None]:
    return progress.get("done", 0), progress.get("of")


def _path(category: str) -> list[str]:
    return [level.strip() for level in category.split(">")]


def _setting(text: str) -> tuple[str, Any]:
    """`epochs=10`; what is no JSON is the text itself."""
    name, named, value = text.partition("=")
    if not (name and named):
        raise typer.BadParameter(f"--set takes NAME=VALUE, such as epochs=10, not {text!r}.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
