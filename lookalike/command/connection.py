"""The server that a command speaks to."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from lookalike.client import Lookalike

Server = Annotated[
    str, typer.Option("--server", envvar="LOOKALIKE_URL", help="Where the gateway is.")
]
Key = Annotated[
    str, typer.Option("--key", envvar="LOOKALIKE_KEY", help="A key: lk_admin_… or lk_search_….")
]
HERE = "http://127.0.0.1:8080"


def connected(server: str, key: str) -> "Lookalike":
    """The client; for `with`."""
    from lookalike.client import Lookalike  # noqa: PLC0415 - httpx takes its time to load

    try:
        return Lookalike(server, key=key or None)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--server or --key") from error
