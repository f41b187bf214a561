"""Executes slices of a ledger again, each on the state as it was before it, in workers beside the audit's pass.

What stands in the journal is only believed if the envelopes and the rules give the very same bytes.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import takewhile
from multiprocessing import connection
from pathlib import Path
from typing import Final

import msgspec

from hansa.contracts import schedules
from hansa.contracts.calls import Execution
from hansa.governance import exclusion as governance_exclusion
from hansa.governance import genesis as governance_genesis
from hansa.governance.directory import Directory, Sender
from hansa.merkle.tiles import Tiles
from hansa.node import apply
from hansa.node.apply import Tip, View, tip_after
from hansa.node.recovery import load_directory
from hansa.node.workers import Lost, Worker
from hansa.store.files import Disk
from hansa.store.journal import Location, Segments
from hansa.store.state import State
from hansa.wire import block, entry, genesis, scheduled, tick, transaction, writes
from hansa.wire.block import Block, Item
from hansa.wire.genesis import Genesis
from hansa.wire.problems import HansaError
from hansa.wire.transaction import Signed
from hansa.wire.writes import WriteSet

_FINDINGS_MAX: Final = 100
"""Told of one part of the ledger that is executed again."""


class Finding(msgspec.Struct, frozen=True):
    """Something that is not as it must be: what, and where."""

    code: str
    where: str
    detail: str


class Ledger(msgspec.Struct, frozen=True):
    """Where a slice is read from: the journal, the audit's own state, and genesis."""

    journal: Path
    state: Path
    document: bytes
    id: bytes


Result = tuple[int, list[Finding]]
"""How many entries were executed, and what was found."""
Digested = Mapping[int, bytes]
"""The envelopes of snapshots, by the height of the block that ends with each."""


class Executor:
    """Hands slices to workers, at most so many at a time."""

    def __init__(self, ledger: Ledger, workers: int) -> None:
        self._ledger = ledger
        self._workers = [Worker() for _ in range(max(workers, 1))]
        self._busy: list[tuple[Worker, Tip]] = []

    def execute(self, first: Tip, places: list[Location], digested: Digested) -> Iterator[Result]:
        """Hands out a slice. Afterwards its worker holds the state as it is now; yields what earlier slices gave.

        `digested` has the envelopes of the snapshots whose entries stand in it.
        """
        while len(self._busy) == len(self._workers):
            yield from self._received()
        busy = {id(worker) for worker, _ in self._busy}
        worker = next(worker for worker in self._workers if id(worker) not in busy)
        try:
            worker.begin(execute_slice, self._ledger, first, places, digested)
            worker.wait_for_signal()
        except Lost as lost:
            yield _not_executed(first, lost)
        else:
            self._busy.append((worker, first))

    def finish(self) -> Iterator[Result]:
        """Waits for the slices that are out."""
        while self._busy:
            yield from self._received()

    def stop(self) -> None:
        """Ends the workers, whatever they are at."""
        for worker in self._workers:
            worker.stop()

    def _received(self) -> Iterator[Result]:
        ready = connection.wait([worker.pipe for worker, _ in self._busy if worker.pipe is not None])
        for worker, first in [pair for pair in self._busy if pair[0].pipe in ready]:
            self._busy.remove((worker, first))
            try:
                yield worker.result()
            except Lost as lost:
                yield _not_executed(first, lost)


def _not_executed(first: Tip, lost: Lost) -> Result:
    return 0, [Finding("audit.executed", f"entry {first.size} and on", f"not executed: {lost}")]


