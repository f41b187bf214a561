"""Every state of the disk that a crash may leave, enumerated in process from a recorded run: each recovers by itself
to exactly what was promised. See `tests/faults/world.py` for what is taken for possible.

`HANSA_CRASH_STATES=N` checks so many states in each test instead (0: all of them).
"""

import asyncio

import pytest

from faults import crashes, enumeration, workload, world
from hansa.node import flush as flush_module
from hansa.node import node as node_module
from hansa.node import recovery
from hansa.node.node import open_node
from hansa.store import journal
from hansa.store.checksum import crc32c
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire import block


@pytest.fixture(scope="module")
def recorded():
    with enumeration.conditions() as base:
        yield enumeration.record(base)


@pytest.fixture
def base():
    with enumeration.conditions() as base:
        yield base


def told(capsys, what, tally):
    with capsys.disabled():
        print(f"\n  {what}: {tally}")
    return "\n".join(tally.violations)


def test_the_run_goes_through_everything(recorded):
    """Segments roll, spares are made, rows of three heights and several flushes are written."""
    log = recorded.recorder.log
    renamed = {op.new for op in log if isinstance(op, world.Rename)}
    linked = {op.name for op in log if isinstance(op, world.Link)}
    assert {
        "00000000.segment",
        "00000001.segment",
        "00000002.segment",
        "genesis.cbor",
        "format",
        "clock.json",
    } <= renamed
    assert {"next.spare", "checkpoints", "tiles", "row-1"} <= linked
    assert sum(name.startswith("row-") for name in linked) >= 3
    assert sum(isinstance(op, world.StateFlush) for op in log) >= 3
    assert len(recorded.run.ids) > 40
    assert len(recorded.run.blocks) == 17


@pytest.mark.timeout(300)
def test_a_crash_at_any_point(recorded, base, capsys):
    tally = enumeration.crashes(recorded, base, enumeration.states_of(1600))
    assert told(capsys, "a crash", tally) == ""
    assert tally.cut > 100
    assert len(tally.sizes) == len(recorded.run.blocks) + 1
    assert tally.checked > 1000 or enumeration.STATES >= 0


@pytest.mark.timeout(300)
def test_a_crash_with_blocks_larger_than_segments(base, capsys):
    with enumeration.conditions(seed=1) as base:
        recorded = enumeration.record(base, seed=1)
        tally = enumeration.crashes(recorded, base, enumeration.states_of(600), seed=1, random_max=4)
    assert told(capsys, "a crash, large blocks, by chance too", tally) == ""


