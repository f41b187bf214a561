"""Public and private keys: ES256 and Ed25519, their SPKI form, and the one rule by which a signature counts.

A key is named by its kid, the SHA-256 of its SubjectPublicKeyInfo (RFC 5280), so it needs no other identity.
Signing is deterministic (RFC 6979, RFC 8032): no randomness enters here. Making keys and keeping their files
is `client.keys`' work. Private keys are never written to a log or an error.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from ed25519_zebra import ed_verify

from hansa.wire import ed25519
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.wire.openssl import Point

ES256: Final = -7  # RFC 9053 section 2.1
EDDSA: Final = -8  # RFC 9053 section 2.2
ALGORITHM_NAMES: Final = {ES256: "ES256", EDDSA: "EdDSA"}

_ED25519_SPKI: Final = bytes.fromhex("302a300506032b6570032100")  # RFC 8410, then 32 bytes
_P256_SPKI: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")  # RFC 5480, then the point


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
    _library: "Point | None"

    def __init__(self, spki: bytes) -> None:
        if is_ed25519(spki):
            self.algorithm = EDDSA
            self.raw = spki[len(_ED25519_SPKI) :]
            self._library = None
        elif spki.startswith(_P256_SPKI) and len(spki) == len(_P256_SPKI) + 65:
            self.algorithm = ES256
            self.raw = spki[len(_P256_SPKI) :]
            from hansa.wire import openssl  # noqa: PLC0415 - see there

            self._library = openssl.Point(self.raw)
        else:
            raise HansaError("key.unsupported")
        self.spki = spki
        self.kid = kid_of(spki)

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether the library accepts. For Ed25519 a refusal is not the last word: see `verify_exactly`."""
        if self._library is not None:
            return self._library.verify(signature, message)
        return ed_verify(signature, message, self.raw)

    def verify_exactly(self, signature: bytes, message: bytes) -> bool:
        """Whether the ledger's rule accepts: the same verdict on every node (milliseconds if the library refuses)."""
        if self.verify(signature, message):
            return True
        return self._library is None and ed25519.verify(self.raw, signature, message)

    def pem(self) -> bytes:
        """The key as a PEM file, for tools that pin it."""
        from hansa.wire import openssl  # noqa: PLC0415 - see there

        return openssl.pem_of(self.spki)


Check: TypeAlias = tuple[PublicKey, bytes, bytes]
"""A key, a signature, and the message it should cover."""


def verify_each(checks: Sequence[Check]) -> Iterator[bool]:
    """What the library says of each, when it is asked for: who stops at a bad one has paid for none behind it."""
    return (key.verify(signature, message) for key, signature, message in checks)


class PrivateKey:
    """A key in memory that signs; satisfies `Signer`."""

    __slots__ = ("_key", "algorithm", "kid", "public")

    def __init__(self, pem: bytes) -> None:
        from hansa.wire import openssl  # noqa: PLC0415 - see there

        self._key = openssl.Secret(pem)
        self.public = PublicKey(self._key.spki)
        self.algorithm = self.public.algorithm
        self.kid = self.public.kid

    def sign(self, message: bytes) -> bytes:
        """The signature of `message`: 64 bytes, with s low for ES256."""
        return self._key.sign(message)

    def pem(self) -> bytes:
        """The key as unencrypted PKCS#8 PEM; whoever calls this keeps the file private."""
        return self._key.pem()


def kid_of(spki: bytes) -> bytes:
    """A key's name: the SHA-256 of its SubjectPublicKeyInfo."""
    return hashlib.sha256(spki).digest()


def spki_of_ed25519(raw: bytes) -> bytes:
    """The SubjectPublicKeyInfo of an Ed25519 key of 32 bytes."""
    return _ED25519_SPKI + raw


def is_ed25519(spki: bytes) -> bool:
    """Whether it has the form of an Ed25519 key; whether it can be registered is another question."""
    return spki.startswith(_ED25519_SPKI) and len(spki) == len(_ED25519_SPKI) + 32


def public_key_from_pem(pem: bytes) -> PublicKey:
    """The key of a PEM file. Raises `HansaError` for anything but one P-256 or Ed25519 public key."""
    from hansa.wire import openssl  # noqa: PLC0415 - see there

    spki = openssl.spki_of(pem)
    if pem.count(b"-----BEGIN") != 1:
        raise HansaError("key.file", "the file holds more than one key")
    return PublicKey(spki)


def registrable(spki: bytes) -> PublicKey:
    """The key, checked as registration demands: canonical, and for Ed25519 in the prime-order subgroup.

    Raises `HansaError` (`key.invalid`, `key.unsupported`). A key of small order would let one signature
    stand for many messages, so it must never get onto a ledger.
    """
    key = PublicKey(spki)
    if key.algorithm == EDDSA and not ed25519.is_registrable(key.raw):
        raise HansaError("key.invalid", "the Ed25519 key is not canonical or not in the prime-order subgroup")
    return key
