"""The events of a ledger in its order, from any place on, read from the journal: history and the newest alike.

`api.streams` reads here. Only durable entries are read. That there is something new is but a wake-up: a reader keeps
its place and reads on from there, so a slow one holds nothing but that. Reading goes in slices of a few milliseconds,
one slice at a time over all readers, and steps back while transactions come. Owned by the event loop.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from hansa.node.reading import Reading
from hansa.wire import cbor, cose, entry, jsonform, names, scheduled
from hansa.wire.limits import JSON_INTEGER_MAX
from hansa.wire.problems import HansaError

READERS_MAX: Final = 64
"""Streams that one node has open."""
SLICE_S: Final = 0.001
"""How long a slice is read for; a block is decoded whole, and one chunk is read at least."""
SLICE_BYTES_MAX: Final = 256 * 1024
"""Of the JSON lines of a slice, beyond which it takes no further chunk."""
BUSY_PAUSE: Final = 4
"""While the node is busy, reading pauses so many times as long as it took: it has a fifth of the time."""
BUSY_S: Final = 0.05
"""So long after a transaction or a block the node counts as busy: the next of one after the other comes soon."""
RETRY_AFTER_S: Final = 5
"""When a reader is told to come again: streams end and nodes start within it."""
_CHUNK_ENTRIES: Final = 64
_CHUNKS_CACHED: Final = 32
_CHUNK_CACHED_BYTES_MAX: Final = 256 * 1024
"""What all readers at the end of the ledger ask for is made once; larger chunks are made again each time."""


class Event(msgspec.Struct, frozen=True, gc=False):
    """An event of entry `seq`, the one numbered `index` in it; `line` is all of it as one line of JSON."""

    seq: int
    index: int
    contract: str
    name: str
    line: bytes


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where reading goes on: with the event numbered `first` of entry `seq`."""

    seq: int
    first: int = 0

    def id(self) -> str:
        """What has been read up to here: `SEQ-N` for an event, `SEQ` for a whole entry; empty before all of them."""
        if self.first:
            return f"{self.seq}-{self.first - 1}"
        return str(self.seq - 1) if self.seq else ""


class Wanted(msgspec.Struct, frozen=True, gc=False):
    """Which events count: those of a contract, of a name, or all."""

    contract: str | None = None
    name: str | None = None

    def fits(self, event: Event) -> bool:
        """Whether an event counts."""
        return (self.contract is None or event.contract == self.contract) and (
            self.name is None or event.name == self.name
        )


class Slice(msgspec.Struct, frozen=True, gc=False):
    """Events in order, and the place behind everything that was looked at for them."""

    events: Sequence[Event]
    place: Place


class _Chunk(msgspec.Struct, frozen=True, gc=False):
    """All events of a stretch of entries, and the seq behind it."""

    events: Sequence[Event]
    next: int
    bytes: int


