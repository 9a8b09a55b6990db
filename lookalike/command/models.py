"""`lookalike model`: the models that are bundled here, and those that a shop registered."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from lookalike.command.connection import Key, connected
from lookalike.command.faults import FAILED
from lookalike.command.output import Json, complain, progress, say, say_json, say_table
from lookalike.command.training import shelf

app = typer.Typer(no_args_is_help=True, help="The models that are here.")

Name = Annotated[str, typer.Argument(help="See `lookalike model list`; or a folder.")]
Data = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        file_okay=False,
        help="The demo's folder; without it and --server, the catalogue that the settings name.",
    ),
]
Server = Annotated[
    str | None, typer.Option("--server", envvar="LOOKALIKE_URL", help="Where a gateway is.")
]
Tenant = Annotated[str, typer.Option(help="Whose models.")]
Summary = Mapping[str, Any]


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
def list_(
    *,
    data: Data = None,
    server: Server = None,
    key: Key = "",
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """All of them, with what each costs and is worth."""
    if server is not None and data is None:
        with connected(server, key) as shop:
            found: list[Summary] = [asdict(one) for one in shop.models().models]
    else:
        found = [*_bundled(), *_registered(data, tenant)]
    if as_json:
        say_json(found)
        return
    columns = ("name", "version", "variant", "spaces", "quality", "size", "pace", "licence", "id")
    say_table(columns, [_row(one) for one in found])


@app.command()
def show(
    name: Name,
    *,
    data: Data = None,
    server: Server = None,
    key: Key = "",
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """What one is, and where it comes from."""
    if server is not None and data is None and not _is_here(name):
        with connected(server, key) as shop:
            say(asdict(shop.model(name)), as_json=as_json)
        return
    with shelf(data, needed=data is not None) as found:
        say(_of_folder(found.folder(tenant, name)), as_json=as_json)


@app.command("test")
def check(
    name: Name, *, data: Data = None, tenant: Tenant = "default", as_json: Json = False
) -> None:
    """Whether it gives the right vectors on this machine, by its golden pictures."""
    folder = folder_of(name, data, tenant)
    from services.embedder.verifying import verified  # noqa: PLC0415 - loads numpy

    manifest = verified(folder)
    if as_json:
        say_json({"name": manifest.name, "fingerprint": manifest.spaces.fingerprint, "good": True})
    else:
        typer.echo(f"{manifest.name} gives the right vectors here.")


@app.command()
def add(
    model: Annotated[str, typer.Argument(help="A folder, a tar of one, or a bundled name.")],
    *,
    data: Data = None,
    server: Server = None,
    key: Key = "",
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Register one, once all its golden pictures gave their vectors; says its id."""
    if server is not None and data is None:
        told = _sent(model, server, key)
    else:
        from services.embedder.model import folder_of  # noqa: PLC0415 - loads numpy
        from services.embedder.registry import register, register_archive  # noqa: PLC0415

        path = folder_of(model)
        put = register_archive if path.is_file() else register
        with progress("trying the model"), _catalogue(data) as (catalogue, blobs):
            made = put(catalogue, blobs, tenant, path)
        told = {"model_id": made.model_id, "model": made.title, "fingerprint": made.fingerprint}
    if as_json:
        say_json(told)
    else:
        typer.echo(f"{told['model']} is registered as {told['model_id']}.")


@app.command()
def remove(
    name: Name,
    *,
    data: Data = None,
    server: Server = None,
    key: Key = "",
    tenant: Tenant = "default",
) -> None:
    """Give a registered one up; refused while an index has its vectors."""
    if server is not None and data is None:
        with connected(server, key) as shop:
            shop.remove_model(name)
    else:
        from services.embedder.registry import unregister  # noqa: PLC0415 - loads numpy

        with _catalogue(data) as (catalogue, blobs):
            unregister(catalogue, blobs, tenant, name)
    typer.echo(f"{name} is not registered any more.")


