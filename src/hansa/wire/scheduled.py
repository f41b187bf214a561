"""The envelope of an action that ledger time takes: derived on every node, signed by nobody.

It says what was due; its SHA-256 is the entry's id. `node.apply` makes them, and audit makes them again.
"""

import hashlib
from typing import Final

from hansa.wire import cbor

KIND: Final = "scheduled"


def envelope(ledger: bytes, due: int, contract: str, key: bytes, sequence: int) -> bytes:
    """The envelope of what was `due` (ms) on the record of this encoded key.

    `sequence` tells apart what was scheduled for the same: the entry that did, and its place there.
    """
    return cbor.encode([KIND, ledger, due, contract, key, sequence])


def id_of(envelope: bytes) -> bytes:
    """The id of the entry."""
    return hashlib.sha256(envelope).digest()
