"""TensorFlow's SavedModel as a network: for what LiteRT cannot run."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from services.embedder.networks import unusable
from services.embedder.preprocess import Pixels
from shared.vectors import Floats

_SIGNATURE = "serving_default"


class SavedModelNetwork:
    """Its signature `serving_default` takes one tensor of pictures and gives one of vectors."""

    def __init__(self, folder: Path) -> None:
        self._tensorflow = tf = _tensorflow()
        try:
            # Kept whole: a signature alone does not keep its variables alive.
            self._loaded: Any = tf.saved_model.load(str(folder))
            self._run: Any = self._loaded.signatures[_SIGNATURE]
            ((self._input, taken),) = self._run.structured_input_signature[1].items()
            (self._output,) = self._run.structured_outputs
        except KeyError as error:
            raise unusable(f"the SavedModel has no signature {_SIGNATURE!r}") from error
        except ValueError as error:
            raise unusable(f"TensorFlow cannot load it: {error}") from error
        except (OSError, tf.errors.OpError) as error:
            raise unusable(f"TensorFlow cannot read it: {error}") from error
        self._dtype = taken.dtype.as_numpy_dtype

    def __call__(self, framed: Pixels) -> Floats:
        pixels = self._tensorflow.constant(framed[None].astype(self._dtype, copy=False))
        try:
            found = self._run(**{self._input: pixels})[self._output]
        except (TypeError, ValueError, self._tensorflow.errors.OpError) as error:
            raise unusable(f"it takes no picture of its preprocessing: {error}") from error
        raw: Floats = np.asarray(found[0], np.float32)
        return raw


def _tensorflow() -> Any:
    """Quiet, on one thread of one processor; in a process that does nothing else with it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    try:
        import tensorflow as tf  # noqa: PLC0415 - fifteen seconds that only such a model costs
    except ImportError as error:
        raise unusable(
            "it is a SavedModel, and TensorFlow is not installed: add the group `training`"
        ) from error
    with suppress(RuntimeError):  # it was set up before, and keeps its threads
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    return tf
