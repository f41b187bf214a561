"""The envelope of an action that ledger time takes: derived on every node, signed by nobody.

It says what was due; its SHA-256 is the entry's id. `node.apply` makes them, and audit makes them again.
"""

import hashlib
from typing import Final, TypeAlias

import msgspec

from hansa.wire import cbor
from hansa.wire.problems import HansaError

KIND: Final = "scheduled"
_SEQUENCE_BITS: Final = 16
"""Of a sequence: the place in the entry that scheduled it."""

_Form: TypeAlias = tuple[str, bytes, int, str, bytes, int]


class Scheduled(msgspec.Struct, frozen=True):
    """What an envelope says: what was `due` (ms) on the record of a contract that has this encoded key."""

    ledger: bytes
    due: int
    contract: str
    key: bytes
    sequence: int

    @property
    def by(self) -> int:
        """The entry that scheduled it."""
        return self.sequence >> _SEQUENCE_BITS


def envelope(ledger: bytes, due: int, contract: str, key: bytes, sequence: int) -> bytes:
    """The envelope of what was `due` (ms) on the record of this encoded key.

    `sequence` tells apart what was scheduled for the same: the entry that did, and its place there.
    """
    return cbor.encode([KIND, ledger, due, contract, key, sequence])


def id_of(envelope: bytes) -> bytes:
    """The id of the entry."""
    return hashlib.sha256(envelope).digest()


def read(envelope: bytes) -> Scheduled:
    """What an envelope says. Raises `HansaError` (`entry.form`, `cbor.*`)."""
    try:
        kind, ledger, due, contract, key, sequence = msgspec.convert(
            cbor.decode(envelope), _Form, builtin_types=(bytes,)
        )
    except msgspec.ValidationError as error:
        raise HansaError("entry.form", str(error)) from None
    if kind != KIND:
        raise HansaError("entry.form", f"{kind[:40]!r} where {KIND!r} is expected")
    return Scheduled(ledger, due, contract, key, sequence)
