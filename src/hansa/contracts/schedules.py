"""Scheduled actions as records: the form in which something due later stands in the state.

They are records of the contract that genesis brings, so everyone can read them. `due` is set until ledger time has
taken it, at the instant `at`; their key sorts by contract, record key, entry and place in the entry, those of `FIRST`
by their instant before it.
"""

from typing import Final

import msgspec

from hansa.contracts.manifest import BytesType, DurationType, InstantType, IntType, Type
from hansa.wire import cbor, limits, order, writes
from hansa.wire.order import Key
from hansa.wire.writes import Write

CONTRACT: Final = "members"
RECORD: Final = "Schedule"
FIELD: Final = "due"
"""The indexed field by which they come in order."""
_SEQUENCE_BYTES: Final = 8
_INSTANT_BYTES: Final = 8
FIRST: Final = {"Proposal": b"\1", "Actions": b"\2"}
"""The records of the contract `members` whose schedules come before all others, in this order: a time lock's end, then
the end of a ballot. Their keys begin with its name, this mark, which no other key has there, and the instant: so they
can be found without looking through what others scheduled.
"""
KEY_BYTES_MAX: Final = limits.KEY_BYTES_MAX - limits.CONTRACT_NAME_CHARS_MAX - 1 - _SEQUENCE_BYTES
"""The longest key of a record that something can be scheduled for: it stands in the key of the schedule."""

PAUSED: Final = "contract.paused"
"""The code with which what is due ends where a contract is paused: its own, or one that it calls."""
PAUSED_AGAIN_MS: Final = 60 * 60 * 1000
"""How long what is due of a paused contract waits until it is tried again, ms of ledger time."""


class Due(msgspec.Struct, frozen=True):
    """Something scheduled, as it stands in the state: `id` and `key` encoded, instants in ms."""

    id: bytes
    at: int
    due: int | None
    key: bytes
    record: str
    action: str
    contract: str

    @property
    def sequence(self) -> int:
        """The entry that scheduled it, and its place there."""
        return int.from_bytes(self.id[-_SEQUENCE_BYTES:], "big")


def read(value: bytes) -> Due:
    """What a record says."""
    return Due(**cbor.decode_own(value))


def taken(found: Due, seq: int) -> Write:
    """The write that says that ledger time has taken it; it was written last by entry `seq`."""
    fields = msgspec.structs.asdict(found) | {"due": None}
    return writes.make(CONTRACT, RECORD, found.id, cbor.encode(fields), seq)


def postponed(found: Due, time: int, seq: int) -> Write:
    """The write that has it come due again, as its contract is paused at ledger time `time` (ms).

    Its instant is another then, and so are its envelope and its id. It was written last by entry `seq`.
    """
    again = time + PAUSED_AGAIN_MS
    fields = msgspec.structs.asdict(found) | {"at": again, "due": again}
    return writes.make(CONTRACT, RECORD, found.id, cbor.encode(fields), seq)


def key_of(type_: Type, encoded: bytes) -> Key:
    """The plain key of a record from its encoding."""
    if isinstance(type_, BytesType):
        return encoded
    if isinstance(type_, IntType | InstantType | DurationType):
        return order.integer_key(encoded)
    return encoded.decode()


def pending(contract: str, record: str, key: Key, action: str, due: int, seq: int, number: int) -> Write:
    """The write that schedules an action on a record: the `number`th of entry `seq`, due at ledger time `due` (ms)."""
    encoded = order.key_bytes(key)
    sequence = (seq << 16 | number).to_bytes(_SEQUENCE_BYTES, "big")
    is_first = contract == CONTRACT and record in FIRST
    place = _first(record, due) if is_first else contract.encode() + b"\0"
    id = place + encoded + sequence
    fields = {"id": id, "at": due, "due": due, "key": encoded, "record": record, "action": action, "contract": contract}
    return writes.make(CONTRACT, RECORD, id, cbor.encode(fields), None)


def first_bounds(record: str, time: int) -> tuple[bytes, bytes]:
    """Between which keys the schedules of a record of `FIRST` stand that were made for ledger time `time` or before."""
    return _first(record, 0), _first(record, time + 1)


def _first(record: str, at: int) -> bytes:
    return CONTRACT.encode() + FIRST[record] + at.to_bytes(_INSTANT_BYTES, "big")