@app.command()
def bench(
    names: Annotated[list[str], typer.Argument(metavar="NAME…", help="Models or folders.")],
    *,
    pictures: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    data: Data = None,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """How quickly each, in all its variants, embeds sample pictures on one core of this machine."""
    folders = [folder for name in names for folder in _variants(name, data, tenant)]
    from lookalike.command.pace import paces  # noqa: PLC0415 - loads numpy and the interpreter

    with progress("embedding", unit="pictures") as tell:
        found = paces(list(dict.fromkeys(folders)), pictures, tell)
    if as_json:
        say_json(found)
        return
    columns = ("name", "version", "variant", "pictures/s", "milliseconds each")
    say_table(columns, [[one[column] for column in columns] for one in found])
    if len(found) > 1:
        first, second = found[:2]
        complain(
            f"{first['folder']} is the fastest here, {first['pictures/s'] / second['pictures/s']:.2f} "
            f"times as fast as {second['folder']}."
        )


def folder_of(name: str, data: Path | None = None, tenant: str = "default") -> Path:
    """Where a model lies, however it is named; raises `NotFound` with the names there are."""
    with shelf(data, needed=data is not None) as found:
        return found.folder(tenant, name)


def _variants(name: str, data: Path | None, tenant: str) -> list[Path]:
    """A bundled model may come in several, told apart by the names of their folders."""
    alike = [Path(str(one["folder"])) for one in _bundled() if one["name"] == name]
    return list(dict.fromkeys([folder_of(name, data, tenant), *alike]))


def _bundled() -> list[Summary]:
    from services.embedder.registry import bundled  # noqa: PLC0415 - loads numpy

    return [_of_folder(folder) for folder in bundled()]


def _of_folder(folder: Path) -> Summary:
    from services.embedder.model import BUNDLED, read_manifest  # noqa: PLC0415 - loads numpy

    manifest = read_manifest(folder)
    return asdict(manifest) | {
        "folder": str(folder),
        "bundled": folder.parent == BUNDLED,
        "fingerprint": manifest.spaces.fingerprint,
        "spaces": {space.name: space.dim for space in manifest.spaces.spaces},
        "preprocessing": manifest.preprocessing.described(),
    }


def _registered(data: Path | None, tenant: str) -> Iterator[Summary]:
    with shelf(data, needed=data is not None) as found:
        for model in found.catalogue.models.all(tenant) if found.catalogue else ():
            yield {
                **model.manifest,
                "model_id": model.model_id,
                "bundled": False,
                "spaces": {space.name: space.dim for space in model.spaces.spaces},
            }


def _row(told: Summary) -> Sequence[object]:
    size = sum(told["sizes"].values()) / 1e6
    pace = told.get("pace", {}).get("pictures_per_second")
    return (
        *(told["name"], told["version"], told["variant"], told["spaces"]),
        *(told.get("quality", {}), f"{size:.1f} MB" if size else "", f"{pace:g}/s" if pace else ""),
        *(told["licence"], told.get("model_id") or ("bundled" if told["bundled"] else "gone")),
    )


def _is_here(name: str) -> bool:
    """Whether it is a folder or file of this machine, and no name that the server knows."""
    return os.sep in name or Path(name).exists()


def _sent(model: str, server: str, key: str) -> Mapping[str, Any]:
    """Packed and sent where it lies here, else a name that the server knows."""
    source = Path(model) if _is_here(model) else model
    with progress("sending and trying the model"), connected(server, key) as shop:
        done = shop.wait(shop.register_model(source))
    if done.state != "succeeded":
        complain(str(done.detail))
        raise typer.Exit(FAILED)
    return {name: done.progress[name] for name in ("model_id", "model")}


@contextmanager
def _catalogue(data: Path | None) -> Iterator[tuple[Any, Any]]:
    """Catalogue and blobs, for what writes to them."""
    with shelf(data, needed=True) as found:
        yield found.catalogue, found.blobs
