"""Records and `tx` while a contract runs, and the size of what is made of values.

A record lives for one transaction. Values in it are never changed in place: every operation makes a new one, so
sharing them cannot be noticed.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Plain values are dynamic: their type is what this module finds out.

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from hansa.contracts import calendar, messages
from hansa.contracts.calls import Caller, Found
from hansa.contracts.codecs import Amount, Codecs, to_plain
from hansa.contracts.manifest import (
    STATE_FIELD,
    ListType,
    MapType,
    PartyType,
    RecordType,
    StateType,
    StructType,
)
from hansa.contracts.operations import plain
from hansa.contracts.prices import (
    LIST_BYTES,
    LIST_ITEM_BYTES,
    MAP_BYTES,
    MAP_ITEM_BYTES,
    TEXT_BYTES,
)
from hansa.wire import cbor, order
from hansa.wire.limits import INTEGER_MAX, INTEGER_MIN
from hansa.wire.order import Key

_LARGE_BYTES: Final = 65_536
"""Records that may become larger are measured before they are encoded."""
_AMOUNT_BYTES: Final = len(cbor.encode({"minor": 0, "currency": "EUR"})) - 1  # but for the number


class Migrating(Protocol):
    """How a record of the version before becomes one of this: see `records.Migration`."""

    def __call__(self, frame: Any, values: dict[str, Any], key: Key, place: bytes) -> dict[str, Any]:
        """The new values of a record of these old ones, both as a contract has them."""
        ...


class Shape:
    """A record type with what loading, storing and checking its records needs, worked out once."""

    __slots__ = (
        "_conversions",
        "_weighed",
        "bytes_most",
        "codecs",
        "contract",
        "invariants",
        "is_large",
        "migrate",
        "name",
        "order",
        "party_fields",
        "table",
        "type",
    )

    def __init__(self, codecs: Codecs, type: RecordType) -> None:
        manifest = codecs.manifest
        self.type = type
        self.name = type.name
        self.contract = manifest.name
        self.table = order.table(manifest.name, type.name)
        types = {name: field.type for name, field in type.fields.items()}
        if type.states:
            types[STATE_FIELD] = StateType(type.name)
        self.codecs = {name: codecs.of(found) for name, found in types.items()}
        self.order = sorted(types, key=cbor.key_order)
        self.party_fields = {name for name, found in types.items() if isinstance(plain(found), PartyType)}
        self.bytes_most = codecs.fields_bytes_most(types)
        self.is_large = self.bytes_most > _LARGE_BYTES
        self._weighed = [n for n, found in types.items() if isinstance(plain(found), ListType | MapType | StructType)]
        self._conversions = [
            (name, found.from_plain) for name, found in self.codecs.items() if found.from_plain is not None
        ]
        self.invariants: list[Callable[..., None]] = []
        self.migrate: Migrating | None = None

    def place(self, key: Key) -> bytes:
        """Where the record of a key stands."""
        return self.table + order.key_bytes(key)

    def load(self, value: bytes) -> tuple[dict[str, Any], int]:
        """The values in stored bytes, and what making them counts."""
        values: dict[str, Any] = cbor.decode_own(value)
        for name, convert in self._conversions:
            values[name] = convert(values[name])
        return values, self.weight(values)

    def weight(self, values: dict[str, Any]) -> int:
        """What making these values counts: that of the lists, maps and structs among them."""
        return sum(weigh(values[name]) for name in self._weighed) if self._weighed else 0

    def dump(self, values: dict[str, Any]) -> bytes:
        """The bytes to store: a map of all fields in encoding order."""
        if not self._conversions and list(values) == self.order:
            return cbor.encode_ordered(values)
        return cbor.encode_ordered({name: to_plain(values[name]) for name in self.order})


class Record:
    """One record in one transaction: its shape, key, place and values, and whether it was made or changed here.

    Fields that refer to other records hold their keys.
    """

    __slots__ = ("changed", "key", "place", "previous", "shape", "values")

    def __init__(self, shape: Shape, key: Key, place: bytes, values: dict[str, Any], previous: int | None) -> None:
        self.shape = shape
        self.key = key
        self.place = place
        self.values = values
        self.previous = previous
        self.changed = previous is None


class Context:
    """`tx`: who signed what, who calls, and when. Reading who signed a run that nobody did, or its id, is a fault."""

    __slots__ = ("_caller", "_id", "caller", "time")

    def __init__(self, signer: Caller, caller: str | None, time: int, id: bytes) -> None:
        self._caller = signer
        self._id = id
        self.caller = caller
        self.time = time

    @property
    def member(self) -> str:
        """The member that signed, itself or by a user."""
        if self._caller.member is None:
            raise messages.unsigned()
        return self._caller.member

    @property
    def user(self) -> str | None:
        """The user that signed; None if the member's own key did."""
        if self._caller.member is None:
            raise messages.unsigned()
        return self._caller.user

    @property
    def id(self) -> bytes:
        """The id of the transaction."""
        if not self._id:
            raise messages.unsigned()
        return self._id

    @property
    def date(self) -> str:
        """The UTC date of ledger time."""
        return calendar.date_at(self.time)


