"""The nodes of a ledger as orderers see them: those with engines, as genesis and the directory have them.

Called by `node`; pure.
"""

from hansa.governance.directory import Directory
from hansa.governance.genesis import TRUSTED, founding_powers
from hansa.orderers import Seat
from hansa.wire.genesis import Genesis
from hansa.wire.keys import PublicKey


def founding(genesis: Genesis) -> list[Seat]:
    """The seats that a ledger begins with, in genesis' order."""
    powers = founding_powers(genesis)
    return [
        Seat(node.id, node.peer, node.address, PublicKey(node.engine_key).raw, powers[node.id])
        for node in genesis.nodes
        if node.peer
    ]


def admitted(directory: Directory) -> list[Seat]:
    """The seats whose engines are let in as of now, by name."""
    return [
        Seat(node.id, node.peer, node.address, PublicKey(node.engine_key).raw, node.power, node.state == TRUSTED)
        for node in directory.admitted()
        if node.peer
    ]
