"""The clock: a wrong one never reaches the ledger. The node refuses while it is wrong and loses nothing."""

import json

import pytest

from hansa.node import clock as clock_module
from hansa.node import node as node_module
from hansa.node.clock import AHEAD_MS_MAX, BEHIND_MS_MAX, JUMP_MS_MAX, Clock
from hansa.node.intake import Answer
from hansa.node.node import last_stop, open_node
from hansa.store.files import Disk

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
ODD_TIMES = [
    f'{{"stopped": {value}}}' for value in ("Infinity", "NaN", "1e999", "true", "1.5", "-1", "[]", "1" + "0" * 400)
]


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    monkeypatch.setattr(node_module, "RETRY_S", 0.02)


# By itself


@pytest.fixture
def set_clock(monkeypatch):
    """A `Clock` over a wall and a monotonic clock that the test moves."""
    at = {"wall": 10**12, "monotonic": 5_000}
    monkeypatch.setattr(Clock, "now", lambda self: at["wall"])
    monkeypatch.setattr(clock_module, "_monotonic_ms", lambda: at["monotonic"])
    clock = Clock()
    clock._wall_start = at["wall"]

    def move(wall, monotonic):
        at["wall"] += wall
        at["monotonic"] += monotonic

    return clock, move, at


def test_a_stamp_is_the_time(set_clock):
    clock, move, at = set_clock
    move(1_234, 1_234)
    assert clock.stamp(0) == at["wall"] == 10**12 + 1_234


@pytest.mark.parametrize("ahead", [1, BEHIND_MS_MAX])
def test_a_last_block_a_little_ahead_is_accepted(set_clock, ahead):
    clock, _, at = set_clock
    assert clock.stamp(at["wall"] + ahead) == at["wall"]


def test_a_clock_far_behind_the_last_block_is_refused(set_clock, refused):
    clock, _, at = set_clock
    with refused("clock.behind"):
        clock.stamp(at["wall"] + BEHIND_MS_MAX + 1)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_jump_is_refused_in_both_directions(set_clock, refused, sign):
    clock, move, _ = set_clock
    move(sign * JUMP_MS_MAX, 0)
    assert clock.stamp(0)
    move(sign, 0)
    with refused("clock.jumped"):
        clock.stamp(0)


def test_a_pause_of_the_machine_is_no_jump(set_clock):
    clock, move, at = set_clock
    move(30 * DAY_MS, 30 * DAY_MS)
    assert clock.stamp(0) == at["wall"]


@pytest.mark.parametrize(("accepted", "ahead", "code"), [(False, 0, ""), (False, 1, "clock.ahead"), (True, 1, "")])
def test_a_start_long_after_the_last_sign_of_life_must_be_accepted(set_clock, refused, accepted, ahead, code):
    clock, _, at = set_clock
    last = at["wall"] - AHEAD_MS_MAX - ahead
    if code:
        with refused(code):
            clock.check_start(last, accepted=accepted)
    else:
        clock.check_start(last, accepted=accepted)


# In a node


@pytest.mark.parametrize(
    ("moved", "code"), [(-2 * JUMP_MS_MAX, "clock.behind"), (2 * JUMP_MS_MAX, "clock.jumped")], ids=["back", "ahead"]
)
def test_a_node_whose_clock_jumped_seals_nothing_until_it_is_right(ledger, play, clock, moved, code):
    async def scenario(session):
        await session.submit(ledger.idle())  # the last block is of now, however long ago the ledger was made
        entries = session.node.status().entries
        clock.ahead = moved
        limit = clock.now() + 2 * JUMP_MS_MAX + 30 * MINUTE_MS
        waiting = [session.submit(ledger.idle(not_after=limit)) for _ in range(3)]
        await session.until(lambda: session.node.status().trouble)
        status = session.node.status()
        assert (status.state, status.trouble, status.entries) == ("refusing", code, entries)
        refused = await session.submit(ledger.idle(not_after=limit))
        assert (refused.code, refused.fields["retry_after"]) == (code, 1)
        assert not any(future.done() for future in waiting)
        clock.ahead = 0
        answers = [await future for future in waiting]
        assert [answer.seq for answer in answers] == [entries, entries + 1, entries + 2]
        assert session.node.status().state == "running"
        assert await session.code(ledger.idle()) == "contract.unknown"

    play(ledger, scenario, clock=clock)


