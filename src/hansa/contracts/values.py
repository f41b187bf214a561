"""What a contract handles while it runs: records and `tx`, and the plain form of what leaves it.

A record lives for one transaction and knows its type and whether it was changed. Lists are never changed in
place: every operation makes a new one, so sharing them cannot be noticed.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Plain values are dynamic: their type is what this module finds out.

from collections.abc import Mapping
from typing import Any, Final

from hansa.contracts.codecs import Amount, codec
from hansa.contracts.manifest import PartyType, RecordType, encoded_bytes_most
from hansa.contracts.meter import NESTING_MAX, Fault, Frame
from hansa.wire import cbor, order
from hansa.wire.transaction import Key

_AMOUNT_BYTES: Final = len(cbor.encode({"minor": 0, "currency": "EUR"})) - 1  # but for the number


class Shape:
    """A record type with what loading, storing and checking its records needs, worked out once."""

    __slots__ = (
        "_conversions",
        "bytes_most",
        "codecs",
        "key_problem",
        "name",
        "order",
        "party_fields",
        "table",
        "type",
    )

    def __init__(self, contract: str, type: RecordType) -> None:
        self.type = type
        self.name = type.name
        self.table = order.table(contract, type.name)
        self.codecs = {name: codec(field.type) for name, field in type.fields.items()}
        self.key_problem = self.codecs[type.key].problem
        self.party_fields = {name for name, f in type.fields.items() if isinstance(f.type, PartyType)}
        self.order = sorted(type.fields, key=cbor.key_order)
        self.bytes_most = 64 + sum(64 + encoded_bytes_most(field.type) for field in type.fields.values())
        """The longest a record can become when it is stored, or a little more."""
        self._conversions = [
            (name, found.from_plain) for name, found in self.codecs.items() if found.from_plain is not None
        ]

    def place(self, key: Key) -> bytes:
        """Where the record of a key stands."""
        return self.table + order.key_bytes(key)

    def load(self, key: Key, place: bytes, value: bytes, seq: int) -> "Record":
        """The record of this key and place from its stored bytes, last written by entry `seq`."""
        plain: dict[str, Any] = cbor.decode_own(value)
        for name, convert in self._conversions:
            plain[name] = convert(plain[name])
        return Record(self, key, place, plain, seq)

    def dump(self, record: "Record") -> bytes:
        """The bytes to store: a map of all fields in encoding order."""
        values = record.values
        if len(values) == len(self.order) and not self._conversions and list(values) == self.order:
            return cbor.encode_ordered(values)
        return cbor.encode_ordered({name: to_plain(values[name]) for name in self.order})


class Record:
    """One record in one transaction: its shape, key, place and values, and whether it was made or changed here."""

    __slots__ = ("changed", "key", "place", "previous", "shape", "values")

    def __init__(self, shape: Shape, key: Key, place: bytes, values: dict[str, Any], previous: int | None) -> None:
        self.shape = shape
        self.key = key
        self.place = place
        self.values = values
        self.previous = previous
        self.changed = False


class Context:
    """`tx`: who signed and when. `time` is ledger time in ms."""

    __slots__ = ("member", "time", "user")

    def __init__(self, member: str, user: str | None, time: int) -> None:
        self.member = member
        self.user = user
        self.time = time


def to_plain(value: Any) -> Any:
    """The plain form of a value: maps in encoding order."""
    kind = type(value)
    if kind is Amount:
        return {"minor": value.minor, "currency": value.currency}
    if kind is list:
        return [to_plain(item) for item in value]
    return value


def named_size(frame: Frame, values: Mapping[str, Any], room: int) -> int:
    """How many bytes a map of these values has once encoded; see `encoded_size`."""
    size = _head_size(len(values))
    for name, value in values.items():
        if size > room:
            break
        size += text_size(name, room) + encoded_size(frame, value, room - size)
    return size


def encoded_size(frame: Frame, value: Any, room: int, depth: int = NESTING_MAX) -> int:
    """How many bytes a value has once encoded; beyond `room` they are not counted to the end.

    A list may hold the same text or list many times over, which costs nothing until it is written out: so its size
    is known, and each item looked at is charged, before it is.
    """
    kind = type(value)
    if kind is str:
        return text_size(value, room)
    if kind is int:
        return _head_size(value if value >= 0 else ~value)
    if kind is bytes:
        return _head_size(len(value)) + len(value)
    if kind is Amount:
        return _AMOUNT_BYTES + _head_size(value.minor)
    if kind is not list:
        return 1
    if depth == 0:
        raise Fault("value.size", f"lists are nested more than {NESTING_MAX} deep")
    frame.charge(len(value))
    size = _head_size(len(value))
    for item in value:
        if size > room:
            break
        size += encoded_size(frame, item, room - size, depth - 1)
    return size


def text_size(text: str, room: int) -> int:
    """How many bytes a text has once encoded; if its characters alone exceed `room`, so many."""
    size = len(text)
    if text.isascii():
        return size + (1 if size < 24 else _head_size(size))
    if size <= room:
        size = len(text.encode())
    return size + _head_size(size)


def _head_size(argument: int) -> int:
    """How many bytes say a type and a number or length."""
    if argument < 24:
        return 1
    if argument < 1 << 8:
        return 2
    if argument < 1 << 16:
        return 3
    return 5 if argument < 1 << 32 else 9
