"""What makes a raw vector of a framed picture: one file for LiteRT, or a folder for TensorFlow.

LiteRT loads in a tenth of a second and runs wherever we do; TensorFlow takes fifteen seconds and
half a gigabyte, so only what LiteRT cannot run is worth a folder.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal, Protocol, get_args

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from services.embedder.preprocess import Pixels
from shared.errors import Invalid
from shared.vectors import Floats

Runtime = Literal["litert", "savedmodel"]
RUNTIMES: Final[tuple[Runtime, ...]] = get_args(Runtime)
LITERT: Final = "model.tflite"
SAVEDMODEL: Final = Path("savedmodel")


class Network(Protocol):
    """A framed picture to the raw vector of all spaces; not for two threads at once."""

    def __call__(self, framed: Pixels) -> Floats: ...


class LiteRtNetwork:
    """One thread; parallel work comes from several processes."""

    def __init__(self, weights: bytes) -> None:
        try:
            self._interpreter = Interpreter(model_content=weights, num_threads=1)
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise unusable(f"LiteRT cannot run it: {error}") from error
        self._input: Any = self._interpreter.get_input_details()[0]
        self._output: int = self._interpreter.get_output_details()[0]["index"]

    def __call__(self, framed: Pixels) -> Floats:
        pixels = framed[None].astype(self._input["dtype"], copy=False)
        try:
            self._interpreter.set_tensor(self._input["index"], pixels)
            self._interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            raise unusable(f"it takes no picture of its preprocessing: {error}") from error
        raw: Floats = self._interpreter.get_tensor(self._output)[0]
        return raw.astype(np.float32, copy=False)


def weights_of(folder: Path, runtime: Runtime) -> tuple[str, Callable[[], Network]]:
    """The SHA-256 of a model's weights, and what loads the network of them."""
    if runtime == "savedmodel":
        return tree_sha256(folder / SAVEDMODEL), lambda: _saved_model(folder / SAVEDMODEL)
    weights = read(folder / LITERT)
    return sha256(weights), lambda: LiteRtNetwork(weights)


def tree_sha256(folder: Path) -> str:
    """Of a folder: its files' names and hashes, sorted by name."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        raise Invalid(f"{folder} holds no files: is it a SavedModel?", code="bad_model")
    lines = (f"{path.relative_to(folder).as_posix()}\0{sha256(read(path))}\n" for path in files)
    return sha256("".join(lines).encode())


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Invalid(
            f"{path} cannot be read ({error.strerror}): is this the folder of a model?",
            code="bad_model",
        ) from error


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def unusable(why: str) -> Invalid:
    return Invalid(f"The network of the model is of no use here: {why}.", code="bad_model")


def _saved_model(folder: Path) -> Network:
    from services.embedder.savedmodel import SavedModelNetwork  # noqa: PLC0415 - loads TensorFlow

    return SavedModelNetwork(folder)
