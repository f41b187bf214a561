"""The way in from other machines: connections by TLS alone, and so many from one address that others keep theirs.

A connection counts from when it is taken, so that whoever never shakes hands takes up no more than others. What comes
through is handed to the protocol that serves loopback too; `guard` asks there who reads.
"""

import asyncio
import errno
import socket
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

import structlog

from hansa.api.allowance import Share
from hansa.node.tls import Credentials
from hansa.wire.problems import HansaError

log = structlog.get_logger()

HANDSHAKE_S: Final = 5.0
"""From the connection to the end of its handshake."""
HANDSHAKES_MAX: Final = 64
"""Handshakes at once from one address: they are the dearest thing that a stranger can ask for."""
HANDSHAKES_ALL_MAX: Final = 512
"""And from all addresses: until it is over, no other limit knows of a connection, and each takes a descriptor."""
ADDRESS_SHARE: Final = 8
"""One address has at most one in so many of the connections that there may be."""
_AGAIN_S: Final = 0.5
"""Before connections are taken again where none can be."""


class Gate:
    """Takes connections at a bound socket, of which there may be so many. `close` it as a server of the loop's."""

    def __init__(self, credentials: Credentials, listener: socket.socket, connections_max: int) -> None:
        self._credentials = credentials
        self._listener = listener
        self._connections = Share(max(HANDSHAKES_MAX, connections_max // ADDRESS_SHARE))
        self._handshakes = Share(HANDSHAKES_MAX)
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self, make: Callable[[], asyncio.Protocol]) -> None:
        """Begins, on the running loop; `make` gives the protocol of each connection."""
        self._listener.setblocking(False)
        self._go(self._accept(make))

    def close(self) -> None:
        """Takes no more, and ends the handshakes that are going on."""
        for task in self._tasks:
            task.cancel()
        self._listener.close()

    async def wait_closed(self) -> None:
        """Until the handshakes have ended."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, make: Callable[[], asyncio.Protocol]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, peer = await loop.sock_accept(self._listener)
            except OSError as error:  # no descriptor is left, or whoever came has gone
                log.warning("gate.accept", error=errno.errorcode.get(error.errno or 0, ""))
                await asyncio.sleep(_AGAIN_S)
                continue
            address: str = peer[0]
            if len(self._tasks) > HANDSHAKES_ALL_MAX or not self._connections.take(address):
                connection.close()
            elif not self._handshakes.take(address):
                self._connections.give_back(address)
                connection.close()
            else:
                self._go(self._shake(connection, address, make))

    async def _shake(self, connection: socket.socket, address: str, make: Callable[[], asyncio.Protocol]) -> None:
        loop = asyncio.get_running_loop()
        arrival = _Arrival(make, partial(self._connections.give_back, address))
        try:
            context = self._credentials.server()
            await loop.connect_accepted_socket(
                lambda: arrival, connection, ssl=context, ssl_handshake_timeout=HANDSHAKE_S
            )
        except HansaError as error:  # as where its key was ended
            log.error("gate.certificate", code=error.code, detail=error.detail)  # noqa: TRY400 - no defect
            connection.close()
            arrival.connection_lost(None)
        except (OSError, asyncio.CancelledError):  # whoever speaks no TLS, or says to be a node and is none
            connection.close()
            arrival.connection_lost(None)
        finally:
            self._handshakes.give_back(address)


class _Arrival(asyncio.Protocol):
    """One connection: passes everything on to a protocol of the server's, and says when it is over."""

    def __init__(self, make: Callable[[], asyncio.Protocol], over: Callable[[], None]) -> None:
        self._make = make
        self._over: Callable[[], None] | None = over
        self._inner: asyncio.Protocol | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._inner = self._make()
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        assert self._inner is not None
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        assert self._inner is not None
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        assert self._inner is not None
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        assert self._inner is not None
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        over, self._over = self._over, None
        if over is not None:
            over()
            if self._inner is not None:
                self._inner.connection_lost(exc)
