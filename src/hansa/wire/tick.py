"""The tick: by it a node has ledger time go on where no transaction does, so that what is due is taken.

Signed by a node's own key. It names the number of entries it was made at and counts only there, so it can be
neither replayed nor answered twice.
"""

import hashlib
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hansa.wire import cbor, cose
from hansa.wire.entry import Digest
from hansa.wire.keys import Signer
from hansa.wire.limits import INTEGER_MAX
from hansa.wire.problems import HansaError

VERSION: Final = 0
ENVELOPE_BYTES_MAX: Final = 512
"""A tick with its signature."""


class Tick(msgspec.Struct, frozen=True, gc=False):
    """A tick as it was signed: `size` is the number of entries of the ledger that it counts at."""

    envelope: bytes
    id: bytes
    kid: bytes
    algorithm: int
    signature: bytes
    structure: bytes
    ledger: bytes
    size: int


class _Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    size: Annotated[int, Meta(ge=1, le=INTEGER_MAX)]
    ledger: Digest
    version: Annotated[int, Meta(ge=VERSION, le=VERSION)]


def seal(signer: Signer, ledger: bytes, size: int) -> bytes:
    """The envelope of a tick at so many entries."""
    return cose.seal(signer, cose.TICK, cbor.encode({"size": size, "ledger": ledger, "version": VERSION}))


def read(envelope: bytes) -> Tick:
    """The tick in an envelope, its signature still to be verified. Raises `HansaError` for anything else."""
    if len(envelope) > ENVELOPE_BYTES_MAX:
        raise HansaError("envelope.oversized", f"{len(envelope)} bytes; a tick has at most {ENVELOPE_BYTES_MAX}")
    parts = cose.split(envelope)
    header = cose.read_header(parts.protected)
    if header.content_type != cose.TICK:
        raise HansaError("envelope.content_type", f"{header.content_type[:100]!r} where {cose.TICK!r} is expected")
    try:
        payload = msgspec.convert(cbor.decode(parts.payload), _Payload, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise HansaError("transaction.field", str(error)) from None
    id = hashlib.sha256(parts.structure).digest()
    return Tick(
        envelope, id, header.kid, header.algorithm, parts.signature, parts.structure, payload.ledger, payload.size
    )
