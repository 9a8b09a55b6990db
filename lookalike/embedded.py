"""All four services in one process: the composition root of the embedded way to run.

Real work on real files: SQLite catalogue, folder blobs, a queue of threads, embedding in child
processes. Everything is under one folder; stopping and starting again keeps it.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI

from services.embedder import tasks as embedder
from services.embedder.local import ChildEmbedder
from services.embedder.on_duty import OnDuty, start_live
from services.embedder.ports import Ports as EmbedderPorts
from services.embedder.registry import Shelf, bundled_models, keep
from services.embedder.training.jobs import running as training
from services.embedder.training.jobs.claims import forget_claims
from services.embedder.training.jobs.running import Trainer
from services.gateway.app import create_app
from services.gateway.ports import Ports as GatewayPorts
from services.gateway.settings import GatewaySettings
from services.indexer import tasks as indexer
from services.indexer.build import ensure_index
from services.indexer.ports import Limits
from services.indexer.ports import Ports as IndexerPorts
from services.indexer.reconciler import Reconciler
from services.search.searcher import LocalSearcher
from services.search.shards import Shards
from shared import installation
from shared.blobs.fsspec import FsspecBlobs
from shared.catalogue.port import Catalogue
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.catalogue.targets import Targets
from shared.ids import new_id
from shared.indexes import Index
from shared.places import Places
from shared.queue.local import LocalQueue
from shared.runtime.arguments import processors
from shared.runtime.memory import share_arenas
from shared.runtime.settings import Installation
from shared.seams.remembering import RememberingEmbedder
from shared.seams.vectors_cache import LruVectors
from shared.spaces import Spaces
from shared.tasks import (
    EmbedImages,
    FinishImport,
    ImportChunk,
    PlanImport,
    RegisterModel,
    Task,
    Train,
)
from shared.trainings import NO_TENSORFLOW

TENANT = "default"
MAX_CHILDREN = 8
"""Storing what a child finds costs this process about a tenth of finding it: more would wait for it."""
GRACE_S = 8.0


@dataclass(frozen=True)
class Embedded:
    """What stands once everything runs."""

    app: FastAPI
    catalogue: Catalogue
    queue: LocalQueue
    spaces: Spaces


@dataclass(frozen=True, slots=True)
class Hands:
    """Who works at imports: children that decode and embed, and threads that feed them and store."""

    children: int
    threads: int


def hands_for(processors: int) -> Hands:
    """A child each, and two threads at least: while one stores, the other's pictures are embedded."""
    children = min(processors, MAX_CHILDREN)
    return Hands(children, max(2, children))


@contextmanager
def embedded(
    data: Path,
    *,
    import_roots: tuple[Path, ...] = (),
    hands: Hands | None = None,
) -> Iterator[Embedded]:
    """Starts everything over the folder `data`; leaving ends it cleanly, work under way included.

    Whose pictures may be fetched by URL, the environment tells, as it does other ways to run.
    """
    share_arenas()
    known = Installation()
    hands = hands or hands_for(processors())
    with ExitStack() as stack:
        scratch = data / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        catalogue = stack.enter_context(SqliteCatalogue(data / "catalogue.sqlite"))
        catalogue.forget_leases()
        forget_claims(catalogue)
        blobs = FsspecBlobs((data / "blobs").absolute().as_uri(), data / "cache")
        shelf = Shelf(catalogue, blobs, data / "cache")
        model = shelf.folder(TENANT, known.model)
        keep(catalogue, blobs, TENANT, model)
        several = partial(ChildEmbedder, children=hands.children)
        queries = stack.enter_context(OnDuty(model, shelf.of_fingerprint, ChildEmbedder))
        bulk = stack.enter_context(OnDuty(model, shelf.of_fingerprint, several))
        targets = Targets(catalogue)
        with_annoy = find_spec("annoy") is not None

        shards = Shards(catalogue, blobs, replica="embedded")
        queue = LocalQueue(
            lambda task: _answer(indexing, embedding, trainer, task),
            {"embed_bulk": hands.threads},
        )
        indexing = IndexerPorts(
            catalogue, blobs, queue, targets, scratch, Limits(trees=with_annoy), shards.notice
        )
        folders = import_roots + known.import_roots
        places = Places(blobs, catalogue.office, folders, known.import_buckets)
        fetcher = stack.enter_context(installation.fetcher_of(known))
        embedding = EmbedderPorts(
            *(catalogue, blobs, queue, bulk, targets, places), fetcher=fetcher, embedders=bulk
        )
        remembering = RememberingEmbedder(queries, LruVectors(), queries)

        trainer = Trainer(catalogue, blobs, places, data / "trainings", _for_children(data, model))

        ensure_index(indexing, _wanted(Path(known.model).name, queries.spaces), alone=True)
        start_live(queries, catalogue, TENANT)
        shards.start()
        stack.callback(shards.close)
        searcher = LocalSearcher(shards, annoy=with_annoy)
        stack.callback(searcher.close)
        queue.start()
        stack.callback(queue.close, GRACE_S)
        stack.callback(trainer.stop)
        stack.enter_context(_reconciling(indexing))

        gateway = GatewayPorts(
            *(catalogue, blobs, queue, remembering, searcher),
            *(targets, places, GatewaySettings()),
            tenant=TENANT,
            fetcher=fetcher,
            embedders=remembering,
            bundled=bundled_models,
            untrainable=None if find_spec("tensorflow") else NO_TENSORFLOW,
        )
        yield Embedded(create_app(gateway), catalogue, queue, queries.spaces)


def _wanted(model: str, spaces: Spaces) -> Index:
    return Index(
        index_id=new_id("idx"),
        tenant=TENANT,
        model=model,
        spaces=spaces,
        shards=1,
        targets=("segments",),
        declared=(),
        state="building",
        created=0,
    )


def _for_children(data: Path, model: Path) -> Mapping[str, str]:
    """Settings of the processes that trainings are: they know no more of this one."""
    folder = data.absolute()
    return {
        "data": str(folder),
        "catalogue": f"sqlite:///{folder}/catalogue.sqlite",
        "blobs": (folder / "blobs").as_uri(),
        "model": str(model),
    }


def _answer(indexing: IndexerPorts, embedding: EmbedderPorts, trainer: Trainer, task: Task) -> None:
    match task:
        case Train():
            training.handle(trainer, task)
        case EmbedImages() | PlanImport() | ImportChunk() | FinishImport() | RegisterModel():
            embedder.handle(embedding, task)
        case _:
            indexer.handle(indexing, task)


@contextmanager
def _reconciling(ports: IndexerPorts) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=Reconciler(ports).run, args=(stop,), name="reconciler")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
