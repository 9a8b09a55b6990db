"""The one door to Elasticsearch's client: bounded waits, kind errors, none of its types beyond."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final
from urllib.parse import urlsplit

from elastic_transport import (
    ConnectionTimeout,
    HttpHeaders,
    TransportError,
    Urllib3HttpNode,
)
from elasticsearch import ApiError, Elasticsearch
from urllib3 import Timeout

from shared.errors import Invalid, LookalikeError
from shared.index.elasticsearch.bulk import Outcome, judged
from shared.index.elasticsearch.documents import Write
from shared.index.elasticsearch.mapping import Layout, alias_of, body_of, name_of
from shared.index.elasticsearch.port import ALL_PAGES_S, READ_S, Away, Late
from shared.indexes import Index

CONNECT_S: Final = 3.0
GLANCE_S: Final = 2.0
"""For questions that cost the server nothing, and so tell whether it is there."""
_CONNECTIONS: Final = 32

_log = logging.getLogger(__name__)
# Whoever asks is told of every failure; a second voice with a traceback would only drown it.
logging.getLogger("elastic_transport").setLevel(logging.ERROR)


class _Node(Urllib3HttpNode):
    """Connects within seconds however long an answer may take; its warnings go to the log."""

    def perform_request(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: Any = READ_S,
    ) -> Any:
        seconds = float(request_timeout or READ_S)
        timeout: Any = Timeout(connect=min(CONNECT_S, seconds), read=seconds)
        answer = super().perform_request(method, target, body, headers, timeout)
        # The client would make a Python warning of it, for instance that security is off.
        if warning := answer.meta.headers.pop("warning", None):
            _log.debug("Elasticsearch warns: %s", warning)
        return answer


class Cluster:
    """Elasticsearch at `url`: `https://user:password@host:9200`, or several divided by commas.

    `prefix` keeps installations on one cluster apart. Every call raises `Away` when it may be
    tried again later, and no call waits longer than ten seconds.
    """

    def __init__(
        self, url: str, *, prefix: str = "lookalike", layout: Layout | None = None
    ) -> None:
        urls = url.split(",")
        self.where = ", ".join(_bare(one) for one in urls)
        self._prefix, self._layout = prefix, layout or Layout()
        self._client = Elasticsearch(
            urls,
            node_class=_Node,
            connections_per_node=_CONNECTIONS,
            request_timeout=READ_S,
            max_retries=1,
            retry_on_timeout=False,
            retry_on_status=(),
        )

    def close(self) -> None:
        self._client.close()

    def has(self, index: Index) -> bool:
        with self._told():
            asked = self._client.options(request_timeout=GLANCE_S).indices
            return bool(asked.exists_alias(name=self._alias(index), index=self.name(index)))

    def ensure(self, index: Index) -> None:
        """Made unless it is there, by whoever comes first; a glance when it is there."""
        if self.has(index):
            return
        alias, name, body = self._alias(index), self.name(index), body_of(index, self._layout)
        with self._told():
            asked = self._client.options(ignore_status=400).indices
            made = asked.create(index=name, body=body, timeout="5s", master_timeout="5s")
            if "error" in made and made["error"]["type"] != "resource_already_exists_exception":
                raise Invalid(f"Elasticsearch makes no index {name}: {made['error']['reason']}")
            # In one step from an index of this name that was dropped while nobody could be told.
            self._client.indices.update_aliases(
                actions=[
                    {"remove": {"index": f"{alias}-*", "alias": alias, "must_exist": False}},
                    {"add": {"index": name, "alias": alias}},
                ],
                master_timeout="5s",
            )

    def name(self, index: Index) -> str:
        return name_of(self._prefix, index)

    def drop(self, name: str) -> None:
        """The end of an index by its own name, if it is there."""
        with self._told():
            self._client.options(ignore_status=404).indices.delete(index=name, master_timeout="5s")

    def write(self, index: Index, writes: Sequence[Write]) -> Outcome:
        """One request, judged item by item."""
        lines = [line for write in writes for line in write.lines()]
        with self._told():
            answer = self._client.bulk(
                index=self._alias(index),
                operations=lines,  # type: ignore[arg-type]  # serialised already
                # An index that was dropped meanwhile is not made again by a late write.
                require_alias=True,
                timeout="5s",
            )
        return judged(writes, answer["items"])

    def refresh(self, index: Index) -> None:
        """What was written before is found by searches after it."""
        with self._told():
            answer = self._client.indices.refresh(index=self._alias(index))
        if answer["_shards"]["failed"]:
            raise Away(f"Elasticsearch at {self.where} could not refresh every shard.")

    def search(
        self, index: Index, body: Mapping[str, Any], *, seconds: float = READ_S
    ) -> Mapping[str, Any]:
        """The answer as Elasticsearch gives it; shards that failed or were late are named in it."""
        seconds = min(seconds, READ_S)
        with self._told():
            asked = self._client.options(request_timeout=seconds, max_retries=0)
            told = {**body, "timeout": f"{max(1, int(seconds * 1_000))}ms"}
            found: Mapping[str, Any] = asked.search(index=self._alias(index), body=told).body
        return found

    def sources(
        self, index: Index, ids: Sequence[str], fields: Sequence[str], *, seconds: float = READ_S
    ) -> list[Mapping[str, Any]]:
        """Documents by their ids, as searches see them; those that there are."""
        with self._told():
            asked = self._client.options(request_timeout=min(seconds, READ_S))
            found = asked.mget(
                index=self._alias(index), ids=ids, source_includes=fields, realtime=False
            )
        return [document["_source"] for document in found["docs"] if document.get("found")]

    def count(self, index: Index, query: Mapping[str, Any], *, seconds: float = READ_S) -> int:
        with self._told():
            asked = self._client.options(request_timeout=min(seconds, READ_S))
            return int(asked.count(index=self._alias(index), query=query)["count"])

    def pages(
        self, index: Index, body: Mapping[str, Any], size: int, *, seconds: float = ALL_PAGES_S
    ) -> Iterator[Sequence[Mapping[str, Any]]]:
        """All hits of a query at one moment, so many at a time, in no order of meaning.

        `seconds` are for all pages together.
        """
        until = time.monotonic() + seconds
        with self._told():
            asked = self._client.options(request_timeout=min(seconds, READ_S))
            moment = asked.open_point_in_time(index=self._alias(index), keep_alive="1m")["id"]
        try:
            hits = self._page(body, size, moment, until)
            while hits:
                yield hits
                if len(hits) < size:
                    break
                after = {"search_after": hits[-1]["sort"]}
                hits = self._page({**body, **after}, size, moment, until)
        finally:
            self._forget(moment)

    def _page(
        self, body: Mapping[str, Any], size: int, moment: str, until: float
    ) -> Sequence[Mapping[str, Any]]:
        left = until - time.monotonic()
        if left <= 0:
            raise Late(f"Elasticsearch at {self.where} did not answer in time.")
        pit = {"id": moment, "keep_alive": "1m"}
        how = {"size": size, "sort": ["_shard_doc"], "track_total_hits": False, "pit": pit}
        with self._told():
            asked = self._client.options(request_timeout=min(left, READ_S), max_retries=0)
            found = asked.search(body={**body, **how})
        if found["_shards"]["failed"]:
            raise Away(f"Elasticsearch at {self.where} has shards that do not answer.")
        hits: Sequence[Mapping[str, Any]] = found["hits"]["hits"]
        return hits

    def _forget(self, moment: str) -> None:
        """As well as it can: it ends by itself a minute later."""
        asked = self._client.options(request_timeout=GLANCE_S, max_retries=0, ignore_status=404)
        with suppress(Away), self._told():
            asked.close_point_in_time(id=moment)

    def trouble(self, index: Index) -> str | None:
        """Why this index cannot be asked; None when it can."""
        if not self.has(index):
            return f"{self._alias(index)} is not there yet; the indexer makes and fills it."
        with self._told():
            asked = self._client.options(request_timeout=GLANCE_S).cluster
            state = asked.health(index=self._alias(index), timeout="1s")["status"]
        return f"Elasticsearch lacks shards of {self._alias(index)}." if state == "red" else None

    def _alias(self, index: Index) -> str:
        return alias_of(self._prefix, index)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """The client's errors as ours."""
        try:
            yield
        except ConnectionTimeout as error:
            raise Late(f"Elasticsearch at {self.where} did not answer in time.") from error
        except TransportError as error:
            raise Away(
                f"Elasticsearch at {self.where} cannot be reached; is it running?"
            ) from error
        except ApiError as error:
            raise self._translated(error) from error

    def _translated(self, error: ApiError) -> LookalikeError:
        status, reason = error.meta.status, error.message
        match status:
            case 404:
                return Away(f"Elasticsearch at {self.where} lacks the index: {reason}.")
            case 401 | 403:
                return Away(f"Elasticsearch at {self.where} refuses us: {reason}.")
            case 429:
                return Away(f"Elasticsearch at {self.where} has too much to do: {reason}.")
            case _ if status >= 500:
                return Away(f"Elasticsearch at {self.where} failed with {status}: {reason}.")
            case _:
                return Invalid(f"Elasticsearch does not understand us: {error}.")


def _bare(url: str) -> str:
    """Without the password that may be in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
