"""Carries one request to a node over httpx2, with and without `async`.

Beside it `events` and `forwarding` stream over httpx2 themselves, `sign_in` asks issuers, and `memory` and `keys` hold
files; nothing else in the client does input or output.
"""

import secrets
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Final, Protocol, runtime_checkable

import httpx2

from hansa.client.exchange import Reply, Request, address
from hansa.wire.problems import HansaError

CONNECT_S: Final = 5.0
"""A node that is there takes a connection at once; further than this the next one is asked."""
_ECHO: Final = "hansa-request"
"""Nodes repeat it: an answer that came twice would else be taken for that to the next request on its connection.

An answer without it is taken: something between may have given it, which is then no answer of a node.
"""
ANSWER_BYTES_MAX: Final = 32 * 1024 * 1024
"""Of one answer, where its request says nothing else: more than the largest page of records has."""
_NOT_REACHED: Final = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
    httpx2.InvalidURL,
)
"""Ends of a request of which nothing was sent."""

_UNTRUSTED: Final = "CERTIFICATE_VERIFY_FAILED"
"""What OpenSSL says of a certificate that does not count, before anything is sent."""


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
        params: Mapping[str, str | int] | None = None,
        content: bytes | None = None,
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
        params: Mapping[str, str | int] | None = None,
        content: bytes | None = None,
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


def carry(transport: Transport, request: Request) -> Reply | HansaError:
    """Sends a request: the reply, or why there is none.

    `node.unreachable`: nothing was sent; `node.silent`; `node.foreign`: an answer to another request, too large
    or compressed. A transport that streams is read piece by piece, so that size and time are bounded; what another
    gives is whole.
    """
    url, asked = request.node + request.path, _asked(request)
    end = time.monotonic() + _whole_s(request)
    try:
        if not isinstance(transport, Streaming):
            response = transport.request(request.method, url, **asked)
            _check_head(response, asked)
            return _reply(response, response.content)
        with transport.stream(request.method, url, **asked) as response:
            body = bytearray()
            _check_head(response, asked)
            for piece in response.iter_bytes():
                body += piece
                _check_size(body, request.bytes_max)
                if time.monotonic() > end:
                    raise httpx2.ReadTimeout("its answer takes too long")
            return _reply(response, bytes(body))
    except Exception as error:  # whatever the bytes did to the parser: they may have been an answer
        return _failure(request, error)


async def carry_async(transport: AsyncTransport, request: Request) -> Reply | HansaError:
    """The same for `async`."""
    import asyncio  # noqa: PLC0415 - it takes a while, and only who uses it has it already

    url, asked = request.node + request.path, _asked(request)
    try:
        async with asyncio.timeout(_whole_s(request)):
            if not isinstance(transport, AsyncStreaming):
                response = await transport.request(request.method, url, **asked)
                _check_head(response, asked)
                return _reply(response, response.content)
            async with transport.stream(request.method, url, **asked) as response:
                body = bytearray()
                _check_head(response, asked)
                async for piece in response.aiter_bytes():
                    body += piece
                    _check_size(body, request.bytes_max)
                return _reply(response, bytes(body))
    except Exception as error:  # see `carry`
        return _failure(request, error)


def plain_coding(headers: Mapping[str, str]) -> bool:
    """Whether a body is what it says, not compressed."""
    return headers.get("content-encoding", "identity").strip().lower() in ("", "identity")


def _asked(request: Request) -> dict[str, Any]:
    timeout = httpx2.Timeout(request.wait_s, connect=_connect_s(request))
    params = request.query or None
    headers = {**request.headers, _ECHO: secrets.token_hex(8)}
    return {"params": params, "content": request.body, "headers": headers, "timeout": timeout}


def _connect_s(request: Request) -> float:
    return min(CONNECT_S, request.wait_s)


def _whole_s(request: Request) -> float:
    return _connect_s(request) + request.wait_s


def _check_head(response: httpx2.Response, asked: Mapping[str, Any]) -> None:
    """Raises `HansaError` `node.foreign`, before the body is read: then the connection is not used again."""
    mine = asked["headers"][_ECHO]
    if response.headers.get(_ECHO, mine) != mine:
        raise HansaError("node.foreign", "its answer is to another request")
    if not plain_coding(response.headers):
        raise HansaError("node.foreign", "its answer is compressed, which nobody asked for")


def _check_size(body: bytearray, bytes_max: int | None) -> None:
    most = ANSWER_BYTES_MAX if bytes_max is None else bytes_max
    if len(body) > most:
        raise HansaError("node.foreign", f"its answer has more than {most} bytes")


def _reply(response: httpx2.Response, body: bytes) -> Reply:
    return Reply(response.status_code, {name.lower(): text for name, text in response.headers.items()}, body)


def failure(node: str, error: Exception) -> HansaError:
    """Why a request to a node had no answer: `node.silent`, or if nothing of it was sent `node.unreachable`.

    `tls.untrusted` if the node has no certificate that counts.
    """
    code = "node.unreachable" if isinstance(error, _NOT_REACHED) else "node.silent"
    if _UNTRUSTED in str(error):
        code = "tls.untrusted"
    return HansaError(code, f"{address(node)}: {str(error) or type(error).__name__}")


def _failure(request: Request, error: Exception) -> HansaError:
    if isinstance(error, HansaError):
        return HansaError(error.code, f"{address(request.node)}: {error.detail}")
    return failure(request.node, error)
