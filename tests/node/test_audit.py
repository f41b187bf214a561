"""Audit: what is sound passes with every count right; what is not is found, with its place, and nothing is changed.

A falsifier here is the operator of the only node: everything that follows from what was falsified (hashes, roots,
chain, checksums, checkpoints under the real key, state, tree) is made right again.
"""

import contextlib
import hashlib
import multiprocessing
import shutil
import struct

import lmdb
import msgspec
import pytest
from tests.node.chain import JOBS
from tests.node.conftest import Ledger, SetClock, run

from hansa.client import keys as key_files
from hansa.client import transactions
from hansa.merkle import checkpoint as merkle_checkpoint
from hansa.merkle import receipt
from hansa.merkle.tiles import Tiles
from hansa.merkle.tree import leaf_hash
from hansa.node import audit as audit_module
from hansa.node import node as node_module
from hansa.node import reexecution
from hansa.node import workers as worker_module
from hansa.node.audit import audit
from hansa.node.create import CHECKPOINT_KEY, NODE_KEY
from hansa.node.node import open_node
from hansa.node.recovery import open_stopped, recover
from hansa.node.workers import Worker
from hansa.store import journal
from hansa.store.checkpoints import RECORD_BYTES, Checkpoints
from hansa.store.checksum import crc32c
from hansa.store.files import Disk
from hansa.store.journal import Scan, Segments, Writer, segment_name
from hansa.wire import block, cbor, cose, entry, evidence, scheduled, tick, writes
from hansa.wire.block import Block
from hansa.wire.genesis import Limits
from hansa.wire.problems import HansaError

ENTRIES = 311
SLICE = 150  # entries, so that the history is three slices


@pytest.fixture(scope="module")
def lasting_workers():
    """Workers whose processes outlive an audit: starting one costs more than most audits here."""
    idle = []

    class Lasting(Worker):
        is_busy = False

        def begin(self, function, *arguments):
            if self.pipe is None and idle:
                self._process, self.pipe = idle.pop()
            self.is_busy = True
            super().begin(function, *arguments)

        def result(self):
            found = super().result()
            self.is_busy = False
            return found

        def stop(self):
            if self.pipe is not None and not self.is_busy:
                idle.append((self._process, self.pipe))
                self._process = self.pipe = None
            super().stop()

    yield Lasting
    for process, pipe in idle:
        process.kill()
        process.join()
        pipe.close()


@pytest.fixture
def audited(lasting_workers, monkeypatch):
    """`audited(ledger)`: the report; the folder was left as it was."""
    monkeypatch.setattr(audit_module, "Worker", lasting_workers)
    monkeypatch.setattr(reexecution, "Worker", lasting_workers)
    monkeypatch.setattr(audit_module, "SLICE_ENTRIES", SLICE)

    def run(ledger, at_least=(), workers=1):
        before = everything(ledger.root)
        try:
            return audit(ledger.root, at_least, workers=workers)
        finally:
            assert everything(ledger.root) == before
            assert not list(ledger.root.parent.glob("hansa-audit-*"))

    return run


def everything(root):
    """Each file and folder with its bytes, mode and time of change."""
    found = {}
    for path in sorted(root.rglob("*")):
        about = path.lstat()
        data = hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b""
        found[str(path)] = about.st_mode, about.st_size, about.st_mtime_ns, data
    return found


def found(report):
    """The findings as pairs of code and place."""
    return {(finding.code, finding.where) for finding in report.findings}


@contextlib.contextmanager
def editing(path):
    """A file's bytes, to be changed in place."""
    data = bytearray(path.read_bytes())
    yield data
    path.write_bytes(data)


# A sound ledger


def test_a_sound_ledger_passes_with_every_count_right(history, audited):
    segments = Segments(Disk(), history.folder.journal, history.id)
    blocks = blocks_of(history)
    assert segments.count >= 2
    assert len(blocks) > 20
    told = []
    report = audit(history.root, progress=told.append, workers=1)
    assert report.findings == report.notes == []
    assert report.is_sound
    assert (report.ledger, report.name) == (history.id.hex(), "History")
    assert (report.entries, report.executed, report.blocks) == (ENTRIES, ENTRIES, len(blocks))
    assert report.root == blocks[-1].header.root.hex()
    assert report.checkpoints == (history.root / "checkpoints").stat().st_size // RECORD_BYTES > 1
    assert told == sorted(told)
    assert told[-1] == ENTRIES
    assert audited(history) == report


@pytest.mark.parametrize("slice_entries", [1, 10, 4_000])
@pytest.mark.parametrize("workers", [1, 3])
def test_slices_of_any_size_on_any_number_of_cores_give_the_same(history, audited, monkeypatch, workers, slice_entries):
    monkeypatch.setattr(audit_module, "SLICE_ENTRIES", slice_entries)
    report = audited(history, workers=workers)
    assert (report.findings, report.executed) == ([], ENTRIES)


def test_a_ledger_that_was_never_started(make_ledger, audited):
    ledger = make_ledger(deployed=False)
    report = audited(ledger)
    assert (report.findings, report.entries, report.blocks, report.executed) == ([], 0, 0, 0)
    assert len(report.notes) == 2
    ledger.folder.genesis.unlink()
    assert found(audited(ledger)) == {("genesis.lost", "at the beginning")}


def test_what_is_derived_may_be_missing(history, audited):
    shutil.rmtree(history.folder.state)
    shutil.rmtree(history.folder.tiles)
    report = audited(history)
    assert (report.findings, report.executed) == ([], ENTRIES)
    assert report.notes == [
        "there is no state; a node rebuilds it",
        "there are no hashes of the tree; a node rebuilds them",
    ]


def test_a_state_behind_the_journal_is_sound(history, play, audited):
    """What a killed node leaves: a state that has not seen the last entries."""
    shutil.copytree(history.folder.state, history.root.parent / "state")
    play(history, lambda session: session.submit_all([history.idle() for _ in range(3)]))
    shutil.rmtree(history.folder.state)
    shutil.move(history.root.parent / "state", history.folder.state)
    report = audited(history)
    assert (report.findings, report.entries) == ([], ENTRIES + 3)


def test_a_torn_last_unit_that_nothing_has_seen_is_a_note(history, audited):
    with open_stopped(history.root) as parts:
        end = parts.end
    with editing(segment(history, end.segment)) as data:
        data[end.offset : end.offset + 4] = b"HJU\0"
    report = audited(history)
    assert (report.findings, report.entries) == ([], ENTRIES)
    (note,) = report.notes
    assert f"{segment_name(end.segment)}, byte {end.offset}" in note
    assert "nothing in it was answered" in note


def test_a_worker_starts_afresh(history, monkeypatch):
    """As it does for whoever audits; the workers of all other tests come from a process that has imported all."""
    monkeypatch.setattr(worker_module, "START", "spawn")
    report = audit(history.root, workers=1)
    assert (report.is_sound, report.entries) == (True, ENTRIES)


