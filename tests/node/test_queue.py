"""What waits at a node is bounded and shared: no flood of one member keeps the others out, nothing is forgotten."""

import asyncio

import pytest

from hansa.node import intake
from hansa.node.intake import Answer
from hansa.wire.problems import HansaError

ROOM = 40


@pytest.fixture
def small_queue(monkeypatch):
    monkeypatch.setattr(intake, "QUEUE_TRANSACTIONS_MAX", ROOM)


def codes(futures):
    """What those futures that are done hold."""
    return [f.result().code if isinstance(f.result(), HansaError) else "entered" for f in futures if f.done()]


async def flood(session, count, *, by="acme", size=0):
    """Submits so many, a few at a time so that each has its signature checked; the futures of their answers."""
    futures = []
    for _ in range(count):
        futures.append(session.submit(session.ledger.idle(by=by, data=bytes(size))))
        await session.until(lambda: session.node._unverified == [])
    return futures


@pytest.mark.usefixtures("small_queue")
def test_a_flood_of_one_member_fills_half_the_queue_at_most(ledger, play, gate):
    async def scenario(session):
        first = await session.block()
        futures = await flood(session, 3 * ROOM)
        assert codes(futures) == ["queue.share"] * (3 * ROOM - ROOM // 2 + 1)
        assert session.node.status().waiting == ROOM // 2
        others = await flood(session, ROOM // 8, by="bolt")
        assert codes(others) == []
        assert session.node.status().waiting == ROOM // 2 + ROOM // 8
        gate.release()
        await first
        answers = [await future for future in [*futures, *others]]
        entered = [answer for answer in answers if isinstance(answer, Answer)]
        assert len(entered) == ROOM // 2 - 1 + ROOM // 8
        assert len({answer.seq for answer in entered}) == len(entered)

    play(ledger, scenario, files=gate)


@pytest.mark.usefixtures("small_queue")
def test_a_refusal_says_when_to_come_back_and_then_there_is_room(ledger, play, gate):
    async def scenario(session):
        first = await session.block()
        futures = await flood(session, ROOM)
        refused = [future.result() for future in futures if future.done()]
        assert {error.code for error in refused} == {"queue.share"}
        assert {error.fields["retry_after"] for error in refused} == {intake.RETRY_AFTER_S}
        assert refused[0].kind.status == 503
        gate.release()
        await first
        await asyncio.gather(*futures)
        assert await session.code(ledger.idle()) == "contract.unknown"

    play(ledger, scenario, files=gate)


@pytest.mark.usefixtures("small_queue")
def test_the_queue_never_holds_more_than_its_room(ledger, play, gate):
    async def scenario(session):
        first = await session.block()
        futures = []
        for by in ("acme", "bolt", "core", "acme/ann") * 2:
            futures += await flood(session, ROOM // 2, by=by)
            assert session.node.status().waiting <= ROOM
        assert set(codes(futures)) <= {"queue.share", "queue.full"}
        gate.release()
        await first
        await asyncio.gather(*futures)
        assert session.node.status().waiting == 0

    play(ledger, scenario, files=gate)


def test_a_flood_of_large_transactions_leaves_room_in_bytes_too(ledger, play, gate, monkeypatch):
    """The room is bounded in number and in bytes; a member's share must be of both."""
    monkeypatch.setattr(intake, "QUEUE_BYTES_MAX", 200_000)

    async def scenario(session):
        first = await session.block()
        futures = await flood(session, 60, size=9_500)
        assert len(codes(futures)) >= 40
        other = session.submit(ledger.idle(by="bolt", data=bytes(9_500)))
        gate.release()
        await first
        await asyncio.gather(*futures)
        assert isinstance(await other, Answer)

    play(ledger, scenario, files=gate)


@pytest.mark.parametrize(
    ("limit", "bound"), [("QUEUE_TRANSACTIONS_MAX", ROOM), ("QUEUE_BYTES_MAX", 400 * ROOM)], ids=["number", "bytes"]
)
def test_what_waits_for_its_signature_to_be_checked_is_bounded_too(ledger, play, monkeypatch, limit, bound):
    """Forgeries cost the sender nothing: they must not pile up before anyone has looked at them."""
    monkeypatch.setattr(intake, limit, bound)

    async def scenario(session):
        envelope = ledger.idle(data=b"").envelope
        futures = [session.submit(envelope[:-4] + number.to_bytes(4, "big")) for number in range(3 * ROOM)]
        at_once = codes(futures)
        assert set(at_once) == {"queue.full"}
        assert len(at_once) >= ROOM
        answers = await asyncio.gather(*futures)
        assert {error.code for error in answers} == {"queue.full", "signature.invalid"}
        assert {error.fields["retry_after"] for error in answers if error.code == "queue.full"} == {1}
        assert await session.code(envelope) == "contract.unknown"

    play(ledger, scenario)


def test_forgeries_in_a_members_name_do_not_use_up_its_share(ledger, play, gate, monkeypatch):
    monkeypatch.setattr(intake, "QUEUE_TRANSACTIONS_MAX", ROOM)

    async def scenario(session):
        first = await session.block()
        envelope = ledger.idle().envelope
        futures = [session.submit(envelope[:-4] + number.to_bytes(4, "big")) for number in range(ROOM)]
        assert {(await future).code for future in futures} == {"signature.invalid"}
        good = await flood(session, ROOM // 2 - 1)
        assert codes(good) == []
        gate.release()
        await first
        await asyncio.gather(*good)

    play(ledger, scenario, files=gate)


@pytest.mark.usefixtures("small_queue")
def test_duplicates_take_no_room(ledger, play, gate):
    async def scenario(session):
        first = await session.block()
        envelope = ledger.idle().envelope
        futures = []
        for _ in range(2 * intake.ASKERS_MAX):
            futures.append(session.submit(envelope))
            await session.until(lambda: session.node._unverified == [])
        assert session.node.status().waiting == 2
        gate.release()
        await first
        answers = [await future for future in futures]
        told, refused = answers[: intake.ASKERS_MAX], answers[intake.ASKERS_MAX :]
        assert [answer.duplicate for answer in told] == [False] + [True] * (intake.ASKERS_MAX - 1)
        assert {answer.code for answer in refused} == {"queue.full"}  # or they would wait without bound

    play(ledger, scenario, files=gate)


def test_members_share_a_block_in_turns(ledger, play, gate):
    async def scenario(session):
        first = await session.block()
        flood = [session.submit(ledger.idle()) for _ in range(200)]
        await session.until(lambda: session.node.status().waiting == 201)
        late = session.submit(ledger.idle(by="bolt"))
        await session.until(lambda: session.node.status().waiting == 202)
        gate.release()
        await first
        seq = (await late).seq
        assert seq - (await flood[0]).seq in (-1, 1)

    play(ledger, scenario, files=gate)


def test_the_queue_is_empty_when_all_were_answered(ledger, play):
    async def scenario(session):
        made = [ledger.idle(by=("acme", "bolt")[number % 2]) for number in range(100)]
        made += [ledger.open("a"), ledger.open("a"), made[0]]
        await session.submit_all(made)
        assert session.node.status().waiting == 0
        assert session.node._queue._bytes == 0
        assert session.node._queue._members == {}
        assert session.node._verified == {}

    play(ledger, scenario)
