"""Signing on a machine without a network: what is to be signed leaves in a file and comes back as a signature.

The file holds the exact bytes that the signature covers (the Sig_structure of RFC 9052 section 4.4) and nothing else,
so any tool can sign it. What they say is read from them, never from a text beside them.
"""

from typing import Final

from hansa.client.transactions import Prepared, Unsigned, read_unsigned
from hansa.wire import cose, es256
from hansa.wire.keys import ES256, PublicKey, Signer
from hansa.wire.limits import ENVELOPE_BYTES_MAX, SIGNATURE_BYTES
from hansa.wire.problems import HansaError
from hansa.wire.transaction import Transaction

BYTES_MAX: Final = ENVELOPE_BYTES_MAX
"""Of what is to be signed: what it becomes must fit an envelope."""


def read(data: bytes) -> tuple[Unsigned, Transaction]:
    """What is to be signed, and what it says. Raises `HansaError` for other bytes."""
    if len(data) > BYTES_MAX:
        raise HansaError("envelope.oversized", f"{len(data)} bytes are more than is ever signed")
    return read_unsigned(data)


def sign(unsigned: Unsigned, signer: Signer) -> bytes:
    """The signature, 64 bytes. Raises `HansaError` `signature.key` for another key than the bytes name."""
    header = cose.read_header(unsigned.protected)
    if (header.algorithm, header.kid) != (signer.algorithm, signer.kid):
        raise HansaError("signature.key", f"it is to be signed by key {header.kid.hex()}, this is {signer.kid.hex()}")
    return signer.sign(unsigned.structure)


def finish(unsigned: Unsigned, signature: bytes, key: PublicKey) -> Prepared:
    """The signed transaction, from a signature of any common form: 64 bytes, or DER for ES256; a high s is replaced.

    Raises `HansaError`: `signature.size`, `signature.key` for another key, `signature.invalid`.
    """
    header = cose.read_header(unsigned.protected)
    if (header.algorithm, header.kid) != (key.algorithm, key.kid):
        raise HansaError("signature.key", f"it is to be signed by key {header.kid.hex()}, this is {key.kid.hex()}")
    if header.algorithm == ES256:
        is_raw = len(signature) == SIGNATURE_BYTES
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        signature = es256.raw(r, s) if is_raw and 0 < s < es256.ORDER else es256.from_der(signature)
    elif len(signature) != SIGNATURE_BYTES:
        raise HansaError("signature.size", f"{len(signature)} bytes instead of {SIGNATURE_BYTES}")
    if not key.verify_exactly(signature, unsigned.structure):
        raise HansaError("signature.invalid", "the signature is not of these bytes by this key")
    return unsigned.signed(signature)
