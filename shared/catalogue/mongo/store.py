"""The connection: documents by collection, durable writes, and troubles told kindly.

Whatever is written is on the disks of a majority before it is answered, and whatever is read is so
too, so that no backend ever holds a revision that a failover takes back.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC
from threading import Event
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from pymongo import InsertOne, MongoClient
from pymongo.collection import Collection
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidOperation,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)
from pymongo.read_concern import ReadConcern

from shared.catalogue.mongo.clock import ServerClock
from shared.catalogue.mongo.schema import INDEXES
from shared.errors import Invalid, Unavailable

Document = dict[str, Any]
Sort = Sequence[tuple[str, int]]

_FIXED: Final[Mapping[str, Any]] = {
    "connect": False,  # a gateway may start before its catalogue
    "w": "majority",
    "journal": True,
    "readConcernLevel": "majority",
}
# What the URL may say otherwise.
_USUAL: Final[Mapping[str, Any]] = {
    "appname": "lookalike",
    "connectTimeoutMS": 3_000,
    "serverSelectionTimeoutMS": 3_000,
    "socketTimeoutMS": 10_000,
    "heartbeatFrequencyMS": 2_000,  # a server that freezes is noticed by this, before the above
    "maxPoolSize": 64,
}
TAKEN: Final = 11000
"""The server's code for a key that is there already."""
_DENIED: Final = frozenset({13, 18})
"""The server's codes for Unauthorized and AuthenticationFailed."""


class Store:
    """Made without a word to the server: indexes are ensured when something is first asked for."""

    def __init__(self, url: str, clock: Callable[[], int] | None) -> None:
        self.place = _place(url)
        """The URL as it may be shown: without user, password and options."""
        self._client, name = _client(url, self.place)
        self._database = self._client.get_database(name)
        self._server_clock = ServerClock(self._server_time)
        self._clock = clock
        self._closed, self._indexed = Event(), Event()

    def now(self) -> int:
        return self._server_clock() if self._clock is None else self._clock()

    def doubt_clock(self) -> None:
        self._server_clock.doubt()

    def in_time(self, not_after: int) -> Document:
        """An expression that is true until then, by the server's clock at the moment of the write."""
        now: Any = {"$toLong": "$$NOW"} if self._clock is None else self._clock()
        return {"$lte": [now, not_after]}

    def documents(self, name: str) -> "Documents":
        return Documents(self, name)

    def collection(self, name: str) -> Collection[Document]:
        """With its indexes; called inside `told`."""
        if self._closed.is_set():
            raise Unavailable(f"The catalogue {self.place} was closed: open it again.")
        if not self._indexed.is_set():
            # To ask for what is there already costs little, and any number may do so at once.
            for collection, wanted in INDEXES.items():
                self._database[collection].create_indexes(list(wanted))
            self._indexed.set()
        return self._database[name]

    @contextmanager
    def told(self) -> Iterator[None]:
        """The driver's troubles in the words of this project."""
        try:
            yield
        except OperationFailure as error:
            raise self._refused(error) from error
        except PyMongoError as error:
            if isinstance(error, InvalidOperation) and self._closed.is_set():
                raise Unavailable(f"The catalogue {self.place} was closed.") from error
            raise Unavailable(
                f"The catalogue {self.place} does not answer ({type(error).__name__}): look "
                "whether the server runs and can be reached. What was on its way may have been "
                "done; it is safe to do it again."
            ) from error

    def close(self) -> None:
        """Lets go of all connections; a second time does nothing."""
        self._closed.set()
        self._client.close()

    def _refused(self, error: OperationFailure) -> Unavailable:
        if error.code in _DENIED:
            return Unavailable(
                f"The catalogue {self.place} does not let us in: look at user, password and "
                "`authSource` in its URL, and whether the user may write to the database."
            )
        if isinstance(error, ExecutionTimeout):
            return Unavailable(f"The catalogue {self.place} is too slow: it gave up after a while.")
        reason = (error.details or {}).get("errmsg", type(error).__name__)
        return Unavailable(f"The catalogue {self.place} refused an operation: {reason}.")

    def _server_time(self) -> int:
        with self.told():
            told = self._client.admin.command("hello")["localTime"]
        return int(told.replace(tzinfo=UTC).timestamp() * 1000)


