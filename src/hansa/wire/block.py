"""A block: one ordered batch with its header, every byte of which follows from the order alone.

Nothing of one node stands in it (no signature, no local time), so all nodes write the same bytes.
`node.apply` makes blocks, `store.journal` keeps them, recovery and audit read them again.
"""

import hashlib
from typing import Final

import msgspec

from hansa.wire import cbor
from hansa.wire.entry import Count, Digest, Kind
from hansa.wire.problems import HansaError

VERSION: Final = 0
GENESIS_PREVIOUS: Final = bytes(32)


class Header(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """The header. `root` is the tree's root after the block, `previous` the SHA-256 of the header before."""

    version: int
    ledger: Digest
    height: Count
    seq: Count  # of the first entry
    count: Count
    time: Count  # ledger time, ms
    previous: Digest
    root: Digest
    position: Count  # of the batch, in the order that the nodes follow; 0 for genesis


class Item(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """One entry with its bodies. `writes` is the encoded write set."""

    kind: Kind
    id: Digest
    envelope: bytes
    outcome: bytes
    writes: bytes


class Block(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """A header and the items it counts."""

    header: Header
    items: list[Item]


def encode(block: Block) -> bytes:
    """The block's bytes."""
    header = block.header
    return cbor.encode_ordered(
        [
            _header_fields(header),
            [[item.kind, item.id, item.envelope, item.outcome, item.writes] for item in block.items],
        ]
    )


def decode(data: bytes) -> Block:
    """The block that `data` encodes. Raises `HansaError` (`block.form`, `block.version`) for anything else."""
    value = cbor.decode(data)
    try:
        version = value[0][0]
    except (TypeError, KeyError, IndexError):
        version = VERSION  # whatever it is, it is not a block
    if type(version) is int and version != VERSION:
        raise HansaError("block.version", f"format {version}; this version reads {VERSION}")
    try:
        block = msgspec.convert(value, Block, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise HansaError("block.form", str(error)) from None
    if block.header.count != len(block.items):
        raise HansaError("block.form", f"{len(block.items)} items where the header counts {block.header.count}")
    return block


def entries_of(data: bytes) -> int:
    """How many entries the block in these bytes of this ledger's own journal has; its items are not read."""
    return cbor.decode_own(data[1 : cbor.item_end(data, 1)])[4]


def header_digest(header: Header) -> bytes:
    """The SHA-256 that the next header carries as `previous`."""
    return hashlib.sha256(cbor.encode_ordered(_header_fields(header))).digest()


def _header_fields(header: Header) -> list[object]:
    return [
        header.version,
        header.ledger,
        header.height,
        header.seq,
        header.count,
        header.time,
        header.previous,
        header.root,
        header.position,
    ]
