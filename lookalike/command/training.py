"""What the trainings of the command share: where models and pictures are, and bars for their stages."""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from lookalike.command.output import Tell, complain, progress
from shared.errors import Conflict, Invalid, NotConfigured
from shared.trainings import NO_TENSORFLOW, RANGES

if TYPE_CHECKING:
    from services.embedder.model import Manifest
    from services.embedder.registry import Shelf
    from services.embedder.training.progress import Progress


SOURCE = "Where photos come from"
LEARNING = "Learning"


def number(name: str, panel: str | None = None, *, help: str) -> Any:  # noqa: A002 - as typer has it
    """An option for a number of that name, from the least to the most that a training takes."""
    least, most = RANGES[name]
    return typer.Option(min=least, max=most, rich_help_panel=panel, help=help)


Out = Annotated[Path, typer.Option(help="The folder to write; not there yet.")]
Images = Annotated[
    Path | None,
    typer.Option(
        exists=True, file_okay=False, rich_help_panel=SOURCE, help="A folder by category."
    ),
]
FromCatalogue = Annotated[
    bool,
    typer.Option("--from-catalogue", rich_help_panel=SOURCE, help="Products with a category."),
]
Data = Annotated[
    Path | None,
    typer.Option(
        rich_help_panel=SOURCE,
        help="The demo's folder; without it, the catalogue that the settings name.",
    ),
]
Tenant = Annotated[str, typer.Option(help="Whose products.")]
Weights = Annotated[str | None, typer.Option(help="A file of the backbone's weights, or `none`.")]
Unfreeze = Annotated[
    int, number("unfreeze", LEARNING, help="Last blocks of the backbone that learn too.")
]
Batch = Annotated[int, number("batch", LEARNING, help="Photos a step.")]
LearningRate = Annotated[
    float,
    number("learning_rate", LEARNING, help="How far a step goes: lower it where figures fall."),
]
Seed = Annotated[int, number("seed", LEARNING, help="The same again gives the same again.")]
Name = Annotated[str, typer.Option(help="What the model is called; else as its folder.")]
Version = Annotated[str, typer.Option(help="No two models share name and version.")]
Register = Annotated[
    bool, typer.Option("--register", help="Put it beside the catalogue's other models.")
]
Scratch = Annotated[
    Path | None,
    typer.Option(help="Where it goes on after a kill; else OUT.scratch, gone at its end."),
]
Side = Annotated[int | None, number("side", help="Pixels a side; 224 if not said.")]


class Stages:
    """A bar for each stage of a training, one after the other."""

    def __init__(self, **units: str) -> None:
        """What is counted, of stages that are long."""
        self._units = units
        self._stage = ""
        self._bar = ExitStack()
        self._tell: Tell = lambda _done, _of: None

    def __call__(self, told: "Progress") -> None:
        if told.stage != self._stage:
            self._bar.close()
            self._stage = told.stage
            unit = self._units.get(told.stage, "")
            self._tell = self._bar.enter_context(progress(told.stage, unit=unit))
        self._tell(told.done, told.of)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()


@contextmanager
def scratch_of(out: Path, named: Path | None) -> Iterator[Path]:
    """The folder that is named; else one beside `out`, which only an error leaves there."""
    folder = named or out.with_name(f"{out.name}.scratch")
    if folder.is_dir():
        complain(f"{folder} is there: what the same training left in it is gone on with.")
    try:
        yield folder
    except KeyboardInterrupt:
        if folder.is_dir():
            complain(f"Stopped. The same command goes on with what is in {folder}.")
        raise
    if named is None:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def tensorflow() -> Iterator[None]:
    """For the import of what needs it: quietly where it is installed, and kindly where it is not."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with _silenced():
            yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("tensorflow", "keras"):
            raise
        raise NotConfigured(NO_TENSORFLOW, code="no_tensorflow") from error


@contextmanager
def _silenced() -> Iterator[None]:
    """Nothing on standard error: before its log is set up TensorFlow writes there whatever it is told."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def shelf(data: Path | None, *, needed: bool) -> Iterator["Shelf"]:
    """Models by name, and behind them the catalogue, which has to be there where it is `needed`."""
    from pydantic import SecretStr  # noqa: PLC0415

    from services.embedder.registry import shelf_of  # noqa: PLC0415 - loads numpy
    from shared.runtime.settings import Installation  # noqa: PLC0415

    known = Installation()
    if data is not None:
        folder = data.absolute()
        catalogue = SecretStr(f"sqlite:///{folder}/catalogue.sqlite")
        blobs = SecretStr((folder / "blobs").as_uri())
        known = Installation(data=folder, catalogue=catalogue, blobs=blobs)
        if needed and not (folder / "catalogue.sqlite").is_file():
            raise _no_catalogue(data)
    with shelf_of(known) as found:
        if needed and found.catalogue is None:
            raise _no_catalogue(known.data)
        yield found


def check_out(out: Path) -> None:
    """Raises where no folder can be written there: it is said before anything else is done."""
    from services.embedder.training.folders import check_free  # noqa: PLC0415 - loads numpy

    check_free(out)


def check_title(shelf: "Shelf", tenant: str, name: str, version: str) -> None:
    """Raises where another model is known as that, which would be found out at the end only."""
    if shelf.catalogue and shelf.catalogue.models.named(tenant, name, version) is not None:
        raise Conflict(
            f"{name}@{version} is registered: give it another --version.", code="model_exists"
        )


def left_out(failures: Sequence[str]) -> str:
    """The sentence that counts what is told line by line."""
    return f" Left out, as told: {len(failures):,}." if failures else ""


def after(out: str) -> str:
    """What to do with the model that was written there."""
    return (
        f"`lookalike evaluate --images PHOTOS --model {out} --against small` compares it; "
        f"`lookalike reembed {out}` brings a catalogue to it."
    )


def registered(shelf: "Shelf", tenant: str, folder: Path) -> str | None:
    """The id under which the folder's model is known from here on."""
    from services.embedder.registry import register  # noqa: PLC0415 - loads numpy

    if shelf.catalogue is None:
        return None
    return register(shelf.catalogue, shelf.blobs, tenant, folder).model_id


def of_model(made: "Manifest | None", out: Path) -> dict[str, Any]:
    """What an answer says of the model that was made, if one was."""
    return {
        "model": made.name if made else None,
        "folder": str(out) if made else None,
        "fingerprint": made.spaces.fingerprint if made else None,
    }


def _no_catalogue(folder: Path) -> Invalid:
    return Invalid(
        f"{folder} holds no catalogue.sqlite: name the demo's folder with --data, or the catalogue "
        "with LOOKALIKE_CATALOGUE."
    )
