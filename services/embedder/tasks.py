"""What is done at a ring; anything that is not the embedder's is refused."""

from services.embedder.chunks import import_chunk
from services.embedder.ending import finish_import
from services.embedder.images import embed_images
from services.embedder.imports import plan_import
from services.embedder.ports import Ports
from services.embedder.registering import register_model
from shared.errors import Invalid
from shared.runtime.logs import context
from shared.tasks import EmbedImages, FinishImport, ImportChunk, PlanImport, RegisterModel, Task


def handle(ports: Ports, task: Task) -> None:
    match task:
        case EmbedImages():
            embed_images(ports, task)
        case PlanImport(import_id):
            with context(import_id=import_id):
                plan_import(ports, import_id)
        case ImportChunk(import_id, number):
            with context(import_id=import_id, chunk=number):
                import_chunk(ports, task)
        case FinishImport(import_id):
            with context(import_id=import_id):
                finish_import(ports, import_id)
        case RegisterModel(_, job_id):
            with context(job_id=job_id):
                register_model(ports, task)
        case _:
            raise Invalid(f"The embedder has nothing to do with {task}.")