def test_no_process_and_no_file_is_left(history, monkeypatch):
    before = set(history.root.parent.iterdir())
    children = set(multiprocessing.active_children())
    assert audit(history.root, workers=2).is_sound
    monkeypatch.setattr(audit_module, "FINDINGS_MAX", 3)
    blocks = blocks_of(history)
    for position in range(2, len(blocks)):
        blocks[position] = with_item(blocks[position], 0, unsigned)
    rewrite(history, blocks)
    report = audit(history.root, workers=2)
    assert len(report.findings) == 3
    assert report.notes[-1] == "the audit ended with its 3th finding; there may be more"

    def interrupted(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        audit(history.root, progress=interrupted)
    assert set(multiprocessing.active_children()) == children
    assert set(history.root.parent.iterdir()) == before


def test_a_worker_that_dies_is_a_finding(history, monkeypatch):
    """Not executed is not sound, and the audit goes on."""
    monkeypatch.setattr(audit_module, "SLICE_ENTRIES", SLICE)
    others = set(multiprocessing.active_children())
    killed = set()

    def kill(entries):
        for child in set(multiprocessing.active_children()) - others if entries > 100 and not killed else ():
            child.kill()
            killed.add(child)

    report = audit(history.root, progress=kill, workers=1)
    assert killed
    assert {code for code, _ in found(report)} <= {"audit.executed", "state.unreadable"}
    assert any("not executed: the process that was at it died" in finding.detail for finding in report.findings)
    assert report.entries == ENTRIES
    assert 0 < report.executed < ENTRIES


# Not beside a node


def test_not_beside_a_running_node(history, play, audited, refused):
    async def scenario(session):
        with refused("folder.locked"):
            audit(history.root)

    play(history, scenario)


def test_no_node_starts_beside_an_audit_but_another_audit_does(history, refused):
    seen = []

    def progress(entries):
        if not seen:
            seen.append(audit(history.root, workers=1))
            with refused("folder.locked"):
                open_node(history.root)

    assert audit(history.root, progress=progress, workers=1) == seen[0]
    assert seen[0].is_sound


# An operator who holds the checkpoint key rewrites history


def segment(ledger, number=0):
    return ledger.folder.journal / segment_name(number)


def units_of(ledger):
    """Where each unit starts."""
    segments = Segments(Disk(), ledger.folder.journal, ledger.id)
    try:
        return [position for position, _ in Scan(segments)]
    finally:
        segments.close()


def blocks_of(ledger):
    segments = Segments(Disk(), ledger.folder.journal, ledger.id)
    try:
        return [block.decode(data) for _, blocks in Scan(segments) for data, _ in blocks]
    finally:
        segments.close()


def resealed(blocks):
    """The blocks with headers that fit what is in them and one another."""
    tree = Tiles(0, lambda *_: b"")
    made, previous = [], block.GENESIS_PREVIOUS
    for height, one in enumerate(blocks):
        seq = tree.size
        for item in one.items:
            tree.append(leaf_hash(entry.make(item.kind, item.id, item.envelope, item.outcome)))
        fields = {"height": height, "seq": seq, "count": len(one.items), "previous": previous, "root": tree.root()}
        header = msgspec.structs.replace(one.header, **fields)
        previous = block.header_digest(header)
        made.append(Block(header, one.items))
    return made


def write_journal(ledger, units):
    """A new journal of these units, each a list of blocks' bytes, and nothing derived."""
    shutil.rmtree(ledger.folder.journal)
    for folder in (ledger.folder.state, ledger.folder.tiles):
        shutil.rmtree(folder, ignore_errors=True)
    ledger.folder.checkpoints.unlink(missing_ok=True)
    journal.create(Disk(), ledger.folder.journal, ledger.id)
    writer = Writer(Disk(), ledger.folder.journal, ledger.id, journal.START)
    for unit in units:
        writer.append(unit)
    writer.close()


def rewrite(ledger, blocks, *, reseal=True, rebuild=True):
    """Writes history anew; a node would take it for its own, so it signs checkpoints and rebuilds what is derived."""
    made = resealed(blocks) if reseal else blocks
    write_journal(ledger, [[block.encode(one)] for one in made])
    if rebuild:
        sign_heads(ledger, made)
        recover(Disk(), ledger.folder).close()
    return made


def sign_heads(ledger, blocks, change=lambda head: head):
    """A checkpoint for every fifth block and the last, under the real key; `change` may alter them."""
    signer = key_files.load(ledger.folder.keys / CHECKPOINT_KEY)
    ledger.folder.checkpoints.unlink(missing_ok=True)
    stored = Checkpoints(Disk(), ledger.folder.checkpoints, ledger.id)
    for one in [*blocks[:-1][::5], blocks[-1]]:
        header = one.header
        size = header.seq + header.count
        stored.append(change(merkle_checkpoint.sign(ledger.id, size, header.time, header.root, signer)))
    stored.sync()
    stored.close()


def place_of(blocks, seq):
    """Where an entry stands: the index of its block, and its own in it."""
    height = max(i for i, one in enumerate(blocks) if one.header.seq <= seq)
    return height, seq - blocks[height].header.seq


def with_item(one, index, change):
    items = list(one.items)
    items[index] = change(items[index])
    return Block(one.header, items)


def falsify(ledger, seq, change):
    """History as it was but for one item."""
    blocks = blocks_of(ledger)
    height, index = place_of(blocks, seq)
    blocks[height] = with_item(blocks[height], index, change)
    return blocks


def outcome_of(item):
    return entry.decode_outcome(item.outcome)


def with_outcome(item, **fields):
    outcome = entry.encode_outcome(**{**msgspec.structs.asdict(outcome_of(item)), **fields})
    return msgspec.structs.replace(item, outcome=outcome)


def with_writes(item, change):
    """The item with another write set, its digest put right."""
    written = writes.encode([change(write) for write in writes.decode(item.writes)])
    return msgspec.structs.replace(with_outcome(item, writes=writes.digest(written)), writes=written)


def with_value(write, **fields):
    """The write with other fields of its record."""
    value = cbor.encode({**cbor.decode(write.value), **fields})
    return writes.make(write.contract, write.record, write.key, value, write.previous)


def with_envelope(item, envelope):
    """The item with another envelope, its id put right."""
    return msgspec.structs.replace(item, envelope=envelope, id=cose.id_of(envelope))


def unsigned(item):
    """The item with one bit of its signature turned."""
    return msgspec.structs.replace(item, envelope=item.envelope[:-1] + bytes((item.envelope[-1] ^ 1,)))


def other_amount(item):
    """The payload changed, as who holds no member's key can."""
    parts = cose.split(item.envelope)
    payload = cbor.decode(parts.payload)
    payload["arguments"]["amount"] += 1
    return with_envelope(item, cose.join(parts.protected, cbor.encode(payload), parts.signature))


FALSE_ITEMS = {
    "an outcome says applied": (10, lambda i: with_outcome(i, status="applied", code="ok"), "audit.executed"),
    "an outcome says refused": (307, lambda i: with_outcome(i, status="refused", code="no"), "audit.executed"),
    "a refusal gives another reason": (10, lambda i: with_outcome(i, result=None), "audit.executed"),
    "a result": (307, lambda i: with_outcome(i, result=1), "audit.executed"),
    "an event": (307, lambda i: with_outcome(i, events=[]), "audit.executed"),
    "the steps": (307, lambda i: with_outcome(i, steps=outcome_of(i).steps + 1), "audit.executed"),
    "the time in an outcome": (307, lambda i: with_outcome(i, time=outcome_of(i).time + 1), "audit.executed"),
    "the version that ran": (307, lambda i: with_outcome(i, contract="9.9.9"), "audit.executed"),
    "the dialect": (307, lambda i: with_outcome(i, dialect=7), "audit.executed"),
    "a record's value": (307, lambda i: with_writes(i, lambda w: with_value(w, value=1_000_000)), "audit.executed"),
    "an indexed field": (307, lambda i: with_writes(i, lambda w: with_value(w, owner="bolt")), "audit.executed"),
    "a key's owner": (
        0,
        lambda i: with_writes(i, lambda w: with_value(w, name="Other") if w.record == "Member" else w),
        "audit.executed",
    ),
    "a signature": (307, unsigned, "signature.invalid"),
    "an argument": (307, other_amount, "signature.invalid"),
}


@pytest.mark.parametrize(("seq", "change", "code"), FALSE_ITEMS.values(), ids=FALSE_ITEMS)
def test_a_changed_item_is_found_where_it_stands(history, audited, seq, change, code):
    rewrite(history, falsify(history, seq, change))
    report = audited(history, workers=2)
    assert found(report) == {(code, f"entry {seq}")}
    assert report.executed == report.entries == ENTRIES


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda i: with_outcome(i, status="refused", code="no"), "another status, code"),
        (lambda i: with_outcome(i, steps=1), "another steps"),
        (lambda i: with_writes(i, lambda w: with_value(w, value=1)), "another writes"),
        (lambda i: msgspec.structs.replace(i, outcome=i.outcome), ""),
    ],
)
def test_it_is_said_what_differs(history, audited, change, words):
    rewrite(history, falsify(history, 307, change))
    details = [finding.detail for finding in audited(history).findings]
    assert details == ([f"executed again, the action gives {words}"] if words else [])


