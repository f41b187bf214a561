"""Public and private keys: ES256 and Ed25519, their SPKI form, and the one rule by which a signature counts.

A key is named by its kid, the SHA-256 of its SubjectPublicKeyInfo (RFC 5280), so it needs no other identity.
Signing is deterministic (RFC 6979, RFC 8032): no randomness enters here. Making keys and keeping their files
is `client.keys`' work. Private keys are never written to a log or an error.
"""

import hashlib
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from ed25519_zebra import ed_verify

from hansa.wire import ed25519
from hansa.wire.limits import SIGNATURE_BYTES
from hansa.wire.problems import HansaError

ES256: Final = -7  # RFC 9053 section 2.1
EDDSA: Final = -8  # RFC 9053 section 2.2
ALGORITHM_NAMES: Final = {ES256: "ES256", EDDSA: "EdDSA"}

_ED25519_SPKI: Final = bytes.fromhex("302a300506032b6570032100")  # RFC 8410, then 32 bytes
_P256_SPKI: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")  # RFC 5480, then the point
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P256_HALF: Final = _P256_ORDER // 2
_ECDSA: Final = ec.ECDSA(hashes.SHA256())
_ECDSA_DETERMINISTIC: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)


class Signer(Protocol):
    """What signs: a key in memory here, a hardware module elsewhere.

    `sign` returns 64 bytes, r and s with s low for ES256. It is called once for each message and MUST either
    return a valid signature or raise.
    """

    algorithm: int
    kid: bytes

    def sign(self, message: bytes) -> bytes:
        """The signature of `message`."""
        ...


class PublicKey:
    """A registered or pinned key. `verify` says whether the linked library accepts a signature."""

    __slots__ = ("_library", "algorithm", "kid", "raw", "spki")

    def __init__(self, spki: bytes) -> None:
        if spki.startswith(_ED25519_SPKI) and len(spki) == len(_ED25519_SPKI) + 32:
            self.algorithm = EDDSA
            self.raw = spki[len(_ED25519_SPKI) :]
            self._library = None
        elif spki.startswith(_P256_SPKI) and len(spki) == len(_P256_SPKI) + 65:
            self.algorithm = ES256
            self.raw = spki[len(_P256_SPKI) :]
            try:
                self._library = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), self.raw)
            except ValueError:
                raise HansaError("key.invalid", "the point is not on the curve P-256") from None
        else:
            raise HansaError("key.unsupported")
        self.spki = spki
        self.kid = kid_of(spki)

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether the library accepts. For Ed25519 a refusal is not the last word: see `verify_exactly`."""
        if self._library is not None:
            return self._verify_es256(signature, message)
        return ed_verify(signature, message, self.raw)

    def verify_exactly(self, signature: bytes, message: bytes) -> bool:
        """Whether the ledger's rule accepts: the same verdict on every node (milliseconds if the library refuses)."""
        if self.verify(signature, message):
            return True
        return self._library is None and ed25519.verify(self.raw, signature, message)

    def pem(self) -> bytes:
        """The key as a PEM file, for tools that pin it."""
        return serialization.load_der_public_key(self.spki).public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def _verify_es256(self, signature: bytes, message: bytes) -> bool:
        assert self._library is not None
        if len(signature) != SIGNATURE_BYTES:
            return False
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        if not 0 < r < _P256_ORDER or not 0 < s <= _P256_HALF:
            return False
        try:
            self._library.verify(encode_dss_signature(r, s), message, _ECDSA)
        except InvalidSignature:
            return False
        return True


class PrivateKey:
    """A key in memory that signs; satisfies `Signer`."""

    __slots__ = ("_key", "algorithm", "kid", "public")

    def __init__(self, pem: bytes) -> None:
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError):
            raise HansaError("key.file", "this is not an unencrypted PKCS#8 private key in PEM") from None
        except UnsupportedAlgorithm:
            raise HansaError("key.unsupported") from None
        if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
            self.algorithm = ES256
        elif isinstance(key, Ed25519PrivateKey):
            self.algorithm = EDDSA
        else:
            raise HansaError("key.unsupported")
        self._key = key
        spki = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.public = PublicKey(spki)
        self.kid = self.public.kid

    def sign(self, message: bytes) -> bytes:
        """The signature of `message`: 64 bytes, with s low for ES256."""
        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(message)
        r, s = decode_dss_signature(self._key.sign(message, _ECDSA_DETERMINISTIC))
        return raw_es256(r, s)

    def pem(self) -> bytes:
        """The key as unencrypted PKCS#8 PEM; whoever calls this keeps the file private."""
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def kid_of(spki: bytes) -> bytes:
    """A key's name: the SHA-256 of its SubjectPublicKeyInfo."""
    return hashlib.sha256(spki).digest()


def public_key_from_pem(pem: bytes) -> PublicKey:
    """The key of a PEM file. Raises `HansaError` for anything but one P-256 or Ed25519 public key."""
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, TypeError):
        raise HansaError("key.file", "this is not a public key in PEM") from None
    except UnsupportedAlgorithm:
        raise HansaError("key.unsupported") from None
    if pem.count(b"-----BEGIN") != 1:
        raise HansaError("key.file", "the file holds more than one key")
    return PublicKey(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


def registrable(spki: bytes) -> PublicKey:
    """The key, checked as registration demands: canonical, and for Ed25519 in the prime-order subgroup.

    Raises `HansaError` (`key.invalid`, `key.unsupported`). A key of small order would let one signature
    stand for many messages, so it must never get onto a ledger.
    """
    key = PublicKey(spki)
    if key.algorithm == EDDSA and not ed25519.is_registrable(key.raw):
        raise HansaError("key.invalid", "the Ed25519 key is not canonical or not in the prime-order subgroup")
    return key


def raw_es256(r: int, s: int) -> bytes:
    """r and s as 64 bytes, a high s replaced by n - s: the same signature in the only form that is accepted."""
    return r.to_bytes(32, "big") + min(s, _P256_ORDER - s).to_bytes(32, "big")


def is_high_s(signature: bytes) -> bool:
    """Whether an ES256 signature has the form that intake names as `signature.high_s`."""
    return len(signature) == SIGNATURE_BYTES and int.from_bytes(signature[32:], "big") > _P256_HALF
