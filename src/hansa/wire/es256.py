"""The one form in which an ES256 signature counts: r and s as 32 bytes each, s in the lower half of the order."""

from typing import Final

from hansa.wire.limits import SIGNATURE_BYTES
from hansa.wire.problems import HansaError

ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the group on P-256 (FIPS 186-5, SP 800-186)."""
HALF: Final = ORDER // 2


def raw(r: int, s: int) -> bytes:
    """r and s as 64 bytes, a high s replaced by n - s: the same signature in the only form that is accepted."""
    return r.to_bytes(32, "big") + min(s, ORDER - s).to_bytes(32, "big")


def from_der(signature: bytes) -> bytes:
    """A signature as OpenSSL and hardware modules write it (RFC 3279 section 2.2.3), in the only form accepted.

    Raises `HansaError` `signature.size` for anything else.
    """
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature  # noqa: PLC0415 - see `openssl`

    try:
        r, s = decode_dss_signature(signature)
    except ValueError:
        r = s = 0
    if not (0 < r < ORDER and 0 < s < ORDER):
        raise HansaError("signature.size", "this is neither r and s of 32 bytes each nor their DER form")
    return raw(r, s)


def is_high_s(signature: bytes) -> bool:
    """Whether a signature has the form that intake names as `signature.high_s`."""
    return len(signature) == SIGNATURE_BYTES and int.from_bytes(signature[32:], "big") > HALF
