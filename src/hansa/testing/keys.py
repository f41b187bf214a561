"""Keys of ledgers in memory: each follows from a name, so that the ids of what they sign are the same in every run.

Whoever knows the name has the key: for tests alone.
"""

import hashlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from hansa.wire.keys import PrivateKey


def sender(name: str) -> PrivateKey:
    """The Ed25519 key of a member or user."""
    return _wrapped(ed25519.Ed25519PrivateKey.from_private_bytes(_secret(name)))


def node(name: str) -> PrivateKey:
    """A P-256 key of a node, for one purpose."""
    return _wrapped(ec.derive_private_key(int.from_bytes(_secret(name)) >> 1, ec.SECP256R1()))  # below the order


def _secret(name: str) -> bytes:
    return hashlib.sha256(f"hansa.testing {name}".encode()).digest()


def _wrapped(key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> PrivateKey:
    return PrivateKey(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
