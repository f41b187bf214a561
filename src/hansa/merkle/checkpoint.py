"""Checkpoints: signed tree heads, in the very form of a receipt without proofs.

The protected header binds the ledger, the tree size and the ledger time, because RFC 9942 alone does not
bind the size a receipt claims. One signature serves every receipt of the checkpoint. Where the ledger's time is told
(`clock` in its genesis document) the header says so too: no time in it can be taken for a real one.
"""

from functools import lru_cache
from typing import Final

import msgspec

from hansa.wire import cbor, cose
from hansa.wire.keys import ALGORITHM_NAMES, PublicKey, Signer
from hansa.wire.problems import HansaError

VDS_LABEL: Final = 395  # RFC 9942: verifiable data structure
RFC9162_SHA256: Final = 1
PROFILE_LABEL: Final = "hansa.v1"

_VDS: Final = b"\x19\x01\x8b\x01"  # 395: 1
_PROFILE: Final = b"\x68hansa.v1"
_SIZE: Final = b"\xa3\x64size"
_SIZE_TOLD: Final = b"\xa4\x64size"
_TIME: Final = b"\x64time"
_CLOCK_TOLD: Final = b"\x65clock\x64told"
_LEDGER: Final = b"\x66ledger\x58\x20"


class Checkpoint(msgspec.Struct, frozen=True, gc=False):
    """A tree head and its signature. `time` is the ledger time of the block that ends at `size`, in ms.

    `told`: whether that time is told by whoever runs the ledger.
    """

    ledger: bytes
    size: int
    time: int
    root: bytes
    algorithm: int
    kid: bytes
    signature: bytes
    told: bool = False


class Bound(msgspec.Struct, frozen=True, gc=False):
    """What the protected header of a checkpoint or receipt binds."""

    algorithm: int
    kid: bytes
    ledger: bytes
    size: int
    time: int
    told: bool = False


def sign(ledger: bytes, size: int, time: int, root: bytes, signer: Signer, *, told: bool = False) -> Checkpoint:
    """The checkpoint of this head. MUST be called for durable heads only: it is a promise."""
    protected = header(Bound(signer.algorithm, signer.kid, ledger, size, time, told))
    signature = signer.sign(cose.signature_structure(protected, root))
    return Checkpoint(ledger, size, time, root, signer.algorithm, signer.kid, signature, told)


def verify(checkpoint: Checkpoint, key: PublicKey) -> bool:
    """Whether the checkpoint was signed by `key`."""
    if checkpoint.kid != key.kid or checkpoint.algorithm != key.algorithm:
        return False
    return key.verify_exactly(
        checkpoint.signature, cose.signature_structure(protected_header(checkpoint), checkpoint.root)
    )


def protected_header(checkpoint: Checkpoint) -> bytes:
    """The protected header's bytes."""
    return header(bound(checkpoint))


def bound(checkpoint: Checkpoint) -> Bound:
    """What its protected header binds."""
    return Bound(
        checkpoint.algorithm, checkpoint.kid, checkpoint.ledger, checkpoint.size, checkpoint.time, checkpoint.told
    )


def header(bound: Bound) -> bytes:
    """The protected header's bytes: labels 1, 3, 4, 395 and `hansa.v1`, in encoding order."""
    return (
        _header_start(bound.algorithm, bound.kid)
        + (_SIZE_TOLD if bound.told else _SIZE)
        + cbor.encode_ordered(bound.size)
        + _TIME
        + cbor.encode_ordered(bound.time)
        + (_CLOCK_TOLD if bound.told else b"")
        + _LEDGER
        + bound.ledger
    )


def read_header(protected: bytes) -> Bound:
    """What a protected header binds. Raises `HansaError` for any other header than `header` makes.

    Reading is making again: only the fields are taken from the bytes, then the whole must be equal.
    """
    for algorithm in ALGORITHM_NAMES:
        kid_at = len(_header_start(algorithm, bytes(32))) - len(_PROFILE) - len(_VDS) - 32
        kid = protected[kid_at : kid_at + 32]
        start = _header_start(algorithm, kid)
        if len(kid) == 32 and protected.startswith((start + _SIZE, start + _SIZE_TOLD)):
            size, position = _integer(protected, len(start) + len(_SIZE))
            if protected[position : position + len(_TIME)] != _TIME:
                break
            time, position = _integer(protected, position + len(_TIME))
            told = protected[position:].startswith(_CLOCK_TOLD)
            ledger = protected[position + told * len(_CLOCK_TOLD) + len(_LEDGER) :]
            found = Bound(algorithm, kid, ledger, size, time, told)
            if len(ledger) == 32 and header(found) == protected:
                return found
            break
    raise HansaError("receipt.header")


@lru_cache(64)
def _header_start(algorithm: int, kid: bytes) -> bytes:
    return (
        b"\xa5\x01"
        + cose.ALGORITHM_BYTES[algorithm]
        + b"\x03"
        + cbor.encode_ordered(cose.CHECKPOINT)
        + b"\x04"
        + cbor.byte_string(kid)
        + _VDS
        + _PROFILE
    )


def _integer(data: bytes, position: int) -> tuple[int, int]:
    end = cbor.item_end(data, position, 0)
    value = cbor.decode(data[position:end])
    if type(value) is not int or value < 0:
        raise HansaError("receipt.header")
    return value, end