def test_a_false_balance_is_found_at_its_root_even_if_all_that_follows_fits_it(history, audited):
    """From entry 100 on, note b has 20,000 more, in every write: only where it came from is no action's result.

    The numbers are encoded as long as those before, so that no step changes.
    """
    blocks = blocks_of(history)
    for height, one in enumerate(blocks):
        for index in range(len(one.items)):
            if 100 <= one.header.seq + index <= 304:
                blocks[height] = with_item(
                    blocks[height], index, lambda i: with_writes(with_events(i), twenty_thousand_more)
                )
    rewrite(history, blocks)
    assert found(audited(history)) == {("audit.executed", "entry 100")}


def twenty_thousand_more(write):
    return with_value(write, value=cbor.decode(write.value)["value"] + 20_000)


def with_events(item):
    events = outcome_of(item).events
    for event in events:
        event["data"]["value"] += 20_000
    return with_outcome(item, events=events)


def test_the_first_block_follows_from_the_genesis_document(history, audited):
    blocks = blocks_of(history)
    late = Block(msgspec.structs.replace(blocks[0].header, time=blocks[0].header.time + 1), blocks[0].items)
    rewrite(history, [late, *blocks[1:]])
    assert found(audited(history)) == {("audit.executed", "entry 0")}

    renamed = with_item(blocks[0], 0, lambda item: msgspec.structs.replace(item, id=bytes(32)))
    rewrite(history, [renamed, *blocks[1:]])
    assert found(audited(history)) == {("audit.executed", "entry 0")}

    both = Block(blocks[0].header, [*blocks[0].items, *blocks[1].items])
    rewrite(history, [both, *blocks[2:]])
    assert ("audit.executed", "entry 0") in found(audited(history))


def test_another_genesis_is_not_this_ledgers(history, audited):
    rewrite(
        history,
        falsify(history, 0, lambda item: msgspec.structs.replace(item, envelope=item.envelope[:-1] + b"x")),
        rebuild=False,
    )
    assert found(audited(history)) == {("genesis.lost", "at the beginning")}


def test_an_id_that_is_not_its_envelopes(history, audited):
    rewrite(history, falsify(history, 30, lambda item: msgspec.structs.replace(item, id=bytes(32))))
    assert found(audited(history)) == {("verify.id", "entry 30")}


def test_an_envelope_that_is_none(history, audited):
    rewrite(history, falsify(history, 30, lambda i: msgspec.structs.replace(i, envelope=b"\xd2")), rebuild=False)
    assert ("envelope.form", "entry 30") in found(audited(history))


# The rules of what gets an entry


def entered(history, envelope, time=None):
    """History with an entry more, in a block of its own, whose outcome is as for an unknown contract."""
    blocks = blocks_of(history)
    last = blocks[-1]
    time = last.header.time if time is None else time
    item = with_outcome(with_envelope(last.items[-1], envelope), time=time)
    return [*blocks, Block(msgspec.structs.replace(last.header, time=time), [item])]


def prepared(history, key=None, ledger=None, **options):
    """The envelope of an idle transaction: for an unknown contract, so that its outcome is easily told."""
    key = key or history.keys["acme"]
    return transactions.prepare(key, ledger or history.id, "nowhere", "nothing", {}, **options).envelope


def test_what_may_be_entered(history, audited):
    """That the entries below are false for one reason only."""
    rewrite(history, entered(history, prepared(history)))
    report = audited(history)
    assert (report.findings, report.entries) == ([], ENTRIES + 1)


def test_what_must_not_be_entered(history, audited):
    now = blocks_of(history)[-1].header.time
    stranger = key_files.generate("ed25519")
    for code, envelope in (
        ("sender.unknown", prepared(history, stranger)),
        ("sender.unknown", prepared(history, key_files.load(history.folder.keys / CHECKPOINT_KEY))),
        ("transaction.expired", prepared(history, not_after=now - 1)),
        ("transaction.too_far", prepared(history, not_after=now + 3_600_001)),
        ("transaction.ledger", prepared(history, ledger=bytes(32))),
        ("steps.limit", prepared(history, steps_max=1_000_000)),
    ):
        original = history.root.with_name("original")
        shutil.copytree(history.root, original)
        rewrite(history, entered(history, envelope))
        assert found(audited(history)) == {(code, f"entry {ENTRIES}")}
        shutil.rmtree(history.root)
        original.rename(history.root)


def test_an_envelope_of_another_content_type(history, audited):
    parts = cose.split(prepared(history))
    rewrite(history, entered(history, cose.seal(history.keys["acme"], "application/other", parts.payload)))
    assert found(audited(history)) == {("envelope.content_type", f"entry {ENTRIES}")}


def test_a_transaction_that_is_entered_twice(history, audited):
    """At once, in the next block, and long after: each time the signature is good."""
    blocks = blocks_of(history)
    last = blocks[-1]
    for again in (
        [*blocks[:-1], Block(last.header, [*last.items, last.items[-1]])],
        [*blocks, Block(last.header, [last.items[-1]])],
        entered(history, blocks[place_of(blocks, 20)[0]].items[place_of(blocks, 20)[1]].envelope),
    ):
        rewrite(history, again, rebuild=False)
        assert found(audited(history)) == {("transaction.duplicate", f"entry {ENTRIES}")}


def test_a_transaction_entered_again_after_the_window(history, audited):
    """Its id is forgotten, but its time has passed."""
    blocks = blocks_of(history)
    idle = blocks[-1].items[-1]
    late = blocks[-1].header.time + 2 * 3_600_000
    filler = prepared(history, not_after=late + 1)
    blocks = entered(history, filler, late)
    blocks.append(Block(blocks[-1].header, [with_outcome(idle, time=late)]))
    rewrite(history, blocks)
    assert found(audited(history)) == {("transaction.expired", f"entry {ENTRIES + 1}")}


def test_a_second_genesis(history, audited):
    blocks = blocks_of(history)
    genesis = with_outcome(msgspec.structs.replace(blocks[0].items[0], writes=writes.EMPTY), writes=writes.EMPTY_DIGEST)
    rewrite(history, [*blocks, Block(blocks[-1].header, [genesis])])
    assert found(audited(history)) == {("block.form", f"entry {ENTRIES}")}


def test_a_block_beyond_the_limits(make_ledger, play, audited):
    ledger = make_ledger(limits=Limits(block_entries=2, transaction_steps=100_000, block_steps=150_000))
    play(ledger, lambda session: session.submit_all([ledger.idle(steps_max=60_000) for _ in range(2)]))
    assert audited(ledger).is_sound
    blocks = blocks_of(ledger)

    def joined(count, steps):
        """The last entries in one block."""
        items = []
        for _ in range(count):
            envelope = transactions.prepare(
                ledger.keys["acme"], ledger.id, "nowhere", "nothing", {}, steps_max=steps
            ).envelope
            items.append(with_outcome(with_envelope(blocks[-1].items[-1], envelope), time=blocks[-1].header.time))
        return [*blocks, Block(blocks[-1].header, items)]

    where = f"block {len(blocks)}, entry {blocks[-1].header.seq + blocks[-1].header.count} and on"
    for count, steps, findings in (
        (2, 70_000, set()),
        (2, 80_000, {("batch.void", where)}),
        (3, 10_000, {("batch.void", where)}),
    ):
        rewrite(ledger, joined(count, steps))
        assert found(audited(ledger)) == findings


