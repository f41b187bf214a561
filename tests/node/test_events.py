"""Events as the node reads them: all of them, each once, in the order of the ledger, from any place on."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hansa.node import events
from hansa.node import node as node_module
from hansa.node.events import Event, Place, Slice, Wanted
from hansa.wire import entry
from hansa.wire.problems import HansaError

ALL = Wanted()
START = Place(0)


def told(node) -> list[tuple[int, int, str]]:
    """Every event there is, by going through the entries one by one."""
    found = []
    for seq in range(node.reading.tip.size):
        outcome = entry.decode_outcome(node.reading.at(seq).outcome)
        assert outcome.status == "applied" or not outcome.events
        found += [(seq, index, one["name"]) for index, one in enumerate(outcome.events)]
    return found


def names(found: list[Event]) -> list[tuple[int, int, str]]:
    return [(one.seq, one.index, one.name) for one in found]


def read_on(node, place=START, wanted=ALL) -> tuple[list[Event], Place]:
    """What is read from a place to the end, slice by slice."""
    found: list[Event] = []
    while place.seq < node.reading.tip.size:
        made = node.events.slice(place, wanted)
        assert made.place.seq > place.seq
        place = made.place
        found += made.events
    assert node.events.slice(place, wanted) == Slice([], place)
    return found, place


SEVERAL = """from hansa.contract import Contract, Party, Record, action, event, require


class Several(Contract, version="2.0.0"):
    class Roles:
        caller: Party = Party(contract="caller")

    class Thing(Record, key="id"):
        id: int

    @action(by=["member", "caller"])
    def tell(tx, count: int):
        for number in range(count):
            event("one of several\\n", number=number, big=4611686018427387904)
        require(count < 9, "too many")
"""


@pytest.fixture
def several(history, play):
    """The history with a second contract whose actions give any number of events; entries 311 to 316."""

    async def go_on(session):
        await session.applied(history.deploy("several", SEVERAL))
        for count in (3, 0, 1, 9, 2):
            await session.submit(history.prepare("several", "tell", {"count": count}))

    play(history, go_on)
    return history


def test_the_order_is_the_ledgers_and_nothing_is_left_out(several, play):
    async def scenario(session):
        found, place = read_on(session.node)
        assert names(found) == told(session.node)
        assert place == session.node.events.end() == Place(317)
        assert [one.seq for one in found][-6:] == [312, 312, 312, 314, 316, 316]  # 315 was refused
        return found

    found = play(several, scenario)
    assert play(several, scenario) == found  # a restart changes nothing


def test_what_an_event_says(several, play):
    async def scenario(session):
        found, _ = read_on(session.node)
        last, (deployed, *_) = found[-1], found
        assert json.loads(last.line) == {
            "id": "316-1",
            "seq": 316,
            "index": 1,
            "contract": "several",
            "version": "2.0.0",
            "name": "one of several\n",
            "time": session.node.reading.at(316).time,
            "transaction": session.node.reading.at(316).id.hex(),
            "data": {"number": 1, "big": "4611686018427387904"},
        }
        assert b"\n" not in last.line
        assert (deployed.contract, json.loads(deployed.line)["version"]) == ("members", "0.2.0")

    play(several, scenario)


CALLER = """from hansa.contract import Contract, Interface, action, event


class Told(Interface, contract="several"):
    @action
    def tell(tx, count: int): ...


class Caller(Contract, version="3.0.0"):
    @action(by="member")
    def both(tx, count: int):
        event("before")
        Told.tell(count=count)
        event("after")
