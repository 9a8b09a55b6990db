"""What has to be well before a process takes work."""

import logging
from collections.abc import Callable
from typing import Final

from shared.errors import LookalikeError

_log: Final = logging.getLogger(__name__)


class Checks:
    """Checks by name, added where what they check is wired; a check that raises has failed."""

    def __init__(self) -> None:
        self._checks: dict[str, Callable[[], object]] = {}

    def add(self, name: str, check: Callable[[], object]) -> None:
        self._checks[name] = check

    def failing(self) -> dict[str, str]:
        """Every check is run; those that failed, each with its reason."""
        reasons = {name: _reason(name, check) for name, check in self._checks.items()}
        return {name: reason for name, reason in reasons.items() if reason is not None}


def _reason(name: str, check: Callable[[], object]) -> str | None:
    try:
        check()
    except LookalikeError as error:
        return error.detail
    except Exception as error:  # noqa: BLE001 - whatever it is, the dependency is not well
        _log.warning("The check of %s failed: %r", name, error)
        return f"{type(error).__name__}: the log says more"
    return None
