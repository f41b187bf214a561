"""The trust file: what somebody who holds nothing but a ledger's id needs to check its receipts, years later, offline.

The genesis document names the first checkpoint keys. Each change after that stands here with the entry that made it
and a receipt for it, signed by a key of the set before; consistency proofs link these checkpoints to each other and to
a current one. `client.key_chain` verifies it; nothing here does.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hansa.wire import cbor
from hansa.wire.problems import HansaError

VERSION: Final = 0
BYTES_MAX: Final = 64 * 1024 * 1024
"""A trust file: with the largest genesis document there is room for ten thousand changes."""
RECEIPTS_MAX: Final = 10_000
"""Receipts whose checkpoints one file links."""


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry that changed the checkpoint keys: its leaf, its bodies, its receipt.

    `consistency` proves that the receipt's checkpoint continues the one of the change before: null for the first
    change, and where both are in one checkpoint.
    """

    entry: bytes
    envelope: bytes
    outcome: bytes
    writes: bytes
    receipt: bytes
    consistency: bytes | None


class Linked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The checkpoint of a receipt that somebody holds, and the proof that the head continues it."""

    checkpoint: bytes
    consistency: bytes


class Trust(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file. `head` is a checkpoint under a current key, `consistency` its proof from that of the last change."""

    version: int
    genesis: bytes
    changes: list[Change]
    head: bytes
    consistency: bytes | None
    receipts: Annotated[list[Linked], Meta(max_length=RECEIPTS_MAX)]


def encode(found: Trust) -> bytes:
    """The file's bytes, the same for the same content."""
    return cbor.encode(msgspec.to_builtins(found, builtin_types=(bytes,)))


def decode(data: bytes) -> Trust:
    """The file that `data` encodes; nothing is verified.

    Raises `HansaError`: `trust.form` for anything else, `trust.version` for another format.
    """
    if len(data) > BYTES_MAX:
        raise HansaError("trust.form", f"{len(data)} bytes; at most {BYTES_MAX}")
    try:
        value = cbor.decode(data)
        if isinstance(value, dict) and value.get("version") != VERSION:  # pyright: ignore[reportUnknownMemberType]
            raise HansaError("trust.version")
        return msgspec.convert(value, Trust, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise HansaError("trust.form", str(error)) from None
    except HansaError as error:
        if not error.code.startswith("cbor."):
            raise
        raise HansaError("trust.form", error.detail) from None
