"""Elasticsearch as the settings name it, for the services that write to it and search it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from shared.index.elasticsearch.mapping import Layout
from shared.index.elasticsearch.port import Cluster
from shared.runtime.settings import Installation


@contextmanager
def cluster_of(known: Installation) -> Iterator[Cluster | None]:
    """None where no Elasticsearch is named."""
    if known.elasticsearch is None:
        yield None
        return
    from shared.index.elasticsearch import client  # noqa: PLC0415 - takes a second to import

    url, layout = known.elasticsearch.get_secret_value(), Layout(graph=known.elasticsearch_graph)
    with closing(client.Cluster(url, layout=layout)) as cluster:
        yield cluster
