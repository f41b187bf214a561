"""Connections of a client to its nodes over HTTP and HTTPS, and what makes a certificate count on them.

One rule for each client, chosen by what it was told:

- A client that knows its ledger's id takes a node by its registered key. The key that a node shows first is noted, and
  holds for all its connections; `readers` has it forgotten again unless the ledger names it, before anything is asked
  that tells more than who asks.
- Any other takes certificates as the web does: by name and date, under the authorities that it was given, or the
  machine's.

Where only HTTP is spoken, nothing here is loaded.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from typing import Any, Final, Generic, TypeVar
from urllib.parse import SplitResult, urlsplit

import httpx2

from hansa.wire.keys import PublicKey
from hansa.wire.problems import HansaError

_Client = TypeVar("_Client", httpx2.Client, httpx2.AsyncClient)

HANDSHAKE_S: Final = 5.0
"""How long a node may take to show its certificate."""
HTTPS_PORT: Final = 443
_IDENTITY: Final = {"accept-encoding": "identity"}
"""A few compressed bytes can become more than there is memory for."""


class Certificates:
    """What a client knows of the certificates of its nodes. `shown` are node keys, by the URLs that they answer at.

    `by_keys`: it takes nodes by their keys; else by `authorities`, a PEM file, or the machine's.
    """

    waits: bool = True
    """Whether `context` may take as long as a node takes to answer."""

    def __init__(self, authorities: Path | None, *, by_keys: bool) -> None:
        self.by_keys = by_keys and authorities is None
        self._authorities = authorities
        self._web: ssl.SSLContext | None = None
        self.shown: dict[str, PublicKey] = {}

    def context(self, url: str) -> ssl.SSLContext:
        """How connections to a node are made. May ask it for its certificate, first.

        Raises `HansaError`: `tls.untrusted`, `tls.files`; `OSError` if it is not reached.
        """
        if not self.by_keys:
            self._web = self._web or self._by_names()
            return self._web
        from hansa.client import certificates  # noqa: PLC0415 - it takes a while to load, and HTTP needs none

        if url not in self.shown:
            self.shown[url] = certificates.shown_key(_certificate(urlsplit(url), certificates.NODE_NAME))
        return certificates.by_keys([self.shown[url]])

    def known(self, url: str) -> object:
        """What a node's connections depend on: with another one, they are made anew."""
        return self.shown.get(url)

    @property
    def extensions(self) -> dict[str, Any]:
        """What requests say beside: by which name a node is to show itself."""
        from hansa.client.certificates import NODE_NAME  # noqa: PLC0415 - as above

        return {"sni_hostname": NODE_NAME} if self.by_keys else {}

    def _by_names(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self._authorities)
        except (OSError, ssl.SSLError) as error:
            raise HansaError("tls.files", f"{self._authorities}: {error}") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return context


def origin(url: str) -> str:
    """A URL without its path."""
    return "/".join(url.split("/", 3)[:3])


def is_secured(url: str) -> bool:
    """Whether a node is spoken to by TLS."""
    return url.startswith("https://")


def host(url: str) -> str:
    """The name or address in a URL, as nodes are told it."""
    return urlsplit(url).hostname or ""


class _Clients(Generic[_Client]):
    """One client of httpx2 for each key that a node shows, and one for all nodes without TLS."""

    def __init__(self, certificates: Certificates, make: Callable[[ssl.SSLContext], _Client]) -> None:
        self._certificates = certificates
        self._make = make
        self._plain = make(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        self._secured: dict[str, tuple[object, _Client]] = {}
        self._left: list[_Client] = []
        self._lock = threading.Lock()

    def known(self, url: str) -> _Client | None:
        """The client for a URL, None if there is none yet."""
        if not is_secured(url):
            return self._plain
        by, found = self._secured.get(origin(url), (None, None))
        return found if by is self._certificates.known(origin(url)) else None

    def met(self, url: str) -> _Client:
        """A new client for a URL; waits for the node's certificate. Raises as `Certificates.context`."""
        at = origin(url)
        with self._lock:
            if (found := self.known(url)) is not None:  # another came first
                return found
            try:
                context = self._certificates.context(at)
            except OSError as error:
                raise httpx2.ConnectError(str(error)) from None
            before, made = self._secured.get(at), self._make(context)
            self._secured[at] = self._certificates.known(at), made
            if before is not None:
                self._left.append(before[1])
            return made

    @property
    def waits(self) -> bool:
        """Whether `met` may take long."""
        return self._certificates.waits

    def left(self) -> list[_Client]:
        """The clients that are not used any more, to be closed."""
        found, self._left = self._left, []
        return found

    def beside(self, url: str) -> dict[str, Any]:
        """What a request says beside."""
        return {"extensions": self._certificates.extensions} if is_secured(url) else {}

    def all(self) -> list[_Client]:
        """All clients."""
        return [self._plain, *(client for _, client in self._secured.values()), *self.left()]


class Connections:
    """A `Transport` that streams. Threads may share one."""

    def __init__(self, certificates: Certificates) -> None:
        self._clients = _Clients(certificates, lambda context: httpx2.Client(verify=context, headers=_IDENTITY))

    def request(self, method: str, url: str, **asked: Any) -> httpx2.Response:
        """See `Transport`."""
        client = self._client(url)
        return client.request(method, url, **asked, **self._clients.beside(url))

    @contextlib.contextmanager
    def stream(self, method: str, url: str, **asked: Any) -> Generator[httpx2.Response]:
        """See `Streaming`."""
        client = self._client(url)
        with client.stream(method, url, **asked, **self._clients.beside(url)) as response:
            yield response

    def close(self) -> None:
        """Ends all connections."""
        for client in self._clients.all():
            client.close()

    def _client(self, url: str) -> httpx2.Client:
        found = self._clients.known(url)
        if found is None:
            found = self._clients.met(url)
            for client in self._clients.left():
                client.close()
        return found


class AsyncConnections:
    """The same for `async`."""

    def __init__(self, certificates: Certificates) -> None:
        self._clients = _Clients(certificates, lambda context: httpx2.AsyncClient(verify=context, headers=_IDENTITY))

    async def request(self, method: str, url: str, **asked: Any) -> httpx2.Response:
        """See `AsyncTransport`."""
        client = await self._client(url)
        return await client.request(method, url, **asked, **self._clients.beside(url))

    @contextlib.asynccontextmanager
    async def stream(self, method: str, url: str, **asked: Any) -> AsyncGenerator[httpx2.Response]:
        """See `AsyncStreaming`."""
        client = await self._client(url)
        async with client.stream(method, url, **asked, **self._clients.beside(url)) as response:
            yield response

    async def aclose(self) -> None:
        """Ends all connections."""
        for client in self._clients.all():
            await client.aclose()

    async def _client(self, url: str) -> httpx2.AsyncClient:
        import asyncio  # noqa: PLC0415 - it takes a while, and only who uses it has it already

        found = self._clients.known(url)
        if found is None:
            met = self._clients.met
            found = await asyncio.to_thread(met, url) if self._clients.waits else met(url)
            for client in self._clients.left():
                await client.aclose()
        return found


def _certificate(parts: SplitResult, name: str) -> bytes:
    """What a node shows under a name, believed by nobody yet. Raises `OSError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    at = parts.hostname or "", parts.port or HTTPS_PORT
    with (
        socket.create_connection(at, HANDSHAKE_S) as plain,
        context.wrap_socket(plain, server_hostname=name) as secured,
    ):
        return secured.getpeercert(binary_form=True) or b""
