"""What a server does with the bytes and the time of its answers, over real sockets."""

import asyncio
import gzip
from collections.abc import Callable

import pytest
from tests.client.fakes import Drive
from tests.client.sockets import Raw, response

from hansa.client import AsyncClient, Client, Prepared, Unknown, transactions

LEDGER = bytes(range(32))


@pytest.fixture(params=["sync", "async"])
def drive(request: pytest.FixtureRequest) -> Drive:
    return Drive(request.param)


@pytest.fixture
def made(make_key: Callable) -> Prepared:
    return transactions.prepare(make_key("eddsa", "acme"), LEDGER, "shop", "go", {})


def test_an_answer_that_only_drips_has_an_end(made: Prepared, drive: Drive) -> None:
    """Each byte comes in time, and there are as many as it takes for a day."""
    endless = [b"HTTP/1.1 200 X\r\ncontent-length: 1000000\r\n\r\n", *[b"x", 0.1] * 1_000_000]
    with Raw(lambda *_: endless) as server, pytest.raises(Unknown) as caught:
        drive(None, "submit", made.envelope, client={"urls": server.url, "timeout_s": 0.5, "patient": False})
    assert caught.value.fields["cause"] == "node.silent"
    assert any(asked.startswith("POST") for asked in server.asked)


@pytest.mark.parametrize("status", [200, 404, 503])
def test_a_compressed_answer_is_none(status: int, drive: Drive, refused: Callable) -> None:
    """A few bytes could become more than there is memory for."""
    answer = response(status, gzip.compress(b'{"code": "queue.full", "detail": "d"}'), "content-encoding: gzip")
    with Raw(lambda *_: [answer]) as server, refused("node.foreign") as caught:
        drive(None, "get", "/x", client={"urls": server.url, "patient": False})
    assert "compressed" in caught.value.detail


def test_an_answer_has_a_largest_size(drive: Drive, refused: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hansa.client.transport.ANSWER_BYTES_MAX", 1000)
    with Raw(lambda path, _: [response(200, b"7" * int(path[1:]))]) as server:
        options = {"urls": server.url, "patient": False}
        assert len(drive(None, "get_bytes", "/1000", client=options)) == 1000
        with refused("node.foreign"):
            drive(None, "get_bytes", "/1001", client=options)


def test_an_answer_that_came_twice_is_not_the_next_ones(drive: Drive) -> None:
    """In one segment: the second copy waits in the connection when the next request goes out."""

    def handler(path: str, echo: str) -> list[bytes | float]:
        answer = response(200, f'"{path}"'.encode(), echo)
        return [answer * 2 if path in ("/1", "/3") else answer]

    with Raw(handler) as server:
        paths = ["/1", "/2", "/3", "/4", "/5"]
        assert drive_all(drive.kind, server.url, paths) == paths
        assert server.asked.count("GET /2") == 2  # what was refused was asked for again


def drive_all(kind: str, url: str, paths: list[str]) -> list[str]:
    """What one client, with one connection, is answered."""
    if kind == "sync":
        with Client(url) as client:
            return [client.get(path) for path in paths]

    async def main() -> list[str]:
        async with AsyncClient(url) as client:
            return [await client.get(path) for path in paths]

    return asyncio.run(main())
