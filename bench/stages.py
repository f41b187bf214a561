"""Where the time of a transaction goes: `python -m bench.stages [--count 20000]`, CPU us a transaction by stage.

Each stage is run alone over the same signed transfers, in this process, so caches are warmer than in a server; what
HTTP costs is the difference to the server's own CPU in the other benchmark. Prints a table, writes nothing.
"""

import argparse
import gc
import struct
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hansa.bench.ledger import LENGTH, Ledger
from hansa.merkle.tree import leaf_hash
from hansa.node import apply, intake
from hansa.node.recovery import open_stopped
from hansa.orderers import Batch
from hansa.store.files import Disk
from hansa.store.journal import Writer
from hansa.store.state import BlockPlace
from hansa.wire import cbor, cose, entry, transaction

PER_BLOCK = 200


def timed(name: str, count: int, run: Callable[[], Any]) -> Any:
    """Runs one stage over everything; what it gave."""
    gc.collect()
    begun = time.process_time()
    found = run()
    print(f"{name:44} {(time.process_time() - begun) / count * 1e6:7.1f}", flush=True)
    return found


def split(data: bytes) -> list[bytes]:
    """The envelopes of a file that `Ledger.sign` wrote."""
    found = []
    position = 0
    while position < len(data):
        (length,) = struct.unpack_from(LENGTH.format, data, position)
        found.append(data[position + LENGTH.size : position + LENGTH.size + length])
        position += LENGTH.size + length
    return found


def stages(ledger: Ledger, count: int) -> None:
    """Runs them all, in the order in which a transaction meets them."""
    path = ledger.root / "signed"
    ledger.sign(count, path)
    envelopes = split(path.read_bytes())
    now = time.time_ns() // 1_000_000
    gc.freeze()
    with open_stopped(ledger.folder.root) as parts:
        payloads = [cose.split(envelope).payload for envelope in envelopes]
        timed("of reading: envelope apart, what is signed", count, lambda: [cose.split(e) for e in envelopes])
        timed("of reading: payload scanned and decoded", count, lambda: [cbor.decode(p) for p in payloads])
        timed("of reading: all but sender and limits", count, lambda: [transaction.read(e) for e in envelopes])
        read = timed(
            "intake: read and checked",
            count,
            lambda: [intake.read(e, parts.ledger, parts.directory) for e in envelopes],
        )
        timed(
            "intake: signature verified",
            count,
            lambda: [sender.key.verify(signed.signature, signed.structure) for signed, sender in read],
        )
        view = apply.View(parts.state, parts.directory.indexes_of)
        ran = timed(
            "of applying: the contract's action",
            count,
            lambda: [
                apply.execute(s, sender, now, seq, view, parts.directory)
                for seq, (s, sender) in enumerate(read, parts.tip.size)
            ],
        )
        items = timed(
            "of applying: outcome and write set encoded",
            count,
            lambda: [
                apply.make_item(entry.TRANSACTION, signed.id, signed.envelope, execution, now)
                for (signed, _), execution in zip(read, ran, strict=True)
            ],
        )
        timed(
            "of applying: the leaf",
            count,
            lambda: [leaf_hash(entry.make(i.kind, i.id, i.envelope, i.outcome)) for i in items],
        )
        sealed = timed(f"applied and sealed, {PER_BLOCK} a block", count, lambda: _blocks(parts, read, now))
        writer = Writer(Disk(), ledger.folder.journal, parts.ledger, parts.end)
        locations = timed("written and synced", count, lambda: [writer.append([made.encoded])[0] for made in sealed])
        timed("into the state in memory", count, lambda: _into_state(parts, sealed, locations))
        writer.close()


def _blocks(parts: Any, read: Sequence[tuple[transaction.Signed, Any]], now: int) -> list[apply.Sealed]:
    verified = {signed.envelope: signed for signed, _ in read}
    tip, made = parts.tip, []
    for number, start in enumerate(range(0, len(read), PER_BLOCK), parts.tip.height):
        batch = Batch(number, now, [signed.envelope for signed, _ in read[start : start + PER_BLOCK]])
        sealed, skipped = apply.apply_batch(batch, tip, parts.state, parts.directory, parts.tiles, verified)
        if sealed is None or skipped:
            raise RuntimeError(skipped)
        tip = sealed.tip
        made.append(sealed)
    return made


def _into_state(parts: Any, sealed: list[apply.Sealed], locations: list[Any]) -> None:
    for made, location in zip(sealed, locations, strict=True):
        header = made.block.header
        parts.state.apply(BlockPlace(header.seq, header.height, location), made.entered)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=20_000)
    count = parser.parse_args().count
    with Ledger(where=Path("/var/tmp")) as ledger:
        print(f"{'stage':44}  us/transaction")
        stages(ledger, count)


if __name__ == "__main__":
    main()
