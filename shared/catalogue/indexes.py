"""Named operations on indexes, aliases and shard pointers."""

from typing import Protocol

from shared.indexes import BUILT, Alias, Index, IndexState, Pointer, Why


class Indexes(Protocol):
    """Rules that every adapter keeps: index_is_state, rebuild_is_state."""

    def create(self, index: Index) -> Index:
        """Unless it is there; `created` is set from the store's clock."""
        ...

    def get(self, index_id: str) -> Index | None: ...

    def all(self, tenant: str | None = None) -> list[Index]: ...

    def set_state(
        self, index_id: str, state: IndexState, *, origins: tuple[IndexState, ...] = ()
    ) -> bool:
        """Whether it was there, and in one of `origins` where these are given."""
        ...

    def drop(self, index_id: str) -> None:
        """The document and its pointers; its targets are pulled from products by `forget_targets`."""
        ...

    def pointer(self, index_id: str, shard: int) -> Pointer:
        """Generation 0 where nothing was committed yet."""
        ...

    def swap(
        self,
        index_id: str,
        shard: int,
        *,
        expected: int,
        manifest: str | None,
        as_of: int,
        emptied: bool = False,
    ) -> Pointer | None:
        """Generation + 1 and another manifest, only where the generation is the expected one.

        `emptied` also says that the shard is being rebuilt since this generation.
        """
        ...

    def rebuilt(self, index_id: str, shard: int, since: int) -> None:
        """All products were bumped: no longer rebuilding, if it is still the same rebuild."""
        ...

    def report(self, index_id: str, shard: int, replica: str, generation: int) -> None:
        """A reader says what it shows."""
        ...

    def forget_replica(self, index_id: str, shard: int, replica: str) -> None: ...

    def alias(self, tenant: str, name: str) -> Alias | None: ...

    def aliases(self, tenant: str) -> list[Alias]:
        """By name."""
        ...

    def move_alias(
        self,
        tenant: str,
        name: str,
        index_id: str,
        *,
        expected: int | None = None,
        why: Why = BUILT,
    ) -> Alias | None:
        """Version + 1, remembered in its moves with this reason and the store's time.

        None when the version is not the expected one; `expected=None` always moves.
        """
        ...
