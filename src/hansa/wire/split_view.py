"""The proof of a split view: signed heads of one ledger that cannot both be true, for whoever holds the ledger's id.

What is signed are ordinary checkpoints and receipts; nobody signs the file. The genesis document, which the id pins,
says whose keys they are. `client.split_view` verifies it; nothing here does.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hansa.wire import cbor
from hansa.wire.limits import GENESIS_BYTES_MAX
from hansa.wire.problems import HansaError

VERSION: Final = 0
CONTRADICTIONS_MAX: Final = 1_000
"""Pairs of heads in one file: those of forty nodes, of which each contradicts each."""
BYTES_MAX: Final = GENESIS_BYTES_MAX + CONTRADICTIONS_MAX * 32 * 1024
"""A file: each pair is at most one checkpoint, one receipt and one entry."""


class Contradiction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two heads. `second` is a checkpoint too, or the receipt of `entry`, the first one that `first` does not cover.

    Such a receipt's path says which root the entries before had, by whoever signed it.
    """

    first: bytes
    second: bytes
    entry: bytes | None


class SplitView(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file."""

    version: int
    genesis: bytes
    contradictions: Annotated[list[Contradiction], Meta(min_length=1, max_length=CONTRADICTIONS_MAX)]


def encode(genesis: bytes, contradictions: list[Contradiction]) -> bytes:
    """The file's bytes, the same for the same content."""
    made = SplitView(version=VERSION, genesis=genesis, contradictions=contradictions)
    return cbor.encode(msgspec.to_builtins(made, builtin_types=(bytes,)))


def decode(data: bytes) -> SplitView:
    """The file that `data` encodes; nothing is verified.

    Raises `HansaError`: `split.form` for anything else, `split.version` for another format.
    """
    if len(data) > BYTES_MAX:
        raise HansaError("split.form", f"{len(data)} bytes; at most {BYTES_MAX}")
    try:
        value = cbor.decode(data)
        if isinstance(value, dict) and value.get("version", VERSION) != VERSION:  # pyright: ignore[reportUnknownMemberType]
            raise HansaError("split.version")
        return msgspec.convert(value, SplitView, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise HansaError("split.form", str(error)) from None
    except HansaError as error:
        if not error.code.startswith("cbor."):
            raise
        raise HansaError("split.form", error.detail) from None