def execute_slice(
    opened: Callable[[], None], ledger: Ledger, first: Tip, places: list[Location], digested: Digested
) -> Result:
    """Executes the blocks at `places` again, which go on from `first`, on the state as it is now.

    `opened` is called when the state is held: the caller may change it then, this slice goes on seeing it as it was.
    """
    decoded = genesis.decode(ledger.document)
    directory = Directory(governance_genesis.members_program(decoded))
    state = State(ledger.state, directory.indexes_of, readonly=True)
    segments = Segments(Disk(), ledger.journal, ledger.id)
    try:
        load_directory(directory, state)
        opened()
        findings: list[Finding] = []
        executed, tip, view = 0, first, View(state, directory.indexes_of)
        for place in places:
            found = block.decode(segments.read(place))
            if tip.size:
                findings += _execute_block(found, tip, view, directory, digested.get(found.header.height))
            else:
                findings += _execute_genesis(found, decoded, ledger, directory, view)
            executed += len(found.items)
            tip = tip_after(found.header)
        return executed, findings[:_FINDINGS_MAX]
    finally:
        segments.close()
        state.close()


def _execute_genesis(found: Block, decoded: Genesis, ledger: Ledger, directory: Directory, view: View) -> list[Finding]:
    """What is wrong with the first block, which follows from the genesis document to the last byte."""
    made = apply.apply_genesis(ledger.document, decoded, ledger.id, directory, Tiles(0, _no_rows))
    view.write(0, made.entered[0].writes)
    if found == made.block:
        return []
    return [Finding("audit.executed", "entry 0", "the first block is not what the genesis document gives")]


def _execute_block(
    found: Block, tip: Tip, view: View, directory: Directory, digested: bytes | None = None
) -> list[Finding]:
    """What is wrong with a block. What its entries wrote counts for those behind them, wrong or not."""
    findings: list[Finding] = []
    if digested is not None:
        found = _check_snapshot(found, digested, findings)
    limits = directory.limits
    senders = [_read(item, directory) for item in found.items]  # before what is due, which may end a key
    derived = _check_derived(found, tip, view, directory, findings)
    rest, given = found.items[derived:], senders[derived:]
    for seq, (item, one) in enumerate(zip(rest, given, strict=True), tip.size + derived):
        written = writes.decode(item.writes)
        try:
            if isinstance(one, HansaError):
                raise one
            again = _execute(*one, written, tip, seq, found.header.time, view, directory)
            if again.writes != item.writes or again.outcome != item.outcome:
                raise HansaError(
                    "audit.executed", f"executed again, the action gives another {_differing(item, again)}"
                )
        except HansaError as error:
            findings.append(Finding(error.code, f"entry {seq}", error.detail))
        view.write(seq, written)
        directory.apply(seq, written)
    read = [one[0] for one in given if not isinstance(one, HansaError)]
    size = sum(len(signed.envelope) for signed in read)
    steps = sum(signed.transaction.steps_max for signed in read)
    if rest and not apply.is_within_limits(len(rest), size, steps, limits):
        where = f"block {found.header.height}, entry {tip.size} and on"
        findings.append(Finding("batch.void", where, "it is beyond the limits of a block"))
    return findings


def _check_derived(found: Block, tip: Tip, view: View, directory: Directory, findings: list[Finding]) -> int:
    """Checks what ledger time took, the tick behind it, and what the order proved: they come first. How many."""
    time = found.header.time
    expected = apply.due(view, time, directory.limits.scheduled_entries)
    for number, stored in enumerate(expected):
        seq = tip.size + number
        item = found.items[number] if number < len(found.items) else None
        if item is None or item.kind != entry.SCHEDULED:
            findings.append(Finding("audit.executed", f"entry {seq}", "what was due by then was not taken"))
            return number
        envelope = apply.scheduled_envelope(tip.ledger, stored.value)
        id, written = scheduled.id_of(envelope), writes.decode(item.writes)
        stopped = _excluded(written, tip, id, schedules.read(stored.value).contract, directory)
        ran = apply.execute_scheduled(stored, time, seq, view, directory, stopped)
        again = apply.make_item(entry.SCHEDULED, id, envelope, ran, time)
        if again != item:
            detail = f"what was due, taken again, gives another {_differing(item, again)}"
            findings.append(Finding("audit.executed", f"entry {seq}", detail))
        view.write(seq, written)
        directory.apply(seq, written)
    count = len(expected)
    if count and count < len(found.items) and found.items[count].kind == entry.TICK:
        item = found.items[count]
        try:
            if item != apply.tick_item(tick.read(item.envelope), tip, time, directory):
                raise HansaError("audit.executed", "this tick does not count here")
        except HansaError as error:
            findings.append(Finding(error.code, f"entry {tip.size + count}", error.detail))
        count += 1
    proved = list(takewhile(lambda item: item.kind == entry.EVIDENCE, found.items[count:]))
    for seq, item in enumerate(proved, tip.size + count):
        try:
            position = found.header.position
            if item != apply.evidence_item(item.envelope, tip.ledger, seq, position, time, directory):
                raise HansaError("audit.executed", "this evidence has no place here")
        except HansaError as error:
            findings.append(Finding(error.code, f"entry {seq}", error.detail))
    return count + len(proved)