_CACHED_BYTES_MAX: Final = 2_048
"""Larger records are decoded each time, so that what is remembered stays small."""


class Cache:
    """Records as they were last loaded or stored, kept from one transaction to the next, `most` of them.

    Saves decoding alone: what is charged follows from the stored record, so it makes no difference to any outcome.
    """

    __slots__ = ("_entries", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._entries: dict[bytes, tuple[int, bytes, Shape, dict[str, Any], int]] = {}

    def load(self, shape: Shape, place: bytes, found: Found) -> tuple[dict[str, Any], int]:
        """See `Shape.load`; the values are the caller's own."""
        entry = self._entries.get(place)
        if entry is not None:
            seq, value, of, values, weight = entry
            if seq == found.seq and of is shape and value == found.value:
                return dict(values), weight
        values, weight = shape.load(found.value)
        self._keep(shape, place, found.seq, found.value, dict(values), weight)
        return values, weight

    def store(self, shape: Shape, place: bytes, seq: int, value: bytes, values: dict[str, Any]) -> None:
        """Keeps a record as entry `seq` writes it; the values MUST NOT be changed from then on."""
        if len(value) <= _CACHED_BYTES_MAX:
            self._keep(shape, place, seq, value, values, shape.weight(values))
        else:  # to weigh it, all that is in it would be walked
            self._entries.pop(place, None)

    def clear(self) -> None:
        """Forgets all."""
        self._entries.clear()

    def _keep(self, shape: Shape, place: bytes, seq: int, value: bytes, values: dict[str, Any], weight: int) -> None:
        if len(value) <= _CACHED_BYTES_MAX:
            if len(self._entries) >= self._most and place not in self._entries:
                self._entries.clear()
            self._entries[place] = (seq, value, shape, values, weight)
        else:
            self._entries.pop(place, None)


# Sizes in memory


def text_bytes(count: int) -> int:
    """What making a text of so many characters counts."""
    return TEXT_BYTES + 4 * count


def list_bytes(count: int) -> int:
    """What making a list of so many items counts, the items aside."""
    return LIST_BYTES + LIST_ITEM_BYTES * count


def map_bytes(count: int) -> int:
    """What making a map or struct of so many values counts, these aside."""
    return MAP_BYTES + MAP_ITEM_BYTES * count


def weigh(value: Any) -> int:
    """What making a value with all that is in it counts."""
    kind = type(value)
    if kind is str:
        return text_bytes(len(value))
    if kind is bytes:
        return TEXT_BYTES + len(value)
    if kind is list:
        return list_bytes(len(value)) + sum(map(weigh, value))
    if kind is dict:
        return map_bytes(len(value)) + sum(text_bytes(len(name)) + weigh(each) for name, each in value.items())
    return TEXT_BYTES if kind is Amount else 0


# Sizes once encoded


def named_size(values: Mapping[str, Any], order: Sequence[str], room: int) -> int:
    """How many bytes a map of these values has once encoded; beyond `room` they are not counted to the end.

    `order` are its names in encoding order. A list may hold the same text or list many times over, which costs nothing
    until it is written out: so its size is known before it is. Raises `Fault` for an integer that does not fit 64 bits.
    """
    size = _head_size(len(values))
    for name in order:
        if size > room:
            break
        size += text_size(name, room)
        if size <= room:
            size += encoded_size(values[name], room - size)
    return size


def encoded_size(value: Any, room: int) -> int:
    """How many bytes a value has once encoded; see `named_size`."""
    kind = type(value)
    if kind is str:
        return text_size(value, room)
    if kind is int:
        if not INTEGER_MIN <= value <= INTEGER_MAX:
            raise messages.leaving_range()
        return _head_size(value if value >= 0 else ~value)
    if kind is bytes:
        return _head_size(len(value)) + len(value)
    if kind is Amount:
        return _AMOUNT_BYTES + _head_size(value.minor if value.minor >= 0 else ~value.minor)
    if kind is dict:
        return named_size(value, sorted(value, key=cbor.key_order), room)
    if kind is not list:
        return 1
    size = _head_size(len(value))
    for item in value:
        if size > room:
            break
        size += encoded_size(item, room - size)
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
