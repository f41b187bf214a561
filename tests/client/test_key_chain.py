"""The chain of checkpoint keys, from the id of a ledger alone: ten changes of one real ledger, and forged ones."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hansa.client import key_chain, transactions, verification
from hansa.client import keys as key_files
from hansa.client.verification import Owner, Pinned, Sizes
from hansa.merkle import checkpoint, receipt, tree
from hansa.node.create import CHECKPOINT_KEY, Founder, create_ledger, governance_key
from hansa.node.node import open_node
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire import cbor, cose, entry, trust, writes
from hansa.wire.keys import PrivateKey
from hansa.wire.problems import HansaError
from hansa.wire.trust import Change, Linked, Trust

CHANGES = 10


@dataclass
class Life:
    """A ledger whose checkpoint key was changed ten times, and what people kept of it on the way."""

    id: bytes
    keys: list[PrivateKey]
    governance: PrivateKey
    receipts: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Before each change: a receipt as it was given then, and its entry."""
    seqs: list[int] = field(default_factory=list)
    """The entries of the changes."""
    file: Trust = None  # type: ignore[assignment]
    fresh: tuple[bytes, bytes] = (b"", b"")
    """A receipt for the first of those entries, as it is given at the end."""

    def encoded(self, **changes: Any) -> bytes:
        return trust.encode(msgspec.structs.replace(self.file, **changes))


def live(root: Path, changes: int, also: Sequence[tuple[str, dict[str, Any]]] = ()) -> Life:
    folder = Folder(root)
    id = create_ledger(Disk(), folder, "Keys", [Founder("acme", "Acme", deployer=True)])
    life = Life(id, [key_files.load(folder.keys / CHECKPOINT_KEY)], key_files.load(governance_key(folder, "acme")))

    async def main() -> None:
        node = open_node(root, reserve_bytes=0)
        node.start()

        async def send(action: str, **arguments: Any) -> int:
            made = transactions.prepare(
                life.governance, id, "members", action, arguments, steps_max=200_000, content_type=cose.GOVERNANCE
            )
            answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            node.submit(made.envelope, answered.set_result)
            return (await answered).seq

        proofs: list[bytes] = []
        for number in range(changes):
            seq = await send("set_own_user", id=f"acme/u{number}", name="U", attributes=[])
            node.sign_checkpoint()
            life.receipts.append((node.reading.receipt(seq), node.reading.at(seq).entry()))
            key = key_files.generate("p256" if number % 2 else "ed25519")
            key_files.save(key, folder.keys / f"checkpoint-{number}.pem")
            life.keys.append(key)
            common = {"owner_kind": "node", "owner": "node-1", "expires": None}
            life.seqs.append(await send("register_key", purpose="checkpoint", spki=key.public.spki, **common))
        for action, arguments in also:
            life.seqs.append(await send(action, **arguments))
        await send("set_own_user", id="acme/last", name="U", attributes=[])
        node.sign_checkpoint()
        life.file = node.reading.trust()
        size = receipt.read_bare(life.file.head).size
        for message, leaf in life.receipts:
            head = receipt.head_of(message, leaf)
            proofs.append(node.reading.consistency(head.size, size))
        linked = [
            Linked(receipt.bare(receipt.head_of(*kept)), proof)
            for kept, proof in zip(life.receipts, proofs, strict=True)
        ]
        life.file = msgspec.structs.replace(life.file, receipts=linked)
        if changes:
            seq = receipt_seq(life.receipts[0])
            life.fresh = node.reading.receipt(seq), node.reading.at(seq).entry()
        await node.stop()

    asyncio.run(main())
    return life


def receipt_seq(kept: tuple[bytes, bytes]) -> int:
    message, leaf = kept
    head = receipt.head_of(message, leaf)
    return head.size - 1


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    return live(tmp_path_factory.mktemp("life") / "ledger", CHANGES)


@pytest.fixture(scope="module")
def pinned(life: Life) -> Pinned:
    return key_chain.pin_trust(life.encoded(), life.id)


def refusal(data: bytes, ledger: bytes | None) -> str:
    """The code with which a file is refused; for a broken chain that of the reason."""
    with pytest.raises(HansaError) as caught:
        key_chain.pin_trust(data, ledger)
    return str(caught.value.fields.get("reason", caught.value.code))


