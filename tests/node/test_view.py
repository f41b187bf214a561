"""`node.apply.View`: what a block wrote so far and the state below it are one plain map, in every order and range."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from tests.store import ranges

from hansa.node.apply import View
from hansa.store import overlay
from hansa.store.journal import Location, Position
from hansa.store.state import FORMAT, Applied, BlockPlace, Entered, State
from hansa.wire import cbor, order, writes

BILL, NOTE = ("pay", "Bill"), ("pay", "Note")
INDEXES = {BILL: ("due", "owner", "paid"), NOTE: ()}
KEYS = {BILL: st.text("ab\0", max_size=2), NOTE: st.integers(-2, 2)}
FIELDS = {
    "due": st.sampled_from([None, -(2**63), -1, 0, 1, 2**63 - 1]),
    "owner": st.sampled_from(["", "a", "aa", "ab", "b", "\0"]),
    "paid": st.booleans(),
}
WRITTEN = st.sampled_from([BILL, BILL, NOTE]).flatmap(
    lambda table: st.tuples(st.just(table), KEYS[table], st.fixed_dictionaries(FIELDS))
)


def indexes_of(contract, record):
    return INDEXES.get((contract, record), ())


class ViewMachine(RuleBasedStateMachine):
    """Entries write, are read in between, become blocks of the state, and are flushed."""

    @initialize(stride=st.sampled_from([1, 2, 16]), pass_=st.sampled_from([0, 64]))
    def begin(self, stride, pass_):
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(overlay, "_STRIDE", stride)
        self.patch.setattr(overlay, "_PASS", pass_)
        self.folder = Path(tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
        self.state = State(self.folder / "state", indexes_of, map_bytes=1024 * 1024, durable=False)
        self.durable, self.size = {}, 0
        self.begin_block()

    def begin_block(self):
        self.now, self.entries, self.view = dict(self.durable), [], View(self.state, indexes_of)

    def teardown(self):
        self.patch.undo()
        self.state.close()
        shutil.rmtree(self.folder)

    @rule(entries=st.lists(st.lists(WRITTEN, min_size=1, max_size=4), min_size=1, max_size=6))
    def write(self, entries):
        for written in entries:
            seq = self.size + len(self.entries)
            made = []
            for table, key, fields in written:
                made.append(writes.make(*table, key, cbor.encode({"key": key, **fields}), None))
                self.now[made[-1].place] = (seq, made[-1].value)
            self.entries.append(Entered(seq, seq.to_bytes(32, "big"), 0, made))
            self.view.write(seq, made)

    @precondition(lambda self: self.entries)
    @rule(flush=st.booleans())
    def end_block(self, flush):
        self.state.apply(BlockPlace(self.size, 0, Location(0, self.size, 1)), self.entries)
        self.size += len(self.entries)
        self.durable = self.now
        if flush:
            position = Position(3, 4096, b"c" * 32, 7)
            self.state.flush(
                Applied(
                    format=FORMAT,
                    ledger=b"l" * 32,
                    size=self.size,
                    time=0,
                    header=b"h" * 32,
                    root=b"r" * 32,
                    position=position,
                    checkpoints=0,
                )
            )
        self.begin_block()

    @rule(table=st.sampled_from([BILL, NOTE]), data=st.data())
    def get(self, table, data):
        place = order.place(*table, data.draw(KEYS[table]))
        for reader, records in ((self.view, self.now), (self.state, self.durable)):
            found = reader.get(place)
            assert (None if found is None else (found.seq, found.value)) == records.get(place)

    @rule(table=st.sampled_from([BILL, BILL, NOTE]), data=st.data())
    def select(self, table, data):
        fields = {field: FIELDS[field] for field in INDEXES[table]}
        ranges.check_any(self.view, self.now, table, fields, KEYS[table], data)
        ranges.check_any(self.state, self.durable, table, fields, KEYS[table], data)


ViewMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestViewMachine = ViewMachine.TestCase
