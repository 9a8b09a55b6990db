import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from starlette.testclient import TestClient

from services.gateway.ports import Ports
from services.gateway.schemas.duplicates import DuplicatesView
from shared.blobs import keys
from shared.images import sha256_of
from shared.jobs import Import

TENANT = "default"
Group = Sequence[Mapping[str, Any]]


@pytest.fixture
def ended(ports: Ports) -> Callable[..., str]:
    """An import that found these groups, or that has not ended yet."""

    def end(*groups: Group, tenant: str = TENANT, told: bool = True) -> str:
        job = Import("imp_1", tenant, "bson", "file:/x", 1, 0, "running")
        ports.catalogue.imports.create(job)
        blob = None
        if groups:
            blob = keys.report(tenant, job.import_id)
            lines = [json.dumps({"count": len(group), "pictures": group}) for group in groups]
            ports.blobs.put(blob, "".join(line + "\n" for line in lines).encode())
        found = {"groups": len(groups), "pictures": sum(map(len, groups)), "blob": blob}
        if told:
            ports.catalogue.imports.note(job.import_id, {"twins": found})
        return f"/v1/imports/{job.import_id}/duplicates"

    return end


def twins(*names: str) -> Group:
    return [
        {
            "sha256": name if len(name) == 64 else sha256_of(name.encode()),
            "imported": bool(n),
            "distance": n,
        }
        for n, name in enumerate(names)
    ]


def read(client: TestClient, path: str, **params: Any) -> DuplicatesView:
    answer = client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return DuplicatesView.model_validate(answer.json())


def test_a_group_names_its_pictures_with_the_products_that_show_them(
    client: TestClient, ended: Callable[..., str], put: Callable[..., Any], draw: Any
) -> None:
    one, two = draw(1), draw(2)
    put("first", 1)
    put("second", 2)
    page = read(client, ended(twins(sha256_of(one), sha256_of(two))))
    (group,) = page.duplicates
    assert (page.groups, page.pictures, page.next_cursor, group.count) == (1, 2, None, 2)
    assert [picture.product_ids for picture in group.pictures] == [["first"], ["second"]]
    assert [(p.imported, p.distance) for p in group.pictures] == [(False, 0), (True, 1)]
    assert group.showing_several == []
    for picture, data in zip(group.pictures, (one, two), strict=True):
        assert client.get(picture.url, headers={"Authorization": ""}).content == data


def test_a_product_that_shows_one_photo_twice_is_named(
    client: TestClient, ended: Callable[..., str], ports: Ports, draw: Any
) -> None:
    pictures = [("image", (f"{n}", draw(n), "image/jpeg")) for n in (1, 2)]
    form = [("product", (None, json.dumps({"title": "Lamp"}), "application/json")), *pictures]
    assert client.put("/v1/products/both", files=form).status_code in (200, 201, 202)
    page = read(client, ended(twins(sha256_of(draw(1)), sha256_of(draw(2)))))
    assert page.duplicates[0].showing_several == ["both"]


def test_pages_hold_every_group_once_in_order(
    client: TestClient, ended: Callable[..., str]
) -> None:
    groups = [twins(f"{n}a", f"{n}b", *("more",) * n) for n in range(7)]
    path, cursor, walked, pages = ended(*groups), "", [], 0
    while True:
        page = read(client, path, limit=3, cursor=cursor)
        walked += [group.pictures[0].sha256 for group in page.duplicates]
        pages += 1
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    assert walked == [group[0]["sha256"] for group in groups]
    assert pages == 3


def test_a_report_longer_than_one_read_is_paged_through(
    client: TestClient, ended: Callable[..., str]
) -> None:
    groups = [twins(*(f"{n}-{m}" for m in range(100))) for n in range(40)]
    path = ended(*groups)
    first = read(client, path, limit=30)
    rest = read(client, path, limit=30, cursor=first.next_cursor)
    assert (len(first.duplicates), len(rest.duplicates), rest.next_cursor) == (30, 10, None)


def test_an_import_that_found_none_says_so(client: TestClient, ended: Callable[..., str]) -> None:
    page = read(client, ended())
    assert (page.groups, page.duplicates, page.next_cursor) == (0, [], None)


def test_an_import_that_goes_on_has_no_report_yet(
    client: TestClient, ended: Callable[..., str]
) -> None:
    answer = client.get(ended(told=False))
    assert (answer.status_code, answer.json()["code"]) == (404, "no_report")


def test_an_import_of_another_tenant_is_not_there(
    client: TestClient, ended: Callable[..., str]
) -> None:
    answer = client.get(ended(twins("a", "b"), tenant="other"))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("cursor", ["1", "99999", "-1", "x", "²", "9" * 5000])
def test_a_cursor_that_was_not_given_out_is_refused(
    client: TestClient, ended: Callable[..., str], cursor: str
) -> None:
    answer = client.get(ended(twins("a", "b")), params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor")


def test_a_search_key_reads_no_report(shopper: TestClient, ended: Callable[..., str]) -> None:
    assert shopper.get(ended(twins("a", "b"))).status_code == 403
