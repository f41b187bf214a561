"""An idle node has ledger time go on when something is due, by a tick; and only then."""

import asyncio
import shutil

import pytest
from tests.node.chain import JOBS, SECOND

from hansa.client import keys as key_files
from hansa.node import node as node_module
from hansa.node.create import NODE_KEY
from hansa.node.node import open_node
from hansa.wire import entry, tick
from hansa.wire.genesis import Limits
from hansa.wire.problems import HansaError

LOOK_S = 0.02


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The timer looks at the clock often, since tests set it."""
    monkeypatch.setattr(node_module, "TIMER_S_MAX", LOOK_S)
    monkeypatch.setattr(node_module, "TICK_WAIT_S", 0.005)
    monkeypatch.setattr(node_module, "RETRY_S", 0.01)


@pytest.fixture
def sealed(monkeypatch):
    """The sizes at which ticks were made."""
    sizes = []
    seal = tick.seal

    def counting(signer, ledger, size):
        sizes.append(size)
        return seal(signer, ledger, size)

    monkeypatch.setattr(node_module.tick, "seal", counting)
    return sizes


@pytest.fixture
def jobs(make_ledger, play):
    """`jobs(limits)`: a ledger with the contract whose actions ledger time takes."""

    def made(limits=None):
        ledger = make_ledger(limits)
        play(ledger, lambda session: session.applied(ledger.deploy("jobs", JOBS)))
        return ledger

    return made


def plan(ledger, name, ahead=SECOND, then="work"):
    return ledger.prepare("jobs", "plan", {"name": name, "then": then, "ahead": ahead})


def kinds(session, first):
    """The kinds of the entries from `first` on."""
    reading = session.node.reading
    return [reading.at(seq).kind for seq in range(first, reading.tip.size)]


def runs(session, name):
    return session.node.reading.record("jobs", "Job", name).value["runs"]


async def quiet(session):
    """Long enough for the timer to have looked a few times."""
    before = session.node.status().entries
    await asyncio.sleep(6 * LOOK_S)
    return session.node.status().entries - before


def test_an_idle_node_takes_what_is_due(jobs, play, clock, sealed):
    ledger = jobs()

    async def scenario(session):
        await session.applied(plan(ledger, "a"))
        first = session.node.status().entries
        clock.ahead = 2 * SECOND
        await session.until(lambda: runs(session, "a") == 1)
        assert kinds(session, first) == ["scheduled", "tick"]
        places = [session.node.reading.at(seq) for seq in (first, first + 1)]
        assert places[0].height == places[1].height
        assert tick.read(places[1].envelope).size == first
        assert session.node.reading.receipt(first)
        assert await quiet(session) == 0
        assert sealed == [first]
        assert session.node._tick_timer is None

    play(ledger, scenario, clock=clock)


def test_the_timer_is_set_for_what_is_due_next(jobs, play, monkeypatch):
    """Without looking in between; also where something later had set it."""
    monkeypatch.setattr(node_module, "TIMER_S_MAX", 60.0)
    ledger = jobs()

    async def scenario(session):
        await session.applied(plan(ledger, "later", 3_600 * SECOND))
        await session.applied(plan(ledger, "a", SECOND))
        await session.until(lambda: runs(session, "a") == 1)
        assert runs(session, "later") == 0
        assert session.node._tick_timer is not None

    play(ledger, scenario)


def test_nothing_happens_while_nothing_is_due(jobs, play, clock, sealed):
    ledger = jobs()

    async def scenario(session):
        assert session.node._tick_timer is None
        await session.applied(ledger.open("n"))
        assert session.node._tick_timer is None  # what is not there needs no timer
        await session.applied(plan(ledger, "a", 60 * SECOND))
        clock.ahead = 59 * SECOND
        assert await quiet(session) == 0
        assert sealed == []

    play(ledger, scenario, clock=clock)


def test_there_is_no_tick_while_transactions_flow(jobs, play, clock, gate, sealed):
    ledger = jobs()

    async def scenario(session):
        await session.applied(plan(ledger, "a"))
        first = await session.block()
        clock.ahead = 2 * SECOND
        waiting = session.submit(ledger.idle())
        await asyncio.sleep(6 * LOOK_S)  # it is due, and a block is on its way
        gate.release()
        await first
        answer = await waiting
        assert kinds(session, answer.seq - 1) == ["scheduled", "transaction"]
        assert runs(session, "a") == 1
        assert await quiet(session) == 0
        assert sealed == []

    play(ledger, scenario, clock=clock, files=gate)


def test_a_backlog_takes_a_tick_a_block(jobs, play, clock, sealed):
    ledger = jobs(Limits(scheduled_entries=3))

    async def scenario(session):
        await session.submit_all([plan(ledger, str(number)) for number in range(8)])
        first = session.node.status().entries
        clock.ahead = 2 * SECOND
        await session.until(lambda: runs(session, "7") == 1)
        taken = ["scheduled"] * 3 + ["tick"]
        assert kinds(session, first) == [*taken, *taken, "scheduled", "scheduled", "tick"]
        assert await quiet(session) == 0
        assert len(sealed) == 3

    play(ledger, scenario, clock=clock)


def test_a_backlog_goes_on_if_the_clock_falls_behind_ledger_time(jobs, play, clock, monkeypatch):
    """Ledger time has reached it, whatever the clock says."""
    monkeypatch.setattr(node_module, "TIMER_S_MAX", 60.0)
    ledger = jobs(Limits(scheduled_entries=3))

    async def scenario(session):
        await session.submit_all([plan(ledger, str(number)) for number in range(8)])
        clock.ahead = 2 * SECOND
        await session.submit(ledger.idle())
        clock.ahead = -60 * SECOND
        await session.until(lambda: runs(session, "7") == 1)

    play(ledger, scenario, clock=clock)


def test_what_schedules_itself_again_goes_on_by_ticks(jobs, play, clock):
    ledger = jobs()

    async def scenario(session):
        await session.applied(plan(ledger, "a", then="again"))
        for count in range(1, 5):
            clock.ahead += 2 * SECOND
            await session.until(lambda count=count: runs(session, "a") == count)
        clock.ahead += 2 * SECOND
        assert await quiet(session) == 0

    play(ledger, scenario, clock=clock)


@pytest.mark.parametrize("rebuilt", [False, True])
def test_what_was_due_while_the_node_did_not_run_is_taken_at_the_start(jobs, play, clock, sealed, rebuilt):
    ledger = jobs()

    async def planned(session):
        await session.applied(plan(ledger, "a", 60 * SECOND))
        assert session.node._tick_timer is not None
        return session.node.status().entries

    async def restarted(session):
        await session.until(lambda: runs(session, "a") == 1)
        assert kinds(session, first) == ["scheduled", "tick"]
        assert await quiet(session) == 0
        assert sealed == [first]

    first = play(ledger, planned, clock=clock)
    if rebuilt:
        shutil.rmtree(ledger.folder.state)
    clock.ahead = 61 * SECOND
    play(ledger, restarted, clock=clock)


def test_what_is_to_come_outlives_a_start(jobs, play, clock):
    ledger = jobs()
    play(ledger, lambda session: session.applied(plan(ledger, "a", 60 * SECOND)), clock=clock)

    async def restarted(session):
        assert await quiet(session) == 0
        clock.ahead = 61 * SECOND
        await session.until(lambda: runs(session, "a") == 1)

    play(ledger, restarted, clock=clock)


def test_no_tick_is_made_while_the_clock_is_doubted(jobs, play, clock, sealed):
    """One waits for the clock to be right; there is no entry at a doubted time, and no crowd of ticks."""
    ledger = jobs()

    async def scenario(session):
        node = session.node
        await session.applied(plan(ledger, "a", 30 * SECOND))
        clock.ahead = 3_600 * SECOND
        await session.until(lambda: node.status().state == "refusing")
        assert node.status().trouble == "clock.jumped"
        assert await quiet(session) == 0
        assert len(sealed) == 1
        clock.ahead = 0
        await session.until(lambda: node.status().state == "running")
        assert await quiet(session) == 0  # the tick came too early, and is gone
        clock.ahead = 31 * SECOND
        await session.until(lambda: runs(session, "a") == 1)
        assert len(sealed) == 2

    play(ledger, scenario, clock=clock)


def test_no_tick_is_made_while_the_disk_is_nearly_full(jobs, play, clock, sealed):
    """What is left is for what was promised."""
    ledger = jobs()

    async def scenario(session):
        node = session.node
        await session.applied(plan(ledger, "a"))
        node._set_trouble("journal", HansaError("disk.full"))
        clock.ahead = 2 * SECOND
        assert await quiet(session) == 0
        assert sealed == []
        node._clear_trouble("journal")
        await session.until(lambda: runs(session, "a") == 1)

    play(ledger, scenario, clock=clock)


def test_a_stop_ends_the_timer(jobs, play, clock, sealed):
    ledger = jobs()

    async def scenario(session):
        await session.applied(plan(ledger, "a"))
        timer = session.node._tick_timer
        clock.ahead = 2 * SECOND
        await session.node.stop()
        assert timer.cancelled()
        await asyncio.sleep(3 * LOOK_S)
        assert sealed == []

    play(ledger, scenario, clock=clock, stop=False)


def test_damage_that_shows_when_the_timer_is_set_stops_the_node(jobs, play, clock, monkeypatch):
    ledger = jobs()

    async def scenario(session):
        node = session.node
        await session.applied(plan(ledger, "a"))

        def damaged(*_):
            raise HansaError("state.corrupt")

        monkeypatch.setattr(node_module, "next_due", damaged)
        clock.ahead = -SECOND
        await session.until(lambda: node.status().state == "faulted")
        assert isinstance(node.failed.exception(), HansaError)

    play(ledger, scenario, clock=clock)


def test_nobody_sends_a_tick_in(jobs, play, clock):
    """Not even one that would count."""
    ledger = jobs()
    signer = key_files.load(ledger.folder.keys / NODE_KEY)

    async def scenario(session):
        await session.applied(plan(ledger, "a", 60 * SECOND))
        made = tick.seal(signer, ledger.id, session.node.status().entries)
        assert (await session.submit(made)).code == "envelope.content_type"

    play(ledger, scenario, clock=clock)


def test_a_node_key_that_is_not_this_ledgers_is_refused_at_the_start(jobs, refused):
    """Its ticks would count nowhere, and nothing would be taken, without a word."""
    ledger = jobs()
    path = ledger.folder.keys / NODE_KEY
    shutil.copy(ledger.folder.keys / "members" / "acme.pem", path)
    with refused("key.node"):
        open_node(ledger.root)


def test_a_schedule_is_read_like_any_record(jobs, play, clock):
    ledger = jobs()

    async def scenario(session):
        answer = await session.applied(plan(ledger, "a", 60 * SECOND))
        outcome = entry.decode_outcome(answer.outcome)
        (row,) = session.node.reading.page("members", "Schedule", None, 10).rows
        assert row.seq == answer.seq
        about = {name: row.value[name] for name in ("contract", "record", "key", "action", "at", "due")}
        at = outcome.time + 60 * SECOND
        assert about == {"contract": "jobs", "record": "Job", "key": b"a", "action": "work", "at": at, "due": at}

    play(ledger, scenario, clock=clock)
