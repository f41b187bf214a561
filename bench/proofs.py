"""What a receipt costs by the length of its ledger: its bytes, and the CPU time of checking it.

Trees of entries as they are encoded, receipts made and verified by the functions of `hansa.merkle`, in this process.
"""

import hashlib
import random
import statistics
import time

from hansa.merkle import checkpoint, receipt, tree
from hansa.wire import entry
from hansa.wire.keys import PrivateKey

SIZES = tuple(10**power for power in range(1, 7))
SAMPLES = 300
"""Entries anywhere in the tree whose receipts are made and checked, in each round."""


def encoded(seq: int) -> bytes:
    """An entry like no other."""
    id = hashlib.sha256(f"{seq}".encode()).digest()
    return entry.make(entry.TRANSACTION, id, f"envelope {seq}".encode(), f"outcome {seq}".encode())


def levels_of(size: int) -> list[list[bytes]]:
    """The hashes of all complete subtrees, leaves first."""
    levels = [[tree.leaf_hash(encoded(seq)) for seq in range(size)]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([tree.node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])
    return levels


def proofs(sizes: tuple[int, ...], rounds: int, key: PrivateKey) -> dict[str, float]:
    """For each size: the most bytes of a receipt, its hashes, and the median CPU time in us of checking one."""
    chance = random.Random(1)
    results: dict[str, float] = {}
    for size in sizes:
        levels = levels_of(size)

        def node(level: int, index: int, levels: list[list[bytes]] = levels) -> bytes:
            return levels[level][index]

        head = checkpoint.sign(bytes(32), size, 1_700_000_000_000, tree.root_of(0, size, node), key)
        seqs = [chance.randrange(size) for _ in range(SAMPLES)]
        paths = [tree.inclusion_path(seq, size, node) for seq in seqs]
        made = [receipt.inclusion(head, seq, path) for seq, path in zip(seqs, paths, strict=True)]
        entries = [encoded(seq) for seq in seqs]
        keys = {key.kid: key.public}
        times = []
        for _ in range(rounds):
            begun = time.process_time()
            for message, leaf in zip(made, entries, strict=True):
                receipt.verify_inclusion(message, leaf, keys)
            times.append((time.process_time() - begun) / SAMPLES * 1e6)
        results[f"proof_{size}_hashes"] = max(map(len, paths))
        results[f"proof_{size}_bytes"] = max(map(len, made))
        results[f"proof_{size}_verify_us"] = round(statistics.median(times), 1)
        print(f"{size:9,} entries: {max(map(len, made))} bytes, {results[f'proof_{size}_verify_us']} us", flush=True)
    return results
