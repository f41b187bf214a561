"""The wire format's vectors: every kind of message, made by the code itself from fixed keys and a fixed genesis.

Enough to write a client or a verifier in another language: the keys are in the file, signing is deterministic.
"""

import hashlib
from collections.abc import Generator
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hansa.api import answers
from hansa.client import transactions
from hansa.governance.directory import Directory
from hansa.governance.genesis import members_program
from hansa.merkle import checkpoint, receipt, receipts, tree
from hansa.merkle.tiles import Tiles
from hansa.node import shipped
from hansa.node.apply import Sealed, Tip, apply_batch, apply_genesis
from hansa.node.create import members_source
from hansa.node.intake import Answer
from hansa.orderers import Batch, Misbehavior
from hansa.store.overlay import Overlay, Span, Spot, Stored
from hansa.wire import batch as wire_batch
from hansa.wire import (
    block,
    cbor,
    cose,
    entry,
    exclusion,
    genesis,
    invite,
    snapshot,
    split_view,
    tick,
    transaction,
    trust,
    writes,
)
from hansa.wire.genesis import Genesis, Limits, Member, Node, User
from hansa.wire.keys import PrivateKey
from hansa.wire.problems import HansaError
from hansa.wire.split_view import Contradiction
from hansa.wire.transaction import Transaction
from hansa.wire.trust import Change, Linked, Trust

_TIME = 1_700_000_000_000
_ALARM = """\
from hansa.contract import Contract, Duration, Record, Text, action, event, schedule


class Bell(Contract, version="1.0.0"):
    class Alarm(Record, key="name"):
        name: Text[1, 16]

    @action(by="member", creates="Alarm")
    def set(tx, alarm: Alarm, name: Text[1, 16]):
        schedule(alarm, "ring", tx.time + Duration(seconds=2))

    @action(by="schedule")
    def ring(tx, alarm: Alarm):
        event("rang", name=alarm.name)
"""


class Vector:
    """A message: its name, the CDDL rule it fits, its bytes, and what to know about it."""

    def __init__(self, name: str, rule: str, data: bytes, note: str) -> None:
        self.name = name
        self.rule = rule
        self.data = data
        self.note = note


class _State(Overlay):
    """A state in memory, as far as executing needs one: an overlay above nothing."""

    def __init__(self, directory: Directory) -> None:
        super().__init__(directory.indexes_of, lambda _: None, _no_spots, self.damage)
        self.behind: list[dict[bytes, Stored]] = []
        """The records behind each block."""

    def damage(self, detail: str) -> HansaError:
        return HansaError("state.corrupt", detail)

    def in_window(self, id: bytes, not_after: int) -> int | None:
        return None

    def apply(self, sealed: Sealed) -> None:
        for entered in sealed.entered:
            self.write(entered.seq, entered.writes)
        self.behind.append(dict(self.records))


def _no_spots(_: Span) -> Generator[Spot]:
    yield from ()


def ed25519_key(number: int) -> PrivateKey:
    """The test key of 32 bytes that are all `number`."""
    return _private(Ed25519PrivateKey.from_private_bytes(bytes([number] * 32)))


def p256_key(number: int) -> PrivateKey:
    """The test key whose scalar is `number`."""
    return _private(ec.derive_private_key(number, ec.SECP256R1()))


