"""The invite: what a member gives to who shall run a node of a ledger, in one file that the member signs.

It says which ledger, by what rules, with whom, and where nodes answer: enough to say yes or no before anything is asked
of anybody. It lets nobody in. Until the genesis document is there, whose digest the ledger's id is, all of it is the
word of whoever holds the key in it: `client.invited` holds it against the ledger. What follows from genesis (the
engine's chain, its first validators) is not repeated.
"""

import hashlib
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from hansa.wire import cbor, cose, keys, limits, names
from hansa.wire.entry import Digest
from hansa.wire.keys import Signer
from hansa.wire.problems import HansaError

VERSION: Final = 0
BYTES_MAX: Final = 512 * 1024
"""An invite: room for the longest constitution, and as many members as a ledger has."""
NODES_MAX: Final = 64
"""Nodes that an invite names: to begin with. All that there are, the ledger says."""
CHECKPOINTS_MAX: Final = 64
"""Members whose checkpoints it shows."""
DAYS_MAX: Final = 30
"""How long one counts at most."""
_CHECKPOINT_BYTES_MAX: Final = 1_024
"""Of each: several times what one takes."""

_Title: TypeAlias = Annotated[str, Meta(min_length=1, max_length=80)]
_Id: TypeAlias = Annotated[str, Meta(pattern=rf"\A{names.MEMBER}\Z")]


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who belongs to the ledger, as the inviter says."""

    id: _Id
    name: _Title
    weight: Annotated[int, Meta(ge=0, le=limits.WEIGHT_MAX)]


class Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A node that can be asked. `url` is that of its API; `peer` and `address` are its engine's, empty where unknown.

    They are what the ledger's record of the node says, or what the inviter knows where it says nothing.
    """

    id: _Id
    member: _Id
    url: Annotated[
        str, Meta(pattern=r"\Ahttps?://([A-Za-z0-9._-]{1,200}|\[[0-9a-fA-F:.]{2,45}\]):[0-9]{1,5}\Z", max_length=220)
    ]
    peer: Annotated[str, Meta(pattern=r"\A([0-9a-f]{40})?\Z")] = ""
    address: Annotated[str, Meta(pattern=r"\A([A-Za-z0-9.:\[\]_-]+:[0-9]{1,5})?\Z", max_length=260)] = ""


class Constitution(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules in force. `lock` is how long (ms) an accepted change of them waits."""

    lock: Annotated[int, Meta(ge=limits.LOCK_MS_MIN, le=limits.LOCK_MS_MAX)]
    source: Annotated[str, Meta(min_length=1, max_length=limits.SOURCE_CHARS_MAX)]

    @property
    def digest(self) -> bytes:
        """The SHA-256 of its text, as the ledger has it."""
        return hashlib.sha256(self.source.encode()).digest()


class Invite(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is signed, by the governance key `key` (its SPKI) of `inviter`, for `member`, until `not_after` (ms).

    `name` is the ledger's, `wan` whether its engines have patience for long distances, `checkpoint` one tree head as
    several members' nodes signed it (`merkle.receipt.bare`), none where none was there.
    """

    key: Annotated[bytes, Meta(max_length=256)]
    name: _Title
    wan: bool
    nodes: Annotated[list[Node], Meta(min_length=1, max_length=NODES_MAX)]
    ledger: Digest
    member: _Id
    inviter: _Id
    members: Annotated[list[Member], Meta(min_length=1, max_length=limits.MEMBERS_MAX)]
    orderer: Literal["cometbft"]
    version: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    not_after: Annotated[int, Meta(ge=0, le=limits.INSTANT_MAX)]
    checkpoint: Annotated[
        list[Annotated[bytes, Meta(max_length=_CHECKPOINT_BYTES_MAX)]], Meta(max_length=CHECKPOINTS_MAX)
    ]
    constitution: Constitution

    @property
    def kid(self) -> bytes:
        """The id of the key that signed it."""
        return keys.kid_of(self.key)


def seal(signer: Signer, invite: Invite) -> bytes:
    """The envelope of an invite. Raises `HansaError` `invite.form` for one that nobody would read."""
    envelope = cose.seal(signer, cose.INVITE, cbor.encode(msgspec.to_builtins(invite, builtin_types=(bytes,))))
    read(envelope)
    return envelope


def read(envelope: bytes) -> Invite:
    """The invite in an envelope that the key in it signed. When it counts, and for whom, is not looked at.

    Raises `HansaError`: `invite.form`, `invite.proof`, `key.invalid`, `key.unsupported`, or as `cose.split`.
    """
    if len(envelope) > BYTES_MAX:
        raise HansaError("invite.form", f"{len(envelope)} bytes; at most {BYTES_MAX}")
    try:
        parts = cose.split(envelope)
        header = cose.read_header(parts.protected)
        if header.content_type != cose.INVITE:
            raise HansaError("invite.form", f"it is {header.content_type[:100]!a}, not {cose.INVITE}")
        value = cbor.decode(parts.payload)
        if isinstance(value, dict) and value.get("version", VERSION) != VERSION:  # pyright: ignore[reportUnknownMemberType]
            raise HansaError("invite.form", "it is of another version of the format")
        invite = msgspec.convert(value, Invite, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise HansaError("invite.form", str(error)) from None
    except HansaError as error:
        if error.code.startswith("invite."):
            raise
        raise HansaError("invite.form", error.detail) from None
    key = keys.registrable(invite.key)
    if (header.kid, header.algorithm) != (key.kid, key.algorithm) or not key.verify(parts.signature, parts.structure):
        raise HansaError("invite.proof")
    if invite.inviter not in {member.id for member in invite.members}:
        raise HansaError("invite.form", f"{invite.inviter} is none of the members that it names")
    return invite