class Documents:
    """One collection; a method is one command, and what it writes is durable when it returns."""

    def __init__(self, store: Store, name: str) -> None:
        self.store = store
        self._name = name

    def get(self, key: str) -> Document | None:
        return self.first({"_id": key})

    def first(self, wanted: Document, fields: Sequence[str] | None = None) -> Document | None:
        found = self.find(wanted, fields, limit=1)
        return found[0] if found else None

    def find(
        self,
        wanted: Document,
        fields: Sequence[str] | None = None,
        *,
        sort: Sort = (),
        limit: int | None = None,
    ) -> list[Document]:
        return list(self.walk(wanted, fields, sort=sort, limit=limit))

    def walk(
        self,
        wanted: Document,
        fields: Sequence[str] | None = None,
        *,
        sort: Sort = (),
        limit: int | None = None,
    ) -> Iterator[Document]:
        """One after the other, for answers too large to be kept."""
        if limit is not None and limit <= 0:  # which would be all of them to the driver
            return
        with (
            self.store.told(),
            self._collection.find(wanted, fields, sort=list(sort), limit=limit or 0) as cursor,
        ):
            yield from cursor

    def latest(self, keys: Sequence[str]) -> dict[str, Document]:
        """As the next write will find them, a majority's word for it or not."""
        with self.store.told():
            latest = self._collection.with_options(read_concern=ReadConcern("local"))
            return {doc["_id"]: doc for doc in latest.find({"_id": {"$in": list(keys)}})}

    def count(self, wanted: Document) -> int:
        with self.store.told():
            return self._collection.count_documents(wanted)

    def grouped(self, wanted: Document, *stages: Document) -> list[Document]:
        with self.store.told():
            return list(self._collection.aggregate([{"$match": wanted}, *stages]))

    def insert(self, document: Document) -> bool:
        """False when the key, or another that is unique, is taken."""
        with self.store.told():
            try:
                self._collection.insert_one(document)
            except DuplicateKeyError:
                return False
            return True

    def insert_missing(self, documents: Sequence[Document]) -> None:
        """Those whose keys are taken stay as they are."""
        if documents:
            self.bulk([InsertOne(document) for document in documents], frozenset({TAKEN}))

    def put(self, document: Document) -> None:
        """Made or replaced."""
        with self.store.told():
            try:
                self._put(document)
            except DuplicateKeyError:  # two made it at once: it is there to be replaced
                self._put(document)

    def update(self, wanted: Document, change: Document) -> bool:
        """Whether the one document was as wanted, and so was changed."""
        with self.store.told():
            return self._collection.update_one(wanted, change).matched_count == 1

    def update_all(self, wanted: Document, change: Document) -> int:
        """Each of them atomically, all of them not; how many."""
        with self.store.told():
            return self._collection.update_many(wanted, change).matched_count

    def delete(self, wanted: Document) -> bool:
        with self.store.told():
            return self._collection.delete_one(wanted).deleted_count == 1

    def delete_all(self, wanted: Document) -> int:
        with self.store.told():
            return self._collection.delete_many(wanted).deleted_count

    def bulk(self, writes: Sequence[Any], forgiven: frozenset[int]) -> int | None:
        """How many documents were met or made; None when some failed, with codes that are forgiven."""
        with self.store.told():
            try:
                result = self._collection.bulk_write(writes, ordered=False)
            except BulkWriteError as error:
                if self._codes(error) <= forgiven:
                    return None
                raise
            except OperationFailure as error:
                if error.code in forgiven:
                    return None
                raise
            return result.matched_count + result.upserted_count

    @property
    def _collection(self) -> Collection[Document]:
        return self.store.collection(self._name)

    def _put(self, document: Document) -> None:
        self._collection.replace_one({"_id": document["_id"]}, document, upsert=True)

    @staticmethod
    def _codes(error: BulkWriteError) -> set[int]:
        failed = [*error.details["writeErrors"], *error.details["writeConcernErrors"]]
        return {one["code"] for one in failed}


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _client(url: str, place: str) -> tuple[MongoClient[Document], str]:
    said = {name.lower() for name in parse_qs(urlsplit(url).query)}
    usual = {name: value for name, value in _USUAL.items() if name.lower() not in said}
    with ExitStack() as undone:
        try:
            client: MongoClient[Document] = MongoClient(url, **_FIXED, **usual)
            undone.callback(client.close)
            name = client.get_default_database().name
        except (ConfigurationError, InvalidURI, ValueError):
            # Not `from` the driver's error, which may quote the URL with its password.
            raise Invalid(
                f"{place} names no catalogue: write mongodb://host:port/database, with user and "
                "password escaped as in any URL."
            ) from None
        undone.pop_all()
    return client, name