def test_a_history_that_keeps_the_rules_needs_a_witness(history, audited, tmp_path):
    """Leaving out or reordering what nothing rests on breaks no rule: somebody's receipt or checkpoint shows it."""
    with open_stopped(history.root) as parts:
        reading = parts.reading()
        (tmp_path / "receipt").write_bytes(reading.receipt(ENTRIES - 1))
        (tmp_path / "checkpoint").write_bytes(receipt.bare(parts.checkpoints.last()))
    shutil.copytree(history.folder.state, tmp_path / "state")
    blocks = blocks_of(history)
    (first,), (second,) = blocks[-2].items, blocks[-1].items
    swapped = [
        *blocks[:-2],
        Block(blocks[-2].header, [with_outcome(second, time=blocks[-2].header.time)]),
        Block(blocks[-1].header, [with_outcome(first, time=blocks[-1].header.time)]),
    ]
    shorter = blocks[:-1]
    for rewritten, code in ((swapped, "journal.diverged"), (shorter, "journal.lost_tail")):
        rewrite(history, rewritten)
        assert audited(history).is_sound
        for name in ("receipt", "checkpoint", "state"):
            assert found(audited(history, [tmp_path / name])) == {(code, str(tmp_path / name))}


# Headers


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("root", bytes(32), "block.root"),
        ("previous", bytes(32), "block.chain"),
        ("ledger", bytes(32), "block.chain"),
        ("height", 5, "block.chain"),
        ("seq", 5, "block.chain"),
        ("time", 5, "block.chain"),
        ("count", 5, "block.form"),
        ("version", 5, "block.version"),
    ],
)
def test_a_header_that_does_not_fit(history, audited, field, value, code):
    """Where the chain breaks, what lies before it is judged, and what lies behind cannot be."""
    blocks = blocks_of(history)
    height, _ = place_of(blocks, 307)
    one = blocks[height]
    blocks[height] = Block(msgspec.structs.replace(one.header, **{field: value}), one.items)
    write_journal(history, [[block.encode(one)] for one in blocks])
    report = audited(history)
    assert found(report) == {(code, "behind entry 306")}
    assert report.findings[0].detail.endswith("; nothing behind it was judged")
    assert report.entries == report.executed == 307


def test_a_ledger_time_that_was_moved(history, audited):
    """The header's alone, and together with all that it went into."""
    blocks = blocks_of(history)
    height, _ = place_of(blocks, 12)
    one = blocks[height]
    time = one.header.time
    while blocks[height + 1].header.time == time:
        height += 1
        one = blocks[height]
    earlier = msgspec.structs.replace(one.header, time=time - 1)
    rewrite(history, [*blocks[:height], Block(earlier, one.items), *blocks[height + 1 :]], rebuild=False)
    codes = {code for code, _ in found(audited(history))}
    assert codes <= {"audit.executed", "block.chain"}
    assert codes

    late = blocks[-1].header.time + 2 * 3_600_000
    last = [with_outcome(item, time=late) for item in blocks[-1].items]
    rewrite(history, [*blocks[:-1], Block(msgspec.structs.replace(blocks[-1].header, time=late), last)])
    assert found(audited(history)) == {("transaction.expired", f"entry {ENTRIES - 1}")}


def test_a_write_set_that_its_outcome_does_not_commit_to(history, audited):
    rewrite(history, falsify(history, 307, lambda i: with_outcome(i, writes=bytes(32))), rebuild=False)
    assert found(audited(history)) == {("block.writes", "behind entry 306")}


def test_a_link_to_the_write_before(history, audited):
    def elsewhere(write):
        return writes.make(write.contract, write.record, write.key, write.value, 3)

    rewrite(history, falsify(history, 307, lambda item: with_writes(item, elsewhere)))
    assert found(audited(history)) == {("block.writes", "entry 307"), ("audit.executed", "entry 307")}


ANY_KEY = "k" * 64
MADE_UP = {
    "a record that nobody declared": (("nowhere", "Thing", "a", cbor.encode({"a": 1})), set()),
    "a key that is none": (("members", "Key", b"k", cbor.encode({"spki": b"x"})), {"block.writes"}),
    "a contract that is none": (
        ("members", "Version", "x@1.0.0", cbor.encode({"contract": "x", "source": "x ="})),
        {"block.writes"},
    ),
    "a library that is none": (
        ("members", "Library", bytes(32), cbor.encode({"digest": bytes(32), "name": "x", "source": "x ="})),
        {"block.writes"},
    ),
    "a schedule that says nothing": (
        ("members", "Schedule", b"s", cbor.encode({"due": 1})),
        set(),
    ),
    "a record that is no map": (("notes", "Note", "a", cbor.encode([1])), {"block.writes"}),
    "an index of any length": (
        ("notes", "Note", "long", cbor.encode({"name": "long", "owner": "o" * 500, "value": 0})),
        {"block.writes"},
    ),
}


@pytest.mark.parametrize(("fields", "codes"), MADE_UP.values(), ids=MADE_UP)
def test_records_that_no_action_can_have_written(history, audited, fields, codes):
    """Whatever stands in a write set, it is a finding and not a failure of the audit."""
    made = writes.encode([writes.make(*fields, None)])

    def made_up(item):
        return msgspec.structs.replace(with_outcome(item, writes=writes.digest(made)), writes=made)

    rewrite(history, falsify(history, 307, made_up), rebuild=False)
    report = audited(history)
    seen = {code for code, _ in found(report)}
    assert seen <= codes | {"audit.executed"}
    assert seen & (codes or {"audit.executed"})
    assert report.entries >= 307


UNITS = {
    "nothing": [b""],
    "no CBOR": [b"\xff" * 40],
    "no block": [b"\x80"],
    "a number": [b"\x01"],
    "an empty list": [b"\x82\x80\x80"],
    "no blocks at all": [],
}


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
@pytest.mark.parametrize("first", [True, False])
def test_units_that_hold_no_blocks(history, audited, unit, first):
    whole = [[block.encode(one)] for one in blocks_of(history)]
    with contextlib.suppress(HansaError):  # of the writer, which reads what it has written
        write_journal(history, [unit, *whole] if first else [*whole[:2], unit, *whole[2:]])
    report = audited(history)
    assert {where for _, where in found(report)} == {"at the beginning" if first else "behind entry 1"}


class Lying(bytes):
    """A block that says another length than it has."""

    said = 0

    def __len__(self):
        return self.said


@pytest.mark.parametrize(("block_bytes", "said"), [(b"abc", 9), (b"abc", 1), (b"abc", 2**29), (b"x\0\0", 1), (b"", 5)])
def test_a_unit_whose_lengths_do_not_add_up(history, audited, block_bytes, said):
    whole = [[block.encode(one)] for one in blocks_of(history)]
    lying = Lying(block_bytes)
    lying.said = said
    with contextlib.suppress(HansaError):  # of the writer, which reads what it has written
        write_journal(history, [*whole[:2], [lying]])
    report = audited(history)
    assert found(report) == {("journal.corrupt", "behind entry 1")}
    assert report.executed == 2


# Checkpoints


def heads_changed(ledger, change):
    """The ledger with checkpoints signed anew, the third one changed."""
    count = 0

    def changed(head):
        nonlocal count
        count += 1
        return change(head) if count == 3 else head

    sign_heads(ledger, blocks_of(ledger), changed)


def signed_by_operator(ledger, **fields):
    """A head with other fields, signed with the real key."""
    signer = key_files.load(ledger.folder.keys / CHECKPOINT_KEY)

    def change(head):
        other = msgspec.structs.replace(head, **fields)
        return merkle_checkpoint.sign(other.ledger, other.size, other.time, other.root, signer)

    return change


