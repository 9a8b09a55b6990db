"""`lookalike import FORMAT FILE`: a whole catalogue, from here or from where the server can read it."""

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, get_type_hints

import typer

from lookalike.command.connection import HERE, Key, Server, connected
from lookalike.command.faults import Wrong
from lookalike.command.output import Json, complain, progress, say
from lookalike.command.unfinished import Unfinished
from lookalike.command.watching import watch

if TYPE_CHECKING:
    from lookalike.client import Lookalike
    from lookalike.client.answers import Import
    from lookalike.client.options import Format, ImportOptions

FEEDS: Final["dict[Format, str]"] = {
    "bson": "A file of BSON records, in Cdiscount's format or any other.",
    "jsonl": "A file of one JSON object a line.",
    "csv": "A table with a line of names: commas, semicolons or tabs.",
    "parquet": "A Parquet file.",
}

File = Annotated[str, typer.Argument(metavar="FILE", help="Uploaded, unless it is a server path.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What every way to bring in a catalogue may be told: an option of the command each."""

    categories: Annotated[
        str | None, typer.Option(metavar="CSV", help="Names of categories, by their numbers.")
    ] = None
    mapping: Annotated[
        str | None, typer.Option(metavar="JSON", help="Which field is what: JSON, or a file of it.")
    ] = None
    limit: Annotated[int | None, typer.Option(min=1, help="So many records at most.")] = None
    sample: Annotated[
        float | None, typer.Option(max=1, help="A share, such as 0.01: always the same products.")
    ] = None
    stop_on_error: Annotated[
        bool, typer.Option("--stop-on-error", help="Not one bad record is stepped over.")
    ] = False
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count, name what is bad, write nothing.")
    ] = False
    replace: Annotated[
        bool, typer.Option("--replace", help="Delete the products that the feed does not name.")
    ] = False
    max_deleted: Annotated[
        float, typer.Option(min=0, max=1, help="The largest share that --replace may delete.")
    ] = 0.1
    server_path: Annotated[
        bool, typer.Option("--server-path", help="Paths are the server's, or s3:// URLs.")
    ] = False
    wait: Annotated[bool, typer.Option("--wait", help="Until it is done.")] = False
    server: Server = HERE
    key: Key = ""
    as_json: Json = False

    def options(self) -> "ImportOptions":
        """As the client takes them."""
        return {
            "categories": self._categories(),
            "mapping": None if self.mapping is None else _mapping(self.mapping),
            "limit": self.limit,
            "sample": self.sample,
            "on_error": "stop" if self.stop_on_error else "skip",
            "dry_run": self.dry_run,
            "mode": "replace" if self.replace else "upsert",
            "max_deleted": self.max_deleted,
        }

    def _categories(self) -> Path | str | None:
        if self.categories is None or self.server_path:
            return self.categories
        return _file(self.categories)


def add_to(app: typer.Typer) -> None:
    """Each format as a sub-command."""
    for kind, help_ in FEEDS.items():
        app.command(kind, help=help_)(_with_options(_feed(kind)))
    app.command("folder")(_with_options(_folder))
    app.command("imaterialist")(_with_options(_imaterialist))


def _feed(kind: "Format") -> Callable[..., None]:
    def feed(file: File, wanted: Wanted) -> None:
        with connected(wanted.server, wanted.key) as shop:
            _go_on(shop, _begun(shop, file, kind, wanted, wanted.options()), wanted)

    return feed


def _folder(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Sent whole, unless it is there.")],
    wanted: Wanted,
) -> None:
    """Pictures: each is a product, the folders above it are its category."""
    options = wanted.options()
    with connected(wanted.server, wanted.key) as shop:
        if wanted.server_path:
            begun = shop.import_catalogue(folder, format="folder", **options)
        else:
            with progress(f"uploading {folder}", is_bytes=True) as tell:
                begun = shop.import_folder(
                    Path(folder), progress=tell, left_out=_tell_left_out, **options
                )
        _go_on(shop, begun, wanted)


def _imaterialist(
    file: File,
    wanted: Wanted,
    *,
    label: Annotated[str | None, typer.Option(help="Only pictures with this label.")] = None,
    download: Annotated[
        bool, typer.Option("--download", help="The server fetches the pictures by their URLs.")
    ] = False,
) -> None:
    """The JSON of iMaterialist: pictures by URL, with labels."""
    options = wanted.options() | {"label": label, "download": download}
    with connected(wanted.server, wanted.key) as shop:
        _go_on(shop, _begun(shop, file, "imaterialist", wanted, options), wanted)


def _begun(
    shop: "Lookalike", file: str, kind: "Format", wanted: Wanted, options: "ImportOptions"
) -> "Import":
    """An upload is remembered until its import has begun, so that the next run goes on with it."""
    if wanted.server_path:
        return shop.import_catalogue(file, format=kind, **options)
    source, memory = _file(file), Unfinished(wanted.server)
    with progress(f"uploading {source.name}", is_bytes=True) as tell:
        uploaded = shop.upload(
            source,
            progress=tell,
            resume=memory.find(source),
            begun=lambda upload_id: memory.remember(source, upload_id),
        )
    begun = shop.import_catalogue(uploaded, format=kind, **options)
    memory.forget(source)
    return begun


def _go_on(shop: "Lookalike", begun: "Import", wanted: Wanted) -> None:
    if wanted.wait:
        watch(shop, begun.import_id, as_json=wanted.as_json)
    else:
        say(begun, as_json=wanted.as_json)


def _tell_left_out(path: Path, why: str) -> None:
    complain(f"left out: {path} {why}")


def _file(name: str) -> Path:
    path = Path(name)
    if not path.is_file():
        raise Wrong(f"There is no file {name!r} here; a path on the server needs --server-path.")
    return path


def _mapping(text: str) -> Any:
    written = text if text.lstrip().startswith("{") else _file(text).read_text(encoding="utf-8")
    try:
        return json.loads(written)
    except ValueError as error:
        raise Wrong(f'The mapping is no JSON ({error}): write such as {{"id": "sku"}}.') from error


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options of `Wanted` beside its own parameters; it is given them as one."""
    own = inspect.signature(command, eval_str=True).parameters.values()
    hints = get_type_hints(Wanted, include_extras=True)
    shared = [
        inspect.Parameter(
            option.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=option.default,
            annotation=hints[option.name],
        )
        for option in fields(Wanted)
    ]

    def combined(**given: Any) -> None:
        wanted = Wanted(**{option.name: given.pop(option.name) for option in shared})
        command(**given, wanted=wanted)

    # Typer reads the signature and the annotations.
    parameters = [*(one for one in own if one.name != "wanted"), *shared]
    combined.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    combined.__annotations__ = {one.name: one.annotation for one in parameters}
    combined.__doc__ = command.__doc__
    return combined
