import inspect

from lookalike import AsyncLookalike, Lookalike


def calls_of(client: type) -> dict[str, inspect.Signature]:
    return {
        name: inspect.signature(method)
        for name, method in inspect.getmembers(client, inspect.isfunction)
        if not name.startswith("_") and name not in {"close", "aclose"}
    }


def test_both_clients_offer_the_same() -> None:
    assert calls_of(Lookalike) == calls_of(AsyncLookalike)
