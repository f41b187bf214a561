"""Verifies a receipt without a node: with the receipt, the entry, and the keys that the verifier has pinned.

What is pinned is the ledger's id, the SHA-256 of its genesis document; the document then says which keys sign
checkpoints. A key file can be pinned instead, if it came by a way the verifier trusts, never if it came with the
receipt. What a receipt proves is that the entry is in the ledger; the envelope and outcome are what it is about.
"""

import hashlib
from collections.abc import Mapping

import msgspec

from hansa.merkle import receipt
from hansa.wire import entry, genesis, transaction
from hansa.wire.entry import Outcome
from hansa.wire.keys import PublicKey
from hansa.wire.problems import HansaError
from hansa.wire.transaction import Signed


class Pinned(msgspec.Struct, frozen=True):
    """What a verifier trusts: checkpoint keys by kid, and the ledger they speak for (None: any)."""

    keys: Mapping[bytes, PublicKey]
    ledger: bytes | None


class Proven(msgspec.Struct, frozen=True):
    """What was proven. `signed` and `outcome` are None if their bytes were not given."""

    ledger: bytes
    seq: int
    size: int
    time: int
    kid: bytes
    kind: str
    id: bytes
    signed: Signed | None
    outcome: Outcome | None


def pin_genesis(document: bytes, ledger: bytes | None = None) -> Pinned:
    """Trust in a ledger: its genesis document, checked against the id that was pinned.

    Raises `HansaError` `verify.genesis` if the document is another ledger's.
    """
    found = genesis.ledger_id(document)
    if ledger is not None and found != ledger:
        raise HansaError("verify.genesis", f"the document is that of ledger {found.hex()}")
    decoded = genesis.decode(document)
    keys = [PublicKey(node.checkpoint_key) for node in decoded.nodes]
    return Pinned({key.kid: key for key in keys}, found)


def pin_key(key: PublicKey) -> Pinned:
    """Trust in one checkpoint key, whatever ledger it signs for."""
    return Pinned({key.kid: key}, None)


def verify(
    receipt_bytes: bytes,
    entry_bytes: bytes,
    pinned: Pinned,
    *,
    envelope: bytes | None = None,
    outcome: bytes | None = None,
) -> Proven:
    """Checks that the entry is in the pinned ledger, and that envelope and outcome are the ones it commits to.

    Raises `HansaError`: the codes of `merkle.receipt.verify_inclusion`, `entry.form`, `verify.ledger`,
    `verify.envelope`, `verify.outcome`, `verify.id`.
    """
    decoded = entry.decode(entry_bytes)
    if envelope is not None and hashlib.sha256(envelope).digest() != decoded.envelope_digest:
        raise HansaError("verify.envelope")
    if outcome is not None and hashlib.sha256(outcome).digest() != decoded.outcome_digest:
        raise HansaError("verify.outcome")
    proven = receipt.verify_inclusion(receipt_bytes, entry_bytes, pinned.keys)
    if pinned.ledger is not None and proven.ledger != pinned.ledger:
        raise HansaError("verify.ledger", f"the receipt is for ledger {proven.ledger.hex()}")
    signed = None
    if envelope is not None and decoded.kind == entry.TRANSACTION:
        signed = transaction.read(envelope)
        if signed.id != decoded.id:
            raise HansaError("verify.id")
    return Proven(
        proven.ledger,
        proven.seq,
        proven.size,
        proven.time,
        proven.kid,
        decoded.kind,
        decoded.id,
        signed,
        None if outcome is None else entry.decode_outcome(outcome),
    )
