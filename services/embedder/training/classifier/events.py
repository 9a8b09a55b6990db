"""Figures of a training as files that TensorBoard reads; the package itself is not needed to write them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import tensorflow as tf

_Summary = tf.compat.v1.Summary


class Log(Protocol):
    """Called with a step, and figures by name; `stage/name` groups them."""

    def __call__(self, step: int, figures: Mapping[str, float]) -> None: ...


@contextmanager
def logged(folder: Path | None) -> Iterator[Log]:
    """Into a file of its own each time, every figure on disk as soon as it is told; None: nowhere."""
    if folder is None:
        yield lambda _step, _figures: None
        return
    writer = tf.summary.create_file_writer(str(folder))

    def log(step: int, figures: Mapping[str, float]) -> None:
        values = [_Summary.Value(tag=name, simple_value=said) for name, said in figures.items()]
        with writer.as_default():
            # tf.summary.scalar would want the package.
            tf.summary.experimental.write_raw_pb(_Summary(value=values).SerializeToString(), step)
        writer.flush()

    try:
        yield log
    finally:
        writer.close()
