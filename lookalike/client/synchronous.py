"""The client for ordinary programs: carries out the steps of `calls`, and nothing more."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, Unpack

import httpx

from lookalike.client import calls, importing, uploads
from lookalike.client.answers import (
    Backends,
    DeadLetters,
    Duplicates,
    Found,
    Import,
    Job,
    Key,
    Keys,
    Presence,
    Product,
    Ready,
    Replay,
    Stats,
    Upload,
    Written,
)
from lookalike.client.calls import Crop, Image, Watch
from lookalike.client.examining.synchronous import Examining
from lookalike.client.exchange import (
    Call,
    Flow,
    Heard,
    Outcome,
    Pause,
    Progress,
    Step,
    Work,
    persistent,
)
from lookalike.client.folders import LeftOut
from lookalike.client.importing import Source
from lookalike.client.options import (
    Attributes,
    Changes,
    Format,
    ImportOptions,
    SearchOptions,
    SimilarOptions,
)
from lookalike.client.registering.synchronous import Registering
from lookalike.client.switching.synchronous import Switching
from lookalike.client.training.synchronous import Training
from lookalike.client.transport import (
    CHUNK_BYTES,
    RETRIES,
    TIMEOUT_S,
    arguments,
    base_url,
    key_of,
    length,
    opened,
    whole,
)
from lookalike.client.uploads import Begun


class Lookalike(Switching, Registering, Examining, Training):
    """One server's API; safe for several threads. Closing it, or leaving `with`, ends connections.

    `server` and `key` are LOOKALIKE_URL and LOOKALIKE_KEY unless said. A request is repeated up to
    `retries` times where that may help; what creates something is done once all the same.
    """

    def __init__(
        self,
        server: str | None = None,
        *,
        key: str | None = None,
        timeout_s: float = TIMEOUT_S,
        retries: int = RETRIES,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._key = key_of(key)
        self._retries = retries
        self._http = httpx.Client(base_url=base_url(server), timeout=timeout_s, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def put_product(
        self,
        product_id: str,
        attributes: Attributes,
        images: Sequence[Image],
        *,
        within_s: float | None = None,
    ) -> Written:
        """Create or replace; with `within_s`, answers once it is found or that time is over."""
        return self._run(calls.put_product(product_id, attributes, images, within_s))

    def patch(self, product_id: str, changes: Changes) -> Written:
        """Changes attributes and leaves the pictures."""
        return self._run(calls.patch_product(product_id, changes))

    def get(self, product_id: str) -> Product:
        return self._run(calls.get_product(product_id))

    def delete(self, product_id: str) -> None:
        """No search shows it from this moment on."""
        return self._run(calls.delete_product(product_id))

    def presence(self, product_id: str, *, within_s: float | None = None) -> Presence:
        """Where it is; with `within_s`, as soon as it is found or that time is over."""
        return self._run(calls.presence(product_id, within_s))

    def search(
        self,
        *,
        image: Image | None = None,
        product: str | Mapping[str, float] | None = None,
        crop: Crop | None = None,
        **options: Unpack[SearchOptions],
    ) -> Found:
        """By picture, by products with weights (negative ones push away), or by both added up."""
        return self._run(calls.search(image, product, crop, options))

    def similar(self, product_id: str, **options: Unpack[SimilarOptions]) -> Found:
        """Products that look like this one."""
        return self._run(calls.similar(product_id, options))

    def upload(
        self,
        source: Image,
        *,
        progress: Progress | None = None,
        resume: str | None = None,
        begun: Begun | None = None,
    ) -> Upload:
        """A picture or a file to import; a long file in parts, each sent until it has arrived.

        `begun` is told the id of a long upload; as `resume` it takes up from there another day.
        """
        return self._run(uploads.upload(source, progress, resume, begun))

    def import_catalogue(
        self,
        source: Source,
        *,
        format: Format,  # noqa: A002 - as the API calls it
        progress: Progress | None = None,
        **options: Unpack[ImportOptions],
    ) -> Import:
        """Begins an import; `wait` for the rest.

        A `Path` is a file here, which is uploaded while `progress` is told bytes sent and bytes in
        all; a text is a path on the server, or `s3://bucket/key`; an `Upload` is there already.
        """
        return self._run(importing.import_catalogue(source, format, options, progress))

    def import_bson(
        self, path: Path, *, progress: Progress | None = None, **options: Unpack[ImportOptions]
    ) -> Import:
        """A file of BSON records, as by `import_catalogue`."""
        return self._run(importing.import_catalogue(path, "bson", options, progress))

    def import_folder(
        self,
        path: Path,
        *,
        progress: Progress | None = None,
        left_out: LeftOut | None = None,
        **options: Unpack[ImportOptions],
    ) -> Import:
        """A folder's pictures, a product each: its id is the path, its category the folders above.

        `left_out` is told each file that cannot be sent, and why.
        """
        return self._run(importing.import_folder(path, options, progress, left_out))

    def import_status(self, import_id: str) -> Import:
        return self._run(calls.get_import(import_id))

    def pause_import(self, import_id: str) -> Import:
        return self._run(calls.move_import(import_id, "pause"))

    def resume_import(self, import_id: str) -> Import:
        return self._run(calls.move_import(import_id, "resume"))

    def cancel_import(self, import_id: str) -> Import:
        """What was brought in stays."""
        return self._run(calls.move_import(import_id, "cancel"))

    def retry_import(self, import_id: str) -> Replay:
        """Tries again what failed."""
        return self._run(calls.retry_import(import_id))

    def job(self, job_id: str) -> Job:
        return self._run(calls.job(job_id))

    def wait(
        self,
        job: str | Job | Import,
        *,
        progress: Watch | None = None,
        timeout_s: float | None = None,
    ) -> Job:
        """The job once it is finished, however it ended; `TimeoutError` when it is not in time."""
        return self._run(calls.wait(job, progress, timeout_s))

    def duplicates(self, import_id: str, *, limit: int = 24, cursor: str = "") -> Duplicates:
        """Pictures that an import brought of photos the shop had already, saved anew."""
        return self._run(calls.duplicates(import_id, limit, cursor))

    def dead_letters(
        self, *, import_id: str | None = None, limit: int = 24, cursor: str = ""
    ) -> DeadLetters:
        """What was given up on."""
        return self._run(calls.dead_letters(import_id, limit, cursor))

    def replay(self, keys: Sequence[str] | None = None, *, import_id: str | None = None) -> Replay:
        """Puts dead letters back to work: these, those of an import, or all."""
        return self._run(calls.replay(keys, import_id))

    def create_key(
        self,
        kind: Literal["search", "admin"],
        *,
        label: str = "",
        origins: Sequence[str] = (),
        expires_in_days: int | None = None,
    ) -> Key:
        """The answer is the only place where the key itself is ever to be seen."""
        return self._run(calls.create_key(kind, label, origins, expires_in_days))

    def keys(self) -> Keys:
        return self._run(calls.keys())

    def revoke_key(self, key_id: str) -> None:
        return self._run(calls.revoke_key(key_id))

    def backends(self) -> Backends:
        """What is configured, healthy, and how far behind."""
        return self._run(calls.backends())

    def stats(self) -> Stats:
        return self._run(calls.stats())

    def ready(self) -> Ready:
        """Raises `Unavailable` while something is missing there; needs no key."""
        return self._run(calls.ready())

    def picture(self, url: str) -> bytes:
        """The bytes behind a URL of an answer, such as `thumbnail_url`."""
        return self._run(calls.picture(url))

    def _run(self, flow: Flow[Outcome]) -> Outcome:
        attempts = persistent(flow, self._retries)
        heard: Heard = None
        while True:
            try:
                step = attempts.send(heard)
            except StopIteration as end:
                outcome: Outcome = end.value
                return outcome
            heard = self._take(step)

    def _take(self, step: Step) -> Heard:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        if isinstance(step, Work):
            step.do()
            return None
        content = _streamed(step) if step.is_streamed else whole(step)
        request = self._http.build_request(content=content, **arguments(step, self._key))
        try:
            return self._http.send(request)
        except httpx.TransportError as error:
            return error


def _streamed(call: Call) -> Iterator[bytes]:
    total, sent = length(call), 0
    with opened(call) as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
            sent += len(chunk)
            if call.progress:
                call.progress(sent, total)