def test_the_keys_follow_from_the_id_alone(life: Life, pinned: Pinned) -> None:
    assert list(pinned.sizes) == [key.kid for key in life.keys]
    spans = list(pinned.sizes.values())
    assert [span.first for span in spans] == [1, *(seq + 2 for seq in life.seqs)]
    assert [span.last for span in spans] == [*(seq + 1 for seq in life.seqs), None]
    assert pinned.head is not None
    assert pinned.head.kid == life.keys[-1].kid


def test_a_ledger_whose_keys_never_changed(tmp_path: Path) -> None:
    life = live(tmp_path / "ledger", 0)
    found = key_chain.pin_trust(life.encoded(), life.id)
    assert [(span.first, span.last) for span in found.sizes.values()] == [(1, None)]
    assert life.file.changes == []


@pytest.mark.parametrize("number", range(CHANGES))
def test_an_old_receipt_is_good_after_ten_changes(number: int, life: Life, pinned: Pinned) -> None:
    message, leaf = life.receipts[number]
    proven = verification.verify(message, leaf, pinned)
    assert proven.kid == life.keys[number].kid
    assert proven.has_changed


def test_an_old_entry_has_a_fresh_receipt_under_the_current_key(life: Life, pinned: Pinned) -> None:
    assert verification.verify(*life.fresh, pinned).kid == life.keys[-1].kid
    bare = key_chain.pin_trust(life.encoded(receipts=[]), life.id)
    assert verification.verify(*life.fresh, bare).seq == receipt_seq(life.receipts[0])


def test_without_its_link_an_old_receipt_does_not_count(life: Life, refused: Callable[..., Any]) -> None:
    """Its key may be anybody's by now. What stands under the very checkpoints of the changes needs no link."""
    bare = key_chain.pin_trust(life.encoded(receipts=[]), life.id)
    with refused("receipt.unlinked"):
        verification.verify(*life.receipts[0], bare)
    first = life.file.changes[0]
    assert verification.verify(first.receipt, first.entry, bare).kid == life.keys[0].kid


# Whoever has a former key


def forged(life: Life, number: int, size: int) -> tuple[bytes, bytes]:
    """A receipt for an entry that never was, as the last of `size`, signed by a former key."""
    leaf = entry.make(entry.TRANSACTION, bytes(32), b"envelope", b"outcome")
    path = [bytes([level]) * 32 for level in range(tree_levels(size))]
    root = tree.root_from_inclusion(size - 1, size, tree.leaf_hash(leaf), path)
    head = checkpoint.sign(life.id, size, 1_800_000_000_000, root, life.keys[number])
    return receipt.inclusion(head, size - 1, path), leaf


def tree_levels(size: int) -> int:
    return len(tree.inclusion_path(size - 1, size, lambda level, index: bytes(32)))


@pytest.mark.parametrize("number", range(CHANGES))
def test_a_former_key_signs_no_larger_tree(
    number: int, life: Life, pinned: Pinned, refused: Callable[..., Any]
) -> None:
    for beyond in (1, 2, 1000):
        with refused("receipt.span"):
            verification.verify(*forged(life, number, life.seqs[number] + 1 + beyond), pinned)


@pytest.mark.parametrize("number", range(CHANGES))
def test_a_former_key_signs_no_other_root(number: int, life: Life, pinned: Pinned, refused: Callable[..., Any]) -> None:
    for size in {life.seqs[number] + 1, receipt.head_of(*life.receipts[number]).size}:
        with refused("receipt.unlinked"):
            verification.verify(*forged(life, number, size), pinned)


def test_a_key_signs_nothing_from_before_it_was_registered(
    life: Life, pinned: Pinned, refused: Callable[..., Any]
) -> None:
    for number in (1, CHANGES):
        with refused("receipt.span"):
            verification.verify(*forged(life, number, life.seqs[number - 1] + 1), pinned)


def test_a_current_key_signs_no_other_root_of_a_size_that_is_known(
    life: Life, pinned: Pinned, refused: Callable[..., Any]
) -> None:
    assert pinned.head is not None
    with refused("receipt.unlinked"):
        verification.verify(*forged(life, CHANGES, pinned.head.size), pinned)


