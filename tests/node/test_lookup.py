"""What became of a transaction, by its id: committed, pending, not found, or never."""

import time

import httpx2
import pytest

from hansa.api.app import make_app
from hansa.node import node as node_module

HOST = "node.example"


@pytest.fixture
def lookup():
    """`await lookup(session, id, not_after=...)`: the status that the node gives."""

    async def ask(session, id, **query):
        transport = httpx2.ASGITransport(make_app(session.node, frozenset({HOST})))
        async with httpx2.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
            answer = await client.get(f"/app/transactions/{id.hex()}", params=query)
            assert answer.status_code == 200
            return answer.json()

    return ask


def test_a_committed_one_is_given_whole(ledger, play, lookup):
    async def scenario(session):
        prepared = ledger.open("a")
        answer = await session.applied(prepared)
        found = await lookup(session, prepared.id)
        assert (found["status"], found["seq"], found["kind"]) == ("committed", answer.seq, "transaction")
        assert (found["envelope"], found["outcome"]) == (prepared.envelope.hex(), answer.outcome.hex())
        assert found["decoded"]["code"] == "ok"
        assert found == await lookup(session, prepared.id, not_after=0)

    play(ledger, scenario)


def test_a_refused_one_is_committed_too(ledger, play, lookup):
    async def scenario(session):
        prepared = ledger.idle()
        await session.submit(prepared)
        assert (await lookup(session, prepared.id))["decoded"]["code"] == "contract.unknown"

    play(ledger, scenario)


def test_it_is_found_over_all_history(ledger, play, lookup):
    """Long after its time in the window, across restarts and flushes."""
    prepared = ledger.open("a")
    answer = play(ledger, lambda session: session.applied(prepared))

    async def scenario(session):
        await session.submit_all([ledger.idle() for _ in range(30)])
        session.node._flush()
        await session.submit_all([ledger.idle() for _ in range(30)])
        assert (await lookup(session, prepared.id))["seq"] == answer.seq

    play(ledger, scenario)


def test_genesis_is_found_by_the_ledgers_id(ledger, play, lookup):
    async def scenario(session):
        found = await lookup(session, ledger.id)
        assert (found["status"], found["kind"], found["seq"]) == ("committed", "genesis", 0)

    play(ledger, scenario)


def test_one_that_waits_is_pending_until_its_block_is_durable(ledger, play, gate, lookup):
    async def scenario(session):
        await session.hold()
        first, second = ledger.open("a"), ledger.open("b")
        on_its_way = session.submit(first)
        await session.until(lambda: gate.held)
        queued = session.submit(second)
        await session.until(lambda: session.node.status().waiting == 2)
        for prepared in (first, second):
            assert await lookup(session, prepared.id) == {"status": "pending", "id": prepared.id.hex()}
            assert (await lookup(session, prepared.id, not_after=0))["status"] == "pending"
        gate.release()
        await on_its_way
        await queued
        assert (
            (await lookup(session, first.id))["status"] == (await lookup(session, second.id))["status"] == "committed"
        )

    play(ledger, scenario, files=gate)


def test_one_that_never_came_is_not_found_as_of_the_head(ledger, play, lookup):
    async def scenario(session):
        prepared = ledger.open("a")
        status = session.node.status()
        found = await lookup(session, prepared.id, not_after=prepared.not_after)
        assert found == {
            "status": "not_found",
            "id": prepared.id.hex(),
            "entries": status.entries,
            "time": status.time,
        }

    play(ledger, scenario)


@pytest.mark.parametrize(("past", "status"), [(-1, "not_found"), (0, "not_found"), (1, "never")])
def test_it_is_never_once_ledger_time_has_passed_its_limit(ledger, play, lookup, past, status):
    async def scenario(session):
        await session.submit(ledger.idle())
        limit = session.node.status().time - past
        assert (await lookup(session, bytes(32), not_after=limit))["status"] == status

    play(ledger, scenario)


def test_the_clock_alone_makes_nothing_never(ledger, play, clock, lookup):
    """Only ledger time is certain: what the clock has passed may still be in the next block of a slow order."""

    async def scenario(session):
        limit = time.time_ns() // 1_000_000 + 10_000
        clock.ahead = 60_000
        assert (await lookup(session, bytes(32), not_after=limit))["status"] == "not_found"
        await session.submit(ledger.idle())
        assert (await lookup(session, bytes(32), not_after=limit))["status"] == "never"

    play(ledger, scenario, clock=clock)


def test_never_is_true_for_what_is_sent_afterwards(ledger, play, clock, lookup):
    async def scenario(session):
        prepared = ledger.idle(not_after=time.time_ns() // 1_000_000 + 10_000)
        clock.ahead = 60_000
        await session.submit(ledger.idle())
        clock.ahead = 0
        assert (await lookup(session, prepared.id, not_after=prepared.not_after))["status"] == "never"
        assert await session.code(prepared) == "transaction.expired"
        assert (await lookup(session, prepared.id))["status"] == "not_found"

    play(ledger, scenario, clock=clock)


def test_what_was_refused_at_intake_is_not_found(ledger, play, lookup):
    async def scenario(session):
        prepared = ledger.open("a")
        assert await session.code(prepared.envelope[:-1] + bytes([prepared.envelope[-1] ^ 1])) == "signature.invalid"
        assert (await lookup(session, prepared.id))["status"] == "not_found"

    play(ledger, scenario)


def test_what_a_stop_left_unanswered_is_not_found_and_may_be_sent_again(ledger, play, gate, lookup, monkeypatch):
    monkeypatch.setattr(node_module, "RETRY_S", 0.01)
    prepared = ledger.open("a")

    async def first(session):
        blocker = await session.block()
        waiting = session.submit(prepared)
        await session.until(lambda: session.node.is_pending(prepared.id))
        gate.release()
        await session.node.stop()
        await blocker
        return (await waiting).code if not hasattr(await waiting, "seq") else "entered"

    assert play(ledger, first, files=gate, stop=False) == "node.stopping"

    async def second(session):
        assert (await lookup(session, prepared.id))["status"] == "not_found"
        assert not (await session.applied(prepared)).duplicate

    play(ledger, second)
