"""The first write set: every record of a genesis document, in one order, the same bytes every time."""

import hashlib
from collections import Counter
from typing import Any

import msgspec
import pytest

from hansa.contracts.diagnostics import ContractInvalid
from hansa.governance import genesis as governance_genesis
from hansa.governance.directory import Directory
from hansa.wire import cbor, genesis, keys, order, writes
from hansa.wire.genesis import Genesis
from hansa.wire.limits import VOTE_POWER

DEPLOYERS = {"add_reference", "deploy", "deploy_library", "set_reference", "upgrade"}
BY_SIGNATURE = DEPLOYERS | {
    *("propose", "vote", "withdraw", "recount", "register_key", "retire_key", "revoke_key"),
    *("set_own_user", "remove_own_user", "register_session"),
    *("register_node", "set_own_node", "node_is_ready", "retire_own_node"),
}
BY_THE_LEDGER = {
    *("close", "ripen", "compare", "tally", "begin", "finish", "fail", "begin_checkpoint_key", "move_powers")
} | {
    f"do_{name}"
    for name in (
        *("set_member", "remove_member", "set_member_data", "set_member_keys", "set_user", "remove_user"),
        *("set_user_data", "set_contract", "set_library", "pause_contract", "resume_contract", "set_constitution"),
        *("set_limits", "set_jwt_issuer", "remove_jwt_issuer", "set_reference", "trust_node", "retire_node"),
    )
}
STAYS = {"removed": False, "changed": 0}


def values(founding: Genesis, record: str) -> dict[Any, dict[str, Any]]:
    """The records of one type that genesis makes, by key."""
    return {w.key: cbor.decode(w.value) for w in governance_genesis.writes(founding) if w.record == record}


def test_every_record_is_made_once_and_in_order(founding: Genesis) -> None:
    made = governance_genesis.writes(founding)
    assert [(w.record, w.key) for w in made if w.record != "Key"] == [
        ("Ledger", "The test ledger"),
        ("Limits", "ledger"),
        ("Member", "acme"),
        ("Member", "bolt"),
        ("Member", "zeta"),
        ("User", "acme/ann"),
        ("User", "bolt/ben"),
        ("Voting", "ledger"),
        ("Node", "node-1"),
        ("Node", "node-2"),
        ("Library", hashlib.sha256(founding.libraries[0][1].encode()).digest()),
        ("ConstitutionText", hashlib.sha256(founding.constitution.encode()).digest()),
        ("Constitution", "ledger"),
    ]
    assert Counter(w.record for w in made)["Key"] == 14
    assert len({w.place for w in made}) == len(made)


def test_every_write_is_of_the_members_contract_and_the_first_of_its_record(founding: Genesis) -> None:
    for write in governance_genesis.writes(founding):
        assert (write.contract, write.previous) == ("members", None)
        assert write.place == order.place("members", write.record, write.key)


def test_every_record_is_what_the_members_contract_declares(founding: Genesis) -> None:
    registry = Directory(governance_genesis.members_program(founding))
    registry.apply(0, governance_genesis.writes(founding))
    shapes = registry.programs["members"].shapes
    for write in governance_genesis.writes(founding):
        shape, value = shapes[write.record], cbor.decode(write.value)
        assert value[shape.type.key] == write.key
        assert set(value) == set(shape.codecs)
        assert {name: shape.codecs[name].problem(value[name], registry) for name in value} == dict.fromkeys(value, "")
        assert write.value == cbor.encode(value)


def test_attributes_are_sorted_once_each_and_deployers_have_theirs(founding: Genesis) -> None:
    attributes = {key: value["attributes"] for key, value in values(founding, "Member").items()}
    assert attributes == {
        "acme": ["a:y", "b:x", "ledger:deployer"],
        "bolt": ["b:x"],
        "zeta": ["ledger:deployer", "zz"],
    }
    assert values(founding, "User") == {
        "acme/ann": {"id": "acme/ann", "member": "acme", "name": "Ann", "attributes": ["p", "q"], **STAYS},
        "bolt/ben": {"id": "bolt/ben", "member": "bolt", "name": "Ben", "attributes": [], **STAYS},
    }


