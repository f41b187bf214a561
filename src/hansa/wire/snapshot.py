"""Snapshots of the state: the entry that commits to one, its manifest, and the chunks that it is cut into.

The state behind a block is what decides about everything that comes next: the records, and the ids that may not come
again. It is written down in one way, rows in the order of their keys, cut into chunks of about a mebibyte; the manifest
names the block and the SHA-256 of each chunk, and the SHA-256 of the manifest is the state's digest. What follows from
records (their orders by index, who may sign, what is due) is not written down: it is made again from them.
Pure. `node.state_digest` makes these, `node.joining` reads them from strangers: nothing is believed unchecked.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from hansa.wire import cbor, limits
from hansa.wire.entry import Digest
from hansa.wire.limits import INTEGER_MAX
from hansa.wire.problems import HansaError

KIND: Final = "snapshot"
VERSION: Final = 0
RECORDS: Final = "records"
WINDOW: Final = "window"
SECTIONS: Final = (RECORDS, WINDOW)
"""In the order in which they come."""
CHUNK_BYTES: Final = 1024 * 1024
"""A chunk ends with the row by which its keys and values have so many bytes together."""
CHUNK_BYTES_MAX: Final = 256 * 1024 * 1024
"""No chunk has more, as no block has: its last row may be a large record."""
CHUNKS_MAX: Final = 200_000
"""Of one snapshot: about 200 GB."""
MANIFEST_BYTES_MAX: Final = 16 * 1024 * 1024
"""Room for the digests of so many."""
_WINDOW_KEY_BYTES: Final = 8 + limits.DIGEST_BYTES
_PLACE_LENGTH_MAX: Final = limits.CONTRACT_NAME_CHARS_MAX + limits.RECORD_NAME_CHARS_MAX + 2 + limits.KEY_BYTES_MAX
"""A record's place: its contract, its type and its key, with what stands between them."""

_Count: TypeAlias = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
_Form: TypeAlias = tuple[Literal["snapshot"], Digest, _Count, Digest, _Count]


class Snapshot(msgspec.Struct, frozen=True):
    """What the envelope of an entry says: the state behind block `height` has this digest, and so many keys."""

    ledger: bytes
    height: int
    digest: bytes
    keys: int


class Row(msgspec.Struct, frozen=True, gc=False):
    """A row of the state: for a record its place, the seq that wrote it last, and its value.

    For an id of the window: 8 bytes big-endian of its `not_after`, the id, and its seq; `value` is empty.
    """

    key: bytes
    seq: int
    value: bytes = b""