CHECKPOINTS = {
    "a root it signs": (lambda held: signed_by_operator(held, root=bytes(32)), "journal.diverged"),
    "a root it does not sign": (
        lambda held: lambda head: msgspec.structs.replace(head, root=bytes(32)),
        "receipt.invalid",
    ),
    "a time it signs": (lambda held: signed_by_operator(held, time=1), "journal.diverged"),
    "a time it does not sign": (lambda held: lambda head: msgspec.structs.replace(head, time=1), "receipt.invalid"),
    "a signature": (
        lambda held: lambda head: msgspec.structs.replace(head, signature=bytes(64)),
        "receipt.invalid",
    ),
    "another key": (lambda held: lambda head: msgspec.structs.replace(head, kid=bytes(32)), "receipt.key_unknown"),
    "another algorithm": (lambda held: lambda head: msgspec.structs.replace(head, algorithm=-8), "receipt.key_unknown"),
    "no algorithm": (lambda held: lambda head: msgspec.structs.replace(head, algorithm=99), "checkpoint.damaged"),
    "the size of the one before": (lambda held: signed_by_operator(held, size=1), "checkpoint.damaged"),
    "a huge size": (lambda held: lambda head: msgspec.structs.replace(head, size=2**64 - 1), None),
}


@pytest.mark.parametrize(("change", "code"), CHECKPOINTS.values(), ids=CHECKPOINTS)
def test_a_false_checkpoint(history, audited, change, code):
    history.folder.state.joinpath("data.mdb").unlink()
    heads_changed(history, change(history))
    report = audited(history)
    if code is None:
        assert not report.is_sound
    else:
        assert found(report) == {(code, "checkpoint record 2")}
    assert (report.entries, report.executed) == (ENTRIES, ENTRIES)


def test_a_checkpoint_where_no_block_ends(history, audited):
    history.folder.state.joinpath("data.mdb").unlink()
    blocks = blocks_of(history)
    largest = max(blocks, key=lambda one: one.header.count).header
    assert largest.count > 2
    sign_heads(history, blocks[:1], signed_by_operator(history, size=largest.seq + 1))
    assert found(audited(history)) == {("journal.diverged", "checkpoint record 0")}


def test_checkpoints_beyond_the_end(history, audited):
    history.folder.state.joinpath("data.mdb").unlink()
    shutil.rmtree(history.folder.tiles)
    blocks = blocks_of(history)
    write_journal(history, [[block.encode(one)] for one in blocks[:-2]])
    sign_heads(history, [blocks[3], blocks[-1]])
    report = audited(history)
    assert found(report) == {("journal.lost_tail", "checkpoint record 1")}
    assert report.findings[0].detail == f"it has seen {ENTRIES} entries, the journal holds {ENTRIES - 2}"


def test_a_changed_byte_of_a_checkpoint(history, audited):
    original = history.folder.checkpoints.read_bytes()
    for at in (0, 4, 8, 16, 24, 28, 60, 92, 155, 156, 159):
        data = bytearray(original)
        data[RECORD_BYTES + at] ^= 1
        history.folder.checkpoints.write_bytes(data)
        assert found(audited(history)) == {("checkpoint.damaged", "checkpoint record 1")}


def test_missing_and_additional_checkpoints(history, audited):
    """What the state has seen is counted; one more than that may be signed, but not twice."""
    original = history.folder.checkpoints.read_bytes()
    for data in (b"", original[:-RECORD_BYTES], original[:RECORD_BYTES] + original[2 * RECORD_BYTES :]):
        history.folder.checkpoints.write_bytes(data)
        report = audited(history)
        assert found(report) == {("checkpoint.damaged", "checkpoints")}
        assert "the state has seen" in report.findings[0].detail
    history.folder.checkpoints.unlink()
    assert found(audited(history)) == {("checkpoint.damaged", "checkpoints")}
    history.folder.checkpoints.write_bytes(original + original[-RECORD_BYTES:])
    number = len(original) // RECORD_BYTES
    assert found(audited(history)) == {("checkpoint.damaged", f"checkpoint record {number}")}


# State


def edit(name, change):
    """Changes a database of the state by `change(put, delete, rows)`; rows and what is put are without checksums."""

    def run(ledger):
        with lmdb.open(str(ledger.folder.state), max_dbs=8, map_size=1 << 28, lock=False) as environment:
            database = environment.open_db(name.encode(), dupsort=name == "index", create=False)
            with environment.begin(write=True) as txn:
                rows = [(key, value[CRC_BYTES:] if name != "index" else value) for key, value in txn.cursor(database)]

                def put(key, value):
                    checked = value if name == "index" else struct.pack(">I", crc32c(key + value)) + value
                    txn.put(key, checked, db=database)

                change(put, lambda *row: txn.delete(*row, db=database), rows)

    return run


CRC_BYTES = 4
SEQ_BYTES = 8


def note_of(rows):
    return next((key, value) for key, value in rows if b"Note" in key)


def richer(put, delete, rows):
    """More in a note."""
    key, value = note_of(rows)
    put(key, value[:SEQ_BYTES] + cbor.encode({**cbor.decode(value[SEQ_BYTES:]), "value": 1_000_000}))


def edit_meta(**fields):
    """Changes what the state says of how far it has got."""

    def change(put, delete, rows):
        names = ["format", "ledger", "size", "time", "header", "root", "position", "checkpoints"]
        ((key, value),) = rows
        applied = cbor.decode(value)
        for name, other in fields.items():
            applied[names.index(name)] = other(applied[names.index(name)])
        put(key, cbor.encode(applied))

    return edit("meta", change)


STATES = {
    "a record's value": (edit("records", richer), "records"),
    "a record's seq": (edit("records", lambda p, d, r: p(note_of(r)[0], bytes(8) + note_of(r)[1][8:])), "records"),
    "a missing record": (edit("records", lambda p, d, r: d(note_of(r)[0])), "records"),
    "a record more": (edit("records", lambda p, d, r: p(note_of(r)[0] + b"x", note_of(r)[1])), "records"),
    "a missing index entry": (edit("index", lambda p, d, r: d(*r[0])), "index"),
    "a false index entry": (edit("index", lambda p, d, r: p(r[0][0], b"x")), "index"),
    "a missing id": (edit("ids", lambda p, d, r: d(r[9][0])), "ids"),
    "an id of another entry": (edit("ids", lambda p, d, r: p(r[9][0], bytes(8))), "ids"),
    "an id that may be entered again": (edit("window", lambda p, d, r: d(r[9][0])), "window"),
    "an id that cannot be entered": (edit("window", lambda p, d, r: p(bytes(40), bytes(8))), "window"),
    "a block elsewhere": (edit("blocks", lambda p, d, r: p(r[9][0], bytes(28))), "blocks"),
    "a missing block": (edit("blocks", lambda p, d, r: d(r[9][0])), "blocks"),
    "the ledger": (edit_meta(ledger=lambda _: bytes(32)), ""),
    "the time": (edit_meta(time=lambda time: time - 1), ""),
    "the header": (edit_meta(header=lambda _: bytes(32)), ""),
    "the root": (edit_meta(root=lambda _: bytes(32)), ""),
    "the place in the journal": (edit_meta(position=lambda p: [p[0], p[1] + 4096, *p[2:]]), ""),
    "a size where no block ends": (edit_meta(size=lambda _: 100), ""),
}


@pytest.mark.parametrize(("change", "where"), STATES.values(), ids=STATES)
def test_a_state_that_the_journal_does_not_give(history, audited, change, where):
    change(history)
    report = audited(history)
    assert {code for code, _ in found(report)} == {"state.corrupt"}
    assert all(place == "state" if not where else place.startswith(f"state, {where}, ") for _, place in found(report))
    assert (report.entries, report.executed) == (ENTRIES, ENTRIES)


def test_a_state_that_does_not_say_how_far_it_got(history, audited):
    edit("meta", lambda p, d, r: d(b"applied"))(history)
    assert found(audited(history)) == {("state.unreadable", "state")}
    edit("meta", lambda p, d, r: p(b"applied", b"\xff"))(history)
    assert found(audited(history)) == {("state.unreadable", "state")}


