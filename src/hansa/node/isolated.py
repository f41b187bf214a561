"""The process that runs contracts for a node, and how the two talk.

It keeps a directory of its own, so it knows who is a member and which contracts run, and no keys. Records it asks its
node for. What a run wrote always takes effect, or the node ends: so it takes in its own writes. Run as a module it is
the worker of `isolation`; whatever it says, the node reads as what a stranger says.
"""

import contextlib
import socket
import struct
import sys
import traceback
from collections.abc import Sequence
from typing import Final

import msgspec

from hansa.contracts.calls import Call, Execution
from hansa.contracts.program import load
from hansa.contracts.values import Cache
from hansa.governance import sequel
from hansa.governance.directory import Directory
from hansa.governance.genesis import CONTRACT
from hansa.node import sandbox
from hansa.wire import cbor, writes

CACHED_RECORDS: Final = 4_096
TOLD: Final = ("Member", "User", "Library", "Version", "Deployment", "ConstitutionText", "Constitution")
"""The members records that a run may depend on: who there is, which contracts, which of these are paused, and the
constitution. Keys are none of its business.
"""
_LENGTH: Final = struct.Struct(">I")
_CHUNK_BYTES: Final = 65_536
_FRAMES_MAX: Final = 12
"""Of a defect's way, those nearest to it."""


# From node to worker


class Begin(msgspec.Struct, frozen=True, array_like=True):
    """The members contract's source, and the records told, with the entries that wrote them last, in order."""

    members: str
    records: list[tuple[int, str, bytes]]


class Row(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A record that was asked for: a `contracts.calls.Found`."""

    seq: int
    value: bytes


class Run(msgspec.Struct, frozen=True, array_like=True):
    """One call to run, within so many steps. `foreseen`: what stands at places that it will likely ask for."""

    call: Call
    steps: int
    foreseen: dict[bytes, Row | None]


# From worker to node


class Ready(msgspec.Struct, frozen=True, array_like=True, tag=0):
    """The worker is confined, whether by the kernel's filter too; sent at the start, and in answer to `Begin`."""

    is_filtered: bool


class Get(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=1):
    """Asks for the record at a place; answered by a `Row` or null."""

    place: bytes


class Select(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=2):
    """Asks for records in order; answered by pairs of key and `Row`."""

    contract: str
    record: str
    field: str | None
    least: bytes | None
    most: bytes | None
    rows: int
    after: tuple[bytes, bytes] | None


class Done(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """An `Execution`: result and events in CBOR, writes as `wire.writes` encodes them, an error's text or nothing."""

    code: str
    output: bytes
    writes: bytes
    steps: int
    version: str
    defect: str


class Failed(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """The run ended in nothing that may be an outcome, and the worker with it."""

    reason: str


encode: Final = msgspec.msgpack.Encoder().encode
_begin: Final = msgspec.msgpack.Decoder(Begin).decode
_run: Final = msgspec.msgpack.Decoder(Run).decode
_row: Final = msgspec.msgpack.Decoder(Row | None).decode
_rows: Final = msgspec.msgpack.Decoder(list[tuple[bytes, Row]]).decode


class Silent(Exception):
    """The other end said nothing for too long, or too much."""


class Channel:
    """One message at a time, each answered before the next: a length and its bytes.

    `silence`: after how many timeouts of the socket, one after the other, the other end is given up. A timeout that
    passed while the machine itself stood still counts once.
    """

    def __init__(self, connection: socket.socket, *, most: int, silence: int) -> None:
        self._socket = connection
        self._most = most
        self._silence = silence

    def send(self, message: bytes) -> None:
        """Raises `OSError` if the other end is gone, `Silent`."""
        rest = memoryview(_LENGTH.pack(len(message)) + message)
        timeouts = 0
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                timeouts = self._waited(timeouts)

    def receive(self) -> bytes:
        """The next message. Raises `OSError` or `EOFError` if the other end is gone, `Silent`."""
        found = self._chunk()
        while len(found) < _LENGTH.size:
            found += self._chunk()
        end = _LENGTH.size + _LENGTH.unpack_from(found)[0]
        if end > self._most:
            raise Silent(f"a message of {end} bytes, where {self._most} are the most there can be")
        if len(found) < end:
            parts, left = [found], end - len(found)
            while left > 0:
                parts.append(self._chunk())
                left -= len(parts[-1])
            found = b"".join(parts)
        if len(found) != end:
            raise Silent("it spoke without being asked")
        return found[_LENGTH.size :]

    def _chunk(self) -> bytes:
        timeouts = 0
        while True:
            try:
                found = self._socket.recv(_CHUNK_BYTES)
            except BlockingIOError:
                timeouts = self._waited(timeouts)
                continue
            if not found:
                raise EOFError
            return found

    def _waited(self, timeouts: int) -> int:
        if timeouts == self._silence:
            raise Silent("it said nothing for too long")
        return timeouts + 1


class _Asking:
    """A `contracts.calls.Reader` whose records the node has; `foreseen` changes with each run."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.foreseen: dict[bytes, Row | None] = {}

    def get(self, place: bytes) -> Row | None:
        """See `contracts.calls.Reader`."""
        if place in self.foreseen:
            return self.foreseen[place]
        self._channel.send(encode(Get(place)))
        return _row(self._channel.receive())

    def select(
        self,
        contract: str,
        record: str,
        field: str | None,
        least: bytes | None,
        most: bytes | None,
        rows: int,
        after: tuple[bytes, bytes] | None = None,
    ) -> Sequence[tuple[bytes, Row]]:
        """See `contracts.calls.Reader`."""
        self._channel.send(encode(Select(contract, record, field, least, most, rows, after)))
        return _rows(self._channel.receive())


def serve(channel: Channel, data_bytes: int) -> None:
    """The worker: confines itself, then runs what it is sent until the other end closes."""
    cache = Cache(CACHED_RECORDS)
    is_filtered = sandbox.confine(data_bytes)
    with contextlib.suppress(OSError, EOFError):  # the node is gone
        ready = encode(Ready(is_filtered))
        channel.send(ready)
        try:
            begin = _begin(channel.receive())
            directory = Directory(load(begin.members, CONTRACT, system=True))
            for seq, record, value in begin.records:
                directory.apply_record(record, value, seq)
            channel.send(ready)
            asking = _Asking(channel)
            while True:
                asked = _run(channel.receive())
                asking.foreseen = asked.foreseen
                ran = sequel.run(asked.call, directory, asking, asked.steps, cache)
                channel.send(encode(_done(ran)))
                directory.apply(asked.call.seq, [write for write in ran.writes if write.record in TOLD])
        except (OSError, EOFError):
            raise
        except Exception as error:  # what the node makes of it is its own business, but it must be told
            # Its type alone: what it says may hold what the transaction said, and this comes into the log.
            channel.send(encode(Failed(type(error).__name__)))


def _done(ran: Execution) -> Done:
    defect = "" if ran.error is None else _way(ran.error)
    output = cbor.encode_ordered([ran.result, ran.events])
    return Done(ran.code, output, writes.encode(ran.writes), ran.steps, ran.version, defect)


def _way(error: BaseException) -> str:
    """The type of a defect and the lines of code it came through; what it says of itself may hold what it was given."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_MAX:]
    way = (f"{'/'.join(frame.filename.split('/')[-3:])}:{frame.lineno} {frame.name}" for frame in frames)
    return f"{type(error).__name__} at {', '.join(way)}"


if __name__ == "__main__":
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the node ends its workers itself
    serve(Channel(socket.socket(fileno=int(sys.argv[1])), most=1 << 32, silence=0), int(sys.argv[2]))
