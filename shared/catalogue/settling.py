"""The end of an import: derived from its chunks, by whoever looks last."""

from shared.catalogue.port import Catalogue
from shared.jobs import Chunk, JobState


def settle(catalogue: Catalogue, import_id: str) -> JobState | None:
    """The state the import is in afterwards; None when there is no such import.

    Called after every chunk, and by the reconciler for the worker that died between its last chunk
    and this. To do it twice changes nothing.
    """
    job = catalogue.imports.get(import_id)
    if job is None:
        return None
    if job.state != "running" or not job.planned:
        return job.state
    chunks = catalogue.imports.chunks(import_id)
    if any(chunk.state == "waiting" for chunk in chunks):
        return job.state
    state, detail = _end(chunks)
    catalogue.imports.set_state(import_id, state, detail)
    return state


def _end(chunks: list[Chunk]) -> tuple[JobState, str | None]:
    read = sum(chunk.counters.read for chunk in chunks)
    failed = sum(chunk.counters.failed for chunk in chunks)
    if not failed:
        return "succeeded", None
    detail = f"{failed:,} of {read:,} records failed; the dead letters say why."
    return ("partially_succeeded" if failed < read else "failed"), detail