def test_a_node_far_behind_its_last_block_seals_nothing(ledger, play, clock):
    """A ledger that was written under a clock ahead of ours: we wait rather than write into its past."""
    clock.ahead = 20 * MINUTE_MS
    clock._wall_start += 20 * MINUTE_MS  # it has always been so far ahead: no jump
    play(ledger, lambda session: session.submit(ledger.idle(not_after=clock.now() + MINUTE_MS)), clock=clock)
    ours = type(clock)()

    async def scenario(session):
        future = session.submit(ledger.idle(not_after=ours.now() + 50 * MINUTE_MS))
        await session.until(lambda: session.node.status().trouble)
        assert session.node.status().trouble == "clock.behind"
        assert not future.done()
        ours.ahead = 20 * MINUTE_MS - BEHIND_MS_MAX + 2_000
        ours._wall_start += ours.ahead
        assert isinstance(await future, Answer)
        assert session.node.status().state == "running"

    play(ledger, scenario, clock=ours)


def test_reads_go_on_while_the_clock_is_wrong(ledger, play, clock):
    async def scenario(session):
        await session.applied(ledger.open("a"))
        clock.ahead = -2 * JUMP_MS_MAX
        future = session.submit(ledger.add("a"))
        await session.until(lambda: session.node.status().trouble)
        assert session.node.reading.record("notes", "Note", "a").value["value"] == 0
        assert session.node.reading.receipt(session.node.status().entries - 1)
        clock.ahead = 0
        await future

    play(ledger, scenario, clock=clock)


# At the start


def test_a_start_far_ahead_needs_a_word(ledger, play, clock, refused):
    play(ledger, lambda session: session.submit(ledger.idle()))
    clock.ahead = AHEAD_MS_MAX + DAY_MS
    clock._wall_start += clock.ahead
    with refused("clock.ahead"):
        open_node(ledger.root, clock=clock)
    code = play(ledger, lambda s: s.code(ledger.idle(not_after=clock.now() + 1_000)), clock=clock, accept_clock=True)
    assert code == "contract.unknown"


def test_a_refused_start_lets_the_folder_go(ledger, play, clock, refused):
    play(ledger, lambda session: session.submit(ledger.idle()))
    clock.ahead = AHEAD_MS_MAX + DAY_MS
    with refused("clock.ahead"):
        open_node(ledger.root, clock=clock)
    assert play(ledger, lambda session: session.code(ledger.open())) == "ok"


def test_the_last_clean_stop_is_a_sign_of_life(ledger, play, clock):
    """A node that was up without transactions starts again without being asked."""
    play(ledger, lambda session: session.submit(ledger.idle()))
    clock.ahead = AHEAD_MS_MAX + DAY_MS
    stopped = clock.now() - DAY_MS
    ledger.folder.clock.write_text(json.dumps({"stopped": stopped}))
    clock._wall_start += clock.ahead
    limit = clock.now() + MINUTE_MS
    assert play(ledger, lambda s: s.code(ledger.idle(not_after=limit)), clock=clock) == "contract.unknown"


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"stopped": "x"}', '{"stopped": null}', "\0", "5", "[" * 100_000, *ODD_TIMES]
)
def test_a_damaged_stop_time_counts_as_none(ledger, play, content):
    play(ledger, lambda session: session.submit(ledger.idle()))
    ledger.folder.clock.write_text(content)
    assert last_stop(Disk(), ledger.folder) == 0
    assert play(ledger, lambda session: session.code(ledger.open())) == "ok"


def test_a_clean_stop_writes_its_time(ledger, play, clock):
    before = clock.now()
    play(ledger, lambda session: session.submit(ledger.idle()), clock=clock)
    assert before <= json.loads(ledger.folder.clock.read_text())["stopped"] <= clock.now()


@pytest.mark.parametrize("moved", [400 * DAY_MS, -2 * JUMP_MS_MAX, 0])
def test_a_stop_under_a_doubted_clock_leaves_no_word(ledger, play, clock, refused, moved):
    """Else one wrong clock would vouch for the next."""

    async def scenario(session):
        await session.submit(ledger.idle())
        clock.ahead = moved

    ledger.folder.clock.unlink()
    play(ledger, scenario, clock=clock)
    assert ledger.folder.clock.exists() == (moved == 0)
    assert ledger.folder.seal.exists(), "the stop was orderly all the same"
    if moved > 0:
        with refused("clock.ahead"):
            open_node(ledger.root, clock=clock)


def test_a_stop_while_the_clock_was_in_doubt_leaves_no_word(ledger, play, clock, monkeypatch):
    monkeypatch.setattr(node_module, "RETRY_S", 3600)

    async def scenario(session):
        clock.ahead = -2 * JUMP_MS_MAX
        session.submit(ledger.idle(not_after=clock.now() + 40 * MINUTE_MS))
        await session.until(lambda: session.node.status().trouble)
        clock.ahead = 0

    ledger.folder.clock.unlink()
    play(ledger, scenario, clock=clock)
    assert not ledger.folder.clock.exists()
