"""The client for programs on asyncio: carries out the steps of `calls`, and nothing more."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
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
from lookalike.client.examining.asynchronous import AsyncExamining
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
from lookalike.client.registering.asynchronous import AsyncRegistering
from lookalike.client.switching.asynchronous import AsyncSwitching
from lookalike.client.training.asynchronous import AsyncTraining
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


class AsyncLookalike(AsyncSwitching, AsyncRegistering, AsyncExamining, AsyncTraining):
    """As `Lookalike`, with every method awaited; closed by `aclose` or `async with`."""

    def __init__(
        self,
        server: str | None = None,
        *,
        key: str | None = None,
        timeout_s: float = TIMEOUT_S,
        retries: int = RETRIES,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._key = key_of(key)
        self._retries = retries
        self._http = httpx.AsyncClient(
            base_url=base_url(server), timeout=timeout_s, transport=transport
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def put_product(
        self,
        product_id: str,
        attributes: Attributes,
        images: Sequence[Image],
        *,
        within_s: float | None = None,
    ) -> Written:
        """Create or replace; with `within_s`, answers once it is found or that time is over."""
        return await self._run(calls.put_product(product_id, attributes, images, within_s))

    async def patch(self, product_id: str, changes: Changes) -> Written:
        """Changes attributes and leaves the pictures."""
        return await self._run(calls.patch_product(product_id, changes))

    async def get(self, product_id: str) -> Product:
        return await self._run(calls.get_product(product_id))

    async def delete(self, product_id: str) -> None:
        """No search shows it from this moment on."""
        return await self._run(calls.delete_product(product_id))

    async def presence(self, product_id: str, *, within_s: float | None = None) -> Presence:
        """Where it is; with `within_s`, as soon as it is found or that time is over."""
        return await self._run(calls.presence(product_id, within_s))

    async def search(
        self,
        *,
        image: Image | None = None,
        product: str | Mapping[str, float] | None = None,
        crop: Crop | None = None,
        **options: Unpack[SearchOptions],
    ) -> Found:
        """By picture, by products with weights (negative ones push away), or by both added up."""
        return await self._run(calls.search(image, product, crop, options))

    async def similar(self, product_id: str, **options: Unpack[SimilarOptions]) -> Found:
        """Products that look like this one."""
        return await self._run(calls.similar(product_id, options))

    async def upload(
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
        return await self._run(uploads.upload(source, progress, resume, begun))

    async def import_catalogue(
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
        return await self._run(importing.import_catalogue(source, format, options, progress))

    async def import_bson(
        self, path: Path, *, progress: Progress | None = None, **options: Unpack[ImportOptions]
    ) -> Import:
        """A file of BSON records, as by `import_catalogue`."""
        return await self._run(importing.import_catalogue(path, "bson", options, progress))

    async def import_folder(
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
        return await self._run(importing.import_folder(path, options, progress, left_out))

    async def import_status(self, import_id: str) -> Import:
        return await self._run(calls.get_import(import_id))

    async def pause_import(self, import_id: str) -> Import:
        return await self._run(calls.move_import(import_id, "pause"))

    async def resume_import(self, import_id: str) -> Import:
        return await self._run(calls.move_import(import_id, "resume"))

    async def cancel_import(self, import_id: str) -> Import:
        """What was brought in stays."""
        return await self._run(calls.move_import(import_id, "cancel"))

    async def retry_import(self, import_id: str) -> Replay:
        """Tries again what failed."""
        return await self._run(calls.retry_import(import_id))

    async def job(self, job_id: str) -> Job:
        return await self._run(calls.job(job_id))

    async def wait(
        self,
        job: str | Job | Import,
        *,
        progress: Watch | None = None,
        timeout_s: float | None = None,
    ) -> Job:
        """The job once it is finished, however it ended; `TimeoutError` when it is not in time."""
        return await self._run(calls.wait(job, progress, timeout_s))

    async def duplicates(self, import_id: str, *, limit: int = 24, cursor: str = "") -> Duplicates:
        """Pictures that an import brought of photos the shop had already, saved anew."""
        return await self._run(calls.duplicates(import_id, limit, cursor))

    async def dead_letters(
        self, *, import_id: str | None = None, limit: int = 24, cursor: str = ""
    ) -> DeadLetters:
        """What was given up on."""
        return await self._run(calls.dead_letters(import_id, limit, cursor))

    async def replay(
        self, keys: Sequence[str] | None = None, *, import_id: str | None = None
    ) -> Replay:
        """Puts dead letters back to work: these, those of an import, or all."""
        return await self._run(calls.replay(keys, import_id))

    async def create_key(
        self,
        kind: Literal["search", "admin"],
        *,
        label: str = "",
        origins: Sequence[str] = (),
        expires_in_days: int | None = None,
    ) -> Key:
        """The answer is the only place where the key itself is ever to be seen."""
        return await self._run(calls.create_key(kind, label, origins, expires_in_days))

    async def keys(self) -> Keys:
        return await self._run(calls.keys())

    async def revoke_key(self, key_id: str) -> None:
        return await self._run(calls.revoke_key(key_id))

    async def backends(self) -> Backends:
        """What is configured, healthy, and how far behind."""
        return await self._run(calls.backends())

    async def stats(self) -> Stats:
        return await self._run(calls.stats())

    async def ready(self) -> Ready:
        """Raises `Unavailable` while something is missing there; needs no key."""
        return await self._run(calls.ready())

    async def picture(self, url: str) -> bytes:
        """The bytes behind a URL of an answer, such as `thumbnail_url`."""
        return await self._run(calls.picture(url))

    async def _run(self, flow: Flow[Outcome]) -> Outcome:
        attempts = persistent(flow, self._retries)
        heard: Heard = None
        while True:
            try:
                step = attempts.send(heard)
            except StopIteration as end:
                outcome: Outcome = end.value
                return outcome
            heard = await self._take(step)

    async def _take(self, step: Step) -> Heard:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        if isinstance(step, Work):
            await asyncio.to_thread(step.do)
            return None
        content = _streamed(step) if step.is_streamed else whole(step)
        request = self._http.build_request(content=content, **arguments(step, self._key))
        try:
            return await self._http.send(request)
        except httpx.TransportError as error:
            return error


async def _streamed(call: Call) -> AsyncIterator[bytes]:
    """Read on threads, so that a slow disk holds up nobody else."""
    total, sent = length(call), 0
    with opened(call) as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
            sent += len(chunk)
            if call.progress:
                call.progress(sent, total)
