"""Runs one entry of a real ledger again, on the records as they were then, and shows every step of it.

Reads the journal from its beginning, also beside a node that writes it: what earlier entries wrote stands there, so
only the one entry is run. Nothing in the folder is changed.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from hansa.contracts import program
from hansa.contracts.calls import Call, Execution, Host, Reader
from hansa.contracts.checked import Checked
from hansa.contracts.manifest import Manifest
from hansa.contracts.program import Program
from hansa.contracts.specification import transaction as specification
from hansa.contracts.tracing import Step, Trace
from hansa.contracts.values import Cache
from hansa.governance import genesis as governance_genesis
from hansa.governance import sequel
from hansa.governance.directory import Directory, Sender
from hansa.node import apply
from hansa.node.apply import View
from hansa.store import journal
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.store.journal import Scan, Segments
from hansa.testing.forms import Written
from hansa.testing.memory import Memory
from hansa.wire import block, cbor, entry, genesis, scheduled, transaction, writes
from hansa.wire.block import Block, Item
from hansa.wire.problems import HansaError

_ANOTHER: Final = "Name an entry that ran one; `hansa tx show SEQ` shows what an entry is."


class Replayed(msgspec.Struct, frozen=True):
    """An entry that was run again: the call, what came of it, and every step. `height` is its block's.

    `manifests` are those of all contracts, by name, in the versions that decided about it.
    """

    seq: int
    height: int
    call: Call
    ran: Execution
    steps: list[Step]
    manifests: dict[str, Manifest]


def replay(root: Path, seq: int, tell: Callable[[int], None]) -> Replayed:
    """Runs the entry `seq` of the ledger in a folder again; `tell` is given the entries read so far.

    Raises `HansaError`: `folder.none`, `folder.format`, `entry.unknown`, `argument.value` for an entry that ran
    nothing, `audit.executed` if running it gives another outcome than stands there, and what the journal raises.
    """
    files = Disk()
    folder = Folder(root)
    folder.check_format(files)
    ledger = journal.read_ledger(files, folder.journal)
    segments = Segments(files, folder.journal, ledger)
    directory: Directory | None = None
    memory: Memory | None = None
    members = ""
    try:
        for _, blocks in Scan(segments, beside_writer=True):
            for data, _ in blocks:
                found = block.decode(data)
                if directory is None or memory is None:
                    first = genesis.decode(found.items[0].envelope)
                    members = first.members_contract
                    directory = Directory(governance_genesis.members_program(first))
                    memory = Memory(directory.indexes_of)
                if found.header.seq + len(found.items) > seq:
                    return _again(found, seq, memory, directory, members)
                for number, item in enumerate(found.items, found.header.seq):
                    written = writes.decode(item.writes)
                    memory.write(number, written)
                    directory.apply(number, written)
                tell(found.header.seq + len(found.items))
    finally:
        segments.close()
    raise HansaError("entry.unknown", f"there is no entry {seq} yet")


def _again(found: Block, seq: int, memory: Memory, directory: Directory, members: str) -> Replayed:
    """The entry of a block, run on the state before it: what stood before the block, and its earlier entries."""
    senders = dict(directory.senders)
    view = View(memory, directory.indexes_of)
    for number, item in enumerate(found.items[: seq - found.header.seq], found.header.seq):
        written = writes.decode(item.writes)
        view.write(number, written)
        directory.apply(number, written)
    files, sources = _forms(view, members)
    item = found.items[seq - found.header.seq]
    watching = Trace(sources)
    calls: list[Call] = []

    def run(call: Call, host: Host[Program], reader: Reader, steps: int, cache: Cache | None) -> Execution:
        calls.append(call)
        return specification.run(call, Written(host, files), reader, steps, watching)

    view.run = partial(sequel.run, plain=run)
    ran = _run(item, seq, found.header.time, view, directory, senders)
    if not calls:
        raise HansaError("argument.value", f"entry {seq} ran no action: its code is {ran.code}", remedy=_ANOTHER)
    if ran.error is not None:
        raise HansaError("contract.internal", f"entry {seq}: {type(ran.error).__name__}") from ran.error
    again = apply.make_item(item.kind, item.id, item.envelope, ran, found.header.time)
    if again != item:
        raise HansaError("audit.executed", f"run again, entry {seq} gives another outcome than stands in the ledger")
    manifests = {name: one.manifest for name, one in directory.programs.items()}
    return Replayed(seq, found.header.height, calls[0], ran, watching.steps(ran), manifests)


def _run(item: Item, seq: int, time: int, view: View, directory: Directory, senders: dict[bytes, Sender]) -> Execution:
    """Runs what an entry says, as `node.apply` does."""
    if item.kind in entry.SIGNED:
        signed = transaction.read(item.envelope)
        return apply.execute(signed, senders[signed.kid], time, seq, view, directory)
    if item.kind == entry.SCHEDULED:
        ledger = scheduled.read(item.envelope).ledger
        for stored in apply.due(view, time, directory.limits.scheduled_entries):
            if apply.scheduled_envelope(ledger, stored.value) == item.envelope:
                return apply.execute_scheduled(stored, time, seq, view, directory)
    raise HansaError("argument.value", f"entry {seq} is of kind {item.kind}: it runs no action", remedy=_ANOTHER)


def _forms(view: View, members: str) -> tuple[dict[bytes, Checked], dict[bytes, str]]:
    """The written form and the text of every file on the ledger, by SHA-256: the directory keeps neither."""
    own = governance_genesis.CONTRACT
    first = program.check(members, own, system=True)
    files, sources = {first.digest: first}, {first.digest: members}
    libraries: dict[bytes, Checked] = {}
    for record, field in governance_genesis.FILES.items():
        rows = view.select(own, record, None, None, None, sys.maxsize)
        for _, stored in sorted(rows, key=lambda row: row[1].seq):
            value = cbor.decode(stored.value)
            source = value["source"]
            name = value.get(field, governance_genesis.CONSTITUTION)
            checked = program.check(source, name, libraries)
            files[checked.digest], sources[checked.digest] = checked, source
            if record == "Library":
                libraries[checked.digest] = checked
    return files, sources
