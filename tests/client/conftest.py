"""What tests of the client share: a small history with receipts, made without a node."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from hansa.client import transactions
from hansa.merkle import checkpoint, receipt, tree
from hansa.merkle.tiles import Tiles
from hansa.node import shipped
from hansa.node.create import members_source
from hansa.wire import cose, entry, genesis
from hansa.wire.genesis import Genesis, Limits, Member, Node
from hansa.wire.keys import PrivateKey

TIME = 1_700_000_000_000


@dataclass(frozen=True)
class Proof:
    """What a verifier is handed."""

    receipt: bytes
    entry: bytes
    envelope: bytes
    outcome: bytes


@dataclass(frozen=True)
class History:
    """A ledger's genesis document, its id, and a proof for each entry."""

    document: bytes
    ledger: bytes
    proofs: list[Proof]
    checkpoint_key: PrivateKey


@pytest.fixture(scope="session")
def history(make_key: Callable[[str, str], PrivateKey]) -> Callable[[str], History]:
    """`history("a ledger")`: genesis and six transactions; another name is another ledger, with other keys."""

    def make(name: str) -> History:
        member, own = make_key("eddsa", f"{name} member"), make_key("es256", f"{name} node")
        governing = make_key("eddsa", f"{name} governs")
        signing = make_key("es256", f"{name} checkpoints")
        spki = {"node_key": own.public.spki, "checkpoint_key": signing.public.spki}
        document = genesis.encode(
            Genesis(
                version=0,
                name=name,
                time=TIME,
                nonce=bytes(16),
                members=[
                    Member(id="acme", name="Acme", keys=[member.public.spki], governance_keys=[governing.public.spki])
                ],
                nodes=[Node(id="node-1", member="acme", **spki)],
                deployers=["acme"],
                limits=Limits(),
                members_contract=members_source(),
                constitution=shipped.constitution("majority"),
                constitution_lock=1_000,
                libraries=[(shipped.LIBRARY, shipped.library())],
            )
        )
        ledger = genesis.ledger_id(document)
        envelopes = [document]
        envelopes += [transactions.prepare(member, ledger, "shop", "go", {"n": n}).envelope for n in range(6)]
        tiles = Tiles(0, lambda *_: b"")
        made: list[tuple[bytes, bytes, bytes]] = []
        for seq, envelope in enumerate(envelopes):
            kind, id = (entry.TRANSACTION, cose.id_of(envelope)) if seq else (entry.GENESIS, ledger)
            outcome = outcome_of(seq)
            made.append((entry.make(kind, id, envelope, outcome), envelope, outcome))
            tiles.append(tree.leaf_hash(made[-1][0]))
        head = checkpoint.sign(ledger, tiles.size, TIME + 5, tiles.root(), signing)
        proofs = [
            Proof(receipt.inclusion(head, seq, tree.inclusion_path(seq, tiles.size, tiles.node)), *parts)
            for seq, parts in enumerate(made)
        ]
        return History(document, ledger, proofs, signing)

    return make


def outcome_of(seq: int) -> bytes:
    return entry.encode_outcome(
        status="applied",
        code="ok",
        result=None,
        events=[],
        writes=bytes(32),
        steps=seq,
        time=TIME,
        contract="1.0.0",
        dialect=0,
    )