def change_of(life: Life, thief: PrivateKey, key: PrivateKey, signer: PrivateKey) -> Change:
    """A change that never was: to a key of somebody else, as the only entry of a tree behind all others."""
    arguments = {"owner_kind": "node", "owner": "node-1", "purpose": "checkpoint", "expires": None}
    arguments["spki"] = key.public.spki
    signed = transactions.prepare(
        signer, life.id, "members", "register_key", arguments, content_type=cose.GOVERNANCE
    ).envelope
    fields = {"kid": key.kid, "spki": key.public.spki, "owner": "node-1", "purpose": "checkpoint"}
    written = writes.encode(
        [
            writes.make("members", "Key", key.kid, cbor.encode(fields), None),
            writes.make("members", "CheckpointKey", key.kid, cbor.encode({"kid": key.kid, "node": "node-1"}), None),
        ]
    )
    outcome = entry.encode_outcome(
        status="applied",
        code="ok",
        result=None,
        events=[],
        writes=writes.digest(written),
        steps=0,
        time=0,
        contract="0.2.0",
        dialect=0,
    )
    leaf = entry.make(entry.GOVERNANCE, cose.id_of(signed), signed, outcome)
    size = 10_000
    path = [bytes(32)] * tree_levels(size)
    root = tree.root_from_inclusion(size - 1, size, tree.leaf_hash(leaf), path)
    head = checkpoint.sign(life.id, size, 1_800_000_000_000, root, thief)
    return Change(leaf, signed, outcome, written, receipt.inclusion(head, size - 1, path), None)


@pytest.mark.parametrize("number", [0, CHANGES - 1, CHANGES])
def test_a_forged_change_behind_the_others_is_refused(number: int, life: Life) -> None:
    """By a former key it is not of the set before; the current one would have to continue the last checkpoint."""
    mine = key_files.generate()
    forged = change_of(life, life.keys[number], mine, life.governance)
    head = checkpoint.sign(life.id, 10_001, 1_800_000_000_000, bytes(32), mine)
    last = life.file.changes[-1]
    for proof in (None, last.consistency):
        made = msgspec.structs.replace(forged, consistency=proof)
        data = life.encoded(changes=[*life.file.changes, made], head=receipt.bare(head), receipts=[])
        expected = {"receipt.inconsistent", "receipt.invalid"} if number == CHANGES else {"receipt.key_unknown"}
        assert refusal(data, life.id) in expected


def test_a_change_that_its_member_did_not_sign_is_refused(life: Life) -> None:
    """Who holds the checkpoint key alone, and names the member's governance key, cannot sign for it."""
    mine = key_files.generate()
    made = change_of(life, life.keys[0], mine, life.governance)
    spoilt = made.envelope[:-1] + bytes([made.envelope[-1] ^ 1])
    leaf = entry.make(entry.GOVERNANCE, cose.id_of(spoilt), spoilt, made.outcome)
    head = checkpoint.sign(life.id, 1, 0, tree.leaf_hash(leaf), life.keys[0])
    change = msgspec.structs.replace(made, entry=leaf, envelope=spoilt, receipt=receipt.inclusion(head, 0, []))
    assert refusal(life.encoded(changes=[change]), life.id) == "signature.invalid"


# Chains with something wrong


@pytest.mark.parametrize("number", range(CHANGES))
def test_a_chain_with_a_link_removed_is_refused(number: int, life: Life) -> None:
    changes = life.file.changes
    without = [change for place, change in enumerate(changes) if place != number]
    expected = {"receipt.key_unknown"} if number else {"receipt.key_unknown", "receipt.inconsistent"}
    assert refusal(life.encoded(changes=without), life.id) in expected


@pytest.mark.parametrize("number", range(CHANGES - 1))
def test_a_chain_with_two_links_swapped_is_refused(number: int, life: Life) -> None:
    changes = list(life.file.changes)
    changes[number], changes[number + 1] = changes[number + 1], changes[number]
    assert refusal(life.encoded(changes=changes), life.id) == "receipt.key_unknown"


def test_a_chain_of_another_ledger_is_refused(life: Life, tmp_path: Path) -> None:
    another = live(tmp_path / "another", 2)
    assert refusal(another.encoded(), life.id) == "verify.genesis"
    assert refusal(life.encoded(genesis=another.file.genesis), life.id) == "verify.genesis"
    assert refusal(life.encoded(changes=another.file.changes), life.id) == "receipt.key_unknown"
    assert refusal(life.encoded(head=another.file.head), life.id) == "receipt.key_unknown"
    assert refusal(life.encoded(receipts=another.file.receipts), life.id) == "receipt.key_unknown"


