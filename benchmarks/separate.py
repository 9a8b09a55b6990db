"""What separate processes stand on where imports are measured: a real Redis, a SQLite file, a folder."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.servers.redis import redis_server


@contextmanager
def settings(folder: Path) -> Iterator[Mapping[str, str]]:
    """For processes that may import what lies in `folder`."""
    place = folder / "redis"
    place.mkdir()
    with redis_server(place) as redis:
        yield {
            "LOOKALIKE_CATALOGUE": f"sqlite:///{folder}/catalogue.sqlite",
            "LOOKALIKE_QUEUE": f"{redis.url}/0",
            "LOOKALIKE_CACHE": f"{redis.url}/1",
            "LOOKALIKE_BLOBS": (folder / "blobs").absolute().as_uri(),
            "LOOKALIKE_IMPORT_ROOTS": str(folder),
        }