def test_members_have_their_weights_and_the_constitution_its_lock(founding: Genesis) -> None:
    assert {key: value["weight"] for key, value in values(founding, "Member").items()} == {
        "acme": 5,
        "bolt": 1,
        "zeta": 1,
    }
    digest = hashlib.sha256(founding.constitution.encode()).digest()
    assert values(founding, "Constitution") == {
        "ledger": {"scope": "ledger", "version": "1.0.0", "digest": digest, "lock": 60_000, "changed": 0}
    }
    text = {"digest": digest, "version": "1.0.0", "source": founding.constitution}
    assert values(founding, "ConstitutionText") == {digest: text}


def test_the_limits_are_those_of_the_document(founding: Genesis) -> None:
    limits = msgspec.structs.asdict(founding.limits)
    assert limits["block_entries"] == 7
    assert values(founding, "Limits") == {"ledger": {"scope": "ledger", **limits, "changed": 0}}


def test_every_key_is_kept_for_its_owner_and_purpose(founding: Genesis) -> None:
    expected = [
        *[("member", m.id, "transaction", spki) for m in founding.members for spki in m.keys],
        *[("member", m.id, "governance", spki) for m in founding.members for spki in m.governance_keys],
        *[("user", u.id, "transaction", spki) for u in founding.users for spki in u.keys],
        *[("node", n.id, "node", n.node_key) for n in founding.nodes],
        *[("node", n.id, "checkpoint", n.checkpoint_key) for n in founding.nodes],
        ("node", "node-1", "engine", founding.nodes[0].engine_key),
    ]
    assert values(founding, "Key") == {
        keys.kid_of(spki): {
            "kid": keys.kid_of(spki),
            "spki": spki,
            "owner_kind": kind,
            "owner": owner,
            "purpose": purpose,
            "holder": owner,
            "status": "active",
            "expires": None,
            "until": None,
        }
        for kind, owner, purpose, spki in expected
    }


def test_nodes_are_trusted_from_the_start_and_those_with_engines_vote_by_weight(founding: Genesis) -> None:
    first, second = founding.nodes
    common = {"ready": founding.time, "is_trusted": True, "changed": 0, "state": "Trusted"}
    assert values(founding, "Node") == {
        "node-1": {
            **common,
            "id": "node-1",
            "member": "acme",
            "holder": "acme",
            "engine_key": first.engine_key,
            "peer": first.peer,
            "address": first.address,
            "url": first.url,
            "power": 5 * VOTE_POWER,
            "is_voter": True,
        },
        "node-2": {
            **common,
            "id": second.id,
            "member": "bolt",
            "holder": "bolt",
            "engine_key": b"",
            "peer": "",
            "address": "",
            "url": "",
            "power": 0,
            "is_voter": False,
        },
    }
    assert values(founding, "Voting") == {"ledger": {"scope": "ledger", "steps": 0, "is_moving": False}}


def test_the_same_document_gives_the_same_bytes(founding: Genesis) -> None:
    again = genesis.decode(genesis.encode(founding))
    first, second = governance_genesis.writes(founding), governance_genesis.writes(again)
    assert first == second
    assert writes.encode(first) == writes.encode(second)
    assert writes.decode(writes.encode(first)) == first


def test_the_first_write_set_changes_only_if_meant(founding: Genesis) -> None:
    """A first outcome commits to these bytes: a version that makes others cannot audit older ledgers."""
    digest = hashlib.sha256(writes.encode(governance_genesis.writes(founding))).hexdigest()
    assert digest == "1708ba39eaf8e73ead6fb27716f7a5b9231eb1165043791cbb6611170f82a3a2"


def test_the_rules_are_those_in_the_document(founding: Genesis) -> None:
    program = governance_genesis.members_program(founding)
    assert (program.manifest.name, sorted(program.actions)) == (
        "members",
        sorted([*BY_SIGNATURE, *BY_THE_LEDGER]),
    )
    taken = {name: program.actions[name].action.by for name in program.actions}
    assert {name for name, by in taken.items() if by == ("schedule",)} == BY_THE_LEDGER
    assert program.digest == hashlib.sha256(founding.members_contract.encode()).digest()


@pytest.mark.parametrize(
    "source", ["", "import os", "class Members(Contract, version='1.0.0'):\n    x = 1", "(" * 200_000]
)
def test_a_document_whose_rules_are_no_contract_is_refused(founding: Genesis, source: str) -> None:
    with pytest.raises(ContractInvalid) as caught:
        governance_genesis.members_program(msgspec.structs.replace(founding, members_contract=source))
    assert caught.value.diagnostics
