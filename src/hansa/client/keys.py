"""Makes keys and keeps them in files that only their owner can read."""

import os
import stat
from pathlib import Path
from typing import Final

from hansa.wire.keys import PrivateKey
from hansa.wire.problems import HansaError

MODE: Final = 0o600
_FILE_BYTES_MAX: Final = 16 * 1024
"""A key file; larger is something else."""


def generate(kind: str = "ed25519") -> PrivateKey:
    """A new key of the operating system's randomness: `ed25519` or `p256`. Raises `HansaError` `key.unsupported`."""
    # To load the library takes longer than most commands, and few make keys.
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: PLC0415

    if kind == "ed25519":
        key = ed25519.Ed25519PrivateKey.generate()
    elif kind == "p256":
        key = ec.generate_private_key(ec.SECP256R1())
    else:
        raise HansaError("key.unsupported", f"there is no kind of key {kind[:60]!a}; there is ed25519 and p256")
    return PrivateKey(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def from_seed(seed: bytes) -> PrivateKey:
    """The Ed25519 key of a secret of 32 bytes (RFC 8032 section 5.1.5): always the same one."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415

    key = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    return PrivateKey(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def save(key: PrivateKey, path: Path) -> None:
    """Writes a new private key file, mode 0600, durably.

    Raises `HansaError`: `key.exists` rather than overwrite, `key.file` where no file can be made.
    """
    remedy = "Choose a place where you may write."
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise HansaError("key.file", f"{path.parent}: {error.strerror}", remedy=remedy) from None
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    except FileExistsError:
        raise HansaError("key.exists", f"{path} exists") from None
    except OSError as error:
        raise HansaError("key.file", f"{path}: {error.strerror}", remedy=remedy) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.pem())
        file.flush()
        os.fsync(file.fileno())


def load(path: Path) -> PrivateKey:
    """The key in a file. Raises `HansaError` (`key.file`, `key.exposed` if others can read the file)."""
    try:
        status = path.stat()
        data = path.read_bytes()[:_FILE_BYTES_MAX]
    except OSError as error:
        raise HansaError("key.file", f"{path}: {error.strerror}") from None
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise HansaError("key.exposed", f"others can read {path}: its mode is {stat.S_IMODE(status.st_mode):o}")
    try:
        return PrivateKey(data)
    except HansaError as error:
        raise HansaError(error.code, f"{path}: {error.detail}") from None
