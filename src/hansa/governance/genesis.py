"""Turns a genesis document into the first write set, and makes documents for new ledgers.

The members contract's source stands in the document, so that an audit years from now runs the rules this
ledger began with, whatever version of Hansa it uses.
"""

from typing import Any, Final

import msgspec

from hansa.contracts.program import Program, load
from hansa.wire import cbor, keys
from hansa.wire.genesis import Genesis, Member, User
from hansa.wire.order import Key
from hansa.wire.writes import Write, WriteSet, make

CONTRACT: Final = "members"
DEPLOYER: Final = "ledger:deployer"
LIMITS_SCOPE: Final = "ledger"

TRANSACTION: Final = "transaction"
NODE: Final = "node"
CHECKPOINT: Final = "checkpoint"
"""The purposes a key can be registered for."""


def members_program(genesis: Genesis) -> Program:
    """The members contract of a ledger. Raises `ContractInvalid` if the document's source is not a contract."""
    return load(genesis.members_contract, CONTRACT, system=True)


def writes(genesis: Genesis) -> WriteSet:
    """The records that genesis makes, in a fixed order."""
    found = [_write("Ledger", genesis.name, {"name": genesis.name})]
    limits = msgspec.structs.asdict(genesis.limits)
    found.append(_write("Limits", LIMITS_SCOPE, {"scope": LIMITS_SCOPE, **limits}))
    for member in genesis.members:
        found += member_writes(member, is_deployer=member.id in genesis.deployers)
    for user in genesis.users:
        found += user_writes(user)
    for node in genesis.nodes:
        found.append(_write("Node", node.id, {"id": node.id, "member": node.member}))
        found.append(_key(node.node_key, "node", node.id, NODE))
        found.append(_key(node.checkpoint_key, "node", node.id, CHECKPOINT))
    return found


def member_writes(member: Member, *, is_deployer: bool = False) -> WriteSet:
    """The records of a member and its keys."""
    attributes = sorted({*member.attributes, *([DEPLOYER] if is_deployer else [])})
    made = _write("Member", member.id, {"id": member.id, "name": member.name, "attributes": attributes})
    return [made, *(_key(spki, "member", member.id, TRANSACTION) for spki in member.keys)]


def user_writes(user: User) -> WriteSet:
    """The records of a user and their keys."""
    fields = {"id": user.id, "member": user.id.split("/")[0], "name": user.name}
    made = _write("User", user.id, {**fields, "attributes": sorted(set(user.attributes))})
    return [made, *(_key(spki, "user", user.id, TRANSACTION) for spki in user.keys)]


def _key(spki: bytes, owner_kind: str, owner: str, purpose: str) -> Write:
    kid = keys.kid_of(spki)
    fields = {"kid": kid, "spki": spki, "owner_kind": owner_kind, "owner": owner, "purpose": purpose}
    return _write("Key", kid, fields)


def _write(record: str, key: Key, fields: dict[str, Any]) -> Write:
    return make(CONTRACT, record, key, cbor.encode(fields), None)