def _private(key: Any) -> PrivateKey:
    return PrivateKey(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _rotated(
    document: bytes,
    kept: checkpoint.Checkpoint,
    before: Sealed,
    state: _State,
    directory: Directory,
    tiles: Tiles,
    keys: tuple[PrivateKey, PrivateKey, PrivateKey],
) -> Trust:
    """The trust file after the ledger's checkpoint key was changed: who governs signs it, then the old key, the new."""
    governs, old, new = keys
    arguments = {"owner_kind": "node", "owner": "node-1", "purpose": "checkpoint", "expires": None}
    arguments["spki"] = new.public.spki
    changing = _signed(governs, before.tip.ledger, 8, "register_key", arguments, content_type=cose.GOVERNANCE)
    blocks: list[Sealed] = []
    state.apply(before)
    tip = before.tip
    heads: list[checkpoint.Checkpoint] = []
    messages: list[bytes] = []
    for envelopes, signer in (([changing], old), ([], new)):
        batch = Batch(tip.height, tip.time + 1_000, envelopes)
        sealed, _ = apply_batch(batch, tip, state, directory, tiles, {})  # type: ignore[arg-type]
        assert sealed is not None
        state.apply(sealed)
        tip = sealed.tip
        blocks.append(sealed)
        heads.append(checkpoint.sign(tip.ledger, tip.size, tip.time, tiles.root(), signer))
        path = tree.inclusion_path(tip.size - 1, tip.size, tiles.node)
        messages.append(receipt.inclusion(heads[-1], tip.size - 1, path))
    item, newest = blocks[0].block.items[0], heads[1]

    def continued(first: checkpoint.Checkpoint) -> bytes:
        return receipt.consistency(newest, first.size, tree.consistency_path(first.size, newest.size, tiles.node))

    leaf = entry.make(item.kind, item.id, item.envelope, item.outcome)
    return Trust(
        version=trust.VERSION,
        genesis=document,
        changes=[Change(leaf, item.envelope, item.outcome, item.writes, messages[0], None)],
        head=receipt.bare(newest),
        consistency=continued(heads[0]),
        receipts=[Linked(receipt.bare(kept), continued(kept))],
    )


def make() -> tuple[list[Vector], dict[str, str]]:
    """All vectors, and the private keys behind them as PEM."""
    bank, clerk, trader = ed25519_key(1), p256_key(0x1001), ed25519_key(2)
    bank_governance, trader_governance = ed25519_key(3), p256_key(0x1002)
    node_key, checkpoint_key, traders = p256_key(0x2001), p256_key(0x2002), p256_key(0x2005)
    document = genesis.encode(
        Genesis(
            version=0,
            name="Vectors",
            time=_TIME,
            nonce=bytes(range(16)),
            members=[
                Member(
                    id="bank",
                    name="Bank",
                    keys=[bank.public.spki],
                    governance_keys=[bank_governance.public.spki],
                    attributes=["licence:bank"],
                    weight=2,
                ),
                Member(
                    id="trader",
                    name="Trader",
                    keys=[trader.public.spki],
                    governance_keys=[trader_governance.public.spki],
                ),
            ],
            users=[User(id="bank/clerk", name="clerk", keys=[clerk.public.spki])],
            nodes=[
                Node(
                    id="node-1",
                    member="bank",
                    node_key=node_key.public.spki,
                    checkpoint_key=checkpoint_key.public.spki,
                ),
                Node(
                    id="node-2",
                    member="trader",
                    node_key=p256_key(0x2004).public.spki,
                    checkpoint_key=traders.public.spki,
                ),
            ],
            deployers=["bank"],
            limits=Limits(),
            members_contract=members_source(),
            constitution=shipped.constitution("majority"),
            constitution_lock=86_400_000,
            libraries=[(shipped.LIBRARY, shipped.library())],
            snapshot_entries=4,
            snapshot_blocks=5,
        )
    )
    ledger = genesis.ledger_id(document)
    parsed = genesis.decode(document)
    directory, tiles = Directory(members_program(parsed)), Tiles(0, lambda *_: b"")
    state = _State(directory)
    first = apply_genesis(document, parsed, ledger, directory, tiles)
    state.apply(first)
    arguments = {"name": "calendar", "valid_from": 0, "data": "no holidays"}
    applied = _signed(clerk, ledger, 1, "add_reference", arguments)
    refused = _signed(trader, ledger, 2, "add_reference", {**arguments, "name": "another"})
    conditional = _signed(
        bank,
        ledger,
        3,
        "set_reference",
        {"reference": "calendar", "valid_from": 1, "data": "one holiday"},
        preconditions=[("members", "Reference", "calendar", 1)],
        contract_version="0.2.0",
    )
    batch = Batch(1, _TIME + 1_000, [applied, refused, conditional])
    second, _ = apply_batch(batch, first.tip, state, directory, tiles, {})  # type: ignore[arg-type]
    assert second is not None
    header, items = second.block.header, second.block.items
    head = checkpoint.sign(ledger, tiles.size, header.time, tiles.root(), checkpoint_key)
    told = checkpoint.sign(ledger, tiles.size, header.time, tiles.root(), checkpoint_key, told=True)
    inclusion, several = _receipts(head, tiles, traders)
    consistency = receipt.consistency(head, 1, tree.consistency_path(1, tiles.size, tiles.node))
    leaf = entry.make(items[0].kind, items[0].id, items[0].envelope, items[0].outcome)
    state.apply(second)
    third = _rung(second.tip, bank, node_key, state, directory, tiles)
    due, ticked = third.block.items
    stopped = _signed(bank, ledger, 6, "set_reference", {"reference": "calendar", "valid_from": 2, "data": ""})
    stopped_id = cose.id_of(stopped)
    reason = "it stops every node that runs it"
    statement = exclusion.seal(bank_governance, ledger, stopped_id, reason)
    other = exclusion.seal(trader_governance, ledger, stopped_id, reason)
    state.apply(third)
    fourth, _ = apply_batch(
        Batch(3, third.tip.time + 1_000, [stopped]),
        third.tip,
        state,  # type: ignore[arg-type]
        directory,
        tiles,
        {},
        exclusions={stopped_id: [exclusion.read(statement), exclusion.read(other)]},
    )
    assert fourth is not None
    excluded = fourth.block.items[0]
    state.apply(fourth)
    step = {"name": "set_reference", "subject": "rates", "numbers": {"valid_from": 0}, "source": "none yet"}
    proposal = _signed(
        bank_governance,
        ledger,
        7,
        "propose",
        {"title": "Rates", "steps": [step]},
        content_type=cose.GOVERNANCE,
        not_after=_TIME + 20 * 86_400_000,
    )
    fifth, _ = apply_batch(
        Batch(4, fourth.tip.time + 1_000, [proposal]),
        fourth.tip,
        state,  # type: ignore[arg-type]
        directory,
        tiles,
        {},
        digested=snapshot.envelope_of(_snapshot(second, state)[-1]),
    )
    assert fifth is not None
    keys = bank_governance, checkpoint_key, p256_key(0x2003)
    sixth = _proved(fifth, state, directory, tiles)
    trusted = _rotated(document, head, sixth, state, directory, tiles, keys)
    answer = answers.answer_cbor(Answer(items[0].id, 1, items[0].outcome, False), inclusion)
    structure = cose.split(applied).structure
    assert hashlib.sha256(structure).digest() == items[0].id
    found = [
        Vector("genesis", "genesis", document, f"its SHA-256 is the ledger's id, {ledger.hex()}"),
        Vector("transaction-es256", "transaction-envelope", applied, "entry 1, signed by bank/clerk; applied"),
        Vector("transaction-eddsa", "transaction-envelope", refused, "entry 2, signed by trader; refused"),
        Vector("transaction-conditional", "transaction-envelope", conditional, "entry 3, with every optional field"),
        Vector("sig-structure", "sig-structure", structure, f"of transaction-es256; SHA-256: {items[0].id.hex()}"),
        Vector("entry", "entry", leaf, "entry 1"),
        Vector("outcome-applied", "outcome", items[0].outcome, "of entry 1"),
        Vector("outcome-refused", "outcome", items[1].outcome, "of entry 2: the trader is no deployer"),
        Vector("write-set", "write-set", items[0].writes, "of entry 1"),
        Vector("write-set-empty", "write-set", writes.EMPTY, "of entry 2"),
        Vector("batch", "batch", wire_batch.encode(_TIME, [applied, refused], bytes(range(16))), "two transactions"),
        Vector("block-0", "block", first.encoded, "genesis"),
        Vector("block-1", "block", block.encode(second.block), "entries 1 to 3"),
        Vector("scheduled", "scheduled", due.envelope, "entry 6: what entry 5 scheduled; its SHA-256 is the id"),
        Vector("outcome-scheduled", "outcome", due.outcome, "of entry 6"),
        Vector("write-set-scheduled", "write-set", due.writes, "of entry 6: it is not due any more"),
        Vector("tick", "tick-envelope", ticked.envelope, "entry 7, signed by node-1 at 6 entries"),
        Vector("block-4", "block", block.encode(third.block), "entries 6 and 7"),
        *_snapshot_vectors(second, state),
        Vector("exclusion", "exclusion-envelope", statement, f"of transaction {stopped_id.hex()}, entry 8"),
        Vector("outcome-excluded", "outcome", excluded.outcome, "of entry 8: both members excluded it"),
        Vector("write-set-excluded", "write-set", excluded.writes, "of entry 8: the record of the exclusion"),
        Vector("governance", "governance-envelope", proposal, "entry 9, signed by bank's governance key: a proposal"),
        Vector("outcome-governance", "outcome", fifth.block.items[0].outcome, "of entry 9"),
        Vector("block-6", "block", block.encode(fifth.block), "entries 9 and 10"),
        Vector(
            "evidence",
            "evidence",
            sixth.block.items[0].envelope,
            "entry 11: against the voter whose key is 32 zeros",
        ),
        Vector("block-7", "block", block.encode(sixth.block), "entry 11"),
        Vector("checkpoint", "checkpoint", receipt.bare(head), "of the tree of 4 entries, root attached"),
        Vector("receipt", "receipt", inclusion, "for entry 1, under that checkpoint"),
        Vector("receipts", "receipts", several, "the same, and one under the checkpoint of trader's node-2"),
        Vector("checkpoint-told", "checkpoint", receipt.bare(told), "the same of a ledger whose time is told"),
        Vector(
            "trust",
            "trust",
            trust.encode(trusted),
            "entry 11 gives node-1 another checkpoint key; the head has 13 entries; `receipts` has `checkpoint`",
        ),
        Vector("consistency", "consistency-receipt", consistency, "from size 1 to size 4"),
        Vector(
            "split-view",
            "split-view",
            _split(document, head, leaf, checkpoint_key),
            "node-1 signed another root for 4 entries too, and another tree, of 6, whose first 4 have that other root",
        ),
        Vector(
            "invite",
            "invite-envelope",
            _invite(parsed, ledger, several, leaf, bank_governance),
            "of bank for southbank; `checkpoint` has the heads of `receipts`",
        ),
        Vector("answer", "answer", answer, "to the submission of entry 1, with ?receipt=true"),
    ]
    governing = {"bank governance": bank_governance, "trader governance": trader_governance}
    keys = {
        **governing,
        "bank": bank,
        "bank/clerk": clerk,
        "trader": trader,
        "node-1": node_key,
        "checkpoint": checkpoint_key,
        "trader checkpoint": traders,
        "checkpoint-2": keys[2],
    }
    return found, {name: key.pem().decode() for name, key in keys.items()}


def _snapshot(sealed: Sealed, state: _State) -> list[bytes]:
    """The chunks of the snapshot of the state behind a block with transactions alone, and its manifest."""
    header = sealed.block.header
    records = sorted(state.behind[header.height].items())
    window = sorted(
        (transaction.not_after_of(item.envelope).to_bytes(8, "big") + item.id, seq)
        for seq, item in enumerate(sealed.block.items, header.seq)
    )
    sections = {
        snapshot.RECORDS: [snapshot.Row(place, stored.seq, stored.value) for place, stored in records],
        snapshot.WINDOW: [snapshot.Row(key, seq) for key, seq in window],
    }
    chunks = [data for section, rows in sections.items() for data, _ in snapshot.chunks(section, rows)]
    manifest = snapshot.Manifest(
        version=snapshot.VERSION,
        ledger=header.ledger,
        height=header.height,
        header=block.header_digest(header),
        size=header.seq + header.count,
        time=header.time,
        keys=len(records) + len(window),
        chunks=[snapshot.Chunk(hashlib.sha256(data).digest(), len(data)) for data in chunks],
    )
    return [*chunks, snapshot.encode_manifest(manifest)]


def _snapshot_vectors(sealed: Sealed, state: _State) -> list[Vector]:
    records, window, manifest = _snapshot(sealed, state)
    one = snapshot.chunks(snapshot.RECORDS, [snapshot.Row(*cbor.decode(records)[1][0])])
    return [
        Vector("snapshot", "snapshot", snapshot.envelope_of(manifest), "entry 10: of the manifest below"),
        Vector("snapshot-manifest", "snapshot-manifest", manifest, "of the state behind block 1"),
        Vector("snapshot-records", "snapshot-chunk", next(one)[0], "as its first chunk, but with its first row alone"),
        Vector("snapshot-window", "snapshot-chunk", window, "its second chunk: the ids of the entries 1 to 3"),
    ]


def _receipts(head: checkpoint.Checkpoint, tiles: Tiles, other: PrivateKey) -> tuple[bytes, bytes]:
    """The receipt for entry 1 under the tree's head, and the same with one for the same head by another signer."""
    path = tree.inclusion_path(1, head.size, tiles.node)
    signed = checkpoint.sign(head.ledger, head.size, head.time, head.root, other)
    first = receipt.inclusion(head, 1, path)
    return first, receipts.encode([first, receipt.inclusion(signed, 1, path)])


def _invite(document: Genesis, ledger: bytes, several: bytes, leaf: bytes, signer: PrivateKey) -> bytes:
    """Bank's invite: of all that it may hold something."""
    node = invite.Node(
        id="node-1",
        member="bank",
        url="https://node-1.bank.example:8080",
        peer="00112233445566778899aabbccddeeff00112233",
        address="node-1.bank.example:26656",
    )
    other = invite.Node(id="node-2", member="trader", url="http://[2001:db8::1]:8080")
    body = invite.Invite(
        key=signer.public.spki,
        name=document.name,
        wan=True,
        nodes=[node, other],
        ledger=ledger,
        member="southbank",
        inviter="bank",
        members=[invite.Member(one.id, one.name, one.weight) for one in document.members],
        orderer="cometbft",
        version=invite.VERSION,
        not_after=_TIME + 7 * 86_400_000,
        checkpoint=[receipt.bare(receipt.head_of(message, leaf)) for message in receipts.decode(several)],
        constitution=invite.Constitution(document.constitution_lock, document.constitution),
    )
    return invite.seal(signer, body)


def _split(document: bytes, head: checkpoint.Checkpoint, leaf: bytes, signer: PrivateKey) -> bytes:
    """The proof that `head`'s signer has signed another history too: of copies of one entry."""
    tiles = Tiles(0, lambda *_: b"")
    heads: list[checkpoint.Checkpoint] = []
    for size in (head.size, head.size + 2):
        while tiles.size < size:
            tiles.append(tree.leaf_hash(leaf))
        heads.append(checkpoint.sign(head.ledger, size, head.time, tiles.root(), signer))
    path = tree.inclusion_path(head.size, tiles.size, tiles.node)
    pairs = [
        Contradiction(receipt.bare(head), receipt.bare(heads[0]), None),
        Contradiction(receipt.bare(head), receipt.inclusion(heads[1], head.size, path), leaf),
    ]
    return split_view.encode(document, pairs)


def _rung(
    tip: Tip, member: PrivateKey, node_key: PrivateKey, state: "_State", directory: Directory, tiles: Tiles
) -> Sealed:
    """Goes on behind `tip` to the block in which ledger time takes an action, moved there by a tick."""
    steps = transactions.deploy_steps(_ALARM)
    deployed = _signed(member, tip.ledger, 4, "deploy", {"name": "bell", "source": _ALARM}, steps_max=steps)
    alarm = _signed(member, tip.ledger, 5, "set", {"name": "noon"}, contract="bell")
    for index, envelope in enumerate((deployed, alarm, b""), 2):
        content = envelope or tick.seal(node_key, tip.ledger, tip.size)
        sealed, _ = apply_batch(Batch(index, _TIME + index * 3_000, [content]), tip, state, directory, tiles, {})  # type: ignore[arg-type]
        assert sealed is not None
        state.apply(sealed)
        tip = sealed.tip
    return sealed


def _proved(before: Sealed, state: "_State", directory: Directory, tiles: Tiles) -> Sealed:
    """Goes on behind a block to one of evidence against the voter whose key is 32 zeros."""
    state.apply(before)
    voter = hashlib.sha256(bytes(32)).digest()[:20]
    batch = Batch(5, before.tip.time + 1_000, [], (Misbehavior(4, voter),))
    sealed, _ = apply_batch(batch, before.tip, state, directory, tiles, {})  # type: ignore[arg-type]
    assert sealed is not None
    return sealed


def _signed(
    signer: PrivateKey,
    ledger: bytes,
    number: int,
    action: str,
    arguments: Any,
    *,
    content_type: str = cose.TRANSACTION,
    **optional: Any,
) -> bytes:
    usual = {"contract": "members", "steps_max": transactions.STEPS_MAX, "not_after": _TIME + 600_000}
    body = Transaction(
        version=0,
        ledger=ledger,
        nonce=bytes([number] * 16),
        action=action,
        arguments=arguments,
        **{**usual, **optional},
    )
    return cose.seal(signer, content_type, transaction.encode(body))
