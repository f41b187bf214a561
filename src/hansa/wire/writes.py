"""Write sets: which records an action wrote, in the form that is hashed, journaled and applied to the state.

Each write carries the seq of the record's previous write. So a record's history can be walked backwards
through the journal without an index, and every link is committed to by the outcome that holds the digest.
"""

import hashlib
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta

from hansa.wire import cbor, names, order
from hansa.wire.order import Key
from hansa.wire.problems import HansaError


class Write(msgspec.Struct, frozen=True, gc=False):
    """One record written. `value` is its deterministic CBOR; `previous` the seq of the write before, or None.

    `place` (`order.place` of contract, record and key) follows from the others and is not encoded.
    """

    contract: str
    record: str
    key: Key
    value: bytes
    previous: int | None
    place: bytes


WriteSet: TypeAlias = list[Write]

_Encoded: TypeAlias = tuple[str, str, Any, bytes, Annotated[int, Meta(ge=0)] | None]  # the key is a `Key`

EMPTY: Final = b"\x80"
EMPTY_DIGEST: Final = hashlib.sha256(EMPTY).digest()


def make(contract: str, record: str, key: Key, value: bytes, previous: int | None) -> Write:
    """A write, its place worked out."""
    return Write(contract, record, key, value, previous, order.place(contract, record, key))


def encode(writes: WriteSet) -> bytes:
    """The bytes of a write set, in the order given: the order in which the action first touched the records."""
    return cbor.encode_ordered([[w.contract, w.record, w.key, w.value, w.previous] for w in writes])


def decode(data: bytes) -> WriteSet:
    """The write set that `data` encodes. Raises `HansaError` (`writes.form`, `cbor.*`)."""
    try:
        found = msgspec.convert(cbor.decode(data), list[_Encoded], builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise HansaError("writes.form", str(error)) from None
    for contract, record, key, value, _ in found:
        if not (names.is_contract(contract) and names.is_identifier(record) and order.is_key(key)):
            raise HansaError("writes.form", "a write names no contract, record type or key there can be")
        cbor.scan(value)
    return [make(*fields) for fields in found]


def digest(encoded: bytes) -> bytes:
    """The digest that an outcome carries for an encoded write set."""
    return EMPTY_DIGEST if encoded == EMPTY else hashlib.sha256(encoded).digest()
