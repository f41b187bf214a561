"""Following a ledger's events: the stream's format, one reader's progress, and the loops that read and reconnect.

`Parser` and `Follower` do no input or output: bytes in, events out. `follow` and `afollow` carry them over anything
that streams an answer as `httpx2.Client` and `httpx2.AsyncClient` do. Every event comes exactly once and in order,
however often the connection is lost: the node reads all history from its journal, so nothing is ever missed. What is
out of order, or of another ledger, is refused rather than passed on.
"""

import asyncio
import math
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias, TypeVar

import httpx2
import msgspec

from hansa.client.exchange import Reply, address, refusal
from hansa.client.transport import CONNECT_S, AsyncStreaming, Streaming, failure, plain_coding
from hansa.wire import names
from hansa.wire.problems import HansaError

LINE_BYTES_MAX: Final = 1024 * 1024
"""Of one line, and of the data of one message: more than any event can have."""
SILENCE_S: Final = 45.0
"""A node says something every 15 s; one that is silent so long is taken for gone."""
PAUSES_S: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Before each time that the stream is asked for again, the last for all times after."""
_PASSING: Final = 503
"""The status of every problem that goes by itself."""
_PROXY: Final = (502, 503, 504)
"""What stands between may answer so while the node is away."""
_PROBLEM_BYTES_MAX: Final = 64 * 1024
"""Of a refusal's body; problem documents are far smaller."""
_BOM: Final = b"\xef\xbb\xbf"
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_PATH: Final = "/app/events"
_MEDIA_TYPE: Final = "text/event-stream"

Lost: TypeAlias = Callable[[HansaError, float], None]
"""Told why the stream was lost, and after how many seconds it is asked for again."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the node tells it.

    `id` is `SEQ-N`; `time` the ledger time of its entry, ms; `transaction` the hexadecimal id of the entry; `data` what
    the contract gave, in JSON form: bytes are hexadecimal, integers beyond 2^53-1 are text, an instant is ms.
    """

    id: str
    seq: int
    index: int
    contract: str
    version: str
    name: str
    time: int
    transaction: str
    data: dict[str, Any]


class Heartbeat(msgspec.Struct, frozen=True):
    """A sign of life: everything up to `after` (an id; None before all) has been looked at, of so many entries."""

    after: str | None
    entries: int


class Message(msgspec.Struct, frozen=True):
    """One message of a stream. `id` is the last id that stood in the stream, also in one without data."""

    type: str
    data: str
    id: str


class Parser:
    """Server-sent events, as WHATWG HTML says in section 9.2.6: any chunks in, whole messages out."""

    def __init__(self) -> None:
        self._start: bytes | None = b""  # of the stream, until it is known whether it is a byte order mark
        self._parts: list[bytes] = []  # of a line that has not ended
        self._size = 0
        self._after_cr = False
        self._type = ""
        self._data: list[str] = []
        self._data_size = 0
        self._id = ""
        self._id_waiting = ""

    def feed(self, chunk: bytes) -> list[Message]:
        """The messages that end in this chunk. Raises `HansaError` `node.foreign` for a line beyond the limit."""
        if self._start is not None:
            self._start += chunk
            if len(self._start) < len(_BOM) and _BOM.startswith(self._start):
                return []
            chunk, self._start = self._start.removeprefix(_BOM), None
        if self._after_cr and chunk:
            chunk, self._after_cr = chunk.removeprefix(b"\n"), False
        found: list[Message] = []
        self._after_cr = self._after_cr or chunk.endswith(b"\r")
        *lines, rest = _LINE_END.split(chunk)
        for line in lines:
            whole, self._parts = b"".join((*self._parts, line)), []
            self._size = 0
            if len(whole) > LINE_BYTES_MAX:
                raise _too_long()
            self._take(whole.decode("utf-8", "replace"), found)
        self._size += len(rest)
        if self._size > LINE_BYTES_MAX:
            raise _too_long()
        if rest:
            self._parts.append(rest)
        return found

    def _take(self, line: str, found: list[Message]) -> None:
        if not line:
            self._id = self._id_waiting
            if self._data:
                found.append(Message(self._type or "message", "\n".join(self._data), self._id))
            self._type, self._data, self._data_size = "", [], 0
            return
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data_size += len(value)
            if self._data_size > LINE_BYTES_MAX:
                raise _too_long()
            self._data.append(value)
        elif field == "event":
            self._type = value
        elif field == "id" and "\0" not in value:
            self._id_waiting = value
        # A comment has no field name; `retry` is for browsers; anything else is passed over.