@pytest.mark.parametrize("number", [1, 5, CHANGES - 1])
def test_every_link_needs_its_proof(number: int, life: Life) -> None:
    changes = list(life.file.changes)
    for proof in (None, changes[number - 1].consistency):
        changes[number] = msgspec.structs.replace(changes[number], consistency=proof)
        assert refusal(life.encoded(changes=changes), life.id) in {"receipt.inconsistent", "receipt.invalid"}


def test_the_head_must_be_under_a_current_key_and_continue_the_last_change(life: Life) -> None:
    assert refusal(life.encoded(consistency=None), life.id) == "receipt.inconsistent"
    old = life.receipts[-1]
    assert refusal(life.encoded(head=receipt.bare(receipt.head_of(*old))), life.id) == "receipt.key_unknown"
    head = receipt.read_bare(life.file.head)
    for changed in ({"root": bytes(32)}, {"size": head.size + 1}, {"time": head.time + 1}, {"told": True}):
        spoilt = msgspec.structs.replace(head, **changed)
        assert refusal(life.encoded(head=receipt.bare(spoilt)), life.id) == "checkpoint.invalid"


def test_the_write_set_must_be_what_was_committed_to(life: Life) -> None:
    changes = list(life.file.changes)
    changes[3] = msgspec.structs.replace(changes[3], writes=changes[4].writes)
    assert refusal(life.encoded(changes=changes), life.id) == "trust.chain"


def test_a_file_of_another_format(life: Life) -> None:
    assert refusal(life.encoded(version=1), life.id) == "trust.version"
    assert refusal(b"", life.id) == "trust.form"
    assert refusal(cbor.encode([1]), life.id) == "trust.form"
    assert refusal(life.encoded() + b"\0", life.id) == "trust.form"


def test_a_damaged_file_is_refused_in_words(life: Life, tmp_path: Path) -> None:
    """Cut short, or with a bit changed anywhere: a code, and no trace; nothing that differs is believed."""
    small = live(tmp_path / "small", 1)
    data, whole = small.encoded(), key_chain.pin_trust(small.encoded(), small.id)
    chance = random.Random(6)
    for _ in range(60):
        with pytest.raises(HansaError):
            key_chain.pin_trust(data[: chance.randrange(len(data))], small.id)
    begin = data.index(b"changes")  # in the genesis document every bit is of the id
    spoilt = bytearray(data)
    for place in [chance.randrange(begin, len(data)) for _ in range(250)] + [chance.randrange(begin) for _ in range(5)]:
        spoilt[place] ^= 1 << chance.randrange(8)
        with pytest.raises(HansaError):
            key_chain.pin_trust(bytes(spoilt), small.id)
        spoilt[place] = data[place]
    again = key_chain.pin_trust(bytes(spoilt), small.id)
    assert (again.head, again.sizes, again.roots) == (whole.head, whole.sizes, whole.roots)


def test_nodes_that_come_and_go_are_followed(tmp_path: Path) -> None:
    """A node is registered with its key, gets another one, and is retired: its keys count for their time alone."""
    own, first, second = (key_files.generate("p256") for _ in range(3))
    registered = {
        "id": "acme-2",
        "node_key": own.public.spki,
        "checkpoint_key": first.public.spki,
        "engine_key": b"",
        "peer": "",
        "address": "",
        "url": "",
    }
    renewed = {"owner_kind": "node", "owner": "acme-2", "expires": None, "purpose": "checkpoint"}
    life = live(
        tmp_path / "ledger",
        0,
        [
            ("register_node", registered),
            ("register_key", {**renewed, "spki": second.public.spki}),
            ("retire_own_node", {"node": "acme-2"}),
        ],
    )
    begun, changed, ended = life.seqs
    assert len(life.file.changes) == 3
    found = key_chain.pin_trust(life.encoded(), life.id)
    assert found.sizes[first.kid] == Sizes("acme-2", begun + 2, changed + 1)
    assert found.sizes[second.kid] == Sizes("acme-2", changed + 2, ended + 1)
    assert found.owners[second.kid] == Owner("acme-2", "acme")
    assert [span.last for kid, span in found.sizes.items() if kid == life.keys[0].kid] == [None]

    changes = life.file.changes
    assert refusal(life.encoded(changes=changes[1:]), life.id) == "trust.chain"  # no node that it knows
    assert refusal(life.encoded(changes=[changes[0], changes[2]]), life.id) == "receipt.invalid"
    forged = msgspec.structs.replace(changes[0], writes=changes[1].writes)
    assert refusal(life.encoded(changes=[forged, *changes[1:]]), life.id) == "trust.chain"
