"""What became of every write of a bulk request: each item fails for itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.index.elasticsearch.documents import Write

_BUSY: Final = (429, 503)
_BLOCKED: Final = ("cluster_block_exception", "index_not_found_exception", "index_closed_exception")


@dataclass(frozen=True, slots=True)
class Outcome:
    """`done` is there, or something newer is. `broken` items fail for what they are.

    `away` says why others were refused that may be taken later.
    """

    done: tuple[Write, ...]
    broken: Mapping[str, str]
    away: str | None = None


def judged(writes: Sequence[Write], items: Sequence[Mapping[str, Any]]) -> Outcome:
    """Items come in the order of their writes."""
    done: list[Write] = []
    broken: dict[str, str] = {}
    away: str | None = None
    for write, item in zip(writes, items, strict=True):
        (said,) = item.values()
        if _is_done(write, said):
            done.append(write)
        elif said["status"] in _BUSY or said["error"]["type"] in _BLOCKED:
            away = str(said["error"]["reason"])
        else:
            broken[write.product_id] = _reason(said["error"])
    return Outcome(tuple(done), broken, away)


def _is_done(write: Write, said: Mapping[str, Any]) -> bool:
    status = said["status"]
    # Somebody newer was there; and what is not there needs no deleting.
    return (
        status < 300
        or status == 409
        or (status == 404 and write.body is None and "error" not in said)
    )


def _reason(error: Mapping[str, Any]) -> str:
    cause = error.get("caused_by", {}).get("reason")
    return f"{error['reason']} ({cause})" if cause else str(error["reason"])
