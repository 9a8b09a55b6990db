"""Who may not enter is told so, and no error shows a password."""

import pytest

from shared.catalogue.mongo.catalogue import MongoCatalogue
from shared.errors import Invalid, Unavailable
from shared.ids import new_id
from tests.servers.process import free_port


@pytest.mark.filterwarnings("ignore::UserWarning")  # the driver's, of options it does not know
@pytest.mark.parametrize(
    "address",
    [
        "mongodb://till:s3cret@127.0.0.1:{port}/shop?serverSelectionTimeoutMS=200",
        "mongodb://till:s3cret@127.0.0.1:{port}",
        "mongodb://till:s3cret:@@127.0.0.1:{port}/shop",
        "mongodb://till:s3cret@127.0.0.1:none/shop",
        "mongodb://till:s3cret@127.0.0.1:{port}/shop?w=s3cret&authMechanism=s3cret&serverSelectionTimeoutMS=200",
    ],
)
def test_no_error_shows_the_password(address: str) -> None:
    with (
        pytest.raises((Unavailable, Invalid)) as told,
        MongoCatalogue(address.format(port=free_port())) as catalogue,
    ):
        catalogue.products.count("shop")
    error: BaseException | None = told.value
    while error is not None:
        assert "s3cret" not in repr(error)
        assert "s3cret" not in str(error)
        error = error.__cause__


def test_a_user_who_is_not_let_in_is_told_so(mongodb_url: str) -> None:
    url = mongodb_url.replace("mongodb://", "mongodb://till:s3cret@")
    with (
        MongoCatalogue(f"{url}/{new_id('test')}") as catalogue,
        pytest.raises(Unavailable, match="does not let us in") as told,
    ):
        catalogue.products.count("shop")
    assert "s3cret" not in f"{told.value!r} {told.value.__cause__!r}"
