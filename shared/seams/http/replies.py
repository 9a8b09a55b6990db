"""Replies of our own processes read as answers, and their problem bodies as the errors they were."""

import json
from collections.abc import Callable
from typing import TypeVar

from shared.errors import LookalikeError, Malformed, Unavailable
from shared.runtime.problems import error_of
from shared.seams.http.exchange import Reply

Answer = TypeVar("Answer")


def read_by(parse: Callable[[bytes], Answer]) -> Callable[[Reply], Answer]:
    """For `race`: what cannot be read counts as no answer, so that another process is asked."""

    def read(reply: Reply) -> Answer:
        if reply.status != 200:
            raise _complaint(reply)
        try:
            return parse(reply.body)
        except Malformed as error:
            raise Unavailable(f"its answer cannot be read: {error.detail}") from error

    return read


def _complaint(reply: Reply) -> LookalikeError:
    try:
        error = error_of(json.loads(reply.body))
    except (ValueError, KeyError, TypeError):
        return Unavailable(f"it answers {reply.status} without a reason")
    # The plain class is what broke there; it is not the caller's fault.
    return Unavailable(error.detail) if type(error) is LookalikeError else error
