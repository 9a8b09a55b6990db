"""What runs until it is told to stop: everything in one process, or each service in its own.

A service says nothing but its log, one JSON object a line on standard output.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from lookalike.command.output import Json


def demo(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = 8080,
    data: Annotated[Path, typer.Option(file_okay=False, help="Where everything is kept.")] = Path(
        ".demo"
    ),
    catalogue: Annotated[
        Literal["sample", "none"], typer.Option(help="What to begin with.")
    ] = "sample",
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no page.")] = False,
    as_json: Json = False,
) -> None:
    """Everything in one process, with a sample catalogue; says in one line when it is ready."""
    from lookalike.demo import run  # noqa: PLC0415 - loads every service

    raise typer.Exit(
        run(port=port, data=data, catalogue=catalogue, browser=not no_browser, as_json=as_json)
    )


serving = typer.Typer(no_args_is_help=True, help="A service that answers HTTP, as a process.")
working = typer.Typer(no_args_is_help=True, help="A worker that answers the queue, as a process.")

Host = Annotated[str, typer.Option(help="0.0.0.0 takes calls from everywhere.")]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one; the log names it.")]
Queues = Annotated[str, typer.Option(help="Which of its queues, divided by commas.")]
Concurrency = Annotated[int, typer.Option(min=0, help="Tasks at once; 0: one a processor.")]


@serving.command()
def gateway(host: Host = "127.0.0.1", port: Port = 8080) -> None:
    """The HTTP API and the shop window."""
    from services.gateway.serve import run  # noqa: PLC0415 - each loads its own service only

    run(host, port)


@serving.command()
def search(host: Host = "127.0.0.1", port: Port = 8082) -> None:
    """Some shards of every index, or all of them."""
    from services.search.serve import run  # noqa: PLC0415

    run(host, port)


@serving.command()
def embedder_http(host: Host = "127.0.0.1", port: Port = 8081) -> None:
    """One picture to vectors, now."""
    from services.embedder.serve import run  # noqa: PLC0415

    run(host, port)


@working.command()
def embedder(queues: Queues = "embed_now,embed_bulk", concurrency: Concurrency = 0) -> None:
    """Pictures and imports, from the queue."""
    from services.embedder.worker import QUEUES, run  # noqa: PLC0415
    from shared.runtime.arguments import named, processors  # noqa: PLC0415

    raise typer.Exit(run(named(queues, QUEUES), concurrency or processors()))


@working.command()
def indexer(queues: Queues = "index,build", concurrency: Concurrency = 0) -> None:
    """Products into backends, compaction and building, from the queue."""
    from services.indexer.worker import QUEUES, run  # noqa: PLC0415
    from shared.runtime.arguments import named, processors  # noqa: PLC0415

    raise typer.Exit(run(named(queues, QUEUES), concurrency or processors()))


@working.command()
def trainer() -> None:
    """Trainings, from the queue, one at a time; several trainers share them."""
    from services.embedder.training.jobs.worker import run  # noqa: PLC0415

    raise typer.Exit(run())


def reconciler() -> None:
    """Rings for whatever is pending, audits, sweeps; of several, one does it."""
    from services.indexer.reconcile import run  # noqa: PLC0415

    raise typer.Exit(run())
