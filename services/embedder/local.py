"""Embedding in child processes, so that a picture that kills its decoder kills nobody else."""

import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, LifoQueue
from types import TracebackType
from typing import BinaryIO, Self, cast

from shared.errors import Invalid, LookalikeError, Unavailable
from shared.images import MAX_PICTURE_BYTES, Crop
from shared.pictures import check_crop
from shared.runtime.children import start
from shared.seams.embedder import Embedding, Failure
from shared.seams.frames import (
    head_of,
    read_json,
    read_result,
    spaces_from_json,
    write_frame,
    write_json,
)
from shared.spaces import Spaces

_LAST_WORDS_S = 2.0
_LOADING_S = 120.0
"""Until a child has loaded its model, which may bring TensorFlow along."""


class ChildEmbedder:
    """The `Embedder` of a process that must not die of a picture; closed by `close` or `with`.

    A child that dies, or that is silent over one picture for `timeout_s`, is replaced, and the call
    raises `Unavailable`. As many calls run at once as there are `children`; others wait their turn.
    """

    def __init__(self, model: Path, *, children: int = 1, timeout_s: float = 30.0) -> None:
        self._model = model
        self._timeout_s = timeout_s
        self._count = children
        # Last in, first out: under little load one child stays warm and the others sleep.
        self._idle: LifoQueue[_Child] = LifoQueue()
        self._closed = False
        started = [_Child(model, timeout_s) for _ in range(children)]
        try:
            self._spaces = {child.ready() for child in started}.pop()
        except LookalikeError:
            for child in started:
                child.close()
            raise
        for child in started:
            self._idle.put(child)

    @property
    def spaces(self) -> Spaces:
        return self._spaces

    def embed(
        self, pictures: Sequence[bytes], *, crop: Crop | None = None, thumbnails: bool = False
    ) -> list[Embedding | Failure]:
        if crop is not None:
            check_crop(crop)
        with self._borrowed() as child:
            return child.embed(pictures, crop, thumbnails=thumbnails)

    def close(self) -> None:
        """Ends the children, each after the call that it is busy with."""
        if self._closed:
            return
        self._closed = True
        for _ in range(self._count):
            with suppress(Empty):
                self._idle.get(timeout=self._timeout_s).close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _borrowed(self) -> Iterator["_Child"]:
        child = self._taken()
        whole = False
        try:
            yield child
            whole = True
        finally:
            self._idle.put(child if whole else self._replaced(child))

    def _taken(self) -> "_Child":
        if self._closed:
            raise Unavailable("The embedder was closed.")
        try:
            return self._idle.get(timeout=self._timeout_s)
        except Empty:
            raise Unavailable(
                f"All {self._count} embedding processes were busy for {self._timeout_s:g} s: "
                "try again, or start more of them."
            ) from None

    def _replaced(self, child: "_Child") -> "_Child":
        """Started without waiting: whoever takes it next waits until it is ready."""
        child.close(at_once=True)
        return _Child(self._model, self._timeout_s)


class _Child:
    """One child process and the socket to it."""

    def __init__(self, model: Path, timeout_s: float) -> None:
        ours, theirs = socket.socketpair()
        self._timeout_s = timeout_s
        with theirs:
            number = theirs.fileno()
            self._process = start(
                "services.embedder.child", str(number), str(model), pass_fds=(number,)
            )
        # The timeout holds for every send and receive, so a hung child cannot hang its parent.
        ours.settimeout(max(timeout_s, _LOADING_S))
        self._socket = ours
        self._stream = cast("BinaryIO", ours.makefile("rwb"))
        self._spaces: Spaces | None = None

    def ready(self) -> Spaces:
        """What the child gives; waits until it has loaded its model."""
        if self._spaces is None:
            with self._translated():
                said = read_json(self._stream)
            if "error" in said:
                raise Invalid(said["error"], code=said["code"])
            self._spaces = spaces_from_json(said["spaces"])
            self._socket.settimeout(self._timeout_s)
        return self._spaces

    def embed(
        self, pictures: Sequence[bytes], crop: Crop | None, *, thumbnails: bool
    ) -> list[Embedding | Failure]:
        try:
            self.ready()
        except Invalid as error:  # it was well when we started
            raise Unavailable(f"The model cannot be loaded again: {error.detail}") from error
        with self._translated():
            write_json(self._stream, head_of(len(pictures), crop, thumbnails=thumbnails))
            return [self._embed_one(picture) for picture in pictures]

    def close(self, *, at_once: bool = False) -> None:
        """Lets the child go by closing its socket; kills it when it does not, or `at_once`."""
        if at_once:
            self._process.kill()
        with suppress(OSError):  # what was not sent is not wanted any more
            self._stream.close()
        self._socket.close()
        try:
            self._process.wait(_LAST_WORDS_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _embed_one(self, picture: bytes) -> Embedding | Failure:
        # One byte too many is enough for the child to see that it is too large.
        write_frame(self._stream, picture[: MAX_PICTURE_BYTES + 1])
        self._stream.flush()
        return read_result(self._stream)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise Unavailable(
                f"The embedding process was silent for {self._socket.gettimeout():g} s and is replaced; "
                "try again with fewer pictures."
            ) from error
        except (EOFError, OSError) as error:
            raise Unavailable(
                "The embedding process died over these pictures and is replaced; "
                "try again with fewer of them."
            ) from error
