"""A ledger whose time is told: it stands, moves forward only, passes what is due, and can be taken for no other."""

import asyncio
import shutil

import msgspec
import pytest
from tests.node.chain import JOBS, SECOND
from tests.node.conftest import FOUNDERS, Ledger

from hansa.client import keys as key_files
from hansa.client import transactions, verification
from hansa.merkle import checkpoint, receipt
from hansa.node import node as node_module
from hansa.node.audit import audit
from hansa.node.clock import ToldClock
from hansa.node.create import CHECKPOINT_KEY, create_ledger
from hansa.node.node import open_node
from hansa.store.checkpoints import Checkpoints
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire import entry, genesis

BEGIN = 1_767_603_600_000  # 2026-01-05T09:00:00Z
DAY = 86_400 * SECOND


@pytest.fixture
def told(tmp_path):
    root = tmp_path / "told"
    return Ledger(root, create_ledger(Disk(), Folder(root), "Told", FOUNDERS, clock=BEGIN))


def limit(session):
    """What the client gives a transaction where time is told."""
    status = session.node.status()
    return status.now + transactions.VALID_MS if status.clock == "told" else None


def times(session, first):
    reading = session.node.reading
    return [
        (found.kind, entry.decode_outcome(found.outcome).time)
        for found in (reading.at(seq) for seq in range(first, reading.tip.size))
    ]


async def deployed(session):
    ledger = session.ledger
    await session.applied(ledger.deploy("jobs", JOBS, not_after=limit(session)))


def plan(session, name, ahead):
    arguments = {"name": name, "then": "work", "ahead": ahead}
    return session.ledger.prepare("jobs", "plan", arguments, not_after=limit(session))


def test_time_stands_until_it_is_told(told, play):
    async def scenario(session):
        await deployed(session)
        await session.applied(plan(session, "a", 3_600 * SECOND))
        assert {time for _, time in times(session, 0)} == {BEGIN}
        assert session.node.status().clock == genesis.TOLD
        assert session.node.status().now == BEGIN

    play(told, scenario)


def test_what_is_due_on_the_way_is_taken_when_it_is_due(told, play):
    async def scenario(session):
        await deployed(session)
        await session.applied(plan(session, "late", 7_200 * SECOND))
        await session.applied(plan(session, "early", 3_600 * SECOND))
        first = session.node.status().entries
        await session.node.tell_time(BEGIN + 86_400 * SECOND)
        assert [time - BEGIN for kind, time in times(session, first) if kind == entry.SCHEDULED] == [
            3_600 * SECOND,
            7_200 * SECOND,
        ]
        assert session.node.status().now == BEGIN + 86_400 * SECOND
        await session.applied(plan(session, "next", SECOND))
        assert times(session, 0)[-1][1] == BEGIN + 86_400 * SECOND

    play(told, scenario)


def test_it_moves_forward_only(told, play, refused):
    async def scenario(session):
        await session.node.tell_time(BEGIN + SECOND)
        with refused("clock.backward"):
            await session.node.tell_time(BEGIN)
        await session.node.tell_time(BEGIN + SECOND)
        assert session.node.status().now == BEGIN + SECOND

    play(told, scenario)


async def week(session):
    """Five jobs, one a day; what has an entry then."""
    await deployed(session)
    for day in range(1, 6):
        await session.applied(plan(session, f"day {day}", day * DAY))
    return session.node.status().entries


