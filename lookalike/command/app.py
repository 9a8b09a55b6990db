"""The command's root: its sub-commands, and how what goes wrong is told."""

import sys

import typer

from lookalike.command import (
    aliases,
    bench,
    dead,
    doctor,
    duplicates,
    embedding,
    evaluating,
    imports,
    indexes,
    keys,
    models,
    products,
    reembedding,
    running,
    samples,
    search,
    train,
)
from lookalike.command.faults import told

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Visual product search: find what looks alike.",
)
app.command()(running.demo)
app.add_typer(running.serving, name="serve")
app.add_typer(running.working, name="worker")
app.command()(running.reconciler)
imports.app.command("duplicates")(duplicates.of_import)
app.add_typer(imports.app, name="import")
app.add_typer(products.app, name="product")
app.command()(search.search)
app.command("duplicates")(duplicates.compare)
app.command()(embedding.embed)
app.command()(evaluating.evaluate)
app.add_typer(models.app, name="model")
app.add_typer(indexes.app, name="index")
app.add_typer(aliases.app, name="alias")
app.command()(reembedding.reembed)
app.add_typer(dead.app, name="dead")
app.add_typer(keys.app, name="key")
app.command()(doctor.doctor)
app.command()(bench.bench)
app.add_typer(samples.app, name="sample")
app.add_typer(train.app, name="train")


def main() -> None:
    """The console script: exit 0 done, 1 failed, 2 usage, 3 partly."""
    try:
        app()
    except Exception as error:
        code = told(error)
        if code is None:
            raise
        sys.exit(code)
