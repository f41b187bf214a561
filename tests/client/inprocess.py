"""A real node and its HTTP server in this process, without sockets: requests go in as bytes, answers come out so.

The node lives on an event loop in a thread of its own, so that clients with and without `async` can ask it, and can be
stopped and started over the same folder between any two bytes.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import uvicorn
from uvicorn.server import ServerState

from hansa.api.app import make_app
from hansa.api.submit import Limits, SubmitProtocol
from hansa.node.cosigning import Cosigners
from hansa.node.node import Node, open_node
from hansa.wire import entry, transaction
from hansa.wire.problems import HansaError

HOST = "node"
URL = f"http://{HOST}"
_Result = TypeVar("_Result")


class Line(asyncio.Transport):
    """The client's end of one connection: what the server writes is kept."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written = b""
        self.ended = asyncio.Event()
        self._closing = False

    def write(self, data: Any) -> None:
        self.written += bytes(data)
        if self.response() is not None:
            self.ended.set()

    def response(self) -> tuple[int, dict[str, str], bytes] | None:
        """Status, headers and body, once they are there."""
        head, _, body = self.written.partition(b"\r\n\r\n")
        if not _:
            return None
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines)}
        if len(body) < int(headers["content-length"]):
            return None
        return int(first.split(" ")[1]), headers, body

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True
        self.ended.set()

    abort = close

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


def maker(node: Node, cosigners: Cosigners, limits: Limits, host: str) -> Callable[[], SubmitProtocol]:
    """What makes the server's end of a connection to a node; `limits` is stopped by its owner."""
    config = uvicorn.Config(
        make_app(node, frozenset({host}), cosigners=cosigners),
        http=partial(SubmitProtocol, node, cosigners, limits),  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
    )
    config.load()
    return partial(config.http_protocol_class, config=config, server_state=ServerState(), app_state={})


async def exchanged(server: SubmitProtocol, asked: httpx2.Request, *, answered: bool = True) -> httpx2.Response:
    """One request on a connection of its own."""
    lines = [f"{asked.method} {asked.url.raw_path.decode()} HTTP/1.1"]
    lines += [f"{name}: {text}" for name, text in asked.headers.items()]
    line = Line()
    server.connection_made(line)
    server.data_received("\r\n".join([*lines, "", ""]).encode() + asked.read())
    try:
        if not answered:
            raise httpx2.ReadTimeout("nobody waited for it")
        await asyncio.wait_for(line.ended.wait(), 30)
        found = line.response()
        if found is None:
            raise httpx2.RemoteProtocolError("the server closed the connection")
        status, headers, body = found
        return httpx2.Response(status, headers=headers, content=body)
    finally:
        if server.parser is not None:
            server.connection_lost(None)


class InProcess:
    """The node over a folder. A `Transport`, while it runs; restarts are counted."""

    def __init__(self, root: Path, *, told: bool = False) -> None:
        self._root = root
        self._told = told
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.problems: list[Any] = []
        self._loop.set_exception_handler(lambda _, context: self.problems.append(context))
        self._run(self._start())

    def _run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _start(self) -> None:
        self._node: Node = open_node(self._root, told=self._told, reserve_bytes=0)
        self._node.start()
        self._limits = Limits(self._loop, 1_000)
        self._lines: set[SubmitProtocol] = set()
        self._make = maker(self._node, Cosigners(self._node), self._limits, HOST)

    async def _stop(self) -> None:
        self._limits.stop()
        await self._node.stop()
        for line in list(self._lines):
            line.connection_lost(None)

    async def _restart(self) -> None:
        await self._stop()
        await self._start()

    def restart(self) -> None:
        """Stops the node, whatever it is doing, and starts it again."""
        self._run(self._restart())

    def close(self) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        assert self.problems == []

    # Requests

    def send(self, method: str, url: str, more: Mapping[str, Any], *, answered: bool = True) -> httpx2.Response:
        """One request on a connection of its own. Not `answered`: the client is gone as soon as it is sent."""
        return self._run(self._exchange(method, url, more, answered))

    def request(self, method: str, url: str, **more: Any) -> httpx2.Response:
        """See `hansa.client.Transport`."""
        return self.send(method, url, more)

    async def _exchange(self, method: str, url: str, more: Mapping[str, Any], answered: bool) -> httpx2.Response:
        asked = httpx2.Request(
            method, url, params=more.get("params"), content=more.get("content"), headers=more.get("headers")
        )
        server = self._make()
        self._lines.add(server)
        try:
            return await exchanged(server, asked, answered=answered)
        finally:
            self._lines.discard(server)

    # What the ledger has

    def settled(self) -> None:
        """Returns when nothing waits for its block any more."""

        async def wait() -> None:
            for _ in range(1_000):
                if not (self._node.status().waiting or self._node._unverified):
                    return
                await asyncio.sleep(0.005)
            raise AssertionError("it does not settle")

        self._run(wait())

    def messages(self) -> Counter[tuple[str, str, int]]:
        """How often each message of `tell` stands in an entry, with the outcome's status and the entry's seq."""

        async def read() -> Counter[tuple[str, str, int]]:
            found: Counter[tuple[str, str, int]] = Counter()
            reading = self._node.reading
            for seq in range(reading.tip.size):
                at = reading.at(seq)
                try:
                    body = transaction.read(at.envelope).transaction
                except HansaError:
                    continue  # the genesis document
                if body.action == "tell":
                    found[body.arguments["message"], entry.decode_outcome(at.outcome).status, seq] += 1
            return found

        return self._run(read())
