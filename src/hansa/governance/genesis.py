"""Turns a genesis document into the first write set, and makes documents for new ledgers.

The members contract's source stands in the document, so that an audit years from now runs the rules this
ledger began with, whatever version of Hansa it uses.
"""

import hashlib
from collections import Counter
from functools import lru_cache
from typing import Any, Final

import msgspec

from hansa.contracts.checked import Checked
from hansa.contracts.program import Program, load
from hansa.wire import cbor, keys
from hansa.wire.genesis import Genesis, Member, Node, User
from hansa.wire.limits import VOTE_POWER
from hansa.wire.order import Key
from hansa.wire.writes import Write, WriteSet, make

CONTRACT: Final = "members"
CONSTITUTION: Final = "constitution"
"""The contract that decides what a vote needs."""
FILES: Final = {"Library": "name", "Version": "contract", "ConstitutionText": ""}
"""The records with files, in the order in which these need each other, and the field of each that has the file's name.
"""
DEPLOYER: Final = "ledger:deployer"
GOVERNOR: Final = "ledger:governance"
"""What a caller has whose governance key signed; nobody is given it."""
LIMITS_SCOPE: Final = "ledger"

TRANSACTION: Final = "transaction"
GOVERNANCE: Final = "governance"
NODE: Final = "node"
CHECKPOINT: Final = "checkpoint"
ENGINE: Final = "engine"
"""The purposes a key can be registered for."""
PENDING: Final = "Pending"
TRUSTED: Final = "Trusted"
RETIRED: Final = "Retired"
"""The states of a node."""
ACTIVE: Final = "active"
"""The status of a key that counts."""


def members_program(genesis: Genesis) -> Program:
    """The members contract of a ledger. Raises `ContractInvalid` if the document's source is not a contract."""
    return _members_program(genesis.members_contract)


@lru_cache(2)
def _members_program(source: str) -> Program:
    """To check it takes longer than all else at a start, and a process opens the same ledger again and again."""
    return load(source, CONTRACT, system=True)


def writes(genesis: Genesis) -> WriteSet:
    """The records that genesis makes, in a fixed order. Raises `ContractInvalid` if its constitution is none."""
    found = [_write("Ledger", genesis.name, {"name": genesis.name})]
    limits = msgspec.structs.asdict(genesis.limits)
    found.append(_write("Limits", LIMITS_SCOPE, {"scope": LIMITS_SCOPE, **limits, "changed": 0}))
    for member in genesis.members:
        found += member_writes(member, is_deployer=member.id in genesis.deployers)
    for user in genesis.users:
        found += user_writes(user)
    powers = founding_powers(genesis)
    found.append(_write("Voting", LIMITS_SCOPE, {"scope": LIMITS_SCOPE, "steps": 0, "is_moving": False}))
    for node in genesis.nodes:
        found += _node_writes(node, genesis.time, powers.get(node.id, 0))
    for name, source in genesis.libraries:
        digest = _digest(source)
        found.append(_write("Library", digest, {"digest": digest, "name": name, "source": source}))
    return found + _constitution_writes(genesis)


def member_writes(member: Member, *, is_deployer: bool = False) -> WriteSet:
    """The records of a member and its keys."""
    attributes = sorted({*member.attributes, *([DEPLOYER] if is_deployer else [])})
    counters = {"weight": member.weight, "removed": False, "changed": 0, "revoked": 0}
    made = _write("Member", member.id, {"id": member.id, "name": member.name, "attributes": attributes, **counters})
    own = [_key(spki, "member", member.id, TRANSACTION) for spki in member.keys]
    return [made, *own, *(_key(spki, "member", member.id, GOVERNANCE) for spki in member.governance_keys)]


def founding_powers(genesis: Genesis) -> dict[str, int]:
    """What the vote of each founding node's engine counts: as `move_powers` of the contract has it, at once.

    A member's weight is split over its nodes; where nobody has weight, members are equal.
    """
    voting = [node for node in genesis.nodes if node.peer]
    counts = Counter(node.member for node in voting)
    weights = {member.id: member.weight for member in genesis.members if member.id in counts}
    if not any(weights.values()):
        weights = dict.fromkeys(weights, 1)
    return {node.id: weights[node.member] * VOTE_POWER // counts[node.member] for node in voting}


def _node_writes(node: Node, time: int, power: int) -> WriteSet:
    """The records of a founding node and its keys: it is trusted from the start."""
    fields = {
        "id": node.id,
        "member": node.member,
        "holder": node.member,
        "url": node.url,
        "peer": node.peer,
        "address": node.address,
        "engine_key": node.engine_key,
        "ready": time,
        "power": power,
        "is_trusted": True,
        "is_voter": bool(node.peer),
        "changed": 0,
        "state": TRUSTED,
    }
    engine = [_key(node.engine_key, "node", node.id, ENGINE)] if node.engine_key else []
    own = [_key(node.node_key, "node", node.id, NODE), _key(node.checkpoint_key, "node", node.id, CHECKPOINT)]
    return [_write("Node", node.id, fields), *own, *engine]


def user_writes(user: User) -> WriteSet:
    """The records of a user and their keys."""
    fields = {"id": user.id, "member": user.id.split("/")[0], "name": user.name, "removed": False, "changed": 0}
    made = _write("User", user.id, {**fields, "attributes": sorted(set(user.attributes))})
    return [made, *(_key(spki, "user", user.id, TRANSACTION) for spki in user.keys)]


def constitution_program(genesis: Genesis) -> Program:
    """The constitution of a new ledger. Raises `ContractInvalid`, also for a library that is none."""
    return _constitution_program(genesis.constitution, tuple(genesis.libraries))


@lru_cache(2)
def _constitution_program(constitution: str, libraries: tuple[tuple[str, str], ...]) -> Program:
    found: dict[bytes, Checked] = {}
    for name, source in libraries:
        found[_digest(source)] = load(source, name, found).checked
    return load(constitution, CONSTITUTION, found)


def _constitution_writes(genesis: Genesis) -> WriteSet:
    digest, version = _digest(genesis.constitution), constitution_program(genesis).manifest.version
    text = {"digest": digest, "version": version, "source": genesis.constitution}
    rules = {"scope": LIMITS_SCOPE, "version": version, "digest": digest, "lock": genesis.constitution_lock}
    return [
        _write("ConstitutionText", digest, text),
        _write("Constitution", LIMITS_SCOPE, {**rules, "changed": 0}),
    ]


def _digest(source: str) -> bytes:
    return hashlib.sha256(source.encode()).digest()


def _key(spki: bytes, owner_kind: str, owner: str, purpose: str) -> Write:
    kid = keys.kid_of(spki)
    fields = {"kid": kid, "spki": spki, "owner_kind": owner_kind, "owner": owner, "holder": owner, "purpose": purpose}
    return _write("Key", kid, {**fields, "status": ACTIVE, "expires": None, "until": None})


def _write(record: str, key: Key, fields: dict[str, Any]) -> Write:
    return make(CONTRACT, record, key, cbor.encode(fields), None)
