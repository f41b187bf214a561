"""The statement by which members exclude a transaction: it gets an entry that says so, and is never run.

Signed by one member's governance key, about one id on one ledger; those that belong together have the same payload.
Files of them are CBOR sequences. Who signed, and whether these are enough, is for `governance.exclusion`.
"""

import hashlib
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hansa.wire import cbor, cose
from hansa.wire.entry import Digest
from hansa.wire.keys import Signer
from hansa.wire.problems import HansaError

VERSION: Final = 0
REASON_CHARS_MAX: Final = 200
"""The reason that a statement of exclusion gives."""
ENVELOPE_BYTES_MAX: Final = 1_536
"""A statement of exclusion with its signature."""
STATEMENTS_MAX: Final = 1_000
"""In one file."""


class Statement(msgspec.Struct, frozen=True, gc=False):
    """A statement as it was signed, its signature still to be verified; `digest` is its payload's, by SHA-256."""

    envelope: bytes
    kid: bytes
    algorithm: int
    signature: bytes
    structure: bytes
    digest: bytes
    ledger: bytes
    id: bytes
    reason: str


class _Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: Digest
    ledger: Digest
    reason: Annotated[str, Meta(min_length=1, max_length=REASON_CHARS_MAX)]
    version: Annotated[int, Meta(ge=VERSION, le=VERSION)]


def seal(signer: Signer, ledger: bytes, id: bytes, reason: str) -> bytes:
    """The envelope of a statement. Raises `HansaError` `exclusion.form` for a reason that is none."""
    envelope = cose.seal(
        signer, cose.EXCLUSION, cbor.encode({"id": id, "ledger": ledger, "reason": reason, "version": VERSION})
    )
    read(envelope)
    return envelope


def read(envelope: bytes) -> Statement:
    """The statement in an envelope. Raises `HansaError` for anything else."""
    if len(envelope) > ENVELOPE_BYTES_MAX:
        raise HansaError("envelope.oversized", f"{len(envelope)} bytes; a statement has at most {ENVELOPE_BYTES_MAX}")
    parts = cose.split(envelope)
    header = cose.read_header(parts.protected)
    if header.content_type != cose.EXCLUSION:
        raise HansaError("envelope.content_type", f"{header.content_type[:100]!r} where {cose.EXCLUSION!r} is expected")
    try:
        payload = msgspec.convert(cbor.decode(parts.payload), _Payload, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise HansaError("exclusion.form", str(error)) from None
    digest = hashlib.sha256(parts.payload).digest()
    return Statement(
        envelope,
        header.kid,
        header.algorithm,
        parts.signature,
        parts.structure,
        digest,
        payload.ledger,
        payload.id,
        payload.reason,
    )


def read_all(data: bytes) -> list[Statement]:
    """The statements in a file, which all say the same. Raises `HansaError`, `exclusion.form` for others."""
    found = [read(envelope) for envelope in cose.split_sequence(data, STATEMENTS_MAX)]
    if len({statement.digest for statement in found}) != 1:
        raise HansaError("exclusion.form", "statements that go together name one id and one reason")
    return found