def test_a_state_of_another_format(history, audited):
    edit_meta(format=lambda _: 9)(history)
    report = audited(history)
    assert found(report) == {("state.unreadable", "state")}
    assert "format 9" in report.findings[0].detail


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:4096],
        lambda data: b"",
        lambda data: data[:8192] + b"\xff" * (len(data) - 8192),
        lambda data: data[:8192] + bytes(len(data) - 8192),
        lambda data: b"no database" * 1000,
    ],
    ids=["half", "a page", "empty", "ones", "zeros", "text"],
)
def test_a_state_that_cannot_be_read_ends_a_worker_not_the_audit(history, audited, damage):
    path = history.folder.state / "data.mdb"
    path.write_bytes(damage(path.read_bytes()))
    report = audited(history)
    assert {code for code, _ in found(report)} <= {"state.unreadable", "state.corrupt"}
    assert not report.is_sound
    assert (report.entries, report.executed) == (ENTRIES, ENTRIES)


# Tiles


@pytest.mark.parametrize(
    ("row", "damage", "code", "where"),
    [
        ("row-1", lambda d: d[:320] + bytes((d[320] ^ 1,)) + d[321:], "tiles.differ", "row-1, hash 10"),
        ("row-1", lambda d: d[:-1] + bytes((d[-1] ^ 1,)), "tiles.differ", f"row-1, hash {ENTRIES - 1}"),
        ("row-256", lambda d: bytes(32), "tiles.differ", "row-256, hash 0"),
        ("row-1", lambda d: d[:-32], "tiles.short", "row-1"),
        ("row-1", lambda d: b"", "tiles.short", "row-1"),
        ("row-256", lambda d: b"", "tiles.short", "row-256"),
        ("row-1", lambda d: d + bytes(32), "journal.lost_tail", "row-1"),
        ("row-256", lambda d: d + bytes(32), "tiles.differ", "row-256"),
    ],
)
def test_damaged_rows(history, audited, row, damage, code, where):
    path = history.folder.tiles / row
    path.write_bytes(damage(path.read_bytes()))
    assert found(audited(history)) == {(code, where)}


# A lost tail, an older copy


def without_last(ledger, count=1):
    """Zeroes the last units: a tail cut off cleanly."""
    at = units_of(ledger)[-count]
    with editing(segment(ledger, at.segment)) as data:
        data[at.offset :] = bytes(len(data) - at.offset)


WITNESSES = {
    "state": lambda held: (shutil.rmtree(held.folder.tiles), held.folder.checkpoints.unlink()),
    "row-1": lambda held: (shutil.rmtree(held.folder.state), held.folder.checkpoints.unlink()),
    "checkpoint record": lambda held: (shutil.rmtree(held.folder.state), shutil.rmtree(held.folder.tiles)),
}


@pytest.mark.parametrize(("witness", "others_lost"), WITNESSES.items(), ids=WITNESSES)
def test_a_lost_tail_is_noticed_by_each_witness_alone(history, audited, witness, others_lost):
    others_lost(history)
    without_last(history, 2)
    report = audited(history)
    assert {code for code, _ in found(report)} == {"journal.lost_tail"}
    assert all(where.startswith(witness) for _, where in found(report))
    assert report.entries == ENTRIES - 2
    assert f"the journal holds {ENTRIES - 2}" in report.findings[0].detail


@pytest.fixture
def older(history, play, tmp_path, make_copy=shutil.copytree):
    """An older copy of the history, and what was kept of the newer: a receipt, a checkpoint, a state."""
    make_copy(history.root, tmp_path / "older")
    kept = tmp_path / "kept"
    kept.mkdir()

    async def scenario(session):
        answer = await session.submit(history.idle())
        session.node.sign_checkpoint()
        (kept / "receipt.cose").write_bytes(session.node.reading.receipt(answer.seq))

    play(history, scenario)
    with open_stopped(history.root) as parts:
        (kept / "checkpoint.cose").write_bytes(receipt.bare(parts.checkpoints.last()))
    make_copy(history.folder.state, kept / "state")
    return type(history)(tmp_path / "older", history.id), kept


@pytest.mark.parametrize("name", ["receipt.cose", "checkpoint.cose", "state"])
def test_an_older_copy_is_sound_but_for_what_others_kept(history, older, audited, name):
    copy, kept = older
    report = audited(copy)
    assert (report.findings, report.entries) == ([], ENTRIES)
    assert audited(history, [kept / name]).is_sound
    report = audited(copy, [kept / name])
    assert found(report) == {("journal.lost_tail", str(kept / name))}
    assert report.findings[0].detail == f"it has seen {ENTRIES + 1} entries, the journal holds {ENTRIES}"


def test_what_was_kept_of_older_days_is_contained(history, older, audited):
    copy, kept = older
    with open_stopped(copy.root) as parts:
        reading = parts.reading()
        for seq in (0, 5, 100, ENTRIES - 1):
            (kept / f"old-{seq}").write_bytes(reading.receipt(seq))
    assert audited(history, sorted(kept.iterdir())).is_sound


def test_evidence_that_says_nothing_about_this_ledger(history, older, make_ledger, audited, play):
    _, kept = older
    other = make_ledger()
    with open_stopped(other.root) as parts:
        (kept / "other").write_bytes(parts.reading().receipt(0))
    head = receipt.read_bare((kept / "checkpoint.cose").read_bytes())
    forged = merkle_checkpoint.sign(head.ledger, head.size, head.time, head.root, key_files.generate("p256"))
    (kept / "forged").write_bytes(receipt.bare(forged))
    beyond = msgspec.structs.replace(head, size=head.size + 1_000)
    (kept / "beyond").write_bytes(receipt.bare(beyond))
    for name, shown, code in (
        ("other", kept / "other", "verify.ledger"),
        ("a state", other.folder.state, "verify.ledger"),
        ("forged", kept / "forged", "receipt.key_unknown"),
        ("beyond", kept / "beyond", "receipt.invalid"),
    ):
        assert found(audited(history, [shown])) == {(code, str(shown))}, name


def test_what_is_no_evidence(history, older, audited, refused, tmp_path):
    _, kept = older
    data = (kept / "receipt.cose").read_bytes()
    for content in (b"", b"x", b"\xd2", b"\xd2\x84", data[:50], data[:-1], data + b"x", b"\xff" * 1_000, bytes(20_000)):
        (tmp_path / "evidence").write_bytes(content)
        with pytest.raises(HansaError) as caught:
            audited(history, [tmp_path / "evidence"])
        assert str(tmp_path / "evidence") in caught.value.detail
    with refused("argument.file"):
        audited(history, [tmp_path / "nothing"])
    (tmp_path / "folder").mkdir()
    with refused("state.unreadable"):
        audited(history, [tmp_path / "folder"])


# Damage


