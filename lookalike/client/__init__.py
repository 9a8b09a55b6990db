"""The Python client: typed, patient, with httpx as its only dependency.

What can go wrong is a tree in `lookalike.client.faults`; what is answered, frozen dataclasses in
`lookalike.client.answers`.
"""

from lookalike.client.asynchronous import AsyncLookalike
from lookalike.client.faults import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    Refused,
    RequestFailed,
    Stale,
    TooMany,
    Unauthorised,
    Unavailable,
    Unreachable,
    Unreadable,
)
from lookalike.client.options import (
    Attributes,
    Changes,
    Format,
    ImportOptions,
    SearchOptions,
    SimilarOptions,
)
from lookalike.client.synchronous import Lookalike

__all__ = [
    "AsyncLookalike",
    "Attributes",
    "Changes",
    "Conflict",
    "Forbidden",
    "Format",
    "ImportOptions",
    "Invalid",
    "Lookalike",
    "NotFound",
    "Problem",
    "Refused",
    "RequestFailed",
    "SearchOptions",
    "SimilarOptions",
    "Stale",
    "TooMany",
    "Unauthorised",
    "Unavailable",
    "Unreachable",
    "Unreadable",
]
