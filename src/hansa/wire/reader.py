"""The request for a token to read with: a node's challenge, signed by a registered key.

A client makes it (`client.readers`), the node that made the challenge reads it (`api.readers`). It names the ledger,
the node's key and the host that the client asked, so that whoever passes a challenge on gets nothing that serves
elsewhere: another node, or the same under another name, does not take it.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hansa.wire import cbor, cose
from hansa.wire.cose import Envelope, Header
from hansa.wire.entry import Digest
from hansa.wire.keys import Signer
from hansa.wire.problems import HansaError

VERSION: Final = 0
CHALLENGE_BYTES_MAX: Final = 128
"""Twice what nodes make."""
HOST_CHARS_MAX: Final = 253
"""Of a DNS name (RFC 1035 section 2.3.4)."""
ENVELOPE_BYTES_MAX: Final = 1_024
"""Of a request, with room to spare."""


class TokenRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed: `node` is the kid of the node's own key, `host` what stood in the URL that was asked."""

    host: Annotated[str, Meta(min_length=1, max_length=HOST_CHARS_MAX)]
    node: Digest
    ledger: Digest
    version: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    challenge: Annotated[bytes, Meta(min_length=1, max_length=CHALLENGE_BYTES_MAX)]


class SignedRequest(msgspec.Struct, frozen=True):
    """A request taken apart; nothing of it counts before its signature is verified."""

    header: Header
    envelope: Envelope
    request: TokenRequest


def seal(signer: Signer, ledger: bytes, node: bytes, host: str, challenge: bytes) -> bytes:
    """The request, signed by the key that is to read."""
    body = {"host": host, "node": node, "ledger": ledger, "version": VERSION, "challenge": challenge}
    return cose.seal(signer, cose.READER, cbor.encode(body))


def read(envelope: bytes) -> SignedRequest:
    """The request in an envelope, not verified. Raises `HansaError`: `reader.form`, or as `cose.split`."""
    if len(envelope) > ENVELOPE_BYTES_MAX:
        raise HansaError("reader.form", f"{len(envelope)} bytes; at most {ENVELOPE_BYTES_MAX}")
    parts = cose.split(envelope)
    header = cose.read_header(parts.protected)
    if header.content_type != cose.READER:
        raise HansaError("envelope.content_type", f"{header.content_type[:100]!r} where {cose.READER!r} is expected")
    try:
        request = msgspec.convert(cbor.decode(parts.payload), TokenRequest, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise HansaError("reader.form", str(error)) from None
    return SignedRequest(header, parts, request)
