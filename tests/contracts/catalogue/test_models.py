"""Models that tenants registered."""

from dataclasses import replace
from typing import Any

import pytest

from shared.catalogue.port import Catalogue
from shared.errors import Conflict
from shared.models import RegisteredModel
from shared.spaces import Space, Spaces


@pytest.fixture
def model() -> RegisteredModel:
    return RegisteredModel(
        model_id="mdl_1",
        tenant="shop",
        name="shoes",
        version="1",
        spaces=Spaces("whole", (Space("content", 8, "f1"), Space("colour", 4, "f2"))),
        archive="tenants/shop/models/one",
        sha256="a" * 64,
        size=900,
        created=0,
        manifest={"quality": {"precision@10": 0.5}, "licence": "$MIT"},
    )


def _other(model: RegisteredModel, model_id: str, **changes: Any) -> RegisteredModel:
    return replace(model, model_id=model_id, archive=f"tenants/shop/models/{model_id}", **changes)


def test_a_model_comes_back_dated_by_the_stores_clock(
    catalogue: Catalogue, model: RegisteredModel, clock: Any
) -> None:
    made = catalogue.models.register(model)
    assert made == replace(model, created=clock())
    assert made == catalogue.models.get("shop", "mdl_1")
    assert made == catalogue.models.named("shop", "shoes", "1")
    assert made == catalogue.models.of_fingerprint("whole")
    assert [made] == catalogue.models.all("shop")


def test_the_same_again_is_the_document_that_is_there(
    catalogue: Catalogue, model: RegisteredModel, clock: Any
) -> None:
    made = catalogue.models.register(model)
    clock.advance(5)
    assert catalogue.models.register(_other(model, "mdl_2")) == made
    assert [made] == catalogue.models.all("shop")


def test_another_model_under_the_same_name_and_version_is_refused(
    catalogue: Catalogue, model: RegisteredModel
) -> None:
    made = catalogue.models.register(model)
    other = _other(model, "mdl_2", spaces=replace(model.spaces, fingerprint="another"))
    with pytest.raises(Conflict, match=r"shoes@1 is registered.*another version") as refused:
        catalogue.models.register(other)
    assert refused.value.kind == "model_exists"
    assert catalogue.models.named("shop", "shoes", "1") == made
    assert catalogue.models.of_fingerprint("another") is None


def test_one_of_two_that_register_at_once_stays(
    catalogue: Catalogue, model: RegisteredModel
) -> None:
    first = catalogue.models.register(model)
    later = [catalogue.models.register(_other(model, f"mdl_{n}")) for n in range(2, 6)]
    assert later == [first] * 4


def test_a_tenant_sees_its_own_by_name_then_age(
    catalogue: Catalogue, model: RegisteredModel, clock: Any
) -> None:
    for model_id, name, version in (("mdl_a", "shoes", "2"), ("mdl_b", "hats", "1")):
        catalogue.models.register(_other(model, model_id, name=name, version=version))
        clock.advance(1)
    catalogue.models.register(model)
    catalogue.models.register(_other(model, "mdl_c", tenant="else"))
    assert [one.title for one in catalogue.models.all("shop")] == ["hats@1", "shoes@2", "shoes@1"]
    assert catalogue.models.get("shop", "mdl_c") is None
    assert catalogue.models.named("else", "shoes", "2") is None
    assert catalogue.models.all("nobody") == []


def test_of_one_fingerprint_the_first_is_found_whoever_it_belongs_to(
    catalogue: Catalogue, model: RegisteredModel, clock: Any
) -> None:
    first = catalogue.models.register(_other(model, "mdl_9", tenant="else"))
    clock.advance(1)
    catalogue.models.register(model)
    assert catalogue.models.of_fingerprint("whole") == first


def test_what_is_removed_is_gone_and_its_name_free(
    catalogue: Catalogue, model: RegisteredModel
) -> None:
    catalogue.models.register(model)
    assert not catalogue.models.remove("else", "mdl_1")
    assert catalogue.models.remove("shop", "mdl_1")
    assert not catalogue.models.remove("shop", "mdl_1")
    assert catalogue.models.all("shop") == []
    other = _other(model, "mdl_2", spaces=replace(model.spaces, fingerprint="another"))
    assert catalogue.models.register(other).model_id == "mdl_2"


def test_a_blob_is_known_to_be_an_archive(catalogue: Catalogue, model: RegisteredModel) -> None:
    catalogue.models.register(model)
    assert catalogue.models.names_blob(model.archive)
    assert not catalogue.models.names_blob("tenants/shop/models/other")
