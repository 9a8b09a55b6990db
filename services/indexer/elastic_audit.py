"""Elasticsearch against the catalogue, bucket by bucket, in both directions."""

import logging
from collections import defaultdict
from collections.abc import Collection
from functools import partial

from services.indexer.audit import Drift, Shown, differences
from services.indexer.ports import Ports
from shared.index.elasticsearch.documents import Write
from shared.index.elasticsearch.port import Away, Cluster
from shared.indexes import Index, target
from shared.products import buckets_of

_PAGE = 5_000

_log = logging.getLogger(__name__)


def audit_elasticsearch(ports: Ports, cluster: Cluster, index: Index, shard: int) -> bool:
    """Compares and repairs; whether there was drift.

    Documents are whole, so what is missing needs no bump: to be pending is enough to come back,
    and a cluster that lost its data costs the segments nothing.
    """
    drift = compare_elasticsearch(ports, cluster, index, shard)
    if drift.damaged:
        # A catalogue restored from a copy: no revision it gives would win here.
        _log.error("%s in Elasticsearch is ahead of the catalogue: begun anew", index.index_id)
        cluster.drop(cluster.name(index))
        drift = compare_elasticsearch(ports, cluster, index, shard)
    if drift:
        where = (index.index_id, shard)
        _log.warning("%s shard %d drifted in Elasticsearch: %s", *where, drift)
    name = target(index.index_id, "elasticsearch")
    if missing := [*drift.untold, *drift.lost]:
        ports.catalogue.products.add_pending(index.tenant, frozenset({name}), missing)
    _bury(cluster, drift)
    return bool(drift)


def _bury(cluster: Cluster, drift: Drift) -> None:
    """Deletes one revision above what is shown; a product put again is far above that."""
    ghosts = [Write(product_id, revision + 1) for product_id, revision in drift.ghosts]
    if not ghosts:
        return
    outcome = cluster.write(drift.index, ghosts)
    if outcome.away is not None:
        raise Away(f"Elasticsearch takes no writes: {outcome.away}.")
    cluster.refresh(drift.index)


def compare_elasticsearch(ports: Ports, cluster: Cluster, index: Index, shard: int) -> Drift:
    """Looks at Elasticsearch first, so that a document is never older than what is shown of it."""
    none = Drift(index, shard, ports.catalogue.now())
    cluster.ensure(index)
    cluster.refresh(index)
    shown, again = _shown(cluster, index, shard), partial(_again, cluster, index)
    return differences(ports, none, target(index.index_id, "elasticsearch"), shown, again)


def _shown(cluster: Cluster, index: Index, shard: int) -> Shown:
    buckets = buckets_of(shard, index.shards)
    asked = {
        "query": {"range": {"bucket": {"gte": buckets.start, "lt": buckets.stop}}},
        "_source": False,
        "docvalue_fields": ["product_id", "revision", "bucket"],
    }
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for page in cluster.pages(index, asked, _PAGE):
        for hit in page:
            said = {name: values[0] for name, values in hit["fields"].items()}
            found[said["bucket"]][said["product_id"]] = said["revision"]
    return found


def _again(cluster: Cluster, index: Index, product_ids: Collection[str]) -> dict[str, int]:
    """Without a refresh: whoever marked a document had refreshed before."""
    ids, found = list(product_ids), {}
    for first in range(0, len(ids), _PAGE):
        part = ids[first : first + _PAGE]
        for said in cluster.sources(index, part, ["product_id", "revision"]):
            found[said["product_id"]] = said["revision"]
    return found
