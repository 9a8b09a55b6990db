"""What a training saved on its way, kept among the blobs too, so that another machine can go on.

On the machine that saved it last the folder itself is gone on with: it is newer.
"""

import logging
import shutil
import tarfile
from pathlib import Path
from typing import Final

from shared.blobs import keys
from shared.blobs.port import Blobs
from shared.jobs import Job

MOST_BYTES: Final = 2 * 1024**3
"""A folder that is larger stays where it is; another machine then begins from the start."""
_KEPT: Final = "kept"
"""The file beside a scratch folder with the blob that it was saved as, or unpacked from, last."""
_log: Final = logging.getLogger(__name__)


def keep(blobs: Blobs, tenant: str, job_id: str, scratch: Path) -> str | None:
    """The folder as a blob, its key; None where there is nothing, or too much of it.

    Called by the thread that trains, so that nobody writes there meanwhile.
    """
    size = sum(file.stat().st_size for file in scratch.rglob("*") if file.is_file())
    if size > MOST_BYTES:
        _log.warning("%s holds %d bytes, too many to be kept elsewhere", scratch, size)
    if not 0 < size <= MOST_BYTES:
        return None
    key, archive = keys.checkpoint(tenant, job_id), scratch.with_name("checkpoint.tar")
    with tarfile.open(archive, "w") as tar:
        tar.add(scratch, arcname=".")
    blobs.put_file(key, archive)
    scratch.with_name(_KEPT).write_text(key, encoding="ascii")
    return key


def restore(blobs: Blobs, job: Job, scratch: Path) -> None:
    """What was kept last, unless it was kept from here; whatever is here, where nothing was kept."""
    key, kept = job.progress.get("checkpoint"), scratch.with_name(_KEPT)
    if key is not None and not (kept.is_file() and kept.read_text(encoding="ascii") >= key):
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        with tarfile.open(blobs.local(key)) as tar:
            tar.extractall(scratch, filter="data")
        kept.write_text(key, encoding="ascii")
    scratch.mkdir(parents=True, exist_ok=True)


def forget(blobs: Blobs, tenant: str, job_id: str, *, but: str | None = None) -> None:
    """All that was kept of a training, or all that is older than `but`."""
    for blob in list(blobs.list(keys.checkpoints_folder(tenant, job_id))):
        if but is None or blob.key < but:
            blobs.delete(blob.key)