class Chunk(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A chunk as the manifest names it: the SHA-256 of its bytes, and how many they are."""

    digest: Digest
    length: Annotated[int, Meta(ge=1, le=CHUNK_BYTES_MAX)]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a snapshot is of: the state behind block `height`, whose header has the digest `header`.

    The ledger has `size` entries there and ledger time is `time`; `keys` counts the rows.
    """

    version: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    ledger: Digest
    height: _Count
    header: Digest
    size: Annotated[int, Meta(ge=1, le=INTEGER_MAX)]
    time: _Count
    keys: _Count
    chunks: Annotated[list[Chunk], Meta(max_length=CHUNKS_MAX)]


def envelope(ledger: bytes, height: int, digest: bytes, keys: int) -> bytes:
    """The envelope of the entry: derived on every node, signed by nobody."""
    return cbor.encode([KIND, ledger, height, digest, keys])


def id_of(envelope: bytes) -> bytes:
    """The id of the entry."""
    return hashlib.sha256(envelope).digest()


def read(envelope: bytes) -> Snapshot:
    """What an envelope says. Raises `HansaError` (`entry.form`, `cbor.*`)."""
    try:
        _, ledger, height, digest, keys = msgspec.convert(cbor.decode(envelope), _Form, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise HansaError("entry.form", str(error)) from None
    return Snapshot(ledger, height, digest, keys)


def envelope_of(manifest: bytes) -> bytes:
    """The envelope of the entry that commits to a manifest. Raises `HansaError` as `decode_manifest`."""
    found = decode_manifest(manifest)
    return envelope(found.ledger, found.height, hashlib.sha256(manifest).digest(), found.keys)


def encode_manifest(manifest: Manifest) -> bytes:
    """The manifest's bytes, of which the SHA-256 is the digest of the state."""
    return cbor.encode(msgspec.to_builtins(manifest, builtin_types=(bytes,)))


def decode_manifest(data: bytes) -> Manifest:
    """The manifest that `data` encodes. Raises `HansaError` `snapshot.form` for anything else."""
    if len(data) > MANIFEST_BYTES_MAX:
        raise HansaError("snapshot.form", f"{len(data)} bytes; a manifest has at most {MANIFEST_BYTES_MAX}")
    try:
        return msgspec.convert(cbor.decode(data), Manifest, builtin_types=(bytes,))
    except (msgspec.ValidationError, HansaError) as error:
        raise HansaError("snapshot.form", f"the manifest: {error}") from None


def chunks(section: str, rows: Iterable[Row]) -> Iterator[tuple[bytes, int]]:
    """The chunks that the rows of a section are cut into, in their order, and how many rows each has."""
    taken: list[list[Any]] = []
    length = 0
    is_record = section == RECORDS
    for row in rows:
        taken.append([row.key, row.seq, row.value] if is_record else [row.key, row.seq])
        length += len(row.key) + len(row.value)
        if length >= CHUNK_BYTES:
            yield cbor.encode_ordered([section, taken]), len(taken)
            taken, length = [], 0
    if taken:
        yield cbor.encode_ordered([section, taken]), len(taken)


def decode_chunk(data: bytes, chunk: Chunk, after: tuple[str, bytes]) -> tuple[str, list[Row]]:
    """The section and the rows of a chunk that the manifest names, which go on behind a section and key.

    Raises `HansaError`: `snapshot.chunk` for other bytes than the manifest's, `snapshot.form` for rows out of form or
    order, which no honest node would commit to.
    """
    if len(data) != chunk.length or hashlib.sha256(data).digest() != chunk.digest:
        raise HansaError("snapshot.chunk", f"{len(data)} bytes, which are not those that the manifest names")
    section, found = _parts(cbor.decode(data))
    if section not in SECTIONS or not found:
        raise HansaError("snapshot.form", "a chunk of no known section, or without rows")
    rows = [_record_row(row) if section == RECORDS else _window_row(row) for row in found]
    last = after
    for row in rows:
        here = section, row.key
        if here <= last:  # "records" sorts before "window", as they come
            raise HansaError("snapshot.form", f"a row of {section} out of order")
        last = here
    return section, rows


BEGIN: Final = ("", b"")
"""What the first chunk comes behind."""


def _parts(value: Any) -> tuple[Any, Sequence[Any]]:
    if type(value) is not list or len(value) != 2 or type(value[1]) is not list:  # pyright: ignore[reportUnknownArgumentType]
        raise HansaError("snapshot.form", "a chunk is a section and its rows")
    return value[0], value[1]  # pyright: ignore[reportUnknownVariableType]


def _record_row(row: Any) -> Row:
    match row:
        case [bytes(place), int(seq), bytes(value)] if _is_seq(seq) and len(place) <= _PLACE_LENGTH_MAX:
            cbor.scan(value)
            return Row(place, seq, value)
        case _:
            raise HansaError("snapshot.form", "a record's row has another form")


def _window_row(row: Any) -> Row:
    match row:
        case [bytes(key), int(seq)] if _is_seq(seq) and len(key) == _WINDOW_KEY_BYTES:
            return Row(key, seq)
        case _:
            raise HansaError("snapshot.form", "a row of the window has another form")


def _is_seq(value: int) -> bool:
    return type(value) is int and value >= 0
