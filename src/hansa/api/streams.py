"""The stream of events: server-sent events (WHATWG HTML, section 9.2) in the order of the ledger.

An event's `id` is `SEQ-N`; the `data` is its JSON line; it has no `event` field, so that browsers hand it to
`onmessage`. Heartbeats are of type `heartbeat`. Their id is that of everything looked at so far, so a reader whose
filter seldom fits resumes there and not at the last event that it saw. `node.events` reads; this frames and paces.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Final

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from hansa.api.operations import EVENT_STREAM
from hansa.api.submit import STREAMS
from hansa.node.events import Event, Events, Place, Wanted
from hansa.wire import jsonform
from hansa.wire.problems import HansaError

HEARTBEAT_S: Final = 15.0
"""The longest silence of a stream."""
LIVE_PAUSE_S: Final = 0.02
"""Between two looks at the end of the ledger: the events of blocks that follow fast on each other come together."""
RETRY_MS: Final = 1_000
"""After which a browser connects again."""


class EventStream(StreamingResponse):
    """A stream from a place on; for ever, or, unless it `follows`, as far as the ledger goes now.

    It is counted among the readers of `events` for as long as it lasts. Raises `HansaError` as `Events.open` does.
    """

    def __init__(
        self, events: Events, place: Place, wanted: Wanted, *, follow: bool, ledger: str, headers: dict[str, str]
    ) -> None:
        events.open()
        self._events = events
        body = self._body(place, wanted, None if follow else events.size)
        # A proxy that held back what comes would turn a stream into a heap.
        named = {**headers, "x-accel-buffering": "no", "hansa-ledger": ledger}
        super().__init__(body, media_type=EVENT_STREAM, headers=named)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See `StreamingResponse`, which ends when the client has gone."""
        streams = scope.get("extensions", {}).get(STREAMS, {})
        self._prolong: Callable[[], None] = streams.get("prolong", _nothing)
        self._is_over: Callable[[], bool] = streams.get("is_over", _never)
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._events.release()

    async def _body(self, place: Place, wanted: Wanted, end: int | None) -> AsyncGenerator[bytes]:
        events, loop = self._events, asyncio.get_running_loop()
        yield b"retry: %d\n\n" % RETRY_MS + heartbeat(place, events.size)
        told, was_behind = loop.time(), place.seq < events.size
        while not (events.is_closed or (end is not None and place.seq >= end)):
            self._prolong()  # what was sent before has been taken
            if place.seq >= events.size:
                if was_behind:
                    was_behind = False
                    yield heartbeat(place, events.size)  # says that this is all there is for now
                    told = loop.time()
                await events.wait(place, max(0.0, told + HEARTBEAT_S - loop.time()))
            if self._is_over():  # who reads may read no more, or must show so again
                return
            try:
                made = await events.read(place, wanted)
            except HansaError as error:
                yield b"event: problem\ndata: " + jsonform.dumps(error.problem()) + b"\n\n"
                return
            place = made.place
            if made.events:
                yield b"".join([message(event) for event in made.events])
                told = loop.time()
            elif loop.time() - told >= HEARTBEAT_S:
                yield heartbeat(place, events.size)
                told = loop.time()
            if place.seq >= events.size and made.events:
                await asyncio.sleep(LIVE_PAUSE_S)
        if end is not None and place.seq >= end:
            yield heartbeat(place, events.size)


def message(event: Event) -> bytes:
    """An event as a message of the stream."""
    return b"id: %d-%d\ndata: %b\n\n" % (event.seq, event.index, event.line)


def heartbeat(place: Place, entries: int) -> bytes:
    """A sign of life: everything up to its id has been looked at, of a ledger of so many entries."""
    id = place.id()
    data = jsonform.dumps({"after": id or None, "entries": entries})
    return b"event: heartbeat\n" + (b"id: %b\n" % id.encode() if id else b"") + b"data: " + data + b"\n\n"


def _nothing() -> None:
    """Stands in where nobody counts the time."""


def _never() -> bool:
    """Stands in where nobody asks who reads."""
    return False
