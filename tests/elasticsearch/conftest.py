"""A house whose index has Elasticsearch as its second target, on a real node."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.indexer.elastic import PAUSE_MS, sync_elasticsearch
from services.indexer.ports import Limits, Ports
from shared.blobs.fsspec import FsspecBlobs
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.catalogue.targets import Targets
from shared.ids import new_id
from shared.index.elasticsearch.client import Cluster
from shared.index.elasticsearch.query import all_of
from shared.tasks import SyncElasticsearch
from tests.indexer.conftest import Clock, House, Remembering, an_index

TENANT, TARGET = "shop", "one/elasticsearch"
BOTH = ("segments", "elasticsearch")


@dataclass
class Floor:
    """A house, and the cluster that follows it."""

    house: House
    cluster: Cluster

    def follow(self, house: House | None = None) -> int:
        """A sync, of this house or of another view of it."""
        return sync_elasticsearch((house or self.house).ports, SyncElasticsearch("one", 0))

    def shown(self, index_id: str = "one") -> dict[str, tuple[str, set[str]]]:
        """What searches find at this moment: ids with title and images."""
        index = self.house.ports.catalogue.indexes.get(index_id)
        assert index is not None
        asked = {**all_of({"match_all": {}}), "_source": True}
        found = [h["_source"] for page in self.cluster.pages(index, asked, 100) for h in page]
        return {one["product_id"]: (one["title"], set(one["shas"])) for one in found}

    def settings(self, **said: object) -> None:
        """Changes settings of the index, as an operator or a full disk would."""
        name = self.cluster.name(self.house.index)
        self.cluster._client.indices.put_settings(index=name, settings=said)

    def after_the_pause(self) -> None:
        self.house.clock.now += PAUSE_MS + 1


@pytest.fixture
def cluster(elasticsearch_url: str) -> Iterator[Cluster]:
    """By a name of its own, so that tests do not meet."""
    with closing(Cluster(elasticsearch_url, prefix=new_id("test"))) as opened:
        yield opened


@pytest.fixture
def open_floor(tmp_path: Path) -> Iterator[Callable[[Cluster], Floor]]:
    opened: list[SqliteCatalogue] = []

    def build(cluster: Cluster) -> Floor:
        clock, queue = Clock(), Remembering()
        catalogue = SqliteCatalogue(tmp_path / "catalogue.sqlite", clock=clock)
        opened.append(catalogue)
        ports = Ports(
            catalogue,
            FsspecBlobs(f"file://{tmp_path}/blobs"),
            queue,
            Targets(catalogue),
            tmp_path / "scratch",
            Limits(),
            elastic=cluster,
        )
        index = catalogue.indexes.create(an_index("one", targets=BOTH, declared=("size",)))
        catalogue.indexes.move_alias(TENANT, "live", "one")
        return Floor(House(ports, clock, queue, index), cluster)

    yield build
    for catalogue in opened:
        catalogue.close()


@pytest.fixture
def floor(open_floor: Callable[[Cluster], Floor], cluster: Cluster) -> Iterator[Floor]:
    opened = open_floor(cluster)
    yield opened
    for index in opened.house.ports.catalogue.indexes.all():
        cluster.drop(cluster.name(index))
