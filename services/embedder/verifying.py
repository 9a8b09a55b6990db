"""A model's folder tried in a process of its own: `python -m services.embedder.verifying FOLDER`.

Whoever hands in a model hands in a program: what kills or hangs this process hurts nobody else.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from services.embedder.model import Manifest, read_manifest, verify
from shared.errors import Invalid, LookalikeError
from shared.runtime.children import start

TIMEOUT_S: Final = 180.0
"""A SavedModel brings TensorFlow along, which takes its time on a busy machine."""


def verified(folder: Path, *, timeout_s: float = TIMEOUT_S) -> Manifest:
    """The manifest, once all golden pictures gave their vectors; raises `Invalid` with the reason."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with start("services.embedder.verifying", str(folder), **pipes) as process:
        try:
            said, _ = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise _broke(f"it took longer than {timeout_s:g} s") from None
    if process.returncode != 0:
        raise _broke(f"the process that tried it ended with {process.returncode}")
    answer = json.loads(said)
    if "detail" in answer:
        raise Invalid(answer["detail"], code=answer["code"])
    return read_manifest(folder)


def _broke(why: str) -> Invalid:
    return Invalid(f"The model cannot be run here: {why}.", code="bad_model")


def main(folder: Path) -> None:
    try:
        verify(folder)
        answer = {}
    except LookalikeError as error:
        answer = {"detail": error.detail, "code": error.kind}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
