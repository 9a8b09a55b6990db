"""Long uploads: in parts, through broken connections, another day; folders as streams of lines."""

import asyncio
import base64
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import httpx
import pytest

from lookalike import AsyncLookalike, Lookalike
from lookalike.client import Invalid, NotFound, Unreachable, Unreadable, uploads
from lookalike.client.folders import blocks_of, document
from services.embedder.staging.folder import pictures
from tests.client.house import House

PART = 1_000


class Growing:
    """A server of one resumable upload; `cuts` say how many bytes of which PATCH get through."""

    def __init__(self, cuts: dict[int, int] | None = None, refuse: int | None = None) -> None:
        self.data = bytearray()
        self.length: int | None = None
        self.cuts = cuts or {}
        self.refuse = refuse
        self.patches: list[int] = []
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.method)
        if "Upload-Length" in request.headers:
            self.length = int(request.headers["Upload-Length"])
        if request.method == "PATCH":
            return self._patch(request, request.read())
        if request.method == "HEAD" and not request.url.path.endswith("/upl_1"):
            return httpx.Response(404)
        headers = {**self._state(), "Location": "/v1/uploads/upl_1"}
        body = {"upload_id": "upl_1", "size": self.length or 0, "media_type": "text/plain"}
        return httpx.Response(200, headers=headers, json=body)

    def client(self) -> Lookalike:
        return Lookalike("http://shop.test", key="lk", transport=httpx.MockTransport(self))

    def _patch(self, request: httpx.Request, data: bytes) -> httpx.Response:
        offset = int(request.headers["Upload-Offset"])
        self.patches.append(offset)
        if self.refuse is not None:
            return httpx.Response(self.refuse, json={"code": "no", "detail": "No."})
        if offset != len(self.data):
            return httpx.Response(409, json={"code": "wrong_offset", "detail": "Elsewhere."})
        arrived = self.cuts.pop(len(self.patches), None)
        self.data += data[:arrived]
        if arrived is not None:
            raise httpx.WriteError("the line is dead")
        return httpx.Response(204, headers=self._state())

    def _state(self) -> dict[str, str]:
        length = {} if self.length is None else {"Upload-Length": str(self.length)}
        return {"Upload-Offset": str(len(self.data)), **length}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of a thousand bytes, and no pauses."""
    monkeypatch.setattr(uploads, "PART_BYTES", PART)
    monkeypatch.setattr("lookalike.client.synchronous.time.sleep", lambda _seconds: None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "feed.csv"
    made.write_bytes(bytes(range(256)) * 14)
    return made


def test_a_long_file_goes_in_parts_and_its_progress_is_told(file: Path) -> None:
    server, told = Growing(), list[tuple[int, int]]()
    stored = server.client().upload(file, progress=lambda *sent: told.append(sent))
    assert (stored.upload_id, stored.size, stored.sha256) == ("upl_1", 3_584, None)
    assert server.data == file.read_bytes()
    assert server.patches == [0, 1_000, 2_000, 3_000]
    assert [sent for sent, _ in told] == sorted(sent for sent, _ in told)
    assert told[-1] == (3_584, 3_584)


def test_it_goes_on_from_where_the_server_is(file: Path) -> None:
    server = Growing(cuts={2: 300, 3: 0, 5: 1_000})
    server.client().upload(file)
    assert server.data == file.read_bytes()
    assert server.patches == [0, 1_000, 1_300, 1_300, 2_000, 3_000]


def test_a_part_whose_answer_was_lost_is_not_sent_again(file: Path) -> None:
    server = Growing(cuts={1: PART})
    server.client().upload(file)
    assert server.patches == [0, 1_000, 2_000, 3_000]


def test_it_gives_up_when_nothing_gets_through(file: Path) -> None:
    server = Growing(cuts=dict.fromkeys(range(3, 100), 0))
    with pytest.raises(Unreachable, match="No byte has got through"):
        server.client().upload(file)
    assert server.patches[2:] == [2_000] * uploads.TRIES


def test_a_line_that_goes_on_breaking_gets_it_through_in_crumbs(file: Path) -> None:
    server = Growing(cuts=dict.fromkeys(range(1, 3 * uploads.TRIES), 50))
    server.client().upload(file)
    assert server.data == file.read_bytes()


@pytest.mark.parametrize(("status", "fault"), [(404, NotFound), (413, Invalid)])
def test_what_will_not_pass_ends_it_at_once(
    status: int, fault: type[Exception], file: Path
) -> None:
    server = Growing(refuse=status)
    with pytest.raises(fault):
        server.client().upload(file)
    assert server.patches == [0]


def test_an_offset_that_is_nobodys_is_told(file: Path) -> None:
    server = Growing(cuts={2: 0})
    client, before = server.client(), server._state

    def beyond() -> dict[str, str]:
        return {**before(), "Upload-Offset": "3500"} if len(server.patches) > 1 else before()

    server._state = beyond  # type: ignore[method-assign]
    with pytest.raises(Unreadable, match="Somebody else"):
        client.upload(file)


def test_an_upload_is_taken_up_another_day(file: Path) -> None:
    server, begun = Growing(cuts=dict.fromkeys(range(3, 9), 0)), list[str]()
    with pytest.raises(Unreachable):
        server.client().upload(file, begun=begun.append)
    assert begun == ["upl_1"]
    server.cuts.clear()
    server.asked.clear()
    server.client().upload(file, resume=begun[0])
    assert server.data == file.read_bytes()
    assert server.asked == ["HEAD", "PATCH", "PATCH", "GET"]
    server.asked.clear()
    server.client().upload(file, resume=begun[0])
    assert server.asked == ["HEAD", "GET"], "it is there"


@pytest.mark.parametrize("name", ["upl_gone", "upl_1"])
def test_an_upload_that_is_not_this_files_is_begun_anew(name: str, file: Path) -> None:
    server = Growing()
    server.length = 5
    server.client().upload(file, resume=name)
    assert server.asked[:2] == ["HEAD", "POST"]
    assert server.data == file.read_bytes()


def test_a_file_that_shrinks_on_the_way_is_told(file: Path) -> None:
    server = Growing()

    def shrink(sent: int, _total: int) -> None:
        if sent == PART:
            file.write_bytes(b"short")

    with pytest.raises(OSError, match="changed while it was sent"):
        server.client().upload(file, progress=shrink)


def test_a_short_file_is_one_request(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PART_BYTES", 4_000)
    server = Growing()
    server.client().upload(file)
    assert server.asked == ["POST"]


def test_a_real_gateway_takes_a_catalogue_in_parts(shop: Lookalike, house: House) -> None:
    told: list[tuple[int, int]] = []
    begun = shop.import_catalogue(
        house.sample,
        format="bson",
        categories=house.categories,
        progress=lambda *sent: told.append(sent),
    )
    assert told[-1] == (house.sample.stat().st_size,) * 2
    assert shop.wait(begun, timeout_s=60).state == "succeeded"
    assert shop.import_status(begun.import_id).counters.read == house.products


@pytest.fixture
def shelf(tmp_path: Path, photos: list[Path]) -> Path:
    """A folder with pictures, and with what is none."""
    root = tmp_path / "shelf"
    for name, photo in zip(
        ("lamps/brass lamp.jpg", "lamps/small/0001.jpg", "tables/oak~1.JPG"), photos, strict=True
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(photo.read_bytes())
    (root / "lamps/brass lamp.png").write_bytes(b"text")
    (root / "lamps/.hidden.jpg").write_bytes(b"hidden")
    (root / "lamps/prices.txt").write_bytes(b"1")
    (root / "tables/big.png").touch()
    with (root / "tables/big.png").open("r+b") as big:
        big.truncate(20 * 2**20 + 1)
    return root


def lines_of(blocks: Iterator[bytes]) -> list[Any]:
    return [json.loads(line) for line in b"".join(blocks).splitlines()]


def test_a_folder_is_a_line_a_picture_in_order(shelf: Path) -> None:
    left: list[tuple[str, str]] = []
    told: list[tuple[int, int]] = []
    lines = lines_of(
        blocks_of(
            shelf,
            10,
            lambda *sent: told.append(sent),
            lambda path, why: left.append((path.name, why)),
        )
    )
    assert [line["product_id"][:12] for line in lines] == [
        "lamps~brass ",
        "lamps~brass ",
        "lamps~small~",
        "tables~oak~1",
    ]
    assert lines[2]["category"] == ["lamps", "small"]
    assert lines[2]["title"] == "small"
    assert lines[1]["images"] == [{"base64": base64.b64encode(b"text").decode()}]
    assert sorted(left) == [
        ("big.png", "has more than 20,971,520 bytes"),
        ("prices.txt", "is no picture by its name"),
    ]
    sent = sum(len(base64.b64decode(line["images"][0]["base64"])) for line in lines)
    assert told[-1][0] == sent


def test_a_folder_gives_the_same_products_whichever_way_it_comes(shelf: Path) -> None:
    there = [entry for entry in pictures(shelf) if isinstance(entry, dict)]
    paths = [PurePosixPath(entry["images"][0]["path"]) for entry in there]
    first = [path.parent / path.stem for path in paths]
    here = [
        document(path, first[:number].count(path.parent / path.stem))
        for number, path in enumerate(paths)
    ]
    assert here == [{k: v for k, v in entry.items() if k != "images"} for entry in there]


def test_a_folder_without_pictures_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds no pictures"):
        list(blocks_of(tmp_path, 10, None, None))
    with pytest.raises(FileNotFoundError):
        list(blocks_of(tmp_path / "nowhere", 10, None, None))


def test_a_folder_is_streamed_without_knowing_its_length(shelf: Path) -> None:
    server, lines = Growing(cuts={2: 10}), blocks_of(shelf, PART, None, None)
    stored = server.client()._run(uploads.stream(partial(next, lines, b"")))
    assert server.length == stored.size == len(server.data)
    assert len(lines_of(iter([bytes(server.data)]))) == 4


def test_a_real_gateway_takes_a_folder(shop: Lookalike, shelf: Path) -> None:
    begun = shop.import_folder(shelf)
    assert shop.wait(begun, timeout_s=60).finished
    assert shop.import_status(begun.import_id).counters.read == 4
    assert shop.get("lamps~small~0001").category == ("lamps", "small")


def test_awaited_it_is_the_same(house: House) -> None:
    async def upload() -> int | None:
        async with AsyncLookalike(house.url, key=house.admin_key) as client:
            return (await client.upload(house.sample)).size

    assert asyncio.run(upload()) == house.sample.stat().st_size
