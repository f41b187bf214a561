"""Makes a new ledger: keys, the genesis document, an empty folder. The first start writes block 0.

Called by `hansa up` for the ledger of one process, and by `network` for one that many nodes keep.
"""

import secrets
import time
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec

from hansa.client import keys as key_files
from hansa.contracts.diagnostics import ContractInvalid
from hansa.governance import constitution as governance_constitution
from hansa.governance import genesis as governance_genesis
from hansa.node import shipped
from hansa.store.files import Files
from hansa.store.folder import Folder, new_folder
from hansa.wire import genesis
from hansa.wire.genesis import Genesis, Limits, Member, Node, User
from hansa.wire.keys import PrivateKey
from hansa.wire.limits import NONCE_BYTES
from hansa.wire.problems import HansaError

NODE_KEY: Final = "node.pem"
CHECKPOINT_KEY: Final = "checkpoint.pem"
CONSTITUTION: Final = "majority"
"""What a ledger begins with unless another is asked for."""
LOCK_MS: Final = 10_000
"""How long an accepted change of the constitution waits on ledgers made for trials."""
SNAPSHOTS: Final = genesis.SNAPSHOT_ENTRIES, genesis.SNAPSHOT_BLOCKS
"""Every how many entries the state is digested, and so many blocks later the digest is an entry."""


class Founder(msgspec.Struct, frozen=True):
    """A member to begin with; `users` are names without the member's, `user_attributes` what these have."""

    id: str
    name: str
    attributes: list[str] = []
    users: list[str] = []
    deployer: bool = False
    weight: int = 1
    user_attributes: dict[str, list[str]] = {}


class Seat(msgspec.Struct, frozen=True):
    """A node to begin with: its id, the member that runs it, and where it is reached; see `wire.genesis.Node`."""

    id: str
    member: str
    engine_key: bytes = b""
    peer: str = ""
    address: str = ""
    url: str = ""


class Begun(msgspec.Struct, frozen=True):
    """A genesis document, and the keys made for it: by who holds them, each under its path in a folder of keys."""

    document: bytes
    ledger: bytes
    members: dict[str, dict[Path, PrivateKey]]
    nodes: dict[str, dict[Path, PrivateKey]]


def create_ledger(
    files: Files,
    folder: Folder,
    name: str,
    founders: list[Founder],
    *,
    key_kind: str = "ed25519",
    limits: Limits | None = None,
    clock: int | None = None,
    constitution: str = CONSTITUTION,
    lock_ms: int = LOCK_MS,
    snapshots: tuple[int, int] = SNAPSHOTS,
) -> bytes:
    """A ledger of these founders in a new folder, all their keys made and kept in it; its id.

    For trials and single-member ledgers: members who do not trust each other make their keys themselves. Its one node
    is the first founder's. The rest is as `begin` takes it.
    Raises `HansaError` as `begin` and `new_folder`, and leaves nothing behind then.
    """
    seats = [Seat("node-1", founders[0].id)]
    begun = begin(
        name,
        founders,
        seats,
        key_kind=key_kind,
        limits=limits,
        clock=clock,
        constitution=constitution,
        lock_ms=lock_ms,
        snapshots=snapshots,
    )
    with new_folder(files, folder.root) as new:
        for keys in (*begun.members.values(), *begun.nodes.values()):
            save_keys(keys, new.keys)
        new.create(files, begun.document, begun.ledger)
    return begun.ledger