def flips(history):
    """A byte of each part of a segment's header, and of the first, a middle and the last unit."""
    units = units_of(history)
    for at in (0, 8, 12, 16, 20, 52, 60, 91):
        yield 0, at
    for unit in (units[0], units[len(units) // 2], units[-1]):
        for at in (0, 4, 8, 12, 16, 24, 60, 100, 300):
            yield unit.segment, unit.offset + at


def test_a_changed_byte_anywhere_in_the_journal(history, audited):
    units = units_of(history)
    for number, at in list(flips(history)):
        with editing(segment(history, number)) as data:
            data[at] ^= 0x40
        report = audited(history)
        codes = {code for code, _ in found(report)}
        if at < 4096:
            assert codes <= {"journal.header", "journal.foreign", "journal.format"}, at
            assert len(codes) == 1
        elif (number, at) >= (units[-1].segment, units[-1].offset):
            assert codes == {"journal.lost_tail"}, at  # like a torn one, but it was seen whole
            assert report.entries == ENTRIES - 1
        else:
            assert codes == {"journal.corrupt"}, at
            assert segment_name(number) in report.findings[0].detail
        with editing(segment(history, number)) as data:
            data[at] ^= 0x40
    assert audited(history).is_sound


def swapped(ledger):
    first, second = segment(ledger, 0), segment(ledger, 1)
    first.rename(first.with_name("x"))
    second.rename(first)
    first.with_name("x").rename(second)


def emptied(path):
    def damage(ledger):
        (ledger.root / path).write_bytes(b"")

    return damage


def missing(path):
    def damage(ledger):
        target = ledger.root / path
        shutil.rmtree(target) if target.is_dir() else target.unlink()

    return damage


def in_its_place(path, kind):
    """A folder where a file should be, or the other way round."""

    def damage(ledger):
        missing(path)(ledger)
        (ledger.root / path).mkdir() if kind == "folder" else (ledger.root / path).write_bytes(b"x")

    return damage


JOURNAL = {"journal.missing", "journal.header", "folder.access"}
DAMAGES = {
    "the journal is missing": (missing("journal"), JOURNAL),
    "the journal is a file": (in_its_place("journal", "file"), JOURNAL),
    "the first segment is missing": (missing("journal/00000000.segment"), JOURNAL),
    "the first segment is empty": (emptied("journal/00000000.segment"), JOURNAL),
    "the first segment is a folder": (in_its_place("journal/00000000.segment", "folder"), JOURNAL),
    "the second segment is missing": (missing("journal/00000001.segment"), {"journal.lost_tail"} | JOURNAL),
    "the second segment is empty": (emptied("journal/00000001.segment"), JOURNAL),
    "the second segment is a folder": (in_its_place("journal/00000001.segment", "folder"), JOURNAL),
    "segments are swapped": (swapped, {"journal.header"}),
    "genesis is missing": (missing("genesis.cbor"), {"genesis.copy"}),
    "genesis is empty": (emptied("genesis.cbor"), {"genesis.copy"}),
    "genesis is a folder": (in_its_place("genesis.cbor", "folder"), {"genesis.copy", "folder.access"}),
    "the format is missing": (missing("format"), {"folder.none"}),
    "the format is empty": (emptied("format"), {"folder.format"}),
    "the format is a folder": (in_its_place("format", "folder"), {"folder.access", "folder.format"}),
    "checkpoints are a folder": (
        in_its_place("checkpoints", "folder"),
        {"checkpoint.damaged", "folder.access"},
    ),
    "tiles are a file": (in_its_place("tiles", "file"), set()),
    "a row is a folder": (in_its_place("tiles/row-1", "folder"), {"tiles.short", "folder.access", "tiles.differ"}),
    "the state is a file": (in_its_place("state", "file"), set()),
    "the state is a folder of folders": (in_its_place("state/data.mdb", "folder"), {"state.unreadable"}),
    "the lock is a folder": (in_its_place("lock", "folder"), set()),
}


@pytest.mark.parametrize(("damage", "codes"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_folder_gives_a_code(history, audited, damage, codes):
    damage(history)
    try:
        seen = {code for code, _ in found(audited(history))}
    except HansaError as error:
        seen = {error.code}
    assert seen <= codes
    assert bool(seen) == bool(codes)


def test_a_segment_of_another_ledger(history, make_ledger, audited):
    other = make_ledger()
    segment(history, 1).write_bytes(segment(other).read_bytes())
    assert {code for code, _ in found(audited(history))} <= {"journal.foreign", "journal.header"}
    assert not audited(history).is_sound


def test_a_folder_without_a_ledger(tmp_path, refused):
    for path in (tmp_path, tmp_path / "nothing"):
        with refused("folder.none"):
            audit(path)


# What ledger time took

GROWN = JOBS.replace('version="1.0.0"', 'version="1.1.0"').replace(
    "        runs: int = 0", '        runs: int = 0\n        note: Text[0, 40] = "none"'
)


@pytest.fixture(scope="module")
def taken_template(tmp_path_factory, template):
    """See `taken`."""
    root = tmp_path_factory.mktemp("taken") / "ledger"
    source, id = template(Limits(scheduled_entries=3), "ed25519", True)
    shutil.copytree(source, root)
    ledger, clock = Ledger(root, id), SetClock()

    def plan(name, then="work"):
        return ledger.prepare("jobs", "plan", {"name": name, "then": then, "ahead": 1_000})

    async def scenario(session):
        def size():
            return session.node.status().entries

        await session.applied(ledger.deploy("jobs", JOBS))
        await session.submit_all([plan("a"), plan("b"), plan("f", "fail")])
        clock.ahead = 2_000
        await session.until(lambda: size() == 10)
        await session.applied(ledger.upgrade("jobs", GROWN))
        await session.submit_all([plan(name) for name in "cd"])
        await session.applied(ledger.prepare("jobs", "also", {"job": "a", "ahead": 1_500, "times": 2}))
        clock.ahead = 4_000
        await session.until(lambda: size() == 20)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(node_module, "TIMER_S_MAX", 0.02)
        run(ledger, scenario, clock=clock)
    return ledger


@pytest.fixture
def taken(taken_template, tmp_path):
    """A stopped ledger on which ledger time took what was due.

    Entries: genesis 0, contracts 1 and 2, plans 3 to 5, taken 6 to 8 (8 is refused) with a tick 9, an upgrade 10,
    plans 11 to 13, taken 14 to 16 with a tick 17, what was carried over 18 with a tick 19: the last block.
    """
    shutil.copytree(taken_template.root, tmp_path / "taken")
    return Ledger(tmp_path / "taken", taken_template.id)


KINDS = ["genesis", *["transaction"] * 5, *["scheduled"] * 3, "tick", *["transaction"] * 4]
KINDS += [*["scheduled"] * 3, "tick", "scheduled", "tick"]


def without(ledger, *seqs):
    """The blocks without these entries, and what is behind them but for the rest of their block."""
    blocks = blocks_of(ledger)
    height, _ = place_of(blocks, seqs[0])
    first = blocks[height].header.seq
    kept = [item for seq, item in enumerate(blocks[height].items, first) if seq not in seqs]
    return [*blocks[:height], Block(blocks[height].header, kept)]


def exchanged(ledger, one, other):
    blocks = blocks_of(ledger)
    height, first = place_of(blocks, one)
    _, second = place_of(blocks, other)
    items = list(blocks[height].items)
    items[first], items[second] = items[second], items[first]
    return [*blocks[:height], Block(blocks[height].header, items)]


def added(ledger, after, *more):
    """The blocks to the one of the entry `after`, with these items behind it."""
    blocks = blocks_of(ledger)
    height, index = place_of(blocks, after)
    items = list(blocks[height].items)
    items[index + 1 : index + 1] = more
    return [*blocks[:height], Block(blocks[height].header, items)]


def item_of(ledger, seq):
    blocks = blocks_of(ledger)
    height, index = place_of(blocks, seq)
    return blocks[height].items[index]


def tick_of(ledger, size, key=None):
    """The item of a tick that a node of the ledger made at so many entries, as of the last block."""
    signer = key or key_files.load(ledger.folder.keys / NODE_KEY)
    envelope = tick.seal(signer, ledger.id, size)
    return msgspec.structs.replace(item_of(ledger, 19), envelope=envelope, id=cose.id_of(envelope))


def made_up(ledger, **fields):
    """An item that says that ledger time took something."""
    _, id, due, contract, key, sequence = cbor.decode(item_of(ledger, 18).envelope)
    about = {"due": due, "contract": contract, "key": key, "sequence": sequence, **fields}
    envelope = scheduled.envelope(id, *(about[name] for name in ("due", "contract", "key", "sequence")))
    return msgspec.structs.replace(item_of(ledger, 18), envelope=envelope, id=scheduled.id_of(envelope))


def proof(ledger, seq, *, height=1, **about):
    """The item of evidence, as entry `seq` of the last block."""
    envelope = evidence.envelope(about.get("id", ledger.id), height, bytes(20), seq)
    return msgspec.structs.replace(item_of(ledger, 19), kind="evidence", envelope=envelope, id=evidence.id_of(envelope))


def not_taken(item):
    """The item as if what it took were still to come."""
    written = writes.encode([write for write in writes.decode(item.writes) if write.record != "Schedule"])
    return msgspec.structs.replace(with_outcome(item, writes=writes.digest(written)), writes=written)


EXECUTED = "audit.executed"


def forms(*seqs):
    return {("block.form", f"entry {seq}") for seq in seqs}


FALSE_TAKINGS = {
    "one is left out": (lambda t: without(t, 16), {(EXECUTED, "entry 16"), ("block.form", "entry 16")}),
    "the first is left out": (
        lambda t: without(t, 14),
        {*((EXECUTED, f"entry {seq}") for seq in (14, 15, 16)), ("block.form", "entry 16")},
    ),
    "all are left out": (lambda t: without(t, 14, 15, 16), {(EXECUTED, "entry 14"), ("block.form", "entry 14")}),
    "what was carried over is left out": (
        lambda t: without(t, 18),
        {(EXECUTED, "entry 18"), ("block.form", "entry 18")},
    ),
    "two are exchanged": (lambda t: exchanged(t, 14, 15), {(EXECUTED, "entry 14"), (EXECUTED, "entry 15")}),
    "the tick comes first": (
        lambda t: exchanged(t, 18, 19),
        {(EXECUTED, "entry 18"), ("block.form", "entry 18"), ("block.form", "entry 19")},
    ),
    "one more than so many": (lambda t: added(t, 16, item_of(t, 18)), forms(17, 18)),
    "one is taken twice": (lambda t: added(t, 18, item_of(t, 18)), forms(19, 20) | {("block.writes", "entry 19")}),
    "one is made up": (lambda t: added(t, 18, made_up(t, key=b"b")), forms(19, 20) | {("block.writes", "entry 19")}),
    "one among transactions": (lambda t: added(t, 13, made_up(t)), forms(14) | {("block.writes", "entry 14")}),
    "it was of another record": (lambda t: falsify(t, 18, lambda _: made_up(t, key=b"b")), {(EXECUTED, "entry 18")}),
    "it was due earlier": (lambda t: falsify(t, 18, lambda _: made_up(t, due=1)), {(EXECUTED, "entry 18")}),
    "it was scheduled by another": (
        lambda t: falsify(t, 18, lambda _: made_up(t, sequence=5)),
        {(EXECUTED, "entry 18")},
    ),
    "an id that is not its envelope's": (
        lambda t: falsify(t, 18, lambda i: msgspec.structs.replace(i, id=bytes(32))),
        {(EXECUTED, "entry 18")},
    ),
    "a failure says applied": (
        lambda t: falsify(t, 8, lambda i: with_outcome(i, status="applied", code="ok", result=None)),
        {(EXECUTED, "entry 8")},
    ),
    "the steps": (lambda t: falsify(t, 18, lambda i: with_outcome(i, steps=1)), {(EXECUTED, "entry 18")}),
    "a record's value": (
        lambda t: falsify(t, 18, lambda i: with_writes(i, lambda w: with_value(w, runs=9) if w.record == "Job" else w)),
        {(EXECUTED, "entry 18")},
    ),
    "a record that came up to a version": (
        lambda t: falsify(
            t, 16, lambda i: with_writes(i, lambda w: with_value(w, note="some") if w.record == "Job" else w)
        ),
        {(EXECUTED, "entry 16"), (EXECUTED, "entry 18")},
    ),
    "it stays to come": (lambda t: falsify(t, 18, not_taken), {(EXECUTED, "entry 18")}),
    "a tick without cause": (lambda t: added(t, 19, tick_of(t, 18)), {("block.form", "entry 20")}),
    "a tick among transactions": (lambda t: added(t, 10, tick_of(t, 11)), {("block.form", "entry 11")}),
    "a tick of another key": (
        lambda t: falsify(t, 19, lambda _: tick_of(t, 18, t.keys["acme"])),
        {(EXECUTED, "entry 19")},
    ),
    "a tick at another size": (lambda t: falsify(t, 19, lambda _: tick_of(t, 17)), {(EXECUTED, "entry 19")}),
    "a tick from before": (lambda t: falsify(t, 19, lambda _: item_of(t, 17)), {(EXECUTED, "entry 19")}),
    "a tick unsigned": (lambda t: falsify(t, 19, unsigned), {(EXECUTED, "entry 19")}),
    "a tick that wrote": (
        lambda t: falsify(
            t,
            19,
            lambda i: msgspec.structs.replace(
                with_outcome(i, writes=outcome_of(item_of(t, 18)).writes), writes=item_of(t, 18).writes
            ),
        ),
        {(EXECUTED, "entry 19"), ("block.writes", "entry 19")},
    ),
    "a tick that is none": (
        lambda t: falsify(t, 19, lambda i: msgspec.structs.replace(i, envelope=b"x")),
        {("envelope.form", "entry 19")},
    ),
    "evidence of another seq": (lambda t: added(t, 19, proof(t, 21)), {(EXECUTED, "entry 20")}),
    "evidence of what is to come": (lambda t: added(t, 19, proof(t, 20, height=10**6)), {(EXECUTED, "entry 20")}),
    "evidence of another ledger": (lambda t: added(t, 19, proof(t, 20, id=bytes(32))), {(EXECUTED, "entry 20")}),
    "evidence that wrote": (
        lambda t: added(
            t, 19, msgspec.structs.replace(proof(t, 20), outcome=item_of(t, 18).outcome, writes=item_of(t, 18).writes)
        ),
        {(EXECUTED, "entry 20"), ("block.writes", "entry 20")},
    ),
    "evidence that is none": (
        lambda t: added(t, 19, msgspec.structs.replace(proof(t, 20), envelope=b"\x80")),
        {("entry.form", "entry 20")},
    ),
    "evidence among transactions": (lambda t: added(t, 10, proof(t, 11)), {("block.form", "entry 11")}),
    "the upgrade's version": (
        lambda t: falsify(
            t, 10, lambda i: with_writes(i, lambda w: with_value(w, version="1.2.0") if w.record == "Deployment" else w)
        ),
        {(EXECUTED, "entry 10")},
    ),
    "the upgrade's source": (
        lambda t: falsify(
            t,
            10,
            lambda i: with_writes(
                i, lambda w: with_value(w, source=GROWN.replace('"none"', '"more"')) if w.record == "Version" else w
            ),
        ),
        {(EXECUTED, f"entry {seq}") for seq in (10, 11, 12, 13)},
    ),
}


def test_what_ledger_time_took_is_executed_again(taken, audited):
    report = audited(taken)
    assert (report.findings, report.notes, report.entries, report.executed) == ([], [], 20, 20)
    assert [item.kind for one in blocks_of(taken) for item in one.items] == KINDS
    assert outcome_of(item_of(taken, 8)).code == "require.failed"


def test_what_the_order_proved_has_its_place_behind_what_was_due(taken, audited):
    rewrite(taken, added(taken, 19, proof(taken, 20), proof(taken, 21, height=2)), rebuild=False)
    report = audited(taken)
    assert (report.findings, report.entries, report.executed) == ([], 22, 22)


@pytest.mark.parametrize("slice_entries", [1, 5])
def test_what_ledger_time_took_is_executed_again_in_slices(taken, audited, monkeypatch, slice_entries):
    monkeypatch.setattr(audit_module, "SLICE_ENTRIES", slice_entries)
    report = audited(taken)
    assert (report.findings, report.executed) == ([], 20)


@pytest.mark.parametrize(("forge", "findings"), FALSE_TAKINGS.values(), ids=FALSE_TAKINGS)
def test_a_false_taking_is_found(taken, audited, forge, findings):
    rewrite(taken, forge(taken), rebuild=False)
    assert found(audited(taken)) == findings
