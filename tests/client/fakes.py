"""Transports for tests of the client: prepared answers, and the same for `async`."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx2

from hansa.client import AsyncClient, Client
from hansa.wire.problems import HansaError

URL = "http://127.0.0.1:8470"
Reply = httpx2.Response | Exception


class Fake:
    """Gives prepared answers and keeps what it was asked. Lookups of transactions are answered with `lookups`."""

    def __init__(self, *replies: Reply, lookups: Mapping[str, Any] | None = None) -> None:
        self.replies = list(replies)
        self.lookups = lookups or {"status": "not_found"}
        self.asked: list[dict[str, Any]] = []
        self.looked: list[dict[str, Any]] = []
        self.named: list[str] = []
        """What each request is told apart by."""
        self.waits: list[tuple[float | None, float]] = []

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: httpx2.Timeout | None = None,
    ) -> httpx2.Response:
        assert timeout is not None
        assert timeout.read is not None
        headers = dict(headers or {})
        self.named.append(headers.pop("hansa-request"))
        asked = {"method": method, "url": url, "params": params, "content": content, "headers": headers}
        if method == "GET" and "/app/transactions/" in url:
            self.looked.append(asked)
            return good({"id": url.rpartition("/")[2], **self.lookups})
        self.waits.append((timeout.connect, timeout.read))
        self.asked.append(asked)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply


class Asynchronous:
    """A transport for `AsyncClient` over one for `Client`."""

    def __init__(self, fake: Any) -> None:
        self._fake = fake

    async def request(self, *words: Any, **more: Any) -> httpx2.Response:
        await asyncio.sleep(0)
        return self._fake.request(*words, **more)


class Drive:
    """Runs one operation on a new client of one kind: `drive(fake, "call", ...)`; without a fake over real sockets."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __call__(
        self, fake: Any, method: str, *words: Any, client: Mapping[str, Any] | None = None, **more: Any
    ) -> Any:
        options = {"urls": URL, **(client or {})}
        if self.kind == "sync":
            with Client(transport=fake, **options) as made:
                return getattr(made, method)(*words, **more)

        async def main() -> Any:
            transport = None if fake is None else Asynchronous(fake)
            async with AsyncClient(transport=transport, **options) as made:
                return await getattr(made, method)(*words, **more)

        return asyncio.run(main())


def good(value: Any) -> httpx2.Response:
    return httpx2.Response(200, json=value)


def problem(code: str, **fields: Any) -> httpx2.Response:
    error = HansaError(code, "what happened", **fields)
    return httpx2.Response(max(error.kind.status, 400), content=json.dumps(error.problem()).encode())


def lost() -> Exception:
    return httpx2.ReadTimeout("no answer")


def unreachable() -> Exception:
    return httpx2.ConnectError("refused")
