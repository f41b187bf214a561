"""POST /app/transactions, answered before ASGI: the way every transaction comes in, kept short.

A subclass of uvicorn's protocol, on the same port and connection handling as all other routes. It also holds what
protects a node from slow and silent clients, for every route: limits on the time for headers and bodies, on body
size, and on the number of connections.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from email.utils import formatdate
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from hansa.api import answers
from hansa.api.answers import Headers, Result
from hansa.api.guard import CERTIFICATE
from hansa.api.requests import members_asked
from hansa.node.cosigning import Cosigned, Cosigners
from hansa.node.intake import Answer
from hansa.node.node import Node
from hansa.wire import cose
from hansa.wire.limits import BATCH_BYTES_MAX, BATCH_ENVELOPES_MAX
from hansa.wire.problems import HansaError

PATH: Final = b"/app/transactions"
COSE_TYPE: Final = b"application/cose"
SEQUENCE_TYPE: Final = b"application/cbor-seq"
CBOR_TYPE: Final = b"application/cbor"
JSON_TYPE: Final = b"application/json"

HEADERS_BYTES_MAX: Final = 64 * 1024
"""What of a request is not its body: the first line, headers, the framing of chunks, trailers."""
PIPELINE_MAX: Final = 512
"""Requests that may wait on one connection for the one before them."""
HEADERS_S_MAX: Final = 5.0
"""From the first byte of a request, or the connection, to the end of its headers."""
BODY_S_MAX: Final = 20.0
"""From the end of the headers to the end of the body."""
IDLE_S_MAX: Final = 60.0
"""Between requests on a connection that has made one."""
ANSWER_S_MAX: Final = 30.0
"""How long a request waits for its blocks; after that the outcome is unknown to it, and asking again is safe."""
STREAM_S_MAX: Final = 60.0
"""How long a client may take nothing of an answer that goes on, such as a stream of events."""
STREAMS: Final = "hansa.streams"
"""The extension of the ASGI scope for answers that take long: such an answer calls `prolong` whenever it goes on.

`is_gone` says whether the client still waits for it.
"""
SWEEP_S: Final = 0.5
"""How often the deadlines of all connections are looked at."""
ECHO: Final = b"hansa-request"
"""The header of a request that its answer repeats: whoever sent it sees that the answer is not another's."""
_ECHO_BYTES_MAX: Final = 64
"""Of what an answer repeats: what names a request is short."""
_OFFER_HEADERS: Final = (b"connection", b"upgrade", b"http2-settings")
_DROP_SHARE: Final = 16
"""At the limit of connections, one in so many is dropped: those that have been idle longest."""


class Limits:
    """What all connections of one server share: the clock of their deadlines, and how many there may be."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connections_max: int) -> None:
        self._loop = loop
        self.connections_max = connections_max
        self.open: dict[SubmitProtocol, None] = {}
        self.date = b""
        self._sweeping = loop.call_soon(self._sweep)

    def stop(self) -> None:
        """Ends the sweeping."""
        self._sweeping.cancel()

    def add(self, connection: "SubmitProtocol") -> None:
        """Takes a connection in; at the limit the ones idle longest go."""
        self.open[connection] = None
        if len(self.open) > self.connections_max:
            idle = sorted((c for c in self.open if c.is_idle and c is not connection), key=lambda c: c.idle_since)
            for victim in idle[: len(idle) // _DROP_SHARE + 1]:
                victim.transport.abort()
                self.open.pop(victim, None)
            if not idle:
                connection.transport.abort()

    def _sweep(self) -> None:
        now = self._loop.time()
        for connection in list(self.open):
            if connection.deadline < now:
                connection.overdue()
        self.date = b"date: " + formatdate(time.time(), usegmt=True).encode() + b"\r\n"
        self._sweeping = self._loop.call_later(SWEEP_S, self._sweep)


class _Event:
    """Stands where uvicorn's cycle has an event that nobody waits for here."""

    def set(self) -> None:
        """Nothing."""


class _Submission:
    """One request on the short way; has the attributes by which uvicorn's protocol knows a cycle."""

    __slots__ = (
        "accept_cbor",
        "content_type",
        "disconnected",
        "echo",
        "keep_alive",
        "message_event",
        "more_body",
        "parts",
        "query",
        "refused",
        "response_complete",
        "size",
        "started",
        "unanswered",
    )

    def __init__(self, keep_alive: bool, query: bytes) -> None:
        self.keep_alive = keep_alive
        self.query = query
        self.parts: list[bytes] = []
        self.size = 0
        self.more_body = True
        self.content_type = b""
        self.accept_cbor = False
        self.echo: Sequence[tuple[bytes, bytes]] = ()
        self.started = False
        self.disconnected = False
        self.response_complete = False
        self.refused: HansaError | None = None
        self.message_event = _Event()
        self.unanswered = 0


