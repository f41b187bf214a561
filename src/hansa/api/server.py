"""Runs a node behind HTTP on one event loop, until a signal or a fault ends it."""

import asyncio
import contextlib
import gc
import logging
import resource
import signal
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog
import uvicorn

import hansa
from hansa.api.app import make_app
from hansa.api.requests import LOOPBACK
from hansa.api.submit import Limits, SubmitProtocol
from hansa.node.cosigning import Cosigners
from hansa.node.events import Place
from hansa.node.node import Node
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.api.gate import Gate
    from hansa.api.sessions import Sessions
    from hansa.api.sign_in import SignIn
    from hansa.node.tls import OwnFiles

log = structlog.get_logger()

_STOP_S: Final = 2
"""How long open connections may finish what they have begun."""
_BACKLOG: Final = 1_024
_FILES_RESERVED: Final = 128
"""Descriptors kept for the ledger's own files."""
_HANDSHAKES_RESERVED: Final = 512
"""And for handshakes where TLS is taken (`gate.HANDSHAKES_ALL_MAX`): they are not counted among connections yet."""
_CONNECTIONS_MAX: Final = 16_384
"""Open at once, or what the process may open if that is less; beyond it the one that idles longest is closed."""
_LOOK_S: Final = 0.5
"""How often is looked whether a node that waits for its first block has failed meanwhile."""
_LOOPBACK: Final = (*LOOPBACK, "localhost")


class Listening(msgspec.Struct, frozen=True):
    """Where others reach a node by TLS: a bound socket, the hosts in their URLs, and the operator's own certificate."""

    listener: socket.socket
    names: list[str]
    own: "OwnFiles | None" = None


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handling: the node is stopped after it, whatever ended it.

    `opened` gives the servers of further ways in, which begin and end with it.
    """

    def __init__(
        self, config: uvicorn.Config, opened: Callable[[Callable[[], asyncio.Protocol]], Awaitable[list[Any]]]
    ) -> None:
        super().__init__(config)
        self._opened = opened

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.servers += await self._opened(self._protocol)

    def _protocol(self) -> asyncio.Protocol:
        made: Any = self.config.http_protocol_class
        return made(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


def bind(host: str, port: int) -> socket.socket:
    """A listening socket on loopback. Raises `HansaError`: `node.not_loopback` for other addresses, `node.port`."""
    if host not in _LOOPBACK:
        raise HansaError("node.not_loopback", f"{host} is not a loopback address")
    return bind_any(host, port)


def bind_any(host: str, port: int) -> socket.socket:
    """A listening socket at any address of this machine. Raises `HansaError` `node.port`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)  # only then the port is taken
    except OSError as error:
        listener.close()
        told = f"{host}:{port} cannot be listened on: {error.strerror}"
        raise HansaError("node.port", told) from None
    return listener


def url_of(listener: socket.socket, scheme: str = "http") -> str:
    """The URL of a bound socket."""
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