class Follower:
    """One reader's progress over all its connections: what to ask for next, and what has come.

    `after` is an id: `SEQ-N` or `SEQ`; "0" is the beginning, None from now on. Unless it `follows` it is done where the
    ledger ended at the first answer. `patience_s` is how long it goes on asking a node that gives no sign, None for
    ever; a node that was never there is not asked again.
    """

    def __init__(
        self,
        contract: str | None = None,
        name: str | None = None,
        after: str | None = None,
        *,
        follow: bool = True,
        ledger: str | None = None,
        patience_s: float | None = None,
    ) -> None:
        """Raises `HansaError` `events.id` for an `after` that is none."""
        self.after = after
        self.ledger = ledger
        """The hexadecimal id of the ledger, known from the first answer on if it was not given."""
        self.is_done = False
        self._wanted = {"contract": contract, "name": name}
        self._follow = follow
        self._patience_s = math.inf if patience_s is None else patience_s
        self._last = (-1, math.inf) if after is None else _place(after)
        self._end: int | None = None
        self._met = False
        self._tries = 0
        self._waited_s = 0.0
        self._parser = Parser()

    def request(self) -> tuple[str, dict[str, str], dict[str, str]]:
        """Path, query and headers of the next request."""
        query = {name: value for name, value in self._wanted.items() if value is not None}
        if not self._follow:
            query["follow"] = "false"
        headers = {"accept": _MEDIA_TYPE, "accept-encoding": "identity", "cache-control": "no-store"}
        if self.after is not None:
            headers["last-event-id"] = self.after
        return _PATH, query, headers

    def answered(self, status: int, headers: Mapping[str, str], problem: bytes = b"") -> None:
        """Takes an answer's head, and the body of a refusal. Raises `HansaError`: the refusal, `events.ledger`."""
        if not plain_coding(headers):
            raise HansaError("node.foreign", "the answer is compressed, which nobody asked for")
        if status != 200:
            raise _refusal(status, headers, problem)
        if headers.get("content-type", "").partition(";")[0].strip() != _MEDIA_TYPE:
            raise HansaError("node.foreign", "the answer is no stream of events")
        ledger = headers.get("hansa-ledger", "")
        if self.ledger is not None and ledger != self.ledger:
            raise HansaError(
                "events.ledger", f"the node keeps ledger {ledger[:64]!a}, and what was asked for is of {self.ledger}"
            )
        self.ledger, self._met, self._parser = ledger, True, Parser()

    def feed(self, chunk: bytes) -> Iterator[Event | Heartbeat]:
        """What came with this chunk, one by one: what was not taken counts as not come.

        Raises `HansaError`: `events.order`, `node.foreign`, what the node tells.
        """
        for message in self._parser.feed(chunk):
            self._tries, self._waited_s = 0, 0.0
            if message.type == "message":
                event = self._event(message)
                if not self.is_done:
                    yield event
            elif message.type == "heartbeat":
                yield self._heartbeat(message)
            elif message.type == "problem":
                raise _refusal(500, {}, message.data.encode())
            if self.is_done:
                return

    def lost(self, error: HansaError) -> float:
        """After how many seconds to ask again. Raises `error` if that is of no use."""
        if not self._met or error.kind.status != _PASSING:
            raise error
        asked = error.fields.get("retry_after")
        pause = PAUSES_S[min(self._tries, len(PAUSES_S) - 1)]
        if isinstance(asked, int):
            pause = max(pause, min(float(asked), PAUSES_S[-1]))
        if self._waited_s + pause > self._patience_s:
            raise error
        self._tries += 1
        self._waited_s += pause
        return pause

    def _event(self, message: Message) -> Event:
        event = _decoded(message, Event)
        if message.id != event.id or event.id != f"{event.seq}-{event.index}":
            raise HansaError("node.foreign", f"event {event.id[:40]!a} came under id {message.id[:40]!a}")
        if event.contract != (self._wanted["contract"] or event.contract) or event.name != (
            self._wanted["name"] or event.name
        ):
            raise HansaError("node.foreign", f"{event.name[:60]!a} of {event.contract[:60]!a} was not asked for")
        here = _place(event.id)
        if here <= self._last:
            raise HansaError("events.order", f"event {event.id} came after {self.after}")
        if self._end is not None and event.seq >= self._end:
            self.is_done = True
        else:
            self._last, self.after = here, event.id
        return event

    def _heartbeat(self, message: Message) -> Heartbeat:
        beat = _decoded(message, Heartbeat)
        if beat.after is not None:
            here = _place(beat.after)
            if here < self._last:
                raise HansaError("events.order", f"a heartbeat at {beat.after} came after event {self.after}")
            self._last, self.after = here, beat.after
        if not self._follow and self._end is None:
            self._end = beat.entries
        self.is_done = self._end is not None and self._last >= (self._end - 1, math.inf)
        return beat