class SubmitProtocol(HttpToolsProtocol):
    """See the module. `node`, `cosigners` and `limits` are shared by all connections of a server."""

    def __init__(self, node: Node, cosigners: Cosigners, limits: Limits, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._node = node
        self._cosigners = cosigners
        self._limits = limits
        self._overhead_bytes = 0  # of the request that is being read
        self._is_last = False  # nothing more will come from the client
        self._running: Any = None  # the cycle whose turn it is; `cycle` is the one being read
        self.deadline = 0.0
        self.is_idle = True
        self.idle_since = 0.0

    # Deadlines

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self.idle_since = self.loop.time()
        self.deadline = self.idle_since + HEADERS_S_MAX
        self._limits.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._limits.open.pop(self, None)
        super().connection_lost(exc)
        if self._running is not None:  # uvicorn tells the one being read only
            self._running.disconnected = True
            self._running.message_event.set()

    def overdue(self) -> None:
        """The deadline has passed: a waiting submission is told so, anything slow or silent is closed."""
        cycle: Any = self.cycle
        if isinstance(cycle, _Submission) and not (cycle.more_body or cycle.response_complete):
            cycle.keep_alive = False
            self._respond(cycle, *self._problem(HansaError("answer.late")))
        else:
            self.transport.abort()

    def prolong(self) -> None:
        """An answer that goes on for long has gone on: the client has so long to take the next piece of it."""
        self.deadline = self.loop.time() + STREAM_S_MAX

    def is_gone(self) -> bool:
        """Whether the client has closed the connection, or its side of it: it does not seem to wait any more."""
        return self._is_last or self not in self._limits.open

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if self.is_idle:
            self.is_idle = False
            self.deadline = self.loop.time() + HEADERS_S_MAX
        self._overhead_bytes += len(data)
        self._feed(data)
        if self._overhead_bytes > HEADERS_BYTES_MAX:
            self._refuse(HansaError("request.oversized", f"headers of more than {HEADERS_BYTES_MAX} bytes"))
        elif len(self.pipeline) > PIPELINE_MAX:
            self.transport.abort()

    def eof_received(self) -> bool:  # type: ignore[override]
        """A client that has said all it will may still hear its answers."""
        self._is_last = True
        return self._waits()

    def _feed(self, data: bytes) -> None:
        assert self.parser is not None
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._decline(data[offer.args[0] :])
        except httptools.HttpParserError:
            self._refuse(HansaError("request.form", "this is no HTTP/1.1 request"))

    def _decline(self, rest: bytes) -> None:
        """Passes over an offer to speak another protocol (RFC 9110 section 7.8), which the parser would switch to.

        The request is read again without the offer: some clients (Java's) make it with every first request.
        """
        assert self.parser is not None
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse(HansaError("request.form", "this server is no proxy"))
            return
        head = [method, b" ", self.url, b" HTTP/1.1\r\n"]
        for name, value in self.headers:
            if name not in _OFFER_HEADERS:
                head += [name, b": ", value, b"\r\n"]
        self.parser = httptools.HttpRequestParser(self)
        self._feed(b"".join(head) + b"\r\n" + rest)

    def _waits(self) -> bool:
        """Whether the request read last is whole and has no answer yet."""
        cycle: Any = self.cycle
        return cycle is not None and not (cycle.more_body or cycle.response_complete)

    def _refuse(self, error: HansaError) -> None:
        """Ends the connection over what is no request; a request before it that still waits must not be told so."""
        if not (self._waits() or self.pipeline or self.transport.is_closing()):
            self._write(*self._problem(error), keep_alive=False)
        self.transport.close()

    # The parser's callbacks

    def on_message_begin(self) -> None:
        """A request begins; what only ASGI needs is made in `on_headers_complete`, if at all."""
        self._overhead_bytes = 0
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        """Headers are there: the short way for submissions, uvicorn's for the rest."""
        self.deadline = self.loop.time() + BODY_S_MAX
        assert self.parser is not None
        if self.parser.should_upgrade():
            return
        url = self.url = _origin_form(self.url)
        if self.parser.get_method() == b"POST" and (url == PATH or url.startswith(PATH + b"?")):
            self._begin(url[len(PATH) + 1 :])
            return
        headers, expect = self.headers, self.expect_100_continue
        super().on_message_begin()
        self.scope["extensions"] = {STREAMS: {"prolong": self.prolong, "is_gone": self.is_gone}}
        self.scope["extensions"][CERTIFICATE] = self.transport.get_extra_info("peercert")
        self.url, self.expect_100_continue = url, expect
        self.headers[:] = headers
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._overhead_bytes -= len(body)
        cycle: Any = self.cycle
        if not isinstance(cycle, _Submission):
            super().on_body(body)
        elif cycle.refused is None:
            cycle.parts.append(body)
            cycle.size += len(body)
            if cycle.size > BATCH_BYTES_MAX:
                cycle.parts = []
                cycle.refused = HansaError("request.oversized", f"more than {BATCH_BYTES_MAX} bytes")
                cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """The body is there."""
        assert self.parser is not None
        if self.parser.should_upgrade():
            return
        self.deadline = self.loop.time() + ANSWER_S_MAX
        cycle: Any = self.cycle
        if not isinstance(cycle, _Submission):
            super().on_message_complete()
            return
        cycle.more_body = False
        if cycle.started:
            self._run(cycle)

    def on_response_complete(self) -> None:
        """A response is out: the next pipelined request, or the wait for one."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.idle_since = self.loop.time()
        # A client that does not take its answers has as long as for a body.
        self.deadline = self.idle_since + (BODY_S_MAX if self.flow.write_paused else IDLE_S_MAX)
        self.is_idle = not self.pipeline
        if self.pipeline:
            self.loop.call_soon(self._start_next)  # not here: answers that follow at once would nest without bound
        elif self._is_last:
            self.transport.close()
        else:
            self._read_on()

    def pause_writing(self) -> None:
        """The client does not take its answers: none are added for requests that were not read yet."""
        super().pause_writing()
        self.flow.pause_reading()

    def resume_writing(self) -> None:
        """The client has taken its answers."""
        super().resume_writing()
        self._read_on()

    def _start_next(self) -> None:
        if self.pipeline and not self.transport.is_closing():
            self._start_asgi_task(*self.pipeline.pop())
            self._read_on()

    def _read_on(self) -> None:
        """Reads more once nothing that was read waits for its turn, nor answers for the client."""
        if not (self.pipeline or self.flow.write_paused):
            self.flow.resume_reading()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._running = cycle
        if isinstance(cycle, _Submission):
            cycle.started = True
            if not cycle.more_body:
                self._run(cycle)
        else:
            super()._start_asgi_task(cycle, app)

    # A submission

    def _begin(self, query: bytes) -> None:
        assert self.parser is not None
        keep_alive = self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
        cycle = _Submission(keep_alive, query)
        for name, value in self.headers:
            if name == b"content-type":
                cycle.content_type = value
            elif name == b"accept":
                cycle.accept_cbor = value == CBOR_TYPE
            elif name == ECHO and not cycle.echo:
                cycle.echo = echo(((name, value),))
        before: Any = self.cycle
        self.cycle = cycle  # type: ignore[assignment]
        if before is None or before.response_complete:
            cycle.started = True
            self._running = cycle
            if self.expect_100_continue:
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))  # type: ignore[arg-type]

    def _run(self, cycle: _Submission) -> None:
        try:
            if cycle.refused is not None:
                raise cycle.refused
            options = _options(cycle.query, self._cosigners)
            content_type = cycle.content_type.split(b";")[0].strip().lower()
            body, cycle.parts = b"".join(cycle.parts), []  # what waits for an answer holds no bytes of the request
            if content_type == COSE_TYPE:
                self._run_one(cycle, body, options)
            elif content_type == SEQUENCE_TYPE:
                self._run_batch(cycle, body, options)
            else:
                raise HansaError("request.content_type", accepted=[COSE_TYPE.decode(), SEQUENCE_TYPE.decode()])
        except HansaError as error:
            self._respond(cycle, *self._problem(error))

    def _problem(self, error: HansaError) -> tuple[int, bytes, bytes, Headers]:
        self._node.tally.refuse(error.code)
        return answers.problem(error)

    def _run_one(self, cycle: _Submission, body: bytes, options: "Options") -> None:
        def accepted(id: bytes) -> None:
            self._respond(cycle, 202, JSON_TYPE, answers.accepted(id))

        def answered(result: Result) -> None:
            if isinstance(result, HansaError):
                self._respond(cycle, *self._problem(result))
            elif options.accepted:
                accepted(result.id)
            elif options.k:
                self._cosigners.begin([result.seq], options.k, partial(committed, result))
            else:
                committed(result, None)

        def committed(answer: Answer, cosigned: list[Cosigned] | None) -> None:
            encode = answers.answer_cbor if cycle.accept_cbor else answers.answer_json
            receipt = answers.receipt_of(self._node, answer) if options.receipt else None
            body = encode(answer, receipt, None if cosigned is None else cosigned[0])
            self._respond(cycle, 200, CBOR_TYPE if cycle.accept_cbor else JSON_TYPE, body)

        self._node.submit(body, answered, accepted if options.accepted else None)

    def _run_batch(self, cycle: _Submission, body: bytes, options: "Options") -> None:
        envelopes = cose.split_sequence(body, BATCH_ENVELOPES_MAX)
        if not envelopes:
            raise HansaError("batch.empty")
        results: list[Result | None] = [None] * len(envelopes)
        cycle.unanswered = len(envelopes)

        def tell(position: int, result: Result) -> None:
            if results[position] is None:
                results[position] = result
                if isinstance(result, HansaError):
                    self._node.tally.refuse(result.code)
                cycle.unanswered -= 1
                if not cycle.unanswered:
                    entered = [one.seq for one in results if isinstance(one, Answer)] if options.k else []
                    if entered:
                        self._cosigners.begin(entered, options.k, partial(respond, entered))
                    else:
                        respond((), ())

        def respond(seqs: Sequence[int], found: Sequence[Cosigned] | None) -> None:
            cosigned = dict(zip(seqs, found, strict=True)) if found else {}
            said = answers.batch(results, self._node, cycle.accept_cbor, options.receipt, cosigned)
            self._respond(cycle, 200, *said)

        if options.accepted:
            raise HansaError("request.wait")
        if options.k * len(envelopes) > BATCH_ENVELOPES_MAX:
            raise HansaError("request.query", f"a batch has at most {BATCH_ENVELOPES_MAX} receipts, counted by members")
        for position, envelope in enumerate(envelopes):
            try:
                self._node.submit(envelope, partial(tell, position))
            except HansaError as error:
                tell(position, error)

    def _respond(self, cycle: _Submission, status: int, content_type: bytes, body: bytes, extra: Headers = ()) -> None:
        if cycle.response_complete:
            return
        cycle.response_complete = True
        if cycle.disconnected or self.transport.is_closing():
            return
        self._write(status, content_type, body, (*extra, *cycle.echo), keep_alive=cycle.keep_alive)
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _write(self, status: int, content_type: bytes, body: bytes, extra: Headers = (), *, keep_alive: bool) -> None:
        self.transport.write(
            b"".join(
                (
                    STATUS_LINE[status],
                    self._limits.date,
                    b"content-type: ",
                    content_type,
                    b"\r\ncontent-length: ",
                    str(len(body)).encode(),
                    b"\r\n",
                    *(b"%s: %s\r\n" % header for header in extra),
                    b"" if keep_alive else b"connection: close\r\n",
                    b"\r\n",
                    body,
                )
            )
        )


def echo(headers: Iterable[tuple[bytes, bytes]]) -> Sequence[tuple[bytes, bytes]]:
    """The headers of an answer that name its request, if that has a short name of letters and digits."""
    return [(ECHO, v) for name, v in headers if name == ECHO and len(v) <= _ECHO_BYTES_MAX and v.isalnum()][:1]


def _origin_form(url: bytes) -> bytes:
    """The path and query of a request's target, which may be a whole URL (RFC 9112 section 3.2.2)."""
    if url.startswith((b"http://", b"https://")):
        return b"/" + b"".join(url.split(b"/", 3)[3:])
    return url


class Options:
    """What a submission asks for in its query: `receipt=true`, by `k` members (0: by this node), `wait=accepted`."""

    __slots__ = ("accepted", "k", "receipt")

    def __init__(self, *, receipt: bool = False, k: int = 0, accepted: bool = False) -> None:
        self.receipt = receipt
        self.k = k
        self.accepted = accepted


_PLAIN: Final = Options()


def _options(query: bytes, cosigners: Cosigners) -> Options:
    """Refuses before anything is submitted, also more members than could sign."""
    if not query:
        return _PLAIN
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    found = {"receipt": "false", "wait": "committed", **dict(pairs)}
    asked = found.pop("k", None)
    names = {name for name, _ in pairs}
    if len(names) < len(pairs) or set(found) != {"receipt", "wait"}:
        raise HansaError("request.query", "this route takes receipt, k and wait, each once")
    if found["receipt"] not in ("true", "false") or found["wait"] not in ("committed", "accepted"):
        raise HansaError("request.query", "receipt is true or false, wait is committed or accepted")
    receipt, accepted = found["receipt"] == "true", found["wait"] == "accepted"
    if asked is not None and (accepted or not receipt):
        raise HansaError("request.query", "k is for a receipt that is waited for: give receipt=true, too")
    k = 0 if asked is None else cosigners.wanted(members_asked(asked))
    return Options(receipt=receipt, k=k, accepted=accepted)
