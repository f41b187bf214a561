"""`store.state`: overlay and LMDB together are one plain map, whenever they are flushed and opened again."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import lmdb
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.store import ranges

from hansa.store import overlay
from hansa.store import state as state_module
from hansa.store.journal import Location, Position
from hansa.store.state import FORMAT, Applied, BlockPlace, Entered, State
from hansa.wire import cbor, order, writes
from hansa.wire.problems import HansaError

LEDGER = bytes(range(32))
TABLES = {
    ("a", "Thing"): ("colour", "owner"),
    ("a", "Thin"): (),
    ("ab", "Thing"): ("colour",),
    ("a", "Blob"): ("colour",),
}
"""Names that are beginnings of each other, with and without indexes."""


def indexes_of(contract, record):
    return TABLES.get((contract, record), ())


def applied(size, time=0, ledger=LEDGER, format=FORMAT):
    return Applied(
        format=format,
        ledger=ledger,
        size=size,
        time=time,
        header=b"h" * 32,
        root=b"r" * 32,
        position=Position(3, 4096, b"c" * 32, 7),
        checkpoints=2,
    )


def id_of(seq):
    return seq.to_bytes(32, "big")


def entered(seq, *written, not_after=0):
    return Entered(seq, id_of(seq), not_after, list(written))


def thing(key, colour=1, owner="x", contract="a", record="Thing"):
    return writes.make(contract, record, key, cbor.encode({"key": key, "owner": owner, "colour": colour}), None)


def put(state, seq, *written, not_after=0):
    state.apply(BlockPlace(seq, seq, Location(0, 100 * seq, 50)), [entered(seq, *written, not_after=not_after)])


@pytest.fixture
def open_state(scratch):
    opened = []

    def open_(**options):
        opened.append(State(scratch / "state", indexes_of, **options))
        return opened[-1]

    yield open_
    for state in opened:
        with contextlib.suppress(lmdb.Error):
            state.close()


# The model

KEYS = {
    ("a", "Thing"): st.one_of(
        st.text(max_size=3).filter(bool), st.sampled_from(["k", "k\0", "k\0k", "\U0010ffff" * 100])
    ),
    ("a", "Thin"): st.integers(-3, 3) | st.sampled_from([-(2**63), 2**63 - 1]),
    ("ab", "Thing"): st.text("ab", min_size=1, max_size=2),
    ("a", "Blob"): st.sampled_from([b"\0", b"\0\0", b"\xff", b"\xff" * 400, b"a"]),
}
COLOURS = st.sampled_from([None, 0, 1, -1, 2**63 - 1, -(2**63)])
OWNERS = st.sampled_from(["", "x", "xx", "y", "\0"])
ENTRY = st.sampled_from(sorted(TABLES)).flatmap(
    lambda table: st.tuples(st.just(table), KEYS[table], COLOURS, OWNERS, st.integers(0, 30))
)
BLOCK = st.lists(st.lists(ENTRY, max_size=3), min_size=1, max_size=4)


class StateMachine(RuleBasedStateMachine):
    """Blocks come in, the overlay is flushed and the state opened again now and then; reads equal a plain model."""

    @initialize(stride=st.sampled_from([1, 2, 16]), pass_=st.sampled_from([0, 64]))
    def begin(self, stride, pass_):
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(overlay, "_STRIDE", stride)
        self.patch.setattr(overlay, "_PASS", pass_)
        self.folder = Path(
            tempfile.mkdtemp(prefix="hansa-state-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        )
        self.options = {"map_bytes": 1024 * 1024, "durable": False}
        self.state = State(self.folder / "state", indexes_of, **self.options)
        self.now = Model()
        self.flushed = self.now.copy()

    def teardown(self):
        self.patch.undo()
        self.state.close()
        shutil.rmtree(self.folder)

    @rule(block=BLOCK, passed=st.integers(0, 3))
    def apply_block(self, block, passed):
        self.now.time += passed
        first = self.now.size
        place = BlockPlace(first, len(self.now.blocks), Location(1, 1000 + first, 10 + len(block)))
        entries = []
        for written in block:
            seq = self.now.size
            not_after = 0 if seq == 0 else self.now.time + (written[0][4] if written else 5)
            made = []
            for table, key, colour, owner, _ in written:
                value = cbor.encode({"key": key, "owner": owner, "colour": colour})
                made.append(writes.make(*table, key, value, None))
                self.now.records[order.place(*table, key)] = (seq, value)
            if not_after:
                self.now.window[id_of(seq), not_after] = seq
            entries.append(Entered(seq, id_of(seq), not_after, made))
            self.now.size += 1
        self.now.blocks.append(place)
        self.state.apply(place, entries)

    @rule()
    def flush(self):
        self.state.flush(applied(self.now.size, self.now.time))
        # Ids whose time has passed are forgotten: no block can hold them again.
        self.now.window = {key: seq for key, seq in self.now.window.items() if key[1] >= self.now.time}
        self.flushed = self.now.copy()
        assert self.state.pending() == 0
        assert self.state.applied() == applied(self.now.size, self.now.time)

    @precondition(lambda self: self.flushed.size)
    @rule()
    def open_again(self):
        """What was not flushed is gone; the journal has it."""
        self.state.close()
        self.state = State(self.folder / "state", indexes_of, **self.options)
        self.now = self.flushed.copy()

    @invariant()
    def pending(self):
        assert self.state.pending() == self.now.size - self.flushed.size

    @rule(data=st.data())
    def get(self, data):
        table = data.draw(st.sampled_from(sorted(TABLES)))
        place = order.place(*table, data.draw(KEYS[table]))
        found = self.state.get(place)
        assert (None if found is None else (found.seq, found.value)) == self.now.records.get(place)

    @rule(table=st.sampled_from(sorted(TABLES)), data=st.data())
    def select(self, table, data):
        fields = {field: {"colour": COLOURS, "owner": OWNERS}[field] for field in TABLES[table]}
        ranges.check_any(self.state, self.now.records, table, fields, KEYS[table], data)

    @invariant()
    def ids(self):
        for (id, not_after), seq in self.now.window.items():
            assert self.state.in_window(id, not_after) == seq
            assert self.state.in_window(id, not_after + 1) is None
        for seq in {0, self.now.size // 2, self.now.size - 1} if self.now.size else ():
            assert self.state.seq_of(id_of(seq), self.now.size) == seq
        assert self.state.seq_of(id_of(self.now.size), self.now.size) is None

    @invariant()
    def blocks(self):
        if not self.now.blocks:
            assert self.state.block_of(0) is None
        for seq in range(max(0, self.now.size - 6), self.now.size):
            assert self.state.block_of(seq) == max((b for b in self.now.blocks if b.seq <= seq), key=lambda b: b.seq)


class Model:
    """What the state must hold, as plain maps."""

    def __init__(self):
        self.size, self.time, self.records, self.window, self.blocks = 0, 1000, {}, {}, []

    def copy(self):
        made = Model()
        made.size, made.time = self.size, self.time
        made.records, made.window, made.blocks = dict(self.records), dict(self.window), list(self.blocks)
        return made


StateMachine.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestStateMachine = StateMachine.TestCase


# Single things


@pytest.mark.parametrize("descending", [False, True])
def test_a_queue_taken_from_one_end_does_not_slow_down(open_state, descending):
    """What was taken stands no more in the index, but in LMDB until it is flushed: it is not passed over each time."""
    state, count = open_state(), 600
    put(state, 0, *[thing(f"k{i:05}") for i in range(count)])
    state.flush(applied(1))
    passed = []
    checked = state._flushed_spots
    state._new._deeper_spots = lambda span: (passed.append(spot) or spot for spot in checked(span))
    one = order.indexed_bytes(1)
    for seq in range(1, count):
        ((key, _),) = state.select("a", "Thing", "colour", one, one, 1, descending=descending)
        assert key == f"k{(count - seq if descending else seq - 1):05}".encode()
        put(state, seq, thing(key.decode(), colour=0))
    assert len(passed) < count * 40


@pytest.mark.parametrize("field", [None, "owner"])
def test_a_longer_value_does_not_run_into_the_keys_of_a_shorter(open_state, field):
    state = open_state()
    made = sorted((owner, f"{key}.{owner}") for owner in ("a", "ab", "b", "") for key in ("", "b", "bz", "z", "\0"))
    put(state, 0, *[thing(key, owner=owner) for owner, key in made])
    expected = [key for _, key in made] if field else sorted(key for _, key in made)
    bound = order.indexed_bytes("a")
    for _ in range(2):
        assert [key.decode() for key, _ in state.select("a", "Thing", field, None, None, 100)] == expected
        if field:
            owned = state.select("a", "Thing", field, bound, bound, 100)
            assert [key.decode() for key, _ in owned] == [key for owner, key in made if owner == "a"]
        state.flush(applied(1))


def test_bounds_that_leave_nothing_give_nothing(open_state):
    state = open_state()
    put(state, 0, *[thing(key, colour=colour) for colour, key in enumerate("abc")])
    for _ in range(2):
        for descending in (False, True):
            assert state.select("a", "Thing", None, b"c", b"a", 9, None, descending) == []
            least, most = order.indexed_bytes(2), order.indexed_bytes(0)
            assert state.select("a", "Thing", "colour", least, most, 9, None, descending) == []
            assert state.select("a", "Thing", "colour", most, least, 9, (b"\xff", b""), not descending) == (
                [] if descending else state.select("a", "Thing", "colour", most, least, 9, None, True)
            )
        state.flush(applied(1))


def test_a_new_state_has_nothing(open_state):
    state = open_state()
    assert state.applied() is None
    assert state.pending() == 0
    assert state.get(order.place("a", "Thing", "k")) is None
    assert state.select("a", "Thing", None, None, None, 10) == []
    assert state.in_window(id_of(0), 5) is None
    assert state.seq_of(id_of(0), 10) is None
    assert state.block_of(0) is None


def test_how_far_it_got_is_read_again(open_state):
    state = open_state()
    put(state, 0, thing("k"))
    state.flush(applied(1, 77))
    state.close()
    assert open_state().applied() == applied(1, 77)


def test_nothing_of_an_unflushed_overlay_is_kept(open_state):
    state = open_state()
    put(state, 0, thing("k"))
    state.flush(applied(1))
    put(state, 1, thing("l"), not_after=9)
    state.close()
    state = open_state()
    assert state.applied() == applied(1)
    assert [key for key, _ in state.select("a", "Thing", None, None, None, 10)] == [b"k"]
    assert state.in_window(id_of(1), 9) is None


@pytest.mark.parametrize("format", [1, 99])
def test_another_format_is_refused(open_state, format):
    state = open_state()
    state.flush(applied(0, format=format))
    with pytest.raises(HansaError) as error:
        state.applied()
    assert error.value.code == "state.unreadable"


@pytest.mark.parametrize("data", [b"", b"\xff", cbor.encode([1, 2]), cbor.encode({"format": 0})])
def test_a_damaged_place_is_refused(open_state, data):
    state = open_state()
    state._reader.abort()
    with state._environment.begin(write=True) as txn:
        txn.put(b"applied", data, db=state._meta)
    state._reader = state._environment.begin()
    with pytest.raises(HansaError) as error:
        state.applied()
    assert error.value.code == "state.unreadable"


def test_a_folder_without_a_state_is_refused_to_a_reader(scratch):
    (scratch / "state").mkdir()
    with pytest.raises(HansaError) as error:
        State(scratch / "state", indexes_of, readonly=True)
    assert error.value.code == "state.unreadable"
    (scratch / "state" / "data.mdb").write_bytes(b"no LMDB" * 3000)
    with pytest.raises(HansaError) as error:
        State(scratch / "state", indexes_of)
    assert error.value.code == "state.unreadable"


def test_every_flipped_byte_of_a_record_is_noticed(open_state):
    state = open_state()
    put(state, 5, thing("k", owner="someone"))
    state.flush(applied(1))
    place = order.place("a", "Thing", "k")
    state.close()
    state = open_state()
    data = state._reader.get(place, db=state._records)
    for at in range(len(data)):
        state._reader.abort()
        with state._environment.begin(write=True) as txn:
            txn.put(place, data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1 :], db=state._records)
        state._reader = state._environment.begin()
        for read in (
            lambda: state.get(place),
            lambda: state.select("a", "Thing", None, None, None, 10),
            lambda: state.select("a", "Thing", "colour", order.indexed_bytes(1), order.indexed_bytes(1), 10),
        ):
            with pytest.raises(HansaError) as error:
                read()
            assert error.value.code == "state.corrupt"


def test_a_value_in_another_records_place_is_noticed(open_state):
    state = open_state()
    put(state, 0, thing("k"), thing("l"))
    state.flush(applied(1))
    state.close()
    state = open_state()
    one, other = order.place("a", "Thing", "k"), order.place("a", "Thing", "l")
    data = state._reader.get(one, db=state._records)
    state._reader.abort()
    with state._environment.begin(write=True) as txn:
        txn.put(other, data, db=state._records)
    state._reader = state._environment.begin()
    assert state.get(one).seq == 0
    with pytest.raises(HansaError):
        state.get(other)


def test_an_index_that_names_a_missing_record_is_noticed(open_state):
    state = open_state()
    put(state, 0, thing("k"), thing("l"))
    state.flush(applied(1))
    state.close()
    state = open_state()
    state._reader.abort()
    with state._environment.begin(write=True) as txn:
        txn.delete(order.place("a", "Thing", "k"), db=state._records)
    state._reader = state._environment.begin()
    with pytest.raises(HansaError) as error:
        state.select("a", "Thing", "colour", order.indexed_bytes(1), order.indexed_bytes(1), 10)
    assert error.value.code == "state.corrupt"


def test_an_unknown_index_is_refused(open_state):
    state = open_state()
    with pytest.raises(HansaError) as error:
        state.select("a", "Thing", "size", b"\0", b"\0", 10)
    assert error.value.code == "query.index"
    assert error.value.fields["indexes"] == ["colour", "owner"]


def test_the_map_grows(open_state, monkeypatch):
    """From far too small, over several doublings, without and with the reserve; and a small map opens a large file."""
    for reserve in (state_module._MAP_RESERVE_BYTES, 0):
        monkeypatch.setattr(state_module, "_MAP_RESERVE_BYTES", reserve)
        state = open_state(map_bytes=64 * 1024)
        size = first = 0 if state.applied() is None else state.applied().size
        for round_ in range(5):
            state.apply(
                BlockPlace(size, round_, Location(0, 0, 0)),
                [entered(size + i, thing(f"k{size + i}", owner="o" * 300)) for i in range(1500)],
            )
            size += 1500
            state.flush(applied(size))
        assert state._environment.info()["map_size"] > 1024 * 1024
        assert state.get(order.place("a", "Thing", f"k{first}")).seq == first
        state.close()
        state = open_state(map_bytes=64 * 1024)
        assert state.applied() == applied(size)
        assert state.get(order.place("a", "Thing", f"k{size - 1}")).seq == size - 1
        state.close()


def test_a_large_index_alone_grows_the_map_too(open_state, monkeypatch):
    """What indexes need is not in the estimate; then LMDB says that the map is full, in mid-flush."""
    monkeypatch.setattr(state_module, "_MAP_RESERVE_BYTES", 0)
    state = open_state(map_bytes=64 * 1024)
    grown = []
    grow = state._grow
    monkeypatch.setattr(state, "_grow", lambda need: (grown.append(need), grow(need)))
    for size in range(4):
        written = [thing(f"{size}-{i}-" + "k" * 380, colour=i, owner="o" * 300) for i in range(400)]
        put(state, size, *written)
        state.flush(applied(size + 1))
    assert state._environment.info()["map_size"] > 64 * 1024
    assert (
        len(state.select("a", "Thing", "owner", order.indexed_bytes("o" * 300), order.indexed_bytes("o" * 300), 2000))
        == 1600
    )


def test_window_forgets_by_ledger_time_alone(open_state):
    state = open_state()
    for seq, not_after in enumerate((100, 200, 300)):
        put(state, seq, not_after=not_after)
    state.flush(applied(3, time=200))
    assert [state.in_window(id_of(seq), at) for seq, at in enumerate((100, 200, 300))] == [None, 1, 2]
    assert [state.seq_of(id_of(seq), 3) for seq in range(3)] == [0, 1, 2]  # over all history nothing is forgotten
    state.flush(applied(3, time=201))
    assert [state.in_window(id_of(seq), at) for seq, at in enumerate((100, 200, 300))] == [None, None, 2]
    assert len(list(state.rows("window"))) == 1


def test_ids_are_found_in_every_bucket(open_state, monkeypatch):
    monkeypatch.setattr(state_module, "_SEQ_BUCKET_BITS", 2)
    state = open_state()
    for seq in range(30):
        put(state, seq)
        if seq in (7, 8, 20):
            state.flush(applied(seq + 1))
    assert [state.seq_of(id_of(seq), 30) for seq in range(31)] == [*range(30), None]


def test_a_place_beyond_the_last_block_is_the_last_block(open_state):
    """`block_of` bounds nothing from above; its callers know the size."""
    state = open_state()
    put(state, 0)
    put(state, 1)
    assert state.block_of(9).seq == 1
    state.flush(applied(2))
    assert state.block_of(9).seq == 1


@pytest.mark.parametrize("count", [1, 5, 3000])
@pytest.mark.parametrize("length", [0, 1, 600, 100_000])
def test_cursors_and_values_of_any_length_are_only_places(open_state, count, length):
    """They come from outside, longer than any key of LMDB can be."""
    state = open_state()
    put(state, 0, *[thing(f"k{i:05}") for i in range(count)])
    state.flush(applied(1))
    value = order.indexed_bytes(1)
    for after, left in ((b"j" * length, count), (b"z" * length, 0 if length else count)):
        assert len(state.select("a", "Thing", None, None, None, 5000, (b"", after))) == left
        assert len(state.select("a", "Thing", "colour", value, value, 5000, (value, after))) == left
    for bound in (b"v" * length, b"\xff" * length):
        for field in (None, "colour") if length else ():
            for descending in (False, True):
                behind = (bound, b"a" * length)
                assert state.select("a", "Thing", field, bound, None, 10, behind, descending) == []
                assert len(state.select("a", "Thing", field, None, bound, 10, None, descending)) == min(count, 10)


@pytest.mark.parametrize("key", ["", b""])
def test_an_empty_key_can_be_indexed(open_state, key):
    """`Text[0, 40]` and `Bytes` are key types that a contract may declare."""
    state = open_state()
    put(state, 0, thing(key), thing("k" if key == "" else b"k"))
    state.flush(applied(1))
    assert state.get(order.place("a", "Thing", key)).seq == 0


def test_an_empty_key_without_index(open_state):
    state = open_state()
    put(state, 0, thing("", record="Thin"), thing("k", record="Thin"))
    for _ in range(2):
        assert [key for key, _ in state.select("a", "Thin", None, None, None, 10)] == [b"", b"k"]
        assert [key for key, _ in state.select("a", "Thin", None, None, None, 10, (b"", b""))] == [b"k"]
        state.flush(applied(1))


def test_the_longest_names_and_keys_fit(open_state, monkeypatch):
    """Contract, record and field names, keys and indexed values, all at their bounds, within LMDB's 511 bytes."""
    contract, record, key = "c" * 48, "R" * 48, "k" * 400
    monkeypatch.setitem(TABLES, (contract, record), ("colour", "owner"))
    state = open_state()
    put(state, 0, thing(key, owner="o" * 400, contract=contract, record=record))
    put(state, 1, thing(key[:-1], owner="o" * 400, contract=contract, record=record))
    state.flush(applied(2))
    found = state.select(contract, record, "owner", order.indexed_bytes("o" * 400), order.indexed_bytes("o" * 400), 10)
    assert [k for k, _ in found] == [b"k" * 399, b"k" * 400]