"""


def test_every_place_can_be_gone_on_from(several, play):
    async def scenario(session):
        node = session.node
        everything = told(node)
        for seq, index, _ in everything:
            place = node.events.behind(f"{seq}-{index}")
            assert place.id() == f"{seq}-{index}"
            assert names(read_on(node, place)[0]) == [one for one in everything if one[:2] > (seq, index)]
        for seq in range(0, node.reading.tip.size, 7):
            place = node.events.behind(str(seq))
            assert place.id() == str(seq)
            assert names(read_on(node, place)[0]) == [one for one in everything if one[0] > seq]

    play(several, scenario)


@pytest.mark.parametrize(
    ("id", "code"),
    [
        *((id, "events.id") for id in ("", "x", "-1", "1-", "01", "1-100", "1-0-0", "\u0661", "1 ", str(10**16 - 1))),
        *((id, "events.beyond") for id in ("317", "317-0", "312-3", "313-0", "0-0", str(2**53 - 1))),
    ],
)
def test_an_id_that_is_not_of_this_ledger_is_refused(several, play, refused, id, code):
    async def scenario(session):
        with refused(code):
            session.node.events.behind(id)

    play(several, scenario)


def test_a_filter_takes_what_fits(several, play):
    async def scenario(session):
        everything, _ = read_on(session.node)
        for contract in (None, "notes", "later", "several", "nowhere"):
            for name in (None, "added", "opened", "nothing"):
                found, place = read_on(session.node, START, Wanted(contract, name))
                assert found == [
                    one for one in everything if contract in (None, one.contract) and name in (None, one.name)
                ]
                assert place == Place(317)  # it has looked that far, whatever fits

    play(several, scenario)


def test_a_slice_is_bounded(several, play, monkeypatch):
    """Whatever the clock says a chunk is read; then the time and the bytes decide."""
    monkeypatch.setattr(events, "_CHUNK_ENTRIES", 5)
    monkeypatch.setattr(events, "SLICE_S", -1)

    async def in_time(session):
        place = START
        while place.seq < 317:
            made = session.node.events.slice(place, ALL)
            assert 0 < made.place.seq - place.seq <= 5
            place = made.place

    play(several, in_time)
    monkeypatch.setattr(events, "SLICE_S", 1_000)
    monkeypatch.setattr(events, "SLICE_BYTES_MAX", 1_000)

    async def in_bytes(session):
        found, place = [], START
        while place.seq < 317:
            made = session.node.events.slice(place, ALL)
            assert sum(len(one.line) for one in made.events) <= 1_000 + 15 * 400
            place, found = made.place, [*found, *made.events]
        assert names(found) == told(session.node)

    play(several, in_bytes)


def test_what_is_remembered_is_bounded(several, play, monkeypatch):
    monkeypatch.setattr(events, "_CHUNK_ENTRIES", 5)
    monkeypatch.setattr(events, "_CHUNKS_CACHED", 4)
    monkeypatch.setattr(events, "_CHUNK_CACHED_BYTES_MAX", 1_300)

    async def scenario(session):
        for _ in range(2):
            assert names(read_on(session.node)[0]) == told(session.node)
        kept = session.node.events._chunks
        assert 0 < len(kept) <= 4
        assert all(chunk.bytes <= 1_300 for chunk in kept.values())

    play(several, scenario)


def test_changed_bytes_of_the_journal_end_the_reading(several, play, refused):
    segments = sorted(several.folder.journal.glob("*.segment"))
    segment = next(path for path in segments if b"opened" in path.read_bytes())
    at = segment.read_bytes().index(b"opened")

    async def scenario(session):
        with segment.open("r+b") as file:
            file.seek(at)
            file.write(b"X")
        with refused("journal.corrupt"):
            read_on(session.node)

    play(several, scenario)


# While transactions come


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_readers_get_every_event_once_while_blocks_are_made(make_ledger, play, data):
    """Readers that come and go at random, from the start and from now on, beside a ledger that grows."""
    ledger = make_ledger()
    stops = data.draw(st.lists(st.lists(st.integers(1, 4), max_size=6), min_size=1, max_size=4))
    wanted = data.draw(st.sampled_from([ALL, Wanted("notes"), Wanted(name="added"), Wanted("notes", "opened")]))

    async def scenario(session):
        node = session.node
        total = 60

        async def write():
            for number in range(total // 6):
                await session.submit_all(
                    [ledger.open(f"{number}")]
                    + [ledger.add("0", amount) for amount in (1, 0, 2)]
                    + [ledger.idle(), ledger.add(str(number), 1, by="bolt")]
                )

        async def follow(ends):
            found, place = [], START
            for slices in [*ends, 1_000_000]:  # each time it comes back with the id that it had last
                place = node.events.behind(place.id()) if place.id() else START
                for _ in range(slices):
                    if place.seq >= total + 2:
                        break
                    await node.events.wait(place, 5)
                    made = await node.events.read(place, wanted)
                    found += made.events
                    place = made.place
            return found

        *read, _ = await asyncio.gather(*(follow(ends) for ends in stops), write())
        everything, _ = read_on(node, START, wanted)
        assert session.node.reading.tip.size == total + 2
        for found in read:
            assert found == everything

    play(ledger, scenario)


def test_nothing_is_read_before_it_is_durable(ledger, play, gate):
    async def scenario(session):
        node = session.node
        place = node.events.end()
        answer = await session.block()
        place = node.events.end()
        held = session.submit(ledger.open("x"))
        waiting = asyncio.ensure_future(node.events.wait(place, 60))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        assert node.events.slice(place, ALL) == Slice([], place)
        gate.release()
        await waiting
        await answer
        seq = (await held).seq
        assert (seq, 0, "opened") in names(read_on(node, place)[0])

    play(ledger, scenario, files=gate)


def test_a_wait_ends_with_the_time_and_with_the_node(ledger, play):
    async def scenario(session):
        node = session.node
        await node.events.wait(node.events.end(), 0.01)
        assert node.events._waiting == []
        gone = asyncio.ensure_future(node.events.wait(node.events.end(), 60))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        assert node.events._waiting == []
        waiting = asyncio.ensure_future(node.events.wait(node.events.end(), 60))
        await asyncio.sleep(0)
        node.events.close()
        await waiting
        await node.events.wait(node.events.end(), 60)  # nor does it wait from then on

    play(ledger, scenario)


def test_there_are_only_so_many_readers(ledger, play, refused):
    async def scenario(session):
        held = session.node.events
        for _ in range(events.READERS_MAX):
            held.open()
        with refused("events.full") as caught:
            held.open()
        assert caught.value.fields["retry_after"] > 0
        held.release()
        held.open()
        held.close()
        held.release()
        with refused("node.stopping"):
            held.open()

    play(ledger, scenario)


def test_one_slice_is_read_at_a_time_and_reading_steps_back_while_transactions_wait(ledger, play, monkeypatch):
    slept, reading = [], []
    sleep = asyncio.sleep

    async def noted(seconds):
        slept.append(seconds)
        await sleep(0)

    async def scenario(session):
        held = session.node.events
        whole = held.slice

        def slice_(place, wanted):
            assert reading == []
            reading.append(place)
            return whole(place, wanted)

        async def one():
            made = await held.read(START, ALL)
            reading.clear()
            return made

        monkeypatch.setattr(held, "slice", slice_)
        monkeypatch.setattr(events.asyncio, "sleep", noted)
        await asyncio.gather(one(), one(), one())
        assert slept == [0, 0, 0]
        monkeypatch.setattr(held, "_is_busy", lambda: True)
        monkeypatch.setattr(events, "SLICE_S", 3_600)
        await one()
        assert slept[3] == 0  # not for so little
        monkeypatch.setattr(events, "SLICE_S", 0)
        await one()
        monkeypatch.undo()
        assert slept[4] > 0

    play(ledger, scenario)


def test_who_sends_one_after_the_other_keeps_the_node_busy(ledger, play, monkeypatch):
    """Between the answer and the next transaction nothing waits, and yet it would wait for a slice."""
    monkeypatch.setattr(node_module, "BUSY_S", 3_600)

    async def scenario(session):
        node = session.node
        node._stirred = -3_600.0
        assert not node._is_busy()
        await session.submit(session.ledger.idle())
        assert not (node._committing or len(node._queue))
        assert node._is_busy()
        monkeypatch.setattr(node_module, "BUSY_S", 0)
        assert not node._is_busy()

    play(ledger, scenario)


def test_a_called_contracts_events_are_its_own(several, play):
    async def scenario(session):
        await session.applied(several.deploy("caller", CALLER))
        await session.applied(several.prepare("caller", "both", {"count": 2}))
        found = [json.loads(one.line) for one in read_on(session.node)[0]][-4:]
        assert [(one["index"], one["contract"], one["version"], one["name"]) for one in found] == [
            (0, "caller", "3.0.0", "before"),
            (1, "several", "2.0.0", "one of several\n"),
            (2, "several", "2.0.0", "one of several\n"),
            (3, "caller", "3.0.0", "after"),
        ]

    play(several, scenario)


def test_an_unreadable_id_names_what_is_wrong(several, play):
    async def scenario(session):
        with pytest.raises(HansaError) as caught:
            session.node.events.behind("312-3")
        assert caught.value.detail == "entry 312 has 3 event(s), counted from 0"

    play(several, scenario)