class Events:
    """See the module. `is_busy` says whether transactions wait, or came a moment ago."""

    def __init__(self, reading: Reading, is_busy: Callable[[], bool]) -> None:
        self.readers = 0
        self.is_closed = False
        self._reading = reading
        self._is_busy = is_busy
        self._chunks: dict[int, _Chunk] = {}
        self._turn = asyncio.Lock()
        self._spent_s = 0.0  # on reading, since the last pause
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def size(self) -> int:
        """How many entries there are to read."""
        return self._reading.tip.size

    # Readers

    def open(self) -> None:
        """Counts a reader in. Raises `HansaError`: `events.full`, `node.stopping`."""
        if self.is_closed:
            raise HansaError("node.stopping", retry_after=RETRY_AFTER_S)
        if self.readers >= READERS_MAX:
            raise HansaError("events.full", f"{self.readers} streams are open", retry_after=RETRY_AFTER_S)
        self.readers += 1

    def release(self) -> None:
        """Counts a reader out."""
        self.readers -= 1

    def moved(self) -> None:
        """There are new entries: whoever waits looks."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for future in waiting:
                if not future.done():
                    future.set_result(None)

    def close(self) -> None:
        """Has every reader end: the node stops."""
        self.is_closed = True
        self.moved()

    # Reading

    def behind(self, id: str) -> Place:
        """The place behind an event `SEQ-N`, or behind a whole entry `SEQ`.

        Raises `HansaError`: `events.id` for another form, `events.beyond` for what this ledger does not have.
        """
        (seq, index), size = names.event_place(id), self.size
        if seq > JSON_INTEGER_MAX:
            raise HansaError("events.id", f"{id[:40]!a} is no id of an event")
        if seq >= size:
            raise HansaError("events.beyond", f"entry {seq} is not there: the ledger has {size}", entries=size)
        if index is None:
            return Place(seq + 1)
        count = len(self._reading.stretch(seq, 1)[0][1].events)
        if index >= count:
            raise HansaError("events.beyond", f"entry {seq} has {count} event(s), counted from 0", entries=size)
        return Place(seq, index + 1)

    def end(self) -> Place:
        """The place behind everything there is now."""
        return Place(self.size)

    def slice(self, place: Place, wanted: Wanted) -> Slice:
        """What comes next, at once. Empty with the same place at the end. Raises `HansaError` `journal.corrupt`."""
        found: list[Event] = []
        size, ends = 0, time.monotonic() + SLICE_S
        while place.seq < self.size:
            chunk = self._chunk(place.seq)
            for event in chunk.events:
                if wanted.fits(event) and (event.seq != place.seq or event.index >= place.first):
                    found.append(event)
                    size += len(event.line)
            place = Place(chunk.next)
            if size > SLICE_BYTES_MAX or time.monotonic() > ends:
                break
        return Slice(found, place)

    async def read(self, place: Place, wanted: Wanted) -> Slice:
        """As `slice`, in turn with the other readers and with what the node has to do."""
        async with self._turn:
            begun = time.monotonic()
            try:
                return self.slice(place, wanted)
            finally:
                self._spent_s += time.monotonic() - begun
                await asyncio.sleep(self._pause_s())

    def _pause_s(self) -> float:
        """What to leave to the node now. Many short slices, as at the end of the ledger, share a pause."""
        spent = self._spent_s
        if not self._is_busy():
            self._spent_s = 0.0
        elif spent >= SLICE_S:
            self._spent_s = 0.0
            return spent * BUSY_PAUSE
        return 0.0

    async def wait(self, place: Place, seconds: float) -> None:
        """Waits until there is more behind a place, readers are to end, or the time is over."""
        if place.seq < self.size or self.is_closed:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await asyncio.wait([future], timeout=seconds)
        finally:
            if not future.done():
                self._waiting.remove(future)

    def _chunk(self, seq: int) -> _Chunk:
        chunk = self._chunks.get(seq)
        if chunk is None:
            chunk = self._read(seq)
            if chunk.bytes <= _CHUNK_CACHED_BYTES_MAX:
                self._chunks[seq] = chunk
                if len(self._chunks) > _CHUNKS_CACHED:
                    del self._chunks[next(iter(self._chunks))]
        return chunk

    def _read(self, seq: int) -> _Chunk:
        found: list[Event] = []
        stretch = self._reading.stretch(seq, _CHUNK_ENTRIES)
        for one, outcome in stretch:
            if outcome.events:
                called = _contract(one.kind, one.envelope)
                for index, emitted in enumerate(outcome.events):
                    contract = emitted.get("contract", called)
                    version = outcome.contract if contract == called else self._reading.version_at(contract, one.seq)
                    fields = {
                        "id": f"{one.seq}-{index}",
                        "seq": one.seq,
                        "index": index,
                        "contract": contract,
                        "version": version,
                        "name": emitted["name"],
                        "time": one.time,
                        "transaction": one.id,
                        "data": emitted["data"],
                    }
                    found.append(Event(one.seq, index, contract, emitted["name"], jsonform.dumps(fields)))
        return _Chunk(found, seq + len(stretch), sum(len(event.line) for event in found))


def _contract(kind: entry.Kind, envelope: bytes) -> str:
    """The contract that an entry called."""
    if kind == entry.SCHEDULED:
        return scheduled.read(envelope).contract
    return cbor.decode_own(cose.split(envelope).payload)["contract"]
