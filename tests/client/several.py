"""A ledger of several members whose nodes have signed it, made without a node, and what each could have signed."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.client.conftest import TIME, outcome_of

from hansa.client import transactions
from hansa.merkle import checkpoint, receipt, tree
from hansa.merkle.tiles import Tiles
from hansa.node import shipped
from hansa.node.create import members_source
from hansa.wire import cose, entry, genesis
from hansa.wire.genesis import Genesis, Limits, Member, Node
from hansa.wire.keys import PrivateKey

SEATS = {"a-1": "acme", "a-2": "acme", "b-1": "beta", "c-1": "carl", "d-1": "dora"}


@dataclass(frozen=True)
class Ledger:
    """A ledger of four members and five nodes, with six transactions, and another history of it that differs at last.

    Everything here is about entry 3, which is in both.
    """

    document: bytes
    id: bytes
    keys: dict[str, PrivateKey]
    entry: bytes
    envelope: bytes
    outcome: bytes
    tiles: Tiles
    other: Tiles

    def receipt(
        self, node: str, size: int = 7, time: int = TIME, *, split: bool = False, **signer: PrivateKey
    ) -> bytes:
        """The receipt that a node gives, or that somebody else signs."""
        tiles = self.other if split else self.tiles
        key = signer.get("key", self.keys[node])
        head = checkpoint.sign(self.id, size, time, tree.root_of(0, size, tiles.node), key)
        return receipt.inclusion(head, 3, tree.inclusion_path(3, size, tiles.node))


def make_ledger(make_key: Callable[[str, str], PrivateKey]) -> Ledger:
    """The ledger; its checkpoint keys are the same in every run."""
    keys = {node: make_key("es256", f"{node} checkpoints") for node in SEATS}
    members = sorted(set(SEATS.values()))
    document = genesis.encode(
        Genesis(
            version=0,
            name="Several",
            time=TIME,
            nonce=bytes(16),
            members=[
                Member(
                    id=name,
                    name=name,
                    keys=[make_key("eddsa", f"{name} several").public.spki],
                    governance_keys=[make_key("eddsa", f"{name} several governs").public.spki],
                )
                for name in [*members, "emil"]
            ],
            nodes=[
                Node(
                    id=node,
                    member=member,
                    node_key=make_key("es256", f"{node} own").public.spki,
                    checkpoint_key=keys[node].public.spki,
                )
                for node, member in SEATS.items()
            ],
            limits=Limits(),
            members_contract=members_source(),
            constitution=shipped.constitution("majority"),
            constitution_lock=1_000,
            libraries=[(shipped.LIBRARY, shipped.library())],
        )
    )
    id = genesis.ledger_id(document)
    acme = make_key("eddsa", "acme several")
    envelopes = [transactions.prepare(acme, id, "shop", "go", {"n": n}).envelope for n in range(7)]
    bodies = [(entry.GENESIS, id, document)] + [(entry.TRANSACTION, cose.id_of(one), one) for one in envelopes]
    leaves = [entry.make(*body, outcome_of(seq)) for seq, body in enumerate(bodies)]
    tiles, other = Tiles(0, lambda *_: b""), Tiles(0, lambda *_: b"")
    for leaf in leaves[:7]:
        tiles.append(tree.leaf_hash(leaf))
    for leaf in (*leaves[:6], leaves[7]):
        other.append(tree.leaf_hash(leaf))
    return Ledger(document, id, keys, leaves[3], bodies[3][2], outcome_of(3), tiles, other)
