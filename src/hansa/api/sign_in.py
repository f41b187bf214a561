"""The settings with which a node signs people in for its member: `hansa up --sign-in FILE`, a TOML file.

    member = "northbank"
    key = "northbank.pem"            # the member's transaction key
    secret = "pseudonyms.secret"     # made at the first start; a copy on each node of the member

    [asserted]                       # optional: for whom the node signs where a client holds no key
    attribute = "desk:clerk"
    contracts = ["orders"]

Paths are relative to the file. Keys and the secret are read by their owner alone, and never logged.
"""

import os
import secrets
import stat
import tomllib
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hansa.client import keys as key_files
from hansa.governance.directory import Directory
from hansa.wire import names
from hansa.wire.keys import PrivateKey
from hansa.wire.limits import ATTRIBUTE_CHARS_MAX
from hansa.wire.problems import HansaError

SECRET_BYTES: Final = 32
_CONTRACTS_MAX: Final = 100
"""Of those for which a node signs."""

_Contracts = Annotated[list[Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,47}$")]], Meta(max_length=_CONTRACTS_MAX)]


class Asserted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom the node signs for: people with this attribute, and only transactions to these contracts."""

    attribute: Annotated[str, Meta(min_length=1, max_length=ATTRIBUTE_CHARS_MAX)]
    contracts: _Contracts


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    member: Annotated[str, Meta(pattern=rf"^{names.MEMBER}$")]
    key: str
    secret: str
    asserted: Asserted | None = None


class SignIn(msgspec.Struct, frozen=True):
    """The settings, their files read. `key` registers sessions; with `secret` people are told apart on the ledger."""

    member: str
    key: PrivateKey
    secret: bytes
    asserted: Asserted | None


def load(path: Path) -> SignIn:
    """The settings in a file; the secret is made if there is none yet.

    Raises `HansaError` `session.settings`, `key.file`, `key.exposed`.
    """
    try:
        found = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _File)
    except OSError as error:
        raise HansaError("session.settings", f"{path}: {error.strerror}") from None
    except ValueError as error:  # TOML, UTF-8 or the fields
        raise HansaError("session.settings", f"{path}: {error}") from None
    key = key_files.load(path.parent / found.key)
    return SignIn(found.member, key, _secret(path.parent / found.secret), found.asserted)


def check_key(settings: SignIn, directory: Directory) -> None:
    """Raises `HansaError` `session.settings` unless the key is a transaction key of the member that counts now."""
    kid, member = settings.key.kid, settings.member
    sender = directory.senders.get(kid)
    if sender is None:
        told = directory.why_not(kid)
    elif sender.user is not None or sender.member != member:
        told = f"the key {kid.hex()} is one of {sender.user or sender.member}"
    elif sender.is_governor:
        told = f"the key {kid.hex()} is a governance key"
    else:
        return
    remedy = f"Let `key` in the settings name an active transaction key of {member}, then start again."
    raise HansaError("session.settings", f"{told}; people sign in by a transaction key of {member}", remedy=remedy)


def _secret(path: Path) -> bytes:
    try:
        with open(path, "xb", opener=_private) as new:
            new.write(secrets.token_bytes(SECRET_BYTES))
            new.flush()
            os.fsync(new.fileno())
    except FileExistsError:
        pass
    except OSError as error:
        raise HansaError("session.settings", f"{path}: {error.strerror}") from None
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            found = file.read(SECRET_BYTES + 1)
    except OSError as error:
        raise HansaError("session.settings", f"{path}: {error.strerror}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise HansaError("key.exposed", f"others can read {path}: its mode is {stat.S_IMODE(mode):o}")
    if len(found) != SECRET_BYTES:
        told = f"{path} is no secret of {SECRET_BYTES} bytes"
        remedy = "Copy it from another node of the member; a new one makes everybody somebody else on the ledger."
        raise HansaError("session.settings", told, remedy=remedy)
    return found


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, key_files.MODE)
