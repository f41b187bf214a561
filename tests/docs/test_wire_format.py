"""The documented wire format: every vector fits the CDDL, inside its byte strings too, and the code reads it back."""

import hashlib
import json
import re
from pathlib import Path

import cbor2
import pycddl
import pytest

from hansa.client import agreement, invitation, key_chain, split_view, verification
from hansa.merkle import receipt, receipts
from hansa.wire import block, entry, evidence, exclusion, genesis, invite, snapshot, tick, transaction, writes
from hansa.wire.keys import PrivateKey

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
VECTORS = {v["name"]: v for v in json.loads((REFERENCE / "wire-vectors.json").read_text())["vectors"]}
KEYS = json.loads((REFERENCE / "wire-vectors.json").read_text())["keys"]


ENVELOPES = {
    entry.GENESIS: "genesis",
    entry.TRANSACTION: "transaction-envelope",
    entry.GOVERNANCE: "governance-envelope",
    entry.SCHEDULED: "scheduled",
    entry.TICK: "tick-envelope",
    entry.SNAPSHOT: "snapshot",
    entry.EVIDENCE: "evidence",
}


def data(name: str) -> bytes:
    return bytes.fromhex(VECTORS[name]["bytes"])


def validate(rule: str, encoded: bytes) -> None:
    """The checker knows neither `.cbor` inside arrays nor negative ranges: both are taken out, and checked apart."""
    cddl = (REFERENCE / "wire.cddl").read_text()
    cddl = re.sub(r"bytes \.cbor (\{[^}]*\}|[a-z-]+)", "bytes", cddl)
    cddl = re.sub(r"int64 = .*", "int64 = int", cddl)
    pycddl.Schema(f"root = {rule}\n{cddl}").validate_cbor(encoded)


@pytest.mark.parametrize("name", VECTORS)
def test_every_vector_fits_its_rule(name: str) -> None:
    validate(VECTORS[name]["rule"], data(name))


@pytest.mark.parametrize("name", VECTORS)
def test_a_vector_cut_short_fits_no_more(name: str) -> None:
    with pytest.raises(Exception, match=r".+"):
        validate(VECTORS[name]["rule"], data(name)[:-1])


@pytest.mark.parametrize(
    ("name", "header", "payload"),
    [
        ("transaction-es256", "transaction-header", "transaction"),
        ("transaction-eddsa", "transaction-header", "transaction"),
        ("transaction-conditional", "transaction-header", "transaction"),
        ("governance", "governance-header", "transaction"),
        ("tick", "tick-header", "tick"),
        ("exclusion", "exclusion-header", "exclusion"),
        ("invite", "invite-header", "invite"),
        ("checkpoint", "checkpoint-header", None),
        ("checkpoint-told", "checkpoint-header", None),
        ("receipt", "checkpoint-header", None),
        ("consistency", "checkpoint-header", None),
    ],
)
def test_the_byte_strings_of_a_message_fit_theirs(name: str, header: str, payload: str | None) -> None:
    parts = cbor2.loads(data(name)).value
    validate(header, parts[0])
    if payload is not None:
        validate(payload, parts[2])
    for kind, proofs in parts[1].get(396, {}).items():
        validate({-1: "inclusion-proof", -2: "consistency-proof"}[kind], proofs[0])


@pytest.mark.parametrize("name", ["block-0", "block-1", "block-4", "block-6"])
def test_the_byte_strings_of_a_block_fit_theirs(name: str) -> None:
    for item in block.decode(data(name)).items:
        validate("outcome", item.outcome)
        validate("write-set", item.writes)
        validate(ENVELOPES[item.kind], item.envelope)


def test_an_excluded_entry_is_as_documented() -> None:
    outcome = entry.decode_outcome(data("outcome-excluded"))
    validate("refusal", cbor2.dumps(outcome.result))
    statement = exclusion.read(data("exclusion"))
    assert outcome.result["values"] == {"reason": statement.reason, "statement": statement.digest}
    (write,) = writes.decode(data("write-set-excluded"))
    assert (write.contract, write.record, write.key) == ("members", "Exclusion", statement.id)
    record = cbor2.loads(write.value)
    given = [exclusion.read(one) for one in record.pop("statements")]
    assert record == {"id": statement.id, "reason": statement.reason}
    assert data("exclusion") in [one.envelope for one in given]
    keys = {key.kid: key.public for key in (PrivateKey(pem.encode()) for pem in KEYS.values())}
    assert len({one.kid for one in given}) == len(given) == 2, "the statements of two members"
    for one in given:
        assert (one.id, one.reason) == (statement.id, statement.reason)
        assert keys[one.kid].verify(one.signature, one.structure)


def test_an_invite_is_as_documented() -> None:
    found = invite.read(data("invite"))
    assert (found.ledger, found.inviter, found.member) == (genesis.ledger_id(data("genesis")), "bank", "southbank")
    assert found.key == PrivateKey(KEYS["bank governance"].encode()).public.spki
    invitation.check_document(found, data("genesis"))
    assert found.checkpoint[0] == data("checkpoint")
    for one in found.checkpoint:
        validate("checkpoint", one)