def begin(
    name: str,
    founders: list[Founder],
    seats: list[Seat],
    *,
    key_kind: str = "ed25519",
    limits: Limits | None = None,
    clock: int | None = None,
    constitution: str = CONSTITUTION,
    lock_ms: int = LOCK_MS,
    snapshots: tuple[int, int] = SNAPSHOTS,
) -> Begun:
    """The beginning of a ledger of these founders and their nodes, with new keys for all of them; nothing is written.

    With `clock` (ms since 1970 UTC) its time begins there, and is told for good: for demonstrations only.
    `constitution`: the name of one that comes with Hansa, or the text of one, which may use the library `governance`; a
    change of it waits for `lock_ms` when it has been accepted. Raises `HansaError` `constitution.invalid` with every
    problem of it, and `genesis.form` with every one of the rest.
    """
    of_members: dict[str, dict[Path, PrivateKey]] = {founder.id: {} for founder in founders}
    of_nodes: dict[str, dict[Path, PrivateKey]] = {seat.id: {} for seat in seats}

    def key(held: dict[Path, PrivateKey], path: Path, kind: str) -> bytes:
        held[path] = key_files.generate(kind)
        return held[path].public.spki

    members = [
        Member(
            id=founder.id,
            name=founder.name,
            keys=[key(of_members[founder.id], member_file(founder.id), key_kind)],
            governance_keys=[key(of_members[founder.id], governance_file(founder.id), key_kind)],
            attributes=sorted(founder.attributes),
            weight=founder.weight,
        )
        for founder in founders
    ]
    users = [
        User(
            id=f"{founder.id}/{user}",
            name=user,
            keys=[key(of_members[founder.id], _user_file(founder.id, user), key_kind)],
            attributes=sorted(founder.user_attributes.get(user, [])),
        )
        for founder in founders
        for user in founder.users
    ]
    nodes = [
        Node(
            id=seat.id,
            member=seat.member,
            node_key=key(of_nodes[seat.id], Path(NODE_KEY), "p256"),
            checkpoint_key=key(of_nodes[seat.id], Path(CHECKPOINT_KEY), "p256"),
            engine_key=seat.engine_key,
            peer=seat.peer,
            address=seat.address,
            url=seat.url,
        )
        for seat in seats
    ]
    document = genesis.encode(
        Genesis(
            version=genesis.VERSION,
            name=name,
            time=time.time_ns() // 1_000_000 if clock is None else clock,
            nonce=secrets.token_bytes(NONCE_BYTES),
            members=members,
            users=users,
            nodes=nodes,
            deployers=[founder.id for founder in founders if founder.deployer],
            limits=limits or Limits(),
            clock=msgspec.UNSET if clock is None else genesis.TOLD,
            members_contract=members_source(),
            constitution=constitution if "\n" in constitution else shipped.constitution(constitution),
            constitution_lock=lock_ms,
            libraries=[(shipped.LIBRARY, shipped.library())],
            snapshot_entries=snapshots[0],
            snapshot_blocks=snapshots[1],
        )
    )
    check_constitution(genesis.decode(document))  # refuse here, with every problem, what no node would start with
    return Begun(document, genesis.ledger_id(document), of_members, of_nodes)


def save_keys(keys: dict[Path, PrivateKey], folder: Path) -> None:
    """Writes keys under their paths in a folder. Raises `HansaError` as `client.keys.save`."""
    for path, private in keys.items():
        key_files.save(private, folder / path)


def check_constitution(made: Genesis) -> None:
    """Raises `HansaError` `constitution.invalid` with every problem of a genesis document's constitution."""
    try:
        problems = governance_constitution.problems(governance_genesis.constitution_program(made).manifest)
    except ContractInvalid as invalid:
        problems = [str(one) for one in invalid.diagnostics]
    if problems:
        raise HansaError("constitution.invalid", "; ".join(problems), problems=problems)


def members_source() -> str:
    """The source of the members contract that new ledgers begin with."""
    return resources.files("hansa.governance").joinpath("members_contract.py").read_text("utf-8")


def member_key(folder: Folder, member: str) -> Path:
    """Where a founder's key is kept."""
    return folder.keys / member_file(member)


def governance_key(folder: Folder, member: str) -> Path:
    """Where the key is kept with which a founder proposes and votes."""
    return folder.keys / governance_file(member)


def user_key(folder: Folder, member: str, user: str) -> Path:
    """Where a founder's user's key is kept."""
    return folder.keys / _user_file(member, user)


def member_file(member: str) -> Path:
    """The path of a member's key in a folder of keys."""
    return Path("members", f"{member}.pem")


def governance_file(member: str) -> Path:
    """The path there of the key with which it proposes and votes."""
    return Path("governance", f"{member}.pem")


def _user_file(member: str, user: str) -> Path:
    return Path("users", member, f"{user}.pem")
