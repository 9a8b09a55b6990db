"""The calls about models as flows; a folder is packed here before it is uploaded."""

import tarfile
import tempfile
from functools import partial
from pathlib import Path
from typing import Final

from lookalike.client.answers import Job, Upload
from lookalike.client.calls import ask, once, segment, sent
from lookalike.client.exchange import Call, Flow, Progress, Work
from lookalike.client.registering.answers import Model, Models
from lookalike.client.uploads import upload

Source = Path | str | Upload
"""A model's folder or a tar of it here, the name of one that is bundled there, or an upload."""
_PARTS: Final = ("model.json", "model.tflite", "heads.npz", "golden", "savedmodel")


def models() -> Flow[Models]:
    return ask(Call("GET", "/v1/models"), Models)


def model(name: str) -> Flow[Model]:
    return ask(Call("GET", _model(name)), Model)


def register_model(source: Source, progress: Progress | None) -> Flow[Job]:
    if isinstance(source, str):
        body = {"bundled": source}
    else:
        stored = source if isinstance(source, Upload) else (yield from _sent(source, progress))
        body = {"upload_id": stored.upload_id}
    return (yield from ask(sent("POST", "/v1/models", body, **once()), Job))


def remove_model(name: str) -> Flow[None]:
    yield Call("DELETE", _model(name))


def _sent(source: Path, progress: Progress | None) -> Flow[Upload]:
    if not source.is_dir():
        return (yield from upload(source, progress))
    with tempfile.TemporaryDirectory(prefix="lookalike-model-") as room:
        archive = Path(room) / "model.tar"
        yield Work(partial(_pack, source, archive))
        return (yield from upload(archive, progress))


def _pack(folder: Path, archive: Path) -> None:
    """What a model consists of; whatever else lies there stays here."""
    with tarfile.open(archive, "w") as tar:
        for part in _PARTS:
            if (folder / part).exists():
                tar.add(folder / part, part)


def _model(name: str) -> str:
    return f"/v1/models/{segment(name)}"