def test_an_unknown_table_among_records_of_others_is_empty(open_state):
    state = open_state()
    put(state, 0, thing("k"), thing("k", contract="ab"), thing(1, record="Thin"))
    state.flush(applied(1))
    assert state.select("a", "Thi", None, None, None, 10) == []
    assert [k for k, _ in state.select("a", "Thing", None, None, None, 10)] == [b"k"]


def test_a_disk_full_in_flush_loses_nothing(open_state, monkeypatch):
    """LMDB says so in its own words; the overlay stays, reads go on, and the same flush works later."""
    state = open_state()
    put(state, 0, thing("k"), not_after=50)
    write = state._write
    monkeypatch.setattr(state, "_write", lambda *_: (_ for _ in ()).throw(lmdb.DiskError("No space left on device")))
    with pytest.raises(HansaError) as error:
        state.flush(applied(1))
    assert error.value.code == "disk.full"
    assert state.pending() == 1
    assert state.get(order.place("a", "Thing", "k")).seq == 0
    assert state.select("a", "Thing", "colour", order.indexed_bytes(1), order.indexed_bytes(1), 10)
    assert state.in_window(id_of(0), 50) == 0
    monkeypatch.setattr(state, "_write", write)
    state.flush(applied(1))
    assert state.pending() == 0
    assert state.applied() == applied(1)
