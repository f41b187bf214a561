"""What a contract handles while it runs: records and `tx`, and the plain form of what leaves it.

A record lives for one transaction and knows its type and whether it was changed. Lists are never changed in
place: every operation makes a new one, so sharing them cannot be noticed.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Plain values are dynamic: their type is what this module finds out.

from typing import Any

from hansa.contracts.codecs import Amount, codec
from hansa.contracts.manifest import PartyType, RecordType
from hansa.wire import cbor, order
from hansa.wire.transaction import Key


class Shape:
    """A record type with what loading, storing and checking its records needs, worked out once."""

    __slots__ = ("_conversions", "codecs", "key_problem", "name", "order", "party_fields", "table", "type")

    def __init__(self, contract: str, type: RecordType) -> None:
        self.type = type
        self.name = type.name
        self.table = order.table(contract, type.name)
        self.codecs = {name: codec(field.type) for name, field in type.fields.items()}
        self.key_problem = self.codecs[type.key].problem
        self.party_fields = {name for name, f in type.fields.items() if isinstance(f.type, PartyType)}
        self.order = sorted(type.fields, key=cbor.key_order)
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
