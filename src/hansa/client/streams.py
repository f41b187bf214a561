"""Streams from nodes that know their readers: each begins with a token, and with a new one where that is over.

What `events` reads from, with and without `async`. `run` drives an operation of the client.
"""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from typing import Any, Final

import httpx2

from hansa.client import readers
from hansa.client.exchange import Operation
from hansa.client.session import Session
from hansa.client.transport import AsyncTransport, Transport, streaming, streaming_async

_TRIES: Final = 2
"""A token may have ended meanwhile; a new one that is refused too is not asked for again."""


class Streams:
    """A `Streaming` over a transport, or `HansaError` `argument.value` if that streams nothing."""

    def __init__(self, session: Session, transport: Transport, run: Callable[[Operation[None]], None]) -> None:
        self._session = session
        self._transport = streaming(transport)
        self._run = run

    @contextlib.contextmanager
    def stream(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, **asked: Any
    ) -> Generator[httpx2.Response]:
        """See `Streaming`. Raises `HansaError` as `readers.enter`."""
        session, node = self._session, _node_of(self._session, url)
        self._run(readers.met(session, node))
        for left in reversed(range(_TRIES)):
            shown = {**(headers or {}), **readers.authorization(session, node)}
            with self._transport.stream(method, url, headers=shown, **asked) as answer:
                if not (left and readers.is_refused(session, answer.status_code)):
                    yield answer
                    return
            self._run(readers.enter(session, node))


class AsyncStreams:
    """The same for `async`."""

    def __init__(
        self, session: Session, transport: AsyncTransport, run: Callable[[Operation[None]], Awaitable[None]]
    ) -> None:
        self._session = session
        self._transport = streaming_async(transport)
        self._run = run

    @contextlib.asynccontextmanager
    async def stream(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, **asked: Any
    ) -> AsyncGenerator[httpx2.Response]:
        """See `Streams.stream`."""
        session, node = self._session, _node_of(self._session, url)
        await self._run(readers.met(session, node))
        for left in reversed(range(_TRIES)):
            shown = {**(headers or {}), **readers.authorization(session, node)}
            async with self._transport.stream(method, url, headers=shown, **asked) as answer:
                if not (left and readers.is_refused(session, answer.status_code)):
                    yield answer
                    return
            await self._run(readers.enter(session, node))


def _node_of(session: Session, url: str) -> str:
    """The node that a URL is of, as the session names it."""
    return next(node for node in session.nodes if url.startswith(f"{node}/"))
