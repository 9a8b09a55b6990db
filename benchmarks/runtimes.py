"""Other ways to run a model than Lookalike's own: OpenVINO and ONNX Runtime on the same weights, one
thread each, and the way of the systems that are replaced as a process beside this one.

What they need is no part of Lookalike: `make bench` installs it, and where it is missing, `Absent` says so.
"""

import importlib
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import numpy as np

from services.embedder.networks import Network
from services.embedder.preprocess import Pixels
from shared.vectors import Floats

SOURCE_WAY = Path(__file__).with_name("source_way.py")


class Absent(Exception):
    """What cannot be measured here, and why: a row of the table says it in place of a pace."""


def installed(*modules: str) -> None:
    missing = [module for module in modules if not find_spec(module)]
    if missing:
        raise Absent(f"{' and '.join(missing)} not installed: make bench installs it")


class OpenVinoNetwork:
    """A LiteRT file as OpenVINO reads it."""

    def __init__(self, weights: Path) -> None:
        installed("openvino")
        core: Any = importlib.import_module("openvino").Core()
        read = core.read_model(weights)
        # Its file says that it takes any number of pictures; one is what a fixed graph is made for.
        read.reshape([1, *(side.get_length() for side in list(read.input(0).partial_shape)[1:])])
        told = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
        self._request: Any = core.compile_model(read, "CPU", told).create_infer_request()

    def __call__(self, framed: Pixels) -> Floats:
        vector: Floats = self._request.infer(framed[None])[0][0]
        return vector


class OnnxNetwork:
    """A LiteRT file as ONNX Runtime runs it, once it is converted."""

    def __init__(self, weights: Path, folder: Path) -> None:
        installed("onnxruntime")
        runtime: Any = importlib.import_module("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session: Any = runtime.InferenceSession(
            as_onnx(weights, folder), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name

    def __call__(self, framed: Pixels) -> Floats:
        vector: Floats = self._session.run(None, {self._input: framed[None]})[0][0]
        return vector


def as_onnx(weights: Path, folder: Path) -> Path:
    """By a process of its own: the converter loads TensorFlow."""
    installed("tf2onnx", "tensorflow")
    out = folder / f"{weights.parent.name}.onnx"
    command = [sys.executable, "-m", "tf2onnx.convert", "--opset", "18"]
    command += ["--tflite", str(weights), "--output", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Absent(f"tf2onnx cannot convert it: {_last_line(done.stderr)}")
    return out


def same_vectors(first: Network, second: Network, framed: Pixels) -> None:
    """A quick runtime that computes something else is no contestant."""
    ours, theirs = first(framed), second(framed)
    likeness = float(ours @ theirs / (np.linalg.norm(ours) * np.linalg.norm(theirs)))
    # Written so that a NaN fails as well.
    if not likeness >= 0.999:
        raise Absent(f"gives another vector, of cosine {likeness:.3f}")


class SourceWay:
    """The systems that are replaced, over the pictures of a file, by a Python that has what they need."""

    def __init__(self, python: str | None, feed: Path, pictures: int) -> None:
        if python is None:
            installed("tensorflow", "PIL", "bson")
        self._pictures = pictures
        self._process = subprocess.Popen(
            [python or sys.executable, str(SOURCE_WAY), str(feed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        if self._answer() != ["ready"]:
            self.close()
            raise Absent(f"{SOURCE_WAY.name} ended by itself: start it by hand to see why")

    def __call__(self, _number: int) -> float:
        """A round: the processor's seconds for each picture."""
        print(self._pictures, file=self._process.stdin, flush=True)
        _, seconds = map(float, self._answer())
        return seconds

    def _answer(self) -> list[str]:
        return self._process.stdout.readline().split() if self._process.stdout else []

    def close(self) -> None:
        """Without a line to read it ends by itself."""
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it says nothing"])[-1]