def done(session, first):
    return [(time - BEGIN) // DAY for kind, time in times(session, first) if kind == entry.SCHEDULED]


def test_one_asker_sets_off_so_many_blocks_and_goes_on_from_there(told, play, monkeypatch):
    monkeypatch.setattr(node_module, "TELL_TICKS_MAX", 2)

    async def scenario(session):
        first, reached = await week(session), []
        while session.node.status().now < BEGIN + 9 * DAY:
            await session.node.tell_time(BEGIN + 9 * DAY)
            reached.append(((session.node.status().now - BEGIN) // DAY, done(session, first)))
        assert reached == [(2, [1, 2]), (4, [1, 2, 3, 4]), (9, [1, 2, 3, 4, 5])]

    play(told, scenario)


def test_one_puts_it_forward_at_a_time(told, play, refused):
    async def scenario(session):
        first = await week(session)
        under_way = asyncio.ensure_future(session.node.tell_time(BEGIN + 9 * DAY))
        await asyncio.sleep(0)
        with refused("clock.moving"):
            await session.node.tell_time(BEGIN + 20 * DAY)
        await under_way
        assert session.node.status().now == BEGIN + 9 * DAY
        assert done(session, first) == [1, 2, 3, 4, 5]
        await session.node.tell_time(BEGIN + 20 * DAY)

    play(told, scenario)


def test_it_stops_when_nobody_waits_for_it_any_more(told, play):
    async def scenario(session):
        first = await week(session)
        await session.node.tell_time(BEGIN + 9 * DAY, lambda: len(done(session, first)) == 2)
        assert session.node.status().now == BEGIN + 2 * DAY
        await asyncio.sleep(0.1)
        assert done(session, first) == [1, 2]

    play(told, scenario)


def test_it_ends_by_itself_when_the_node_is_to_stop(told, play, refused):
    async def scenario(session):
        await week(session)
        under_way = asyncio.ensure_future(session.node.tell_time(BEGIN + 9 * DAY))
        await session.until(lambda: session.node.status().now > BEGIN)
        session.node.events.close()
        with refused("node.stopping"):
            await under_way

    play(told, scenario)


def test_the_steps_of_a_telling_wait_for_blocks_and_not_for_a_timer(told, play, monkeypatch):
    monkeypatch.setattr(node_module, "TICK_WAIT_S", 3_600.0)
    monkeypatch.setattr(node_module, "TELL_LOOK_S", 3_600.0)

    async def scenario(session):
        first = await week(session)
        await session.node.tell_time(BEGIN + 9 * DAY)
        assert done(session, first) == [1, 2, 3, 4, 5]

    play(told, scenario)


def test_a_told_clock_itself_moves_forward_only(refused):
    clock = ToldClock(BEGIN)
    with refused("clock.backward"):
        clock.move(BEGIN - 1)
    assert (clock.now(), clock.stamp(0), clock.stamp(BEGIN + 5)) == (BEGIN, BEGIN, BEGIN + 5)


def test_real_time_cannot_be_told(ledger, play, refused):
    async def scenario(session):
        assert limit(session) is None
        with refused("clock.real"):
            await session.node.tell_time(2**52)

    play(ledger, scenario)
    with refused("clock.real"):
        open_node(ledger.root, told=True, reserve_bytes=0)
    play(ledger, scenario)  # the refusal let the folder go


def test_a_restart_goes_on_where_the_clock_stood(told, play):
    async def first(session):
        await session.node.tell_time(BEGIN + 500 * SECOND)

    async def second(session):
        assert session.node.status().now == BEGIN + 500 * SECOND

    play(told, first)
    play(told, second)
    play(told, second)


def test_transactions_are_bounded_by_the_told_time(told, play):
    async def scenario(session):
        await deployed(session)
        assert await session.code(told.idle()) == "transaction.too_far"  # by this machine's clock
        early = plan(session, "a", SECOND)
        await session.node.tell_time(BEGIN + 3_600 * SECOND)
        assert await session.code(early) == "transaction.expired"

    play(told, scenario)


def test_receipts_and_audits_say_so(told, play):
    async def scenario(session):
        await deployed(session)
        session.node.sign_checkpoint()
        found = session.node.reading.at(1)
        return session.node.reading.receipt(1), found.entry(), session.node.genesis

    proof, leaf, document = play(told, scenario)
    assert b"told" in proof
    assert verification.verify(proof, leaf, verification.pin_genesis(document, told.id)).told
    report = audit(told.root)
    assert report.is_sound
    assert genesis.TOLD_IN_WORDS in report.notes


def test_a_real_ledgers_receipts_do_not(ledger, play):
    async def scenario(session):
        session.node.sign_checkpoint()
        return session.node.reading.receipt(1), session.node.reading.at(1).entry(), session.node.genesis

    proof, leaf, document = play(ledger, scenario)
    assert not verification.verify(proof, leaf, verification.pin_genesis(document, ledger.id)).told
    assert genesis.TOLD_IN_WORDS not in audit(ledger.root).notes


def unmarked(ledger):
    """The newest checkpoint of a stopped ledger, signed by its key without the mark, as one who cheats could."""
    stored = Checkpoints(Disk(), ledger.folder.checkpoints, ledger.id)
    last = stored.last()
    signer = key_files.load(ledger.folder.keys / CHECKPOINT_KEY)
    stored.close()
    return checkpoint.sign(ledger.id, last.size, last.time, last.root, signer)


def test_a_receipt_without_the_mark_is_refused(told, play, refused):
    async def scenario(session):
        session.node.sign_checkpoint()
        return session.node.reading.receipt(0), session.node.reading.at(0).entry(), session.node.genesis

    good, leaf, document = play(told, scenario)
    forged = receipt.inclusion(unmarked(told), 0, [])
    assert forged != good
    with refused("verify.clock"):
        verification.verify(forged, leaf, verification.pin_genesis(document, told.id))


def test_an_audit_finds_a_checkpoint_without_the_mark(told, play, tmp_path):
    async def scenario(session):
        session.node.sign_checkpoint()

    play(told, scenario)
    kept = tmp_path / "kept.cose"
    kept.write_bytes(receipt.bare(unmarked(told)))
    assert [finding.code for finding in audit(told.root, [kept]).findings] == ["verify.clock"]


def test_the_mark_of_a_stored_checkpoint_is_signed(told, play, refused):
    """Whoever clears the mark in the file breaks the signature, and the node does not start."""

    async def scenario(session):
        await deployed(session)

    play(told, scenario)
    stored = Checkpoints(Disk(), told.folder.checkpoints, told.id)
    last = stored.last()
    assert last.told
    stored.close()
    path = told.folder.checkpoints
    path.unlink()
    stored = Checkpoints(Disk(), path, told.id)
    stored.append(msgspec.structs.replace(last, told=False))
    stored.close()
    shutil.rmtree(told.folder.state)
    with refused("journal.diverged"):
        open_node(told.root, reserve_bytes=0)
