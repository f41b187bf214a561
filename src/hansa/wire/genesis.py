"""Genesis: the unsigned document a ledger begins with. Its SHA-256 is the ledger's id and what verifiers pin.

It names the ledger, its members and users with keys and attributes, the nodes, the checkpoint keys, the
limits, and carries the sources of the contract that holds all this as records, of the constitution, and of the
libraries that this uses. `governance.genesis` turns it into the first entry's write set.
"""

import hashlib
from collections import Counter
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from hansa.wire import cbor, keys, limits, names
from hansa.wire.problems import HansaError

VERSION: Final = 0
REAL: Final = "real"
TOLD: Final = "told"
TOLD_IN_WORDS: Final = "its time is told by whoever runs it: for demonstrations only"
"""What is said of a ledger with such a clock wherever its time could be taken for real."""

_Spki: TypeAlias = Annotated[bytes, Meta(min_length=1, max_length=256)]
_Attribute: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=limits.ATTRIBUTE_CHARS_MAX, pattern=r"\A[a-z0-9][a-z0-9:._-]*\Z")
]
_Attributes: TypeAlias = Annotated[list[_Attribute], Meta(max_length=32)]
_Title: TypeAlias = Annotated[str, Meta(min_length=1, max_length=80)]
_Keys: TypeAlias = Annotated[list[_Spki], Meta(min_length=1, max_length=8)]
_Source: TypeAlias = Annotated[str, Meta(min_length=1, max_length=limits.SOURCE_CHARS_MAX)]
_Kernel: TypeAlias = Annotated[str, Meta(min_length=1, max_length=limits.KERNEL_CHARS_MAX)]
_Lock: TypeAlias = Annotated[int, Meta(ge=limits.LOCK_MS_MIN, le=limits.LOCK_MS_MAX)]
_Every: TypeAlias = Annotated[int, Meta(ge=1, le=limits.INTEGER_MAX)]
_Later: TypeAlias = Annotated[int, Meta(ge=1, le=1_000)]
_RESERVED: Final = "ledger:"
_DEPLOYER: Final = "ledger:deployer"
"""The one attribute of those that begin so which a member can be given."""

SNAPSHOT_ENTRIES: Final = 100_000
"""The state is digested so often, in entries, unless a genesis document says otherwise: it takes a second or two of
another processor for each million records.
"""
SNAPSHOT_BLOCKS: Final = 64
"""So many blocks later the digest is an entry: a node that has not got it by then waits."""


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An organisation. Attributes are what roles ask for, such as `licence:bank`.

    `keys` sign transactions, `governance_keys` proposals and votes; `weight` counts where a constitution says so.
    """

    id: str
    name: _Title
    keys: _Keys
    governance_keys: _Keys
    attributes: _Attributes = []
    weight: Annotated[int, Meta(ge=0, le=limits.WEIGHT_MAX)] = 1


class User(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A person or program acting for the member before the slash of its id."""

    id: str
    name: _Title
    keys: _Keys
    attributes: _Attributes = []


class Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A process of a member; `checkpoint_key` signs the checkpoints it gives out, `node_key` its own messages.

    `url`: where its API is reached. Of its engine, if it has one: `engine_key` votes (Ed25519), `peer` names it to
    others, and `address` is where they reach it, HOST:PORT. What its vote counts follows from its member's weight.
    """

    id: str
    member: str
    node_key: _Spki
    checkpoint_key: _Spki
    engine_key: Annotated[bytes, Meta(max_length=256)] = b""
    peer: Annotated[str, Meta(pattern=r"\A([0-9a-f]{40})?\Z")] = ""
    address: Annotated[str, Meta(max_length=260)] = ""
    url: Annotated[str, Meta(max_length=300)] = ""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a block and a transaction may hold, at most the constants of `wire.limits`.

    `scheduled_entries`: what ledger time takes in one block at most, each within `scheduled_steps`.
    """

    block_entries: Annotated[int, Meta(ge=1, le=limits.BLOCK_ENTRIES_MAX)] = limits.BLOCK_ENTRIES_MAX
    block_bytes: Annotated[int, Meta(ge=1024, le=limits.BLOCK_BYTES_MAX)] = limits.BLOCK_BYTES_MAX
    block_steps: Annotated[int, Meta(ge=1, le=limits.BLOCK_STEPS_MAX)] = limits.BLOCK_STEPS_MAX
    transaction_bytes: Annotated[int, Meta(ge=512, le=limits.ENVELOPE_BYTES_MAX)] = limits.ENVELOPE_BYTES_MAX
    transaction_steps: Annotated[int, Meta(ge=1, le=limits.TRANSACTION_STEPS_MAX)] = limits.TRANSACTION_STEPS_DEFAULT
    scheduled_entries: Annotated[int, Meta(ge=1, le=limits.SCHEDULED_ENTRIES_MAX)] = 100
    scheduled_steps: Annotated[int, Meta(ge=1, le=limits.SCHEDULED_STEPS_MAX)] = limits.SCHEDULED_STEPS_MAX


