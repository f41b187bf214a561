"""What a dishonest node may hand to the order: batches that no honest one makes, as every node must judge the same.

They go to an engine past its node, and so past all that a node checks at intake.
"""

import asyncio
import hashlib
import os
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hansa.client import transactions
from hansa.client.transactions import Prepared
from hansa.orderers.cometbft.rpc import Rpc
from hansa.wire import batch, ed25519

from .network_faults import Seconds
from .network_load import CONTRACT, REGISTERS, Clients
from .network_nodes import PATIENCE_S, Nodes
from .server import Client

_SMALL: Final = bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
"""A point of order 8: a signature with it as its R is taken by some libraries and refused by others."""


def odd_signatures(nodes: Nodes, clients: Clients) -> Seconds:
    """A signature on which libraries differ is good on every node; a bad one voids its batch on every node."""
    name = nodes.names[0]
    odd = _oddly_signed(clients, name)
    beside, forged, lost = (_looking(clients, name) for _ in range(3))
    begun = time.monotonic()
    _hand_in(nodes, name, [odd.envelope, beside.envelope])
    found = {one.id: _entries(nodes, one) for one in (odd, beside)}
    judged = time.monotonic() - begun
    for id, seqs in found.items():
        assert len(set(seqs)) == 1, found
        clients.seqs[id] = seqs[0]
    bad = forged.envelope[:-1] + bytes([forged.envelope[-1] ^ 1])
    _hand_in(nodes, name, [lost.envelope, bad])
    clients.next(*nodes.names[1:])
    behind = _looking(clients, name)
    _hand_in(nodes, name, [behind.envelope])  # behind the other in the order
    clients.seqs[behind.id] = _entries(nodes, behind)[0]
    for one in (lost, forged):
        states = [_state(nodes, node, one)["status"] for node in nodes.names]
        assert set(states) == {"not_found"}, states
        clients.refused.add(one.id)
    return {"judged by all": judged}


def _looking(clients: Clients, name: str) -> Prepared:
    arguments = {"register": REGISTERS[0]}
    return transactions.prepare(clients.keys[name], clients.ledger, CONTRACT, "look", arguments)


def _oddly_signed(clients: Clients, name: str) -> Prepared:
    """Signed so that only the cofactored equation of ZIP-215 holds: R is of small order.

    Checked here: OpenSSL refuses it, the ledger's rule takes it.
    """
    key = clients.keys[name]
    loaded = serialization.load_pem_private_key(key.pem(), None)
    assert isinstance(loaded, Ed25519PrivateKey)
    public = loaded.public_key().public_bytes_raw()
    digest = hashlib.sha512(loaded.private_bytes_raw()).digest()
    secret = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | (1 << 254)
    made = transactions.unsigned(key, clients.ledger, CONTRACT, "look", {"register": REGISTERS[0]})
    challenge = int.from_bytes(hashlib.sha512(_SMALL + public + made.structure).digest(), "little")
    signature = _SMALL + (challenge * secret % ed25519.ORDER).to_bytes(32, "little")
    try:
        loaded.public_key().verify(signature, made.structure)
    except InvalidSignature:
        pass
    else:
        raise AssertionError("OpenSSL takes it, too")
    assert key.public.verify_exactly(signature, made.structure)
    return made.signed(signature)


def _hand_in(nodes: Nodes, name: str, envelopes: list[bytes]) -> None:
    """Gives an engine a batch."""

    async def hand_in() -> None:
        rpc = Rpc(Path(nodes.rpc(name)))
        try:
            await rpc.broadcast(batch.encode(0, envelopes, os.urandom(16)))
        finally:
            await rpc.close()

    asyncio.run(hand_in())


def _entries(nodes: Nodes, one: Prepared) -> list[int]:
    """The seq that each node gave it."""
    nodes.until(lambda _: all(_state(nodes, name, one)["status"] == "committed" for name in nodes.names))
    return [_state(nodes, name, one)["seq"] for name in nodes.names]


def _state(nodes: Nodes, name: str, one: Prepared) -> dict[str, Any]:
    with closing(Client(nodes.ports[name], PATIENCE_S)) as client:
        return client.get(f"/app/transactions/{one.id.hex()}")
