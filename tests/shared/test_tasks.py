"""What is rung for an index, and in which queue it stands."""

from shared.indexes import Index
from shared.spaces import Spaces
from shared.tasks import EmbedImages, SyncElasticsearch, SyncShard, queue_of, syncs_of


def test_every_target_of_an_index_is_rung_for() -> None:
    both = Index("i", "t", "m", Spaces("f", ()), 4, ("segments", "elasticsearch"), (), "ready", 0)
    assert syncs_of(both, 3) == [SyncShard("i", 3), SyncElasticsearch("i", 3)]
    assert {queue_of(task) for task in syncs_of(both, 3)} == {"index"}


def test_pictures_that_are_named_are_somebodys_who_waits() -> None:
    assert queue_of(EmbedImages("f")) == "embed_bulk"
    assert queue_of(EmbedImages("f", "t", ("a",))) == "embed_now"