def test_a_split_view_is_proven_as_documented() -> None:
    found = split_view.verify(data("split-view"), genesis.ledger_id(data("genesis")))
    assert [pair.how for pair in found.contradictions] == ["root", "history"]
    assert [str(signer) for signer in found.equivocated] == ["node-1 of bank"]
    for pair in cbor2.loads(data("split-view"))["contradictions"]:
        validate("checkpoint", pair["first"])
        validate("checkpoint" if pair["entry"] is None else "receipt", pair["second"])
        if pair["entry"] is not None:
            validate("entry", pair["entry"])


def test_a_refusal_has_the_documented_result() -> None:
    validate("refusal", cbor2.dumps(entry.decode_outcome(data("outcome-refused")).result))


def test_a_snapshot_is_as_documented() -> None:
    entries = block.decode(data("block-6")).items
    assert (entries[-1].envelope, entries[-1].id) == (data("snapshot"), hashlib.sha256(data("snapshot")).digest())
    said, manifest = snapshot.read(data("snapshot")), snapshot.decode_manifest(data("snapshot-manifest"))
    first = block.decode(data("block-1"))
    assert said.digest == hashlib.sha256(data("snapshot-manifest")).digest()
    assert (said.height, said.keys) == (manifest.height, manifest.keys) == (1, manifest.keys)
    assert (manifest.header, manifest.size) == (block.header_digest(first.header), 4)
    records, window = manifest.chunks
    place = b"members\0"
    _, rows = snapshot.decode_chunk(data("snapshot-window"), window, (snapshot.RECORDS, place))
    assert [row.key[8:] for row in rows] == sorted(item.id for item in first.items)
    assert manifest.keys > len(rows)
    assert records.length > len(data("snapshot-records"))


def test_every_kind_of_entry_stands_in_a_block_here() -> None:
    blocks = [block.decode(data(name)) for name in VECTORS if name.startswith("block-")]
    assert {item.kind for each in blocks for item in each.items} == set(entry.KINDS) == set(ENVELOPES)


def test_what_ledger_time_took_is_what_was_documented() -> None:
    ledger = genesis.ledger_id(data("genesis"))
    due, ticked = block.decode(data("block-4")).items
    assert (due.envelope, due.id) == (data("scheduled"), hashlib.sha256(data("scheduled")).digest())
    assert cbor2.loads(due.envelope)[:5] == ["scheduled", ledger, 1_700_000_011_000, "bell", b"noon"]
    assert cbor2.loads(due.envelope)[5] >> 16 == 5, "the entry that scheduled it"
    found = tick.read(data("tick"))
    assert (ticked.envelope, ticked.id, found.ledger, found.size) == (data("tick"), found.id, ledger, 6)
    key = PrivateKey(KEYS["node-1"].encode())
    assert key.kid == found.kid
    assert key.public.verify(found.signature, found.structure)


def test_what_the_order_proved_is_what_was_documented() -> None:
    (proved,) = block.decode(data("block-7")).items
    assert (proved.envelope, proved.id) == (data("evidence"), hashlib.sha256(data("evidence")).digest())
    voter = hashlib.sha256(bytes(32)).digest()[:20]
    said = evidence.Evidence(genesis.ledger_id(data("genesis")), 4, "members", voter, 11)
    assert evidence.read(data("evidence")) == said


def test_the_code_reads_what_is_documented() -> None:
    ledger = genesis.ledger_id(data("genesis"))
    signed = transaction.read(data("transaction-es256"))
    assert signed.transaction.ledger == ledger
    key = PrivateKey(KEYS["bank/clerk"].encode())
    assert key.kid == signed.kid
    assert key.public.verify(signed.signature, data("sig-structure"))
    assert entry.decode(data("entry")).id == signed.id
    assert entry.decode_outcome(data("outcome-applied")).writes == writes.digest(data("write-set"))
    head = receipt.read_bare(data("checkpoint"))
    pinned = verification.pin_genesis(data("genesis"), ledger)
    proven = verification.verify(
        data("receipt"),
        data("entry"),
        pinned,
        envelope=data("transaction-es256"),
        outcome=data("outcome-applied"),
    )
    assert (proven.seq, proven.size, proven.ledger) == (1, head.size, ledger)
    several = agreement.verify(receipts.decode(data("receipts")), data("entry"), pinned, 2)
    assert (several.members, several.receipt) == (["bank", "trader"], data("receipt"))
    assert cbor2.loads(data("answer"))["receipt"] == data("receipt")
    trusted = key_chain.pin_trust(data("trust"), ledger)
    assert list(trusted.keys) == [
        PrivateKey(KEYS[name].encode()).kid for name in ("checkpoint", "trader checkpoint", "checkpoint-2")
    ]
    assert verification.verify(data("receipt"), data("entry"), trusted).has_changed
