"""The request for a session: an ID token, and the key that is to act for whom it names, signed by that key.

A client makes it (`client.sign_in`), its own member's node reads it (`api.sessions`). The signature shows that the
client holds the key; the token's nonce, which is the key's digest, that the issuer was asked on behalf of this key.
"""

import base64
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hansa.wire import cbor, cose, keys
from hansa.wire.entry import Digest
from hansa.wire.keys import PrivateKey
from hansa.wire.limits import INTEGER_MAX, VALIDITY_MS_MAX
from hansa.wire.problems import HansaError

VERSION: Final = 0
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519")
"""The signatures of tokens that may count (RFC 7518, RFC 9864): with a shared secret, whoever verifies could forge."""
TOKEN_BYTES_MAX: Final = 16 * 1024
"""Of a token: several times what large providers make, with a few hundred groups."""
ENVELOPE_BYTES_MAX: Final = TOKEN_BYTES_MAX + 1_024
"""Of a request: the token, and room for the rest."""


class SessionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed: `key` is the session key's SPKI, `not_after` (ms) until when the request counts."""

    key: Annotated[bytes, Meta(max_length=256)]
    token: Annotated[str, Meta(min_length=1, max_length=TOKEN_BYTES_MAX)]
    ledger: Digest
    version: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    not_after: Annotated[int, Meta(ge=0, le=INTEGER_MAX)]


def nonce_of(spki: bytes) -> str:
    """What a token for a session key has as its `nonce`: SHA-256 of the SPKI, base64url without padding."""
    return base64.urlsafe_b64encode(keys.kid_of(spki)).rstrip(b"=").decode()


def seal(key: PrivateKey, ledger: bytes, token: str, not_after: int) -> bytes:
    """The request for a session of `key` with a token, signed by the key."""
    body = {"key": key.public.spki, "token": token, "ledger": ledger, "version": VERSION, "not_after": not_after}
    return cose.seal(key, cose.SESSION, cbor.encode(body))


def read(envelope: bytes, ledger: bytes, now: int) -> SessionRequest:
    """The request in an envelope that its own key signed for this ledger, at ledger time `now` (ms).

    Raises `HansaError`: `session.form`, `session.proof`, `key.invalid`, `key.unsupported`, or as `cose.split`.
    """
    if len(envelope) > ENVELOPE_BYTES_MAX:
        raise HansaError("session.form", f"{len(envelope)} bytes; at most {ENVELOPE_BYTES_MAX}")
    parts = cose.split(envelope)
    header = cose.read_header(parts.protected)
    if header.content_type != cose.SESSION:
        raise HansaError("envelope.content_type", f"{header.content_type[:100]!r} where {cose.SESSION!r} is expected")
    try:
        request = msgspec.convert(cbor.decode(parts.payload), SessionRequest, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise HansaError("session.form", str(error)) from None
    key = keys.registrable(request.key)
    if (header.kid, header.algorithm) != (key.kid, key.algorithm) or not key.verify(parts.signature, parts.structure):
        raise HansaError("session.proof")
    if request.ledger != ledger:
        raise HansaError("transaction.ledger", f"signed for ledger {request.ledger.hex()}")
    if not now <= request.not_after <= now + VALIDITY_MS_MAX:
        raise HansaError("session.form", "its not_after has passed, or is more than an hour ahead")
    return request