async def serve(
    node: Node,
    listener: socket.socket,
    started: Callable[[], None] = lambda: None,
    ending: asyncio.Event | None = None,
    sign_in: "SignIn | None" = None,
    ended: Callable[[], None] = lambda: None,
    listening: Listening | None = None,
) -> None:
    """Starts the node, answers requests, and stops both on SIGTERM, SIGINT or a fault.

    `started` is called when requests are answered, `ended` when none is any more, while the ledger is still locked.

    With `ending`, a node in a program that does other things too: it stops when that is set, and signals and the
    garbage collector are left to the program. With `sign_in` people of the node's member can sign in. With `listening`
    other machines reach it too, by TLS, and it asks them who reads. Raises the
    `HansaError` of a fault after everything is closed, and `session.settings` if the member's key does not count.
    """
    loop = asyncio.get_running_loop()
    node.start()
    try:
        sessions = None if sign_in is None else _sessions(node, sign_in)
    except HansaError:
        await node.stop()
        raise
    reserved = _FILES_RESERVED + (0 if listening is None else _HANDSHAKES_RESERVED)
    limits = Limits(loop, _connections_max(reserved))
    port = listener.getsockname()[1]
    hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))
    guarded = None if listening is None else _Guarded(node, listening, limits)
    cosigners = Cosigners(node, credentials=None if guarded is None else guarded.credentials)
    config = uvicorn.Config(
        make_app(node, hosts, sessions, cosigners, None if guarded is None else guarded.guard),
        http=partial(SubmitProtocol, node, cosigners, limits),  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_STOP_S,
    )

    async def opened(protocol: Callable[[], asyncio.Protocol]) -> list[Any]:
        ways = [] if guarded is None else [await guarded.open(protocol)]
        loop.call_soon(started)
        return ways

    server = _Server(config, opened)
    logging.getLogger("uvicorn.error").addFilter(_is_no_cancellation)
    assert node.failed is not None

    def stop() -> None:
        node.events.close()  # streams end by themselves; everything else is waited for
        server.should_exit = True

    node.failed.add_done_callback(lambda _: stop())
    waiting = None
    if ending is not None:
        waiting = loop.create_task(ending.wait())
        waiting.add_done_callback(lambda _: stop())
    else:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 50, 100)
    log.info("node.started", ledger=node.ledger.hex(), entries=node.reading.tip.size, version=hansa.__version__)
    try:
        await server.serve(sockets=[listener])
    finally:
        if waiting is not None:
            waiting.cancel()
        limits.stop()
        if sessions is not None:
            await sessions.close()
        await cosigners.close()
        ended()
        await node.stop()
        log.info("node.stopped", entries=node.reading.tip.size)
    if node.failed.done():
        node.failed.result()


class _Guarded:
    """The way in by TLS: its gate, and the guard behind it."""

    def __init__(self, node: Node, listening: Listening, limits: Limits) -> None:
        # What certificates take is loaded only where there are any.
        from hansa.api.gate import Gate  # noqa: PLC0415
        from hansa.api.guard import Guard  # noqa: PLC0415
        from hansa.api.readers import Readers  # noqa: PLC0415
        from hansa.node.tls import Credentials  # noqa: PLC0415

        names = frozenset(listening.names)
        self._node = node
        self.credentials = Credentials(node, listening.names, listening.own)
        self._gate = Gate(self.credentials, listening.listener, limits.connections_max)
        self.guard = Guard(Readers(node, names), self.credentials, names)

    async def open(self, protocol: Callable[[], asyncio.Protocol]) -> "Gate":
        """Begins to take connections. Raises `HansaError`: `key.node`, `tls.files`, what the node failed with."""
        node = self._node
        assert node.failed is not None
        while not (node.reading.tip.size or node.failed.done()):  # a new ledger names the node's key in its first block
            await node.events.wait(Place(0), _LOOK_S)
        if not node.failed.done():
            self.credentials.server()
            self.credentials.write_authority()
        self._gate.open(protocol)
        return self._gate


def _sessions(node: Node, sign_in: "SignIn") -> "Sessions":
    # What it takes to verify tokens takes a while to load.
    from hansa.api.sessions import Sessions  # noqa: PLC0415
    from hansa.api.sign_in import check_key  # noqa: PLC0415

    check_key(sign_in, node.directory_ahead())
    return Sessions(node, sign_in)


def _is_no_cancellation(record: logging.LogRecord) -> bool:
    """Whether a line of the log is not about an answer that was given up at a stop, which is no defect."""
    return record.exc_info is None or not isinstance(record.exc_info[1], asyncio.CancelledError)


def _connections_max(reserved: int) -> int:
    """As many connections as descriptors allow beside those reserved, the soft limit raised as far as it goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _CONNECTIONS_MAX + reserved
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return _CONNECTIONS_MAX if soft == resource.RLIM_INFINITY else max(64, min(_CONNECTIONS_MAX, soft - reserved))
