"""Nothing is seen before it is durable: no read, receipt, checkpoint, history or list shows a block on its way."""

import asyncio

import httpx2
import pytest

from hansa.api.app import make_app
from hansa.client import verification
from hansa.node.intake import Answer

HOST = "node.example"


@pytest.fixture
def ask():
    """`await ask(node, path)`: status and body of a route, asked of the application without a network."""

    async def get(node, path):
        transport = httpx2.ASGITransport(make_app(node, frozenset({HOST})))
        async with httpx2.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
            answer = await client.get(path)
            return answer.status_code, answer.content

    return get


def views_of(ledger, entries, id):
    """Every way to see an entry with this id at this seq, and what it changes."""
    note = "/app/contracts/notes/records/Note"
    return [
        f"/app/entries/{entries}",
        f"/app/entries/{entries}/envelope",
        f"/app/entries/{entries}/outcome",
        f"/app/entries/{entries}/writes",
        f"/app/receipts/{entries}",
        f"/app/receipts/{entries - 1}",
        f"/app/checkpoints/{entries + 1}",
        f"/app/consistency?first=1&second={entries + 1}",
        f"/app/consistency?first=1&second={entries}",
        "/app/checkpoints/latest",
        note,
        f"{note}?index=owner&value=acme",
        f"{note}?index=owner&value=bolt",
        f"{note}/value?key=a",
        f"{note}/history?key=a",
        f"{note}/history?key=a&before={entries}",
        f"{note}/value?key=b",
        f"{note}/history?key=b",
        "/app/contracts",
        "/app/contracts/more",
        "/app/contracts/more/source",
        "/app/contracts/more/records/Note",
        "/openapi.json",
        "/node/genesis",
    ]


def changes(ledger):
    return [
        ledger.add("a", 7),
        ledger.prepare("notes", "give", {"note": "a", "to": "bolt"}),
        ledger.open("b"),
    ]


async def check_unseen(session, ask, prepared):
    """Holds a block of these transactions; all that can be asked must be as it was, until it is durable."""
    node, ledger = session.node, session.ledger
    await session.hold()
    entries = node.status().entries
    paths = views_of(ledger, entries, prepared[0].id)
    before = {path: await ask(node, path) for path in paths}
    status = node.status()
    futures = [session.submit(one) for one in prepared]
    await session.until(lambda: session.gate.held)
    await asyncio.sleep(0.02)
    during = {path: await ask(node, path) for path in paths}
    assert {path for path in paths if during[path] != before[path]} == set()
    held = node.status()
    assert (held.entries, held.height, held.time, held.checkpoint) == (
        status.entries,
        status.height,
        status.time,
        status.checkpoint,
    )
    for one in prepared:
        assert node.reading.find(one.id) is None
    assert not any(future.done() for future in futures)
    session.gate.release()
    answers = [await future for future in futures]
    assert all(isinstance(answer, Answer) for answer in answers)
    return before, {path: await ask(node, path) for path in paths}


def test_records_entries_and_proofs_show_durable_blocks_only(ledger, play, gate, ask):
    async def scenario(session):
        await session.applied(ledger.open("a"))
        before, after = await check_unseen(session, ask, changes(ledger))
        assert len([path for path in before if before[path] != after[path]]) >= 14  # the paths do look there

    play(ledger, scenario, files=gate)


def test_a_contract_is_not_seen_before_its_deployment_is_durable(ledger, play, gate, ask):
    async def scenario(session):
        await session.applied(ledger.open("a"))
        before, after = await check_unseen(session, ask, [ledger.deploy("more")])
        assert before["/app/contracts/more"][0] == 404
        assert after["/app/contracts/more"][0] == 200

    play(ledger, scenario, files=gate)


def test_a_view_reads_what_is_durable(ledger, play, gate):
    async def scenario(session):
        await session.applied(ledger.open("a"))
        await session.hold()
        future = session.submit(ledger.add("a", 7))
        await session.until(lambda: gate.held)
        value = lambda: session.node.reading.view("notes", "value_of", {"note": "a"}).result  # noqa: E731
        assert value() == 0
        gate.release()
        await future
        assert value() == 7

    play(ledger, scenario, files=gate)


def test_receipts_of_earlier_entries_stay_sound_while_a_block_is_on_its_way(ledger, play, gate):
    async def scenario(session):
        await session.applied(ledger.open("a"))
        await session.submit_all([ledger.add("a") for _ in range(20)])
        await session.hold()
        future = session.submit_all([ledger.add("a") for _ in range(20)])
        waiting = asyncio.ensure_future(future)
        await session.until(lambda: gate.held)
        node = session.node
        node.sign_checkpoint()
        pinned = verification.pin_genesis(node.genesis, ledger.id)
        for seq in range(node.status().entries):
            found = node.reading.at(seq)
            proven = verification.verify(
                node.reading.receipt(seq), found.entry(), pinned, envelope=found.envelope, outcome=found.outcome
            )
            assert (proven.seq, proven.size <= node.status().entries) == (seq, True)
        gate.release()
        await waiting

    play(ledger, scenario, files=gate)


def test_what_was_acknowledged_is_read_at_once(ledger, play, ask):
    """Over the overlay and the database alike: the state is flushed now and then in between."""

    async def scenario(session):
        node = session.node
        await session.applied(ledger.open("a"))
        for number in range(1, 30):
            answer = await session.applied(ledger.add("a"))
            row = node.reading.record("notes", "Note", "a")
            assert (row.seq, row.value["value"]) == (answer.seq, number)
            assert node.reading.find(answer.id) == answer.seq
            assert node.reading.page("notes", "Note", None, 10).rows == [row]
            assert node.reading.history("notes", "Note", "a", None, 1).rows == [row]
            assert node.status().entries == answer.seq + 1
            if number % 5 == 0:
                node._flush()

    play(ledger, scenario)


def test_listeners_are_told_after_the_block_counts(ledger, play):
    """Whoever is told may read: the answer is true already."""

    async def scenario(session):
        node = session.node
        await session.applied(ledger.open("a"))
        seen = asyncio.get_running_loop().create_future()

        def listener(answer):
            seen.set_result((answer.seq, node.reading.record("notes", "Note", "a").seq, node.reading.find(answer.id)))

        node.submit(ledger.add("a").envelope, listener)
        seq, *read = await seen
        assert read == [seq, seq]

    play(ledger, scenario)
