"""The files that a training names, brought to this machine: a job's request made one of local paths."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from shared.places import Places
from shared.trainings import RANDOM, AdaptRequest, TrainingRequest, TripletRequest

_FILE: Final = "file:"
_BLOCK: Final = 8 * 1024 * 1024


def fetched(places: Places, tenant: str, request: TrainingRequest, folder: Path) -> TrainingRequest:
    """Files of this machine stay where they are; whatever lies elsewhere is copied into `folder`."""
    asked = request.pictures
    if asked.folder is not None:
        request = replace(request, pictures=replace(asked, folder=str(places.folder(asked.folder))))
    if isinstance(request, AdaptRequest):
        return request
    if request.weights not in (None, RANDOM):
        request = replace(request, weights=_file(places, tenant, str(request.weights), folder))
    if not isinstance(request, TripletRequest) or request.triplets is None:
        return request
    return replace(request, triplets=_file(places, tenant, request.triplets, folder))


def _file(places: Places, tenant: str, source: str, folder: Path) -> str:
    if source.startswith(_FILE):
        return str(places.folder(source))
    target = folder / source.rpartition("/")[2].replace(":", "-")
    if not target.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        with places.opened(tenant, source) as (read, size), part.open("wb") as file:
            for start in range(0, size, _BLOCK):
                file.write(read(start, min(_BLOCK, size - start)))
        part.replace(target)
    return str(target)
