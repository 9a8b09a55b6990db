"""What this process shows: a view of every shard it holds, following the catalogue's pointers."""

import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from shared.blobs.port import Blobs
from shared.catalogue.port import Catalogue
from shared.errors import LookalikeError, Unavailable
from shared.index.view import ShardView, open_view
from shared.indexes import Index, Pointer

POLL_SECONDS = 0.3
HEARTBEAT_MS = 10_000
REBUILDING = "is being rebuilt from the catalogue; until then it answers as it was before"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class HeldShard:
    """A shard as it can be asked; `trouble` says why it is not all that the catalogue names."""

    view: ShardView | None
    trouble: str | None = None
    tried: int = 0
    """The generation that was opened last, or that could not be opened."""
    reported: tuple[int, int] = (-1, 0)
    """(generation, the store's milliseconds) as last told to the catalogue."""


@dataclass(frozen=True, slots=True, eq=False)
class HeldIndex:
    """An index and its shards by number; those that other processes hold are not in it."""

    index: Index
    shards: Mapping[int, HeldShard]


class Shards:
    """Views by index and shard. Searches read one reference; only one thread at a time writes it.

    Of every index, this process holds each shard n with n mod `groups` = `group`.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        blobs: Blobs,
        *,
        replica: str,
        group: int = 0,
        groups: int = 1,
    ) -> None:
        self._catalogue, self._blobs = catalogue, blobs
        self._replica, self._group, self._groups = replica, group, groups
        self._held: Mapping[str, HeldIndex] = {}
        self._unopened: Mapping[str, str] | None = None
        self._writing = threading.Lock()
        self._rung, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._follow, name="shards", daemon=True)

    def start(self) -> None:
        """Shows what there is, then follows the pointers in a thread until `close`."""
        try:
            self.refresh()
        except LookalikeError as error:
            log.warning("the shards are shown as soon as the catalogue can be asked: %s", error)
        self._thread.start()

    def close(self) -> None:
        """Stops following and takes this replica's reports back."""
        self._closing.set()
        self._rung.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._writing:
            for held in self._held.values():
                self._let_go(held)
            self._held = {}

    def get(self, index_id: str) -> HeldIndex | None:
        return self._held.get(index_id)

    def holds(self, shard: int) -> bool:
        """Whether this process is one of those that hold this shard of every index."""
        return shard % self._groups == self._group

    def check_ready(self) -> None:
        """Raises until everything that the catalogue named was open once.

        From then on an index that cannot be opened, which may be so everywhere, takes nobody off.
        """
        if self._unopened is None:
            raise Unavailable("The catalogue has not been read yet.", code="not_ready")
        if self._unopened:
            told = "; ".join(f"{which}: {why}" for which, why in self._unopened.items())
            raise Unavailable(f"Not open yet: {told}.", code="not_ready")

    def notice(self, index_id: str, shard: int) -> None:
        """Somebody says that a shard changed: the thread looks at once."""
        if self.holds(shard):
            log.debug("shard %d of %s is said to have changed", shard, index_id)
            self._rung.set()

    def refresh(self) -> None:
        """Shows every shard as its pointer says at this moment."""
        with self._writing:
            indexes = {index.index_id: index for index in self._catalogue.indexes.all()}
            self._held = {i: held for i, held in self._held.items() if i in indexes}
            for index in indexes.values():
                self._refresh(index)
            if self._unopened is None or self._unopened:
                self._unopened = dict(self._missing())

    def _missing(self) -> Iterator[tuple[str, str]]:
        """What is held and cannot be shown at all, with the reason."""
        for index_id, held in self._held.items():
            for number, shard in held.shards.items():
                if shard.view is None:
                    yield f"shard {number} of {index_id}", shard.trouble or "unknown"

    def _follow(self) -> None:
        while not self._closing.is_set():
            self._rung.wait(POLL_SECONDS)
            self._rung.clear()
            try:
                self.refresh()
            except LookalikeError as error:  # what is held goes on being shown
                log.warning("the catalogue's pointers cannot be followed: %s", error)
            except Exception:
                log.exception("following the shards' pointers failed; trying again")

    def _refresh(self, index: Index) -> None:
        """One index; each of its shards is shown as soon as it is open."""
        if not any(map(self.holds, range(index.shards))):
            self._held = {**self._held, index.index_id: HeldIndex(index, {})}
        for number in range(index.shards):
            if not self.holds(number):
                continue
            before = self._held.get(index.index_id, HeldIndex(index, {})).shards
            held = before.get(number, HeldShard(None))
            pointer = self._catalogue.indexes.pointer(index.index_id, number)
            opened = self._reported(pointer, self._opened(index, pointer, held))
            if opened is not held:
                shards = {**before, number: opened}
                self._held = {**self._held, index.index_id: HeldIndex(index, shards)}

    def _opened(self, index: Index, pointer: Pointer, held: HeldShard) -> HeldShard:
        if held.view and held.trouble is None and held.tried == pointer.generation:
            return held
        if held.view and held.view.generation and pointer.rebuilding is not None:
            # What was there before is better than the little that is there again.
            return held if held.trouble == REBUILDING else replace(held, trouble=REBUILDING)
        try:
            view = open_view(self._blobs, pointer, index.spaces, held.view)
        except Exception as error:  # whatever is wrong with one shard, the others go on
            trouble = f"generation {pointer.generation} cannot be opened: {error}"
            if trouble != held.trouble:
                where = (pointer.shard, index.index_id)
                log.warning("shard %d of %s: %s", *where, trouble, exc_info=True)
            return replace(held, trouble=trouble, tried=pointer.generation)
        if view.damaged and held.trouble is None:
            log.error("shard %d of %s has damaged segments", pointer.shard, index.index_id)
        return replace(held, view=view, trouble=_damage(view), tried=pointer.generation)

    def _reported(self, pointer: Pointer, held: HeldShard) -> HeldShard:
        """Tells the catalogue what is shown: when that changes, and as a sign of life."""
        if held.view is None:
            return held
        generation, at = held.reported
        now = self._catalogue.now()
        if generation == held.view.generation and now - at < HEARTBEAT_MS:
            return held
        shown = held.view.generation
        self._catalogue.indexes.report(pointer.index_id, pointer.shard, self._replica, shown)
        return replace(held, reported=(shown, now))

    def _let_go(self, held: HeldIndex) -> None:
        for number in held.shards:
            try:
                self._catalogue.indexes.forget_replica(held.index.index_id, number, self._replica)
            except LookalikeError as error:
                log.warning("replica %s stays reported: %s", self._replica, error)


def _damage(view: ShardView) -> str | None:
    if not view.damaged:
        return None
    return f"answers without {len(view.damaged)} damaged segments, until they are rebuilt"