def _check_snapshot(found: Block, digested: bytes, findings: list[Finding]) -> Block:
    """Checks that a block ends with the entry of a snapshot; the block without it."""
    header, last = found.header, found.items[-1]
    if last == apply.snapshot_item(digested, header.time):
        return Block(header, found.items[:-1])
    told = "the block does not end with the digest of the state as it was then"
    findings.append(Finding("audit.executed", f"entry {header.seq + header.count - 1}", told))
    return Block(header, found.items[:-1]) if last.kind == entry.SNAPSHOT else found


def _read(item: Item, directory: Directory) -> tuple[Signed, Sender | None] | HansaError:
    """The transaction of an entry, and who sent it as of the state before its block; or why it is none."""
    if item.kind not in entry.SIGNED:
        return HansaError("block.form", f"an entry of kind {item.kind} has no place here")
    try:
        signed = transaction.read(item.envelope)
    except HansaError as error:
        return error
    if item.kind != apply.kind_of(signed):
        return HansaError("block.form", f"an entry of kind {item.kind} with another envelope")
    return signed, directory.senders.get(signed.kid)


def _execute(
    signed: Signed,
    sender: Sender | None,
    written: WriteSet,
    tip: Tip,
    seq: int,
    time: int,
    view: View,
    directory: Directory,
) -> Item:
    """The item that the rules give for a transaction. Raises `HansaError` if it should have no entry at all."""
    reason = apply.skip_reason(signed, sender, tip, time, directory)
    if reason or sender is None:
        raise HansaError(reason)
    if not sender.key.verify_exactly(signed.signature, signed.structure):
        raise HansaError("signature.invalid")
    stopped = _excluded(written, tip, signed.id, signed.transaction.contract, directory)
    ran = stopped or apply.execute(signed, sender, time, seq, view, directory)
    return apply.make_item(apply.kind_of(signed), signed.id, signed.envelope, ran, time)


def _excluded(written: WriteSet, tip: Tip, id: bytes, contract: str, directory: Directory) -> Execution | None:
    """What stands for running what members excluded, by the statements that its entry wrote.

    None if they are not enough: then it is run, and what it gives is not what stands there. Whether a node did run
    what is excluded here nobody can tell, but no entry is excluded without them.
    """
    try:
        statements = governance_exclusion.written(written)
    except HansaError:
        return None
    return apply.excluded(statements, tip.ledger, id, contract, directory)


def _differing(found: Item, again: Item) -> str:
    """What of an entry is not as executing it gives it, by the names of the outcome's fields."""
    theirs, ours = entry.decode_outcome(found.outcome), entry.decode_outcome(again.outcome)
    names = [name for name in ours.__struct_fields__ if getattr(theirs, name) != getattr(ours, name)]
    return ", ".join(names) or "encoding of the outcome"


def _no_rows(row: int, begin: int, end: int) -> bytes:
    raise AssertionError
