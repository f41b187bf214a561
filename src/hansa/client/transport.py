"""Carries one request to a node over httpx2, with and without `async`; the only place of the client that does I/O."""

import ssl
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Final, Protocol, runtime_checkable

import httpx2

from hansa.client.exchange import Reply, Request
from hansa.wire.problems import HansaError

_CONNECT_S: Final = 5.0
"""A node that is there takes a connection at once; further than this the next one is asked."""
_NOT_REACHED: Final = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
    httpx2.InvalidURL,
)
"""Ends of a request of which nothing was sent."""


class Transport(Protocol):
    """What carries a request. `httpx2.Client` is one; a test or an embedding puts another in its place.

    It MUST NOT follow redirects, and raises what httpx2 raises where no answer comes.
    """

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
        """Sends one request and returns its answer."""
        ...


class AsyncTransport(Protocol):
    """The same for `async`: `httpx2.AsyncClient` is one."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: httpx2.Timeout | None = None,  # noqa: ASYNC109 - the word is httpx2's
    ) -> httpx2.Response:
        """Sends one request and returns its answer."""
        ...


@runtime_checkable
class Streaming(Protocol):
    """What streams an answer. `httpx2.Client` is one."""

    def stream(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: httpx2.Timeout | None = None,
    ) -> AbstractContextManager[httpx2.Response]:
        """One request, its answer to be read as it comes."""
        ...


@runtime_checkable
class AsyncStreaming(Protocol):
    """What streams an answer. `httpx2.AsyncClient` is one."""

    def stream(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: httpx2.Timeout | None = None,
    ) -> AbstractAsyncContextManager[httpx2.Response]:
        """One request, its answer to be read as it comes."""
        ...


def streaming(transport: Transport) -> Streaming:
    """The transport, where it streams answers too. Raises `HansaError` `argument.value`."""
    if not isinstance(transport, Streaming):
        raise HansaError("argument.value", "this transport streams no answers, which events need")
    return transport


def streaming_async(transport: AsyncTransport) -> AsyncStreaming:
    """The same for `async`."""
    if not isinstance(transport, AsyncStreaming):
        raise HansaError("argument.value", "this transport streams no answers, which events need")
    return transport


def own(urls: Sequence[str]) -> httpx2.Client:
    """A transport for nodes at these URLs."""
    return httpx2.Client(verify=_trust(urls))


def own_async(urls: Sequence[str]) -> httpx2.AsyncClient:
    """The same for `async`."""
    return httpx2.AsyncClient(verify=_trust(urls))


def _trust(urls: Sequence[str]) -> ssl.SSLContext | bool:
    # To read the system's certificates takes longer than a request. Where no URL needs them, none are trusted.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if all(url.startswith("http://") for url in urls) else True


def carry(transport: Transport, request: Request) -> Reply | HansaError:
    """Sends a request: the reply, or why there is none (`node.unreachable`: nothing was sent; `node.silent`)."""
    try:
        response = transport.request(
            request.method,
            request.node + request.path,
            params=request.query or None,
            content=request.body,
            headers=request.headers,
            timeout=_timeout(request),
        )
        return _reply(response)
    except Exception as error:  # whatever the bytes did to the parser: they may have been an answer
        return _failure(request, error)


async def carry_async(transport: AsyncTransport, request: Request) -> Reply | HansaError:
    """The same for `async`."""
    try:
        response = await transport.request(
            request.method,
            request.node + request.path,
            params=request.query or None,
            content=request.body,
            headers=request.headers,
            timeout=_timeout(request),
        )
        return _reply(response)
    except Exception as error:  # whatever the bytes did to the parser: they may have been an answer
        return _failure(request, error)


def _timeout(request: Request) -> httpx2.Timeout:
    return httpx2.Timeout(request.wait_s, connect=_CONNECT_S)


def _reply(response: httpx2.Response) -> Reply:
    return Reply(
        response.status_code, {name.lower(): text for name, text in response.headers.items()}, response.content
    )


def _failure(request: Request, error: Exception) -> HansaError:
    code = "node.unreachable" if isinstance(error, _NOT_REACHED) else "node.silent"
    return HansaError(code, f"{request.node}: {str(error) or type(error).__name__}")
