"""`lookalike model`: the models that this installation brings."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from lookalike.command.output import Json, say, say_json, say_table
from shared.errors import NotFound

app = typer.Typer(no_args_is_help=True, help="The models that are here.")

Name = Annotated[str, typer.Argument(help="See `lookalike model list`.")]


def of_the_settings() -> str:
    """The model that LOOKALIKE_MODEL gives to the services, or the bundled one that is its default."""
    from shared.runtime.settings import Installation  # noqa: PLC0415 - reads the environment

    return Installation().model


ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        default_factory=of_the_settings,
        show_default="what LOOKALIKE_MODEL says",
        help="See `lookalike model list`; or a folder.",
    ),
]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """All of them."""
    from services.embedder.model import read_manifest  # noqa: PLC0415 - loads numpy

    manifests = [read_manifest(folder) for folder in _folders()]
    if as_json:
        say_json([_summary(manifest.name) for manifest in manifests])
        return
    rows = [
        (m.name, m.version, m.variant, {s.name: s.dim for s in m.spaces.spaces}, m.licence)
        for m in manifests
    ]
    say_table(("name", "version", "variant", "spaces", "licence"), rows)


@app.command()
def show(name: Name, as_json: Json = False) -> None:
    """What one is, and where it comes from."""
    say(_summary(name), as_json=as_json)


@app.command("test")
def check(name: Name, as_json: Json = False) -> None:
    """Whether it gives the right vectors on this machine, by its golden pictures."""
    folder = folder_of(name)
    from services.embedder.model import verify  # noqa: PLC0415 - loads numpy and the interpreter

    manifest = verify(folder)
    if as_json:
        say_json({"name": manifest.name, "fingerprint": manifest.spaces.fingerprint, "good": True})
    else:
        typer.echo(f"{manifest.name} gives the right vectors here.")


def folder_of(name: str) -> Path:
    """Where a model of this name lies, or the folder of one; raises `NotFound` with the names there are."""
    from services.embedder.model import MANIFEST  # noqa: PLC0415 - loads numpy

    bundled = {folder.name: folder for folder in _folders()}
    folder = bundled.get(name, Path(name))
    if not (folder / MANIFEST).is_file():
        names = ", ".join(bundled)
        raise NotFound(f"There is no model {name!r} here; there are: {names}.")
    return folder


def _folders() -> list[Path]:
    from services.embedder.model import BUNDLED, MANIFEST  # noqa: PLC0415 - loads numpy

    return sorted(manifest.parent for manifest in BUNDLED.glob(f"*/{MANIFEST}"))


def _summary(name: str) -> dict[str, object]:
    folder = folder_of(name)
    from services.embedder.model import read_manifest  # noqa: PLC0415 - loads numpy

    manifest = read_manifest(folder)
    return asdict(manifest) | {
        "folder": str(folder),
        "fingerprint": manifest.spaces.fingerprint,
        "spaces": {space.name: space.dim for space in manifest.spaces.spaces},
        "preprocessing": manifest.preprocessing.described(),
        "sizes": dict(manifest.sizes),
    }