def follow(
    transport: Streaming,
    node: Callable[[], str],
    follower: Follower,
    *,
    on_lost: Lost | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Event | Heartbeat]:
    """Events and heartbeats of a ledger, over as many connections as it takes, each to the URL that `node` then gives.

    Raises `HansaError`: a refusal, `events.order`, `events.ledger`, and `node.unreachable`, `node.silent` where the
    follower's patience is over.
    """
    while not follower.is_done:
        path, query, headers = follower.request()
        url = node().rstrip("/")
        try:
            with transport.stream("GET", url + path, params=query, headers=headers, timeout=_TIMEOUT) as answer:
                problem = b"" if answer.status_code == 200 else _bounded(answer)
                follower.answered(answer.status_code, answer.headers, problem)
                for chunk in answer.iter_bytes():
                    yield from follower.feed(chunk)
                    if follower.is_done:
                        return
            lost = HansaError("node.silent", f"{address(url)}: the stream ended")
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            lost = failure(url, error)
        except HansaError as error:
            lost = error
        pause = follower.lost(lost)
        if on_lost is not None:
            on_lost(lost, pause)
        sleep(pause)


async def afollow(
    transport: AsyncStreaming, node: Callable[[], str], follower: Follower, *, on_lost: Lost | None = None
) -> AsyncIterator[Event | Heartbeat]:
    """`follow` for asyncio."""
    while not follower.is_done:
        path, query, headers = follower.request()
        url = node().rstrip("/")
        try:
            async with transport.stream("GET", url + path, params=query, headers=headers, timeout=_TIMEOUT) as answer:
                problem = b"" if answer.status_code == 200 else await _abounded(answer)
                follower.answered(answer.status_code, answer.headers, problem)
                async for chunk in answer.aiter_bytes():
                    for one in follower.feed(chunk):
                        yield one
                    if follower.is_done:
                        return
            lost = HansaError("node.silent", f"{address(url)}: the stream ended")
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            lost = failure(url, error)
        except HansaError as error:
            lost = error
        pause = follower.lost(lost)
        if on_lost is not None:
            on_lost(lost, pause)
        await asyncio.sleep(pause)


_TIMEOUT: Final = httpx2.Timeout(SILENCE_S, connect=CONNECT_S)


def _bounded(answer: httpx2.Response) -> bytes:
    body = b""
    if not plain_coding(answer.headers):
        return body
    for chunk in answer.iter_bytes():
        body += chunk
        if len(body) > _PROBLEM_BYTES_MAX:
            break
    return body


async def _abounded(answer: httpx2.Response) -> bytes:
    body = b""
    if not plain_coding(answer.headers):
        return body
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > _PROBLEM_BYTES_MAX:
            break
    return body


def _place(id: str) -> tuple[int, float]:
    """What an id says in an order: a whole entry comes behind all of its events."""
    seq, index = names.event_place(id)
    return seq, math.inf if index is None else index


def _too_long() -> HansaError:
    return HansaError("node.foreign", f"a line of the stream of events has more than {LINE_BYTES_MAX:,} bytes")


_Decoded = TypeVar("_Decoded", Event, Heartbeat)


def _decoded(message: Message, type: type[_Decoded]) -> _Decoded:
    try:
        return msgspec.json.decode(message.data, type=type, strict=False)
    except (ValueError, RecursionError):
        raise HansaError("node.foreign", f"the stream of events holds a {message.type} that cannot be read") from None


def _refusal(status: int, headers: Mapping[str, str], body: bytes) -> HansaError:
    """The refusal that a problem document tells."""
    found = refusal(Reply(status, headers, body))
    if found.code == "node.foreign" and status in _PROXY:
        return HansaError("node.silent", found.detail)
    return found
