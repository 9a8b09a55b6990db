import pytest

from shared import installation
from shared.errors import Invalid
from shared.runtime.settings import Installation
from tests.fetching.web import PICTURE, Server


def test_nothing_is_fetched_until_somebody_says_from_whom() -> None:
    with installation.fetcher_of(Installation()) as fetcher:
        assert fetcher is None


def test_hosts_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch, plain: Server) -> None:
    monkeypatch.setenv("LOOKALIKE_FETCH_HOSTS", "cdn.example.com, *.shop.example,")
    monkeypatch.setenv("LOOKALIKE_FETCH_PRIVATE", plain.door)
    known = Installation()
    assert known.fetch_hosts == ("cdn.example.com", "*.shop.example")
    with installation.fetcher_of(known) as fetcher:
        assert fetcher is not None
        assert fetcher.fetch(f"http://{plain.door}/a.png") == PICTURE


def test_a_host_that_is_none_is_told_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOKALIKE_FETCH_HOSTS", "https://cdn.example.com")
    with (
        pytest.raises(Invalid, match="is no host") as refused,
        installation.fetcher_of(Installation()),
    ):
        pass
    assert refused.value.kind == "bad_settings"