@pytest.mark.timeout(300)
def test_a_crash_in_recovery(recorded, base, capsys):
    most = enumeration.states_of(600)
    tally = enumeration.crashes_while_recovering(recorded, base, max(100, most // 20), most)
    assert told(capsys, "a crash in recovery", tally) == ""
    assert tally.cut > 50


@pytest.mark.timeout(300)
def test_a_crash_in_a_recovery_that_flushes_on_its_way(recorded, capsys):
    """As a long replay does."""
    most = enumeration.states_of(400)
    with enumeration.conditions(replay_flush_entries=8) as base:
        tally = enumeration.crashes_while_recovering(recorded, base, max(60, most // 20), most)
    assert told(capsys, "a crash in a recovery that flushes", tally) == ""


@pytest.mark.timeout(300)
def test_a_power_failure_after_a_kill_and_a_restart(recorded, base, capsys):
    tally = enumeration.power_failures_after_restart(recorded, base, 16, enumeration.states_of(640))
    assert told(capsys, "a power failure after a kill and a restart", tally) == ""


def test_recovered_ledgers_go_on(recorded, base):
    """Of a sample of states: the node starts, takes a transaction, stops, and all of it is there."""
    states = crashes.enumerate_states(recorded.recorder, crashes.Tally())
    states = [state for state in states if "format" in state.image]
    for number, crash in enumerate(crashes.chosen(states, 30)):
        place = base / f"go-on-{number}"
        place.mkdir()
        world.materialise(crash.image, place)
        (place / "keys").symlink_to(recorded.ledger.folder.keys)
        ledger, asked = recorded.ledger, workload.Asked()
        more = [[ledger.any("nothing", {}), ledger.any("nothing", {})]]
        asyncio.run(workload.session(ledger, Disk(), more, asked, root=place))
        run = workload.read_run(place)
        first = asked.acknowledged[0].seq
        assert first >= max(crash.promised, 1)
        assert run.ids[:first] == recorded.run.ids[:first]
        assert run.ids[first:] == [answer.id for answer in asked.acknowledged]
        assert crashes.check(place, run, first + 2) == first + 2


# What ledger time takes


@pytest.fixture(scope="module")
def scheduled():
    with enumeration.conditions() as base:
        yield enumeration.record(base, scheduling=True)


def kinds(run):
    return [item.kind for data in run.blocks for item in block.decode(data).items]


def test_the_run_has_scheduled_entries_in_many_blocks(scheduled):
    found = [[item.kind for item in block.decode(data).items] for data in scheduled.run.blocks]
    assert sum("scheduled" in one for one in found) >= 4
    assert any(one.count("scheduled") > 1 for one in found)
    assert all(one == sorted(one, key=lambda kind: kind != "scheduled") for one in found if "tick" not in one)
    assert scheduled.run.due(len(scheduled.run.ids))  # and something is still to come


@pytest.mark.timeout(300)
def test_a_crash_between_and_in_blocks_with_scheduled_entries(scheduled, base, capsys):
    """The state of each size has the same to come, whether it was kept or made again."""
    tally = enumeration.crashes(scheduled, base, enumeration.states_of(300))
    assert told(capsys, "a crash with scheduled entries", tally) == ""
    assert len(tally.sizes) == len(scheduled.run.blocks) + 1


@pytest.mark.timeout(300)
def test_what_was_scheduled_is_taken_once_after_any_crash(scheduled, base, monkeypatch):
    """The node that starts takes what was to come by a tick, and nothing that it took before."""
    monkeypatch.setattr(node_module, "TICK_WAIT_S", 0.001)
    states = [state for state in crashes.enumerate_states(scheduled.recorder, crashes.Tally()) if state.promised > 4]
    for number, crash in enumerate(crashes.chosen(states, 20)):
        place = base / f"taken-{number}"
        place.mkdir()
        world.materialise(crash.image, place)
        (place / "keys").symlink_to(scheduled.ledger.folder.keys)
        asyncio.run(take_all(place))
        run = workload.read_run(place)
        schedules_made = {
            write.key for written in run.written for write in written if (write.contract, write.record) == SCHEDULE
        }
        assert run.due(len(run.ids)) == []
        assert kinds(run).count("scheduled") == len(schedules_made)
        assert len(set(run.ids)) == len(run.ids)
        assert crashes.check(place, run, crash.promised) == len(run.ids)


SCHEDULE = ("members", "Schedule")


async def take_all(place):
    """A node at a time behind everything that was scheduled, until nothing is to come."""
    clock = workload.Ahead()
    clock.ahead = 60_000
    node = open_node(place, clock=clock, reserve_bytes=0)
    node.start()
    for _ in range(1_000):
        if node._tick_timer is None and not node._committing:
            break
        await asyncio.sleep(0.005)
    await node.stop()


# That the harness can fail


@pytest.mark.parametrize(
    ("deaf", "finds"),
    [
        ((("sync", ".segment"), ("sync", ".spare")), "were promised"),  # the journal's sync claims, and does nothing
        ((("sync_folder", "journal"),), "journal.missing"),  # a segment's name may be lost
        ((("sync", "genesis.cbor.tmp"), ("sync", "format.tmp")), "folder.format"),
    ],
)
def test_a_missing_sync_is_found(base, deaf, finds):
    recorded = enumeration.record(base, deaf=deaf)
    tally = enumeration.crashes(recorded, base, 800)
    assert any(finds in violation for violation in tally.violations), tally.violations


def test_a_recovery_that_takes_torn_units_is_found(recorded, base, monkeypatch):
    """A unit's checksum not compared."""
    read_unit = journal.read_unit

    def trusting(file, offset, size):
        reason, payload, chain = read_unit(file, offset, size)
        if "checksum" not in reason:
            return reason, payload, chain
        head = file.read(offset, 56)
        return "", file.read(offset + 56, int.from_bytes(head[12:16], "big")), head[24:56]

    monkeypatch.setattr(journal, "read_unit", trusting)
    assert enumeration.crashes(recorded, base, 800).violations


def test_a_flush_in_another_order_loses_nothing_either(base, monkeypatch):
    """Rows written after the state, which says how far they reach: what is missing then is rebuilt from the journal."""

    class Later:
        def write(self, unstored):
            self.unstored, checksums = unstored, list(self.rows.checksums)
            for row, _, joined in unstored:
                checksums[row] = crc32c(joined, checksums[row])
            self.checksums = tuple(checksums)

    def wrong(state, tiles, rows, checkpoints, tip, position):
        later = Later()
        later.rows = rows
        flush_module.flush(state, tiles, later, checkpoints, tip, position)
        rows.write(later.unstored)

    monkeypatch.setattr(node_module, "flush", wrong)
    recorded = enumeration.record(base)
    assert enumeration.crashes(recorded, base, 500).violations == []


def test_recovery_syncs_what_it_read_before_it_relies_on_it(recorded, base):
    """A kill between a unit's write and its sync, then a start: the unit's bytes are with the system only.

    Were rows and state written first and the power failed then, the journal would end before what they have seen, the
    ledger would not open, and whoever asked in between would have been told of entries that are gone.
    """
    log = recorded.recorder.log
    last = max(
        i for i, op in enumerate(log) if isinstance(op, world.Write) and op.offset >= 4096 and len(op.data) > 500
    )
    killed = recorded.recorder.world_at(last + 1)
    place = base / "killed"
    place.mkdir()
    world.materialise(killed.latest(), place)
    recorder = world.Recorder(place, killed)
    with world.recorded_state(recorder):
        crashes.close(recovery.recover(recorder, Folder(place)))
    synced = [i for i, op in enumerate(recorder.log) if op == world.Sync(log[last].inode)]
    flushed = [i for i, op in enumerate(recorder.log) if isinstance(op, world.StateFlush)]
    assert flushed, "the state was brought up to the unsynced unit"
    assert synced and synced[0] < flushed[0]
