"""One training from its ring to its end: a child process does it, and this one watches over both.

The child's memory goes back when it ends, and what ends a child ends no worker.
"""

import json
import logging
import os
import select
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from services.embedder.training.jobs import inputs, scratch
from services.embedder.training.jobs.claims import Claim, Lost, claimed
from shared import trainings
from shared.blobs.port import Blobs
from shared.catalogue.port import Catalogue
from shared.errors import DeadlineExceeded, Invalid, LookalikeError, Unavailable
from shared.jobs import FINISHED
from shared.places import Places
from shared.runtime.children import start
from shared.runtime.logs import context
from shared.tasks import Task, Train

ASKED: Final = "asked.json"
SCRATCH: Final = "scratch"
TURN_S: Final = 1.0
SILENCE_S: Final = 60 * 60.0
"""A child that tells nothing for so long hangs."""
Step = Literal["train", "register"]
_LAST_WORDS_S: Final = 5.0
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trainer:
    """What trainings need; each has a folder of its own under `folder` until its end."""

    catalogue: Catalogue
    blobs: Blobs
    places: Places
    folder: Path
    installation: Mapping[str, str] = field(default_factory=dict)
    """Settings that the child would not find in its environment."""
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set when this process is to end."""
    busy: threading.Lock = field(default_factory=threading.Lock)
    """Held by the one training that runs."""

    def stop(self) -> None:
        """Takes no more, and hands over what runs; at most a few seconds."""
        self.stopping.set()
        if self.busy.acquire(timeout=_LAST_WORDS_S):
            self.busy.release()


class _Stopping(Exception):
    """This process is to end."""


def handle(trainer: Trainer, task: Task) -> None:
    """Answers one ring; anything that is not the trainer's is refused."""
    if not isinstance(task, Train):
        raise Invalid(f"The trainer has nothing to do with {task}.")
    with context(job_id=task.job_id), trainer.busy:
        if not trainer.stopping.is_set():
            train(trainer, task)


def train(trainer: Trainer, task: Train) -> None:
    """To its end; a training that is another's, or over, is left alone."""
    claim = claimed(trainer.catalogue, task)
    if claim is not None:
        try:
            _carry_out(trainer, claim, trainer.folder / task.job_id)
        except Lost:
            _log.info("stopped: it was cancelled, or another worker has it")
    sweep(trainer)


def sweep(trainer: Trainer) -> None:
    """Removes what trainings left behind that are over."""
    for asked in trainer.folder.glob(f"*/{ASKED}"):
        job_id, tenant = asked.parent.name, json.loads(asked.read_bytes())["tenant"]
        job = trainer.catalogue.office.job(tenant, job_id)
        if job is None or job.state in FINISHED:
            shutil.rmtree(asked.parent, ignore_errors=True)
            scratch.forget(trainer.blobs, tenant, job_id)


def _carry_out(trainer: Trainer, claim: Claim, folder: Path) -> None:
    if claim.attempts > trainings.ATTEMPTS:
        claim.failed(f"Its worker died {trainings.ATTEMPTS} times over it.")
        return
    try:
        _prepare(trainer, claim, folder)
        _conclude(trainer, claim, folder, _watched(trainer, claim, folder, "train"))
    except _Stopping:
        claim.hand_over()
    except (Unavailable, DeadlineExceeded) as error:
        claim.again(error.detail)
    except LookalikeError as error:
        claim.failed(error.detail)
    except OSError as error:
        claim.again(f"The trainer's folder is of no use: {error.strerror or error}.")


def _prepare(trainer: Trainer, claim: Claim, folder: Path) -> None:
    """The folder with all that the child is asked, and what an earlier attempt saved."""
    folder.mkdir(parents=True, exist_ok=True)
    request = trainings.from_json(claim.job.progress["request"])
    asked = {
        "tenant": claim.job.tenant,
        "request": trainings.to_json(
            inputs.fetched(trainer.places, claim.job.tenant, request, folder / "inputs")
        ),
        "installation": dict(trainer.installation),
    }
    part = folder / f"{ASKED}.part"
    part.write_text(json.dumps(asked), encoding="utf-8")
    part.replace(folder / ASKED)
    scratch.restore(trainer.blobs, claim.job, folder / SCRATCH)


def _watched(trainer: Trainer, claim: Claim, folder: Path, step: Step) -> Mapping[str, Any]:
    """The child's last words, or how it ended without any."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with start("services.embedder.training.jobs.child", step, str(folder), **pipes) as child:
        try:
            for said in _turns(trainer, child):
                if "ended" in said:
                    return said
                _tell(trainer, claim, said)
        finally:
            child.kill()
    return {"ended": "again", "detail": _died(child.returncode)}


def _turns(trainer: Trainer, child: "subprocess.Popen[bytes]") -> Iterator[Mapping[str, Any]]:
    """What the child told lately, once a second; whatever ends it comes at once."""
    news: dict[str, Any] = {}
    told_at = heard_at = time.monotonic()
    for line in _lines(child):
        now = time.monotonic()
        if trainer.stopping.is_set():
            raise _Stopping
        if line is not None:
            heard_at, said = now, json.loads(line)
            if "ended" in said:
                yield news
                yield said
            news |= said
        if now - heard_at > SILENCE_S:
            yield {"ended": "again", "detail": f"It told nothing for {SILENCE_S / 60:g} minutes."}
        if now - told_at >= TURN_S:
            told_at = now
            yield news
            news = {}


def _lines(child: "subprocess.Popen[bytes]") -> Iterator[bytes | None]:
    """Each line that a child writes, and None several times a second while it writes none."""
    assert child.stdout is not None  # noqa: S101 - a pipe, as it was started
    descriptor, rest = child.stdout.fileno(), b""
    while True:
        ready, _, _ = select.select([descriptor], [], [], TURN_S / 4)
        if not ready:
            yield None
            continue
        data = os.read(descriptor, 65_536)
        if not data:
            return
        *lines, rest = (rest + data).split(b"\n")
        yield from lines


def _tell(trainer: Trainer, claim: Claim, news: Mapping[str, Any]) -> None:
    """While the catalogue is away nobody else can take the training: it goes on."""
    try:
        claim.tell(**news)
        if (saved := news.get("checkpoint")) is not None:
            scratch.forget(trainer.blobs, claim.job.tenant, claim.job.job_id, but=saved)
    except Unavailable as error:
        _log.warning("its progress could not be told: %s", error)


def _died(code: int) -> str:
    if code == -9:
        return "The training was ended from outside, as a machine ends what it has no memory for."
    return f"The training ended with code {code}; the worker's log says more."


def _conclude(trainer: Trainer, claim: Claim, folder: Path, last: Mapping[str, Any]) -> None:
    match last:
        case {"ended": "model", "detail": detail}:
            claim.tell(stage=trainings.REGISTERING, done=0, of=1)
            registered = _watched(trainer, claim, folder, "register")
            _conclude(trainer, claim, folder, {"detail": detail, **registered})
        case {"ended": "registered", "detail": detail, "model": told}:
            claim.succeeded(detail, **told, done=1)
        case {"ended": "nothing", "detail": detail}:
            claim.succeeded(f"{detail} Nothing was registered.")
        case {"ended": "failed", "detail": detail}:
            claim.failed(detail)
        case _:
            claim.again(last["detail"])
