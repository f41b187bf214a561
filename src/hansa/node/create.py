"""Makes a new ledger: keys, the genesis document, an empty folder. The first start writes block 0."""

import secrets
import time
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec

from hansa.client import keys as key_files
from hansa.store.files import Files
from hansa.store.folder import Folder, new_folder
from hansa.wire import genesis
from hansa.wire.genesis import Genesis, Limits, Member, Node, User
from hansa.wire.keys import PrivateKey
from hansa.wire.limits import NONCE_BYTES

NODE_KEY: Final = "node.pem"
CHECKPOINT_KEY: Final = "checkpoint.pem"


class Founder(msgspec.Struct, frozen=True):
    """A member to begin with; `users` are names without the member's, `user_attributes` what these have."""

    id: str
    name: str
    attributes: list[str] = []
    users: list[str] = []
    deployer: bool = False
    user_attributes: dict[str, list[str]] = {}


def create_ledger(
    files: Files,
    folder: Folder,
    name: str,
    founders: list[Founder],
    *,
    key_kind: str = "ed25519",
    limits: Limits | None = None,
    clock: int | None = None,
) -> bytes:
    """A ledger of these founders in a new folder, all their keys made and kept in it; its id.

    For trials and single-member ledgers: members who do not trust each other make their keys themselves. With `clock`
    (ms since 1970 UTC) its time begins there, and is told for good: for demonstrations only.
    Raises `HansaError` as `new_folder`, and leaves nothing behind then.
    """
    made: dict[Path, PrivateKey] = {}

    def key(path: Path, kind: str) -> bytes:
        made[path] = key_files.generate(kind)
        return made[path].public.spki

    members = [
        Member(
            id=founder.id,
            name=founder.name,
            keys=[key(member_key(folder, founder.id), key_kind)],
            attributes=sorted(founder.attributes),
        )
        for founder in founders
    ]
    users = [
        User(
            id=f"{founder.id}/{user}",
            name=user,
            keys=[key(user_key(folder, founder.id, user), key_kind)],
            attributes=sorted(founder.user_attributes.get(user, [])),
        )
        for founder in founders
        for user in founder.users
    ]
    node = Node(
        id="node-1",
        member=founders[0].id,
        node_key=key(folder.keys / NODE_KEY, "p256"),
        checkpoint_key=key(folder.keys / CHECKPOINT_KEY, "p256"),
    )
    document = genesis.encode(
        Genesis(
            version=genesis.VERSION,
            name=name,
            time=time.time_ns() // 1_000_000 if clock is None else clock,
            nonce=secrets.token_bytes(NONCE_BYTES),
            members=members,
            users=users,
            nodes=[node],
            deployers=[founder.id for founder in founders if founder.deployer],
            limits=limits or Limits(),
            clock=msgspec.UNSET if clock is None else genesis.TOLD,
            members_contract=members_source(),
        )
    )
    genesis.decode(document)  # refuse here, with every problem, what no node would start with
    ledger = genesis.ledger_id(document)
    with new_folder(files, folder.root) as new:
        for path, private in made.items():
            key_files.save(private, new.root / path.relative_to(folder.root))
        new.create(files, document, ledger)
    return ledger


def members_source() -> str:
    """The source of the members contract that new ledgers begin with."""
    return resources.files("hansa.governance").joinpath("members_contract.py").read_text("utf-8")


def member_key(folder: Folder, member: str) -> Path:
    """Where a founder's key is kept."""
    return folder.keys / "members" / f"{member}.pem"


def user_key(folder: Folder, member: str, user: str) -> Path:
    """Where a founder's user's key is kept."""
    return folder.keys / "users" / member / f"{user}.pem"
