"""A training as a process of its own: `python -m services.embedder.training.jobs.child STEP FOLDER`.

It trains, or registers what was trained: two processes, for in between it is asked whether anybody
still wants it. It tells its parent a line of JSON at a time, the last how it ended, and dies with it.
"""

import errno
import json
import logging
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from services.embedder.registry import Shelf, register
from services.embedder.training.jobs import scratch
from services.embedder.training.jobs.kinds import Desk, carry_out
from services.embedder.training.jobs.running import ASKED, SCRATCH
from services.embedder.training.progress import Progress, Tell
from shared import installation
from shared.blobs import keys
from shared.errors import DeadlineExceeded, LookalikeError, Unavailable
from shared.runtime.failpoints import reach
from shared.runtime.logs import configure
from shared.runtime.settings import Installation
from shared.trainings import NO_TENSORFLOW, TrainingRequest, from_json

Say = Callable[[Mapping[str, Any]], None]

MODEL: Final = "model"
_APART_S: Final = 0.2
KEPT_APART_S: Final = 10 * 60.0
"""How much another machine may have to do again."""
_log: Final = logging.getLogger(__name__)


def main(step: str, folder: Path) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    say = _saying()
    say(_ended(step, folder, say))


def _end_with_parent() -> None:
    """Nobody writes to our input: it ends when the parent does."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def _saying() -> Say:
    """Whatever libraries print goes to standard error, so that every line is one of ours."""
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    return lambda said: print(json.dumps(said), file=ours)


def _ended(step: str, folder: Path, say: Say) -> Mapping[str, Any]:
    """What became of it, as the parent is told; what nobody expected is worth another try."""
    try:
        return _done(step, folder, say)
    except Exception as error:  # noqa: BLE001 - the parent is told, and the log has it all
        if not isinstance(error, LookalikeError):
            _log.exception("the training failed: %s", error)
        return outcome(error, folder)


def outcome(error: Exception, folder: Path) -> Mapping[str, Any]:
    """Whether what ended a training in `folder` is worth another try."""
    if sentence := _hopeless(error, folder) or _hopeless(error.__cause__, folder):
        return {"ended": "failed", "detail": sentence}
    if isinstance(error, LookalikeError):
        again = isinstance(error, Unavailable | DeadlineExceeded)
        return {"ended": "again" if again else "failed", "detail": error.detail}
    said = (str(error).splitlines() or [""])[0][:300].rstrip(".")
    return {"ended": "again", "detail": f"It failed: {type(error).__name__}: {said}."}


def _hopeless(error: BaseException | None, folder: Path) -> str | None:
    """What is wrong with this machine, where another try would meet the same."""
    if isinstance(error, ModuleNotFoundError) and error.name in ("tensorflow", "keras"):
        return NO_TENSORFLOW
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"The disk of {folder.parent} is full: make room there, and train again."
    return None


def _done(step: str, folder: Path, say: Say) -> Mapping[str, Any]:
    asked = json.loads((folder / ASKED).read_bytes())
    known = Installation(**asked["installation"])
    configure(known.log_level, sys.stderr)
    with closing(installation.catalogue_of(known)) as catalogue:
        blobs = installation.blobs_of(known)
        desk = Desk(
            catalogue=catalogue,
            blobs=blobs,
            shelf=Shelf(catalogue, blobs, known.data),
            tenant=asked["tenant"],
            model=known.model,
            out=folder / MODEL,
            scratch=folder / SCRATCH,
        )
        if step == "register":
            return _registered(desk, folder.name)
        return _trained(desk, from_json(asked["request"]), _telling(say, desk, folder.name))


def _trained(desk: Desk, request: TrainingRequest, tell: Tell) -> Mapping[str, Any]:
    if desk.out.exists():  # written whole by an attempt that ended before it was registered
        return {"ended": "model", "detail": None}
    detail = carry_out(request, desk, tell)
    return {"ended": "model" if desk.out.exists() else "nothing", "detail": detail}


def _registered(desk: Desk, job_id: str) -> Mapping[str, Any]:
    """Again is as good as once: the same model under the same name is the one that is there."""
    reach("training.registering")
    made = register(desk.catalogue, desk.blobs, desk.tenant, desk.out)
    told = {"model_id": made.model_id, "model": made.title, "fingerprint": made.fingerprint}
    sheet = desk.out.with_name(f"{desk.out.name}.confusion.html")
    if sheet.is_file():
        told["report"] = keys.report(desk.tenant, job_id, "html")
        desk.blobs.put_file(told["report"], sheet)
    return {"ended": "registered", "model": told}


def _telling(say: Say, desk: Desk, job_id: str) -> Tell:
    """Some lines a second at most; what was learnt is kept when a stage is over, and now and then."""
    told_at, kept_at, stage = 0.0, time.monotonic(), ""

    def tell(progress: Progress) -> None:
        nonlocal told_at, kept_at, stage
        reach("training.told", progress.stage)
        now, fresh = time.monotonic(), progress.stage != stage
        if (fresh and stage) or now - kept_at > KEPT_APART_S:
            kept_at = now
            _keep(say, desk, job_id)
        if fresh or progress.done >= progress.of or now - told_at > _APART_S:
            told_at, stage = now, progress.stage
            say(_said(progress))

    return tell


def _said(progress: Progress) -> Mapping[str, Any]:
    """As JSON, which has no infinities and knows no numpy."""
    figures = {name: float(value) for name, value in progress.figures.items()}
    known = {name: value for name, value in figures.items() if math.isfinite(value)}
    told = {"stage": progress.stage, "done": progress.done, "of": progress.of}
    return {**told, "figures": known}


def _keep(say: Say, desk: Desk, job_id: str) -> None:
    try:
        saved = scratch.keep(desk.blobs, desk.tenant, job_id, desk.scratch)
    except Unavailable as error:
        _log.warning("what was learnt so far stays on this machine alone: %s", error)
        return
    if saved is not None:
        say({"checkpoint": saved})


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
