"""A batch as engines carry it: envelopes in one order, and when whoever made it did. Nobody signs it.

Made by the orderers that hand batches to an engine, and read by those of every node: what does not read counts for
nothing. What it may hold is decided where it is applied, by the ledger's limits.
"""

import hashlib
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hansa.wire import cbor
from hansa.wire.limits import BLOCK_ENTRIES_MAX, INTEGER_MAX, NONCE_BYTES
from hansa.wire.problems import HansaError

VERSION: Final = 0


class Bundle(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """`stamp`: ms since 1970 UTC by the maker's clock. `nonce` tells apart batches that hold the same."""

    version: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    nonce: Annotated[bytes, Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]
    stamp: Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
    envelopes: Annotated[list[bytes], Meta(max_length=BLOCK_ENTRIES_MAX)]


def encode(stamp: int, envelopes: list[bytes], nonce: bytes) -> bytes:
    """The bytes of a batch."""
    return cbor.encode_ordered([VERSION, nonce, stamp, envelopes])


def decode(data: bytes) -> Bundle:
    """The batch in `data`. Raises `HansaError` (`batch.form`, `cbor.*`) for anything else."""
    try:
        return msgspec.convert(cbor.decode(data), Bundle, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise HansaError("batch.form", str(error)) from None


def id_of(data: bytes) -> bytes:
    """The SHA-256 that names a batch wherever it is handed in."""
    return hashlib.sha256(data).digest()
