"""Receipts (RFC 9942): a checkpoint's signature with a path from one entry, and consistency proofs likewise.

A receipt costs no signature of its own: it is a stored checkpoint plus a path. The payload is detached: the
verifier computes the root from the entry it holds and checks that this root was signed.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from hansa.merkle import checkpoint, tree
from hansa.merkle.checkpoint import Bound, Checkpoint
from hansa.wire import cbor, cose
from hansa.wire.keys import PublicKey
from hansa.wire.problems import HansaError

VDP_LABEL: Final = 396  # RFC 9942: verifiable data structure proofs
_VDP: Final = b"\x19\x01\x8c"
_INCLUSION: Final = b"\x20"  # -1
_CONSISTENCY: Final = b"\x21"  # -2
_PROOFS_START: Final = b"\xa1" + _VDP + b"\xa1"
_ONE_PROOF: Final = b"\x81"
_DETACHED: Final = b"\xf6"
_PATH_MAX: Final = 128
"""Hashes of a proof: more than any tree of 64-bit numbers needs."""
RECEIPT_BYTES_MAX: Final = 16 * 1024
"""A receipt: several times what the longest path takes."""


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """A receipt taken apart: what is bound, the proof's numbers and path, the signature."""

    protected: bytes
    bound: Bound
    first: int  # inclusion: the leaf index; consistency: the older size
    path: list[bytes]
    signature: bytes


class Verified(msgspec.Struct, frozen=True):
    """What a verified receipt proves: `ledger` had `entry` at `seq` when it had `size` entries, at `time` (ms).

    `told`: whether whoever runs the ledger tells its time.
    """

    ledger: bytes
    seq: int
    size: int
    time: int
    root: bytes
    kid: bytes
    told: bool = False


def inclusion(head: Checkpoint, index: int, path: list[bytes]) -> bytes:
    """The receipt for leaf `index` under a checkpoint."""
    return _message(head, _INCLUSION, [head.size, index, path])


def consistency(head: Checkpoint, first: int, path: list[bytes]) -> bytes:
    """The proof that the tree of `head` begins with its first `first` leaves."""
    return _message(head, _CONSISTENCY, [first, head.size, path])


def bare(head: Checkpoint) -> bytes:
    """A checkpoint as a message: the same signature, no proofs, the root as payload so that it can be read."""
    return cose.join(checkpoint.protected_header(head), head.root, head.signature)


def read_bare(message: bytes) -> Checkpoint:
    """The checkpoint in a message that `bare` made. Raises `HansaError`."""
    parts = cose.split(message)
    bound = checkpoint.read_header(parts.protected)
    if len(parts.payload) != tree.HASH_BYTES:
        raise HansaError("receipt.form", "the payload of a checkpoint is its root, 32 bytes")
    return _head(bound, parts.payload, parts.signature)


def head_of(receipt: bytes, entry: bytes) -> Checkpoint:
    """The checkpoint that a receipt for `entry` is under; `verify_inclusion` has verified it. Raises `HansaError`."""
    parts = _read(receipt, _INCLUSION)
    return _head(parts.bound, _root(parts, entry), parts.signature)


def root_before(receipt: bytes) -> bytes:
    """The root of all entries before the one of a receipt, at least one, that its signature covers too.

    `verify_inclusion` has verified it. Raises `HansaError`.
    """
    parts = _read(receipt, _INCLUSION)
    return tree.root_before(parts.first, parts.bound.size, parts.path)


def _root(parts: Receipt, entry: bytes) -> bytes:
    """The root that a receipt's path leads to from an entry."""
    return tree.root_from_inclusion(parts.first, parts.bound.size, tree.leaf_hash(entry), parts.path)


def signed_head(message: bytes) -> tuple[Bound, bytes | None, bytes]:
    """What a receipt or a bare checkpoint binds, the root if it says it (a receipt does not), and the signature."""
    start = _PROOFS_START + _INCLUSION
    _, position = cbor.byte_string_span(message, 2)
    if message[position : position + len(start)] == start:
        parts = _read(message, _INCLUSION)
        return parts.bound, None, parts.signature
    head = read_bare(message)
    return checkpoint.bound(head), head.root, head.signature


def verify_inclusion(receipt: bytes, entry: bytes, keys: Mapping[bytes, PublicKey]) -> Verified:
    """Checks a receipt for `entry` (the exact bytes) with pinned checkpoint keys by kid.

    Raises `HansaError`: `receipt.form`, `receipt.header`, `receipt.key_unknown`, `receipt.size` (proof and signed
    size differ), `tree.path`, or `receipt.invalid` when the entry is not what was signed for.
    """
    parts = _read(receipt, _INCLUSION)
    root = _root(parts, entry)
    _check_signature(parts, root, keys)
    bound = parts.bound
    return Verified(bound.ledger, parts.first, bound.size, bound.time, root, bound.kid, bound.told)


