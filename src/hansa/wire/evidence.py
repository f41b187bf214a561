"""The envelope of evidence: a node's engine voted for two things where it must vote for one. Signed by nobody.

The order proved it to every node; each derives the same entry from it. `node.apply` makes them, and audit makes them
again. What CometBFT found, it does not hand on: who wants the two votes themselves asks an engine that has the block.
"""

import hashlib
from typing import Final, TypeAlias

import msgspec

from hansa.wire import cbor
from hansa.wire.problems import HansaError

KIND: Final = "evidence"
CONTRACT: Final = "members"
"""Whose business it is."""

_Form: TypeAlias = tuple[str, bytes, int, str, bytes, int]


class Evidence(msgspec.Struct, frozen=True):
    """What an envelope says: at `height` of the engine, whoever it knows by `key` broke the rules of voting.

    CometBFT knows a voter by its address, the first 20 bytes of its public key's SHA-256. `sequence` is the seq of the
    entry itself: it tells apart what was proved twice.
    """

    ledger: bytes
    height: int
    contract: str
    key: bytes
    sequence: int


def envelope(ledger: bytes, height: int, key: bytes, sequence: int) -> bytes:
    """The envelope of evidence against the voter `key`, at a height of the engine, for the entry `sequence`."""
    return cbor.encode([KIND, ledger, height, CONTRACT, key, sequence])


def id_of(envelope: bytes) -> bytes:
    """The id of the entry."""
    return hashlib.sha256(envelope).digest()


def read(envelope: bytes) -> Evidence:
    """What an envelope says. Raises `HansaError` (`entry.form`, `cbor.*`)."""
    try:
        kind, ledger, height, contract, key, sequence = msgspec.convert(
            cbor.decode(envelope), _Form, builtin_types=(bytes,)
        )
    except msgspec.ValidationError as error:
        raise HansaError("entry.form", str(error)) from None
    if (kind, contract) != (KIND, CONTRACT):
        raise HansaError("entry.form", f"{kind[:40]!r} of {contract[:40]!r} where {KIND!r} is expected")
    return Evidence(ledger, height, contract, key, sequence)
