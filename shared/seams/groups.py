"""What groups of search processes say, each of its own shards, as one searcher would say it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from shared.errors import LookalikeError, NotFound, Unavailable
from shared.hits import (
    FacetCount,
    FacetRequest,
    SearchAnswer,
    SearchRequest,
    ShardFailure,
    merged,
    most_frequent,
    plan_of,
    steps_of,
)
from shared.products import Backend
from shared.seams.searcher import BackendState

Answer = TypeVar("Answer")


def answers(told: Sequence[Answer | LookalikeError]) -> Mapping[int, Answer]:
    """By group. Raises what is the caller's own fault, and when there is no answer at all.

    An index that only some do not know has just been made, or just been dropped.
    """
    errors = [one for one in told if isinstance(one, LookalikeError)]
    for error in errors:
        if not isinstance(error, NotFound | Unavailable):
            raise error
    if len(errors) == len(told):
        raise errors[0] if all(isinstance(one, NotFound) for one in errors) else _nobody(errors)
    return {n: one for n, one in enumerate(told) if not isinstance(one, LookalikeError)}


def one_answer(
    request: SearchRequest, told: Sequence[SearchAnswer | LookalikeError]
) -> SearchAnswer:
    """The hits of all; of what a group says about shards, only what it has to say counts."""
    by_group = answers(told)
    if len(told) == 1:
        return by_group[0]
    found = list(by_group.values())
    shards = max(one.shards_ok + len(one.shards_failed) for one in found)
    if not any(range(group, shards, len(told)) for group in by_group):
        raise _nobody([one for one in told if isinstance(one, LookalikeError)])
    failed = dict(_failed(told, shards))
    seen = [one for one in found if one.as_of]  # who holds no shard has read no pointer
    return SearchAnswer(
        hits=merged((one.hits for one in found), request.limit),
        backend=found[0].backend,
        plan=plan_of(sum((steps_of(one.plan) for one in found), Counter[str]())),
        rows_seen=sum(one.rows_seen for one in found),
        generation=min((one.generation for one in seen), default=0),
        as_of=min((one.as_of for one in seen), default=0),
        shards_ok=shards - len(failed),
        shards_failed=tuple(ShardFailure(n, failed[n]) for n in sorted(failed)),
        facets={facet.field: _counted(facet, found) for facet in request.facets},
    )


def one_state(
    name: Backend, told: Sequence[Sequence[BackendState] | LookalikeError], groups: int
) -> BackendState:
    """A backend is well when every group has a process where it is; `told` is by process."""
    answers(told)
    best = [_best(name, told[group::groups]) for group in range(groups)]
    troubles = dict.fromkeys(state.reason for state in best if state.reason is not None)
    return BackendState(
        name,
        configured=all(state.configured for state in best),
        healthy=all(state.healthy for state in best),
        reason="; ".join(troubles) or None,
    )


def _failed(
    told: Sequence[SearchAnswer | LookalikeError], shards: int
) -> Iterator[tuple[int, str]]:
    """Shards and what is wrong with them, each by the group that has to hold it."""
    for group, one in enumerate(told):
        own = range(group, shards, len(told))
        if isinstance(one, LookalikeError):
            yield from ((number, one.detail) for number in own)
        else:
            yield from ((f.shard, f.reason) for f in one.shards_failed if f.shard in own)


def _nobody(errors: Sequence[LookalikeError]) -> Unavailable:
    """Nobody who answers holds anything of the index."""
    told = "; ".join(dict.fromkeys(error.detail for error in errors))
    return Unavailable(f"Nothing can be searched at the moment, try again: {told}.")


def _counted(facet: FacetRequest, found: Sequence[SearchAnswer]) -> tuple[FacetCount, ...]:
    counts: Counter[str] = Counter()
    for one in found:
        counts.update({value.value: value.count for value in one.facets.get(facet.field, ())})
    return most_frequent(counts, facet.limit)


def _best(name: Backend, told: Sequence[Sequence[BackendState] | LookalikeError]) -> BackendState:
    """As the process says where it is best."""
    states = []
    for one in told:
        if isinstance(one, LookalikeError):
            states.append(BackendState(name, configured=True, healthy=False, reason=one.detail))
        else:
            states += [state for state in one if state.name == name]
    return max(states, key=lambda state: (state.healthy, state.reason is None))