def verify_consistency(proof: bytes, first: Checkpoint, second_root: bytes, keys: Mapping[bytes, PublicKey]) -> Bound:
    """Checks that the head with `second_root`, signed in `proof`, begins with the tree of `first`."""
    parts = _read(proof, _CONSISTENCY)
    if parts.first != first.size or parts.bound.ledger != first.ledger:
        raise HansaError("receipt.invalid", "the proof starts from another checkpoint")
    _check_signature(parts, second_root, keys)
    if not tree.is_consistent(first.size, parts.bound.size, first.root, second_root, parts.path):
        raise HansaError("receipt.inconsistent")
    return parts.bound


def is_continued(proof: bytes, first: Checkpoint, second: Checkpoint) -> bool:
    """Whether by this proof the tree of `second` begins with that of `first`; signatures are not looked at.

    Raises `HansaError` `receipt.form`.
    """
    parts = _read(proof, _CONSISTENCY)
    if (parts.first, parts.bound.size) != (first.size, second.size):
        return False
    return tree.is_consistent(first.size, second.size, first.root, second.root, parts.path)


def sizes_of(proof: bytes) -> tuple[int, int]:
    """The sizes that a consistency proof is about, the older first; nothing is verified. Raises `HansaError`."""
    parts = _read(proof, _CONSISTENCY)
    return parts.first, parts.bound.size


def _head(bound: Bound, root: bytes, signature: bytes) -> Checkpoint:
    """The one place where a checkpoint is made of what was signed: it verifies only with all that is bound."""
    return Checkpoint(bound.ledger, bound.size, bound.time, root, bound.algorithm, bound.kid, signature, bound.told)


def _message(head: Checkpoint, kind: bytes, proof: list[object]) -> bytes:
    protected = checkpoint.protected_header(head)
    return (
        b"\xd2\x84"
        + cbor.byte_string(protected)
        + _PROOFS_START
        + kind
        + _ONE_PROOF
        + cbor.byte_string(cbor.encode_ordered(proof))
        + _DETACHED
        + cbor.byte_string(head.signature)
    )


def _read(message: bytes, kind: bytes) -> Receipt:
    if len(message) > RECEIPT_BYTES_MAX:
        raise HansaError("receipt.form", f"{len(message)} bytes; at most {RECEIPT_BYTES_MAX}")
    if not message.startswith(b"\xd2\x84"):
        raise HansaError("receipt.form", "a receipt starts with CBOR tag 18 and an array of four")
    protected, position = cbor.read_byte_string(message, 2)
    start = _PROOFS_START + kind + _ONE_PROOF
    if message[position : position + len(start)] != start:
        raise HansaError("receipt.form", "the unprotected header holds exactly one proof of the kind asked for")
    proof, position = cbor.read_byte_string(message, position + len(start))
    if message[position : position + 1] != _DETACHED:
        raise HansaError("receipt.form", "the payload is detached: null")
    signature, position = cbor.read_byte_string(message, position + 1)
    if position != len(message):
        raise HansaError("cbor.trailing", f"the receipt ends at byte {position} of {len(message)}")
    bound = checkpoint.read_header(protected)
    try:
        left, right, path = msgspec.convert(cbor.decode(proof), tuple[int, int, list[bytes]], builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise HansaError("receipt.form", f"the proof: {error}") from None
    if len(path) > _PATH_MAX or any(len(h) != tree.HASH_BYTES for h in path):
        raise HansaError("receipt.form", "the path is a list of digests of 32 bytes")
    size, first = (left, right) if kind == _INCLUSION else (right, left)
    if size != bound.size:
        raise HansaError("receipt.size", f"the proof is for size {size}, the signature for size {bound.size}")
    return Receipt(protected, bound, first, path, signature)


def _check_signature(parts: Receipt, root: bytes, keys: Mapping[bytes, PublicKey]) -> None:
    key = keys.get(parts.bound.kid)
    if key is None:
        raise HansaError("receipt.key_unknown", f"signed by key {parts.bound.kid.hex()}, which is not pinned")
    structure = cose.signature_structure(parts.protected, root)
    if key.algorithm != parts.bound.algorithm or not key.verify_exactly(parts.signature, structure):
        raise HansaError("receipt.invalid")