class Genesis(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The document. `deployers` are the members that may deploy contracts and write reference data without a vote.

    `constitution`: the source of the contract that decides what a vote needs; `constitution_lock`: for how long (ms) a
    change of it waits when it has been accepted; `libraries`: names and sources, each may use those before it.
    Behind the block with each `snapshot_entries`th entry the state is digested, and the digest is an entry of the block
    that comes `snapshot_blocks` after it.

    `clock`: absent where time is real. `told` is for demonstrations: ledger time stands where whoever runs the node
    puts it, and every checkpoint says so.
    """

    version: int
    name: _Title
    time: Annotated[int, Meta(ge=0, le=limits.INTEGER_MAX)]
    nonce: Annotated[bytes, Meta(min_length=limits.NONCE_BYTES, max_length=limits.NONCE_BYTES)]
    members: Annotated[list[Member], Meta(min_length=1, max_length=limits.MEMBERS_MAX)]
    users: Annotated[list[User], Meta(max_length=100_000)] = []
    nodes: Annotated[list[Node], Meta(min_length=1, max_length=limits.NODES_MAX)]
    deployers: Annotated[list[str], Meta(max_length=1_000)] = []
    limits: Limits
    clock: Literal["told"] | msgspec.UnsetType = msgspec.UNSET
    members_contract: _Kernel
    constitution: _Source
    constitution_lock: _Lock
    libraries: Annotated[list[tuple[str, _Source]], Meta(max_length=16)] = []
    snapshot_entries: _Every = SNAPSHOT_ENTRIES
    snapshot_blocks: _Later = SNAPSHOT_BLOCKS

    @property
    def is_told(self) -> bool:
        """Whether its time is told by whoever runs it."""
        return self.clock == TOLD


def encode(genesis: Genesis) -> bytes:
    """The document's bytes."""
    return cbor.encode(msgspec.to_builtins(genesis, builtin_types=(bytes,)))


def decode(data: bytes) -> Genesis:
    """The document that `data` encodes, checked whole.

    Raises `HansaError`: `genesis.form` with every problem found, `genesis.version` for another format.
    """
    if len(data) > limits.GENESIS_BYTES_MAX:
        raise HansaError("genesis.form", f"{len(data)} bytes; at most {limits.GENESIS_BYTES_MAX}")
    value = cbor.decode(data)
    if isinstance(value, dict) and value.get("version") != VERSION:  # pyright: ignore[reportUnknownMemberType]
        raise HansaError("genesis.version")
    try:
        genesis = msgspec.convert(value, Genesis, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise HansaError("genesis.form", str(error)) from None
    problems = check(genesis)
    if problems:
        raise HansaError("genesis.form", "; ".join(problems), problems=problems)
    return genesis


def ledger_id(document: bytes) -> bytes:
    """The ledger's id: the SHA-256 of the document as it stands."""
    return hashlib.sha256(document).digest()


def check(genesis: Genesis) -> list[str]:
    """Every problem of a document's contents in words, none if it is sound."""
    problems: list[str] = []
    members = {member.id for member in genesis.members}
    problems += [f"member id {m.id!r} is not a name" for m in genesis.members if not names.is_member(m.id)]
    problems += _twice("member", [member.id for member in genesis.members])
    problems += _twice("user", [user.id for user in genesis.users])
    problems += _twice("node", [node.id for node in genesis.nodes])
    for user in genesis.users:
        if not names.is_user(user.id) or user.id.split("/")[0] not in members:
            problems.append(f"user id {user.id!r} is not MEMBER/NAME with a member of this ledger")
    for node in genesis.nodes:
        if not names.is_member(node.id):
            problems.append(f"node id {node.id!r} is not a name")
        if node.member not in members:
            problems.append(f"node {node.id!r} belongs to {node.member!r}, which is no member")
        problems += _engine_problems(node)
    problems += _twice("engine", [node.peer for node in genesis.nodes if node.peer])
    owners = Counter(node.member for node in genesis.nodes)
    problems += [
        f"member {id!r} has {count} nodes: at most {limits.OWN_NODES_MAX}"
        for id, count in sorted(owners.items())
        if count > limits.OWN_NODES_MAX
    ]
    problems += [f"deployer {name!r} is no member" for name in genesis.deployers if name not in members]
    problems += _twice("deployer", genesis.deployers)
    problems += [f"library {name!r} is no name of one" for name, _ in genesis.libraries if not names.is_contract(name)]
    problems += [
        f"{one!r} of {m.id!r} is reserved"
        for m in genesis.members
        for one in m.attributes
        if one.startswith(_RESERVED) and one != _DEPLOYER
    ]
    problems += [
        f"{one!r} of {u.id!r} is reserved" for u in genesis.users for one in u.attributes if one.startswith(_RESERVED)
    ]
    return problems + _key_problems(genesis)


def _engine_problems(node: Node) -> list[str]:
    problems: list[str] = []
    if bool(node.peer) != bool(node.engine_key):
        problems.append(f"node {node.id!r} has not both a key and a name of its engine")
    if node.engine_key and not keys.is_ed25519(node.engine_key):
        problems.append(f"the engine of node {node.id!r} votes with no Ed25519 key")
    if node.address and not names.is_address(node.address):
        problems.append(f"the address {node.address!r} of node {node.id!r} is not HOST:PORT")
    if node.url and not names.is_url(node.url):
        problems.append(f"the URL {node.url!r} of node {node.id!r} is not http://HOST:PORT or https://HOST:PORT")
    return problems


def _key_problems(genesis: Genesis) -> list[str]:
    owned = [(f"member {m.id}", spki) for m in genesis.members for spki in (*m.keys, *m.governance_keys)]
    owned += [(f"user {u.id}", spki) for u in genesis.users for spki in u.keys]
    owned += [(f"node {n.id}", spki) for n in genesis.nodes for spki in (n.node_key, n.checkpoint_key)]
    owned += [(f"the engine of node {n.id}", n.engine_key) for n in genesis.nodes if n.engine_key]
    problems: list[str] = []
    seen: dict[bytes, str] = {}
    for owner, spki in owned:
        try:
            keys.registrable(spki)
        except HansaError as error:
            problems.append(f"a key of {owner}: {error.detail}")
        if spki in seen:
            problems.append(f"{owner} has the key of {seen[spki]}: a key is registered once, for one purpose")
        seen[spki] = owner
    return problems


def _twice(what: str, ids: list[str]) -> list[str]:
    return [f"{what} {name!r} is named twice" for name, count in sorted(Counter(ids).items()) if count > 1]
