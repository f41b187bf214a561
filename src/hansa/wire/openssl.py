"""Keys as the library `cryptography` holds them: ES256, and key files in PEM.

`keys` alone imports this, when the first such key is met: to load the library takes a quarter of what a command costs
that signs and verifies nothing.
"""

from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from hansa.wire.es256 import HALF, ORDER, raw
from hansa.wire.limits import SIGNATURE_BYTES
from hansa.wire.problems import HansaError

_ECDSA: Final = ec.ECDSA(hashes.SHA256())
_ECDSA_DETERMINISTIC: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)


class Point:
    """A public key on the curve P-256."""

    __slots__ = ("_key",)

    def __init__(self, raw_point: bytes) -> None:
        try:
            self._key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw_point)
        except ValueError:
            raise HansaError("key.invalid", "the point is not on the curve P-256") from None

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether an ES256 signature is good, and in the one form that is accepted."""
        if len(signature) != SIGNATURE_BYTES:
            return False
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        if not 0 < r < ORDER or not 0 < s <= HALF:
            return False
        try:
            self._key.verify(encode_dss_signature(r, s), message, _ECDSA)
        except InvalidSignature:
            return False
        return True


class Secret:
    """A private key of P-256 or Ed25519; `spki` is its public one.

    Raises `HansaError` (`key.file`, `key.unsupported`).
    """

    __slots__ = ("_key", "spki")

    def __init__(self, pem: bytes) -> None:
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError):
            raise HansaError("key.file", _no_secret(pem)) from None
        except UnsupportedAlgorithm:
            raise HansaError("key.unsupported") from None
        is_p256 = isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)
        if not (is_p256 or isinstance(key, Ed25519PrivateKey)):
            raise HansaError("key.unsupported")
        self._key = key
        self.spki = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, message: bytes) -> bytes:
        """The signature of `message`: 64 bytes, with s low for ES256."""
        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(message)
        assert isinstance(self._key, ec.EllipticCurvePrivateKey)
        r, s = decode_dss_signature(self._key.sign(message, _ECDSA_DETERMINISTIC))
        return raw(r, s)

    def pem(self) -> bytes:
        """The key as unencrypted PKCS#8."""
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def _no_secret(pem: bytes) -> str:
    """Why this is no private key that can be read."""
    if not pem.strip():
        return "this is empty"
    if b"ENCRYPTED" in pem:  # PKCS#8, and the older form of OpenSSL in a header
        return "this key is encrypted: `openssl pkey -in FILE -out NEW` writes it unencrypted"
    if b"-----BEGIN PUBLIC KEY-----" in pem:
        return "this is a public key, which signs nothing: its private half is needed"
    return "this is not an unencrypted PKCS#8 private key in PEM"


def pem_of(spki: bytes) -> bytes:
    """A public key as a PEM file."""
    return serialization.load_der_public_key(spki).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def spki_of(pem: bytes) -> bytes:
    """The public key of a PEM file. Raises `HansaError` (`key.file`, `key.unsupported`)."""
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, TypeError):
        what = "a private key, not its public half" if b"PRIVATE KEY-----" in pem else "not a public key in PEM"
        raise HansaError("key.file", f"this is {what if pem.strip() else 'empty'}") from None
    except UnsupportedAlgorithm:
        raise HansaError("key.unsupported") from None
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
