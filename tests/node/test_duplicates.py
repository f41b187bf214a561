"""One id, one entry, for ever: however often, in whatever form and whenever the same transaction is sent."""

import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from hansa.node import node as node_module
from hansa.node.intake import Answer
from hansa.wire import cose, es256


def forged(envelope):
    """The same id, a signature that does not count."""
    return envelope[:-1] + bytes([envelope[-1] ^ 1])


def signed_again(ledger, envelope, by="acme"):
    """The same body under another signature that counts: ES256 with a nonce of chance."""
    parts = cose.split(envelope)
    key = serialization.load_pem_private_key(ledger.keys[by].pem(), None)
    r, s = decode_dss_signature(key.sign(parts.structure, ec.ECDSA(hashes.SHA256())))
    again = cose.join(parts.protected, parts.payload, es256.raw(r, s))
    assert again != envelope
    assert cose.id_of(again) == cose.id_of(envelope)
    return again


def check_one_entry(answers, entries_before, session):
    """All were answered with one new entry; all but one as duplicates, with the same outcome."""
    assert all(isinstance(answer, Answer) for answer in answers), answers
    assert len({(answer.id, answer.seq, answer.outcome) for answer in answers}) == 1
    assert sorted(answer.duplicate for answer in answers) == [False] + [True] * (len(answers) - 1)
    assert session.node.status().entries == entries_before + 1


@pytest.mark.parametrize("times", [2, 3, 40])
def test_sent_at_once_it_gets_one_entry(ledger, play, times):
    async def scenario(session):
        entries = session.node.status().entries
        envelope = ledger.open().envelope
        check_one_entry(await session.submit_all([envelope] * times), entries, session)

    play(ledger, scenario)


def test_sent_again_while_its_block_is_written_it_gets_one_entry(ledger, play, gate):
    async def scenario(session):
        prepared = ledger.open()
        await session.hold()
        entries = session.node.status().entries
        first = session.submit(prepared)
        await session.until(lambda: gate.held)
        second, third = session.submit(prepared), session.submit(prepared)
        await session.submit(forged(prepared.envelope))
        assert not first.done()
        assert not second.done()
        gate.release()
        answers = [await first, await second, await third]
        check_one_entry(answers, entries, session)
        assert not answers[0].duplicate

    play(ledger, scenario, files=gate)


def test_sent_again_while_it_queues_it_gets_one_entry(ledger, play, gate):
    async def scenario(session):
        before = await session.block()
        prepared = ledger.open()
        answers = [session.submit(prepared)]
        await session.until(lambda: session.node.is_pending(prepared.id))
        answers.append(session.submit(prepared))
        gate.release()
        await before
        entries = session.node.status().entries
        check_one_entry([await answer for answer in answers], entries, session)

    play(ledger, scenario, files=gate)


def test_sent_again_after_its_block_it_gets_the_same_outcome(ledger, play):
    async def scenario(session):
        entries = session.node.status().entries
        prepared = ledger.open()
        answers = [await session.submit(prepared) for _ in range(3)]
        check_one_entry(answers, entries, session)
        assert session.node.reading.at(answers[0].seq).outcome == answers[0].outcome

    play(ledger, scenario)


def test_a_refused_one_stays_refused(ledger, play):
    async def scenario(session):
        prepared = ledger.add("a")
        first = await session.submit(prepared)
        await session.applied(ledger.open("a"))
        again = await session.submit(prepared)
        assert (again.seq, again.outcome, again.duplicate) == (first.seq, first.outcome, True)

    play(ledger, scenario)


@pytest.mark.parametrize("flushed", [True, False], ids=["state flushed", "state lost"])
def test_sent_again_after_a_restart_it_gets_the_same_outcome(ledger, play, monkeypatch, flushed):
    """From the state, or from the journal where the state is behind."""
    if not flushed:
        monkeypatch.setattr(node_module.Node, "_flush", lambda self: None)
    prepared = ledger.open()
    first = play(ledger, lambda session: session.applied(prepared))
    monkeypatch.undo()

    async def scenario(session):
        entries = session.node.status().entries
        again = await session.submit(prepared)
        assert (again.seq, again.outcome, again.duplicate) == (first.seq, first.outcome, True)
        assert session.node.status().entries == entries

    play(ledger, scenario)


def test_it_is_remembered_for_as_long_as_it_is_valid(ledger, play, clock):
    """And behind that time it never gets a second entry: the one it has is still the answer."""

    async def scenario(session):
        limit = time.time_ns() // 1_000_000 + 60_000
        prepared = ledger.idle(not_after=limit)
        first = await session.submit(prepared)
        clock.ahead = 50_000
        await session.submit(ledger.idle())
        session.node._flush()  # as an idle node does: here the state forgets
        assert await session.submit(prepared) == Answer(first.id, first.seq, first.outcome, True)
        clock.ahead = 70_000
        await session.submit(ledger.idle())
        session.node._flush()
        entries = session.node.status().entries
        assert await session.submit(prepared) == Answer(first.id, first.seq, first.outcome, True)
        forged = prepared.envelope[:-1] + bytes([prepared.envelope[-1] ^ 1])
        assert await session.code(forged) == "signature.invalid"
        assert await session.code(ledger.idle(not_after=limit)) == "transaction.expired"
        clock.ahead = 0  # a clock that was set back brings nothing back
        assert await session.code(ledger.idle(not_after=limit)) == "transaction.expired"
        assert session.node.status().entries == entries
        assert session.node.reading.find(prepared.id) == first.seq

    play(ledger, scenario, clock=clock)


def test_one_that_waits_past_its_time_is_answered_as_it_will_be(ledger, play, gate, clock):
    """Sent again while the first copy's block is written: what comes of that block is the answer."""

    async def scenario(session):
        await session.hold()
        prepared = ledger.idle(not_after=clock.now() + 1_000)
        first = session.submit(prepared)
        await session.until(lambda: session.gate.held)
        clock.ahead = 5_000
        again = session.submit(prepared)
        await session.until(lambda: session.node._unverified == [])
        session.gate.release()
        assert (await again) == Answer((await first).id, (await first).seq, (await first).outcome, True)

    play(ledger, scenario, files=gate, clock=clock)


@pytest.mark.parametrize("order", ["together", "one after the other"])
def test_two_signatures_over_one_body_are_one_transaction(make_ledger, play, order):
    ledger = make_ledger(key_kind="p256")

    async def scenario(session):
        entries = session.node.status().entries
        envelope = ledger.open().envelope
        again = signed_again(ledger, envelope)
        if order == "together":
            answers = await session.submit_all([envelope, again])
        else:
            answers = [await session.submit(envelope), await session.submit(again)]
        check_one_entry(answers, entries, session)
        assert [answer.duplicate for answer in answers] == [False, True]
        assert session.node.reading.at(answers[0].seq).envelope == envelope

    play(ledger, scenario)


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
@pytest.mark.parametrize("forgeries", [1, 30], ids=["verified here", "verified in a worker"])
def test_a_forgery_that_comes_first_does_not_harm_the_honest_one(make_ledger, play, kind, forgeries):
    ledger = make_ledger(key_kind=kind)

    async def scenario(session):
        entries = session.node.status().entries
        envelope = ledger.open().envelope
        bad = [session.submit(forged(envelope)) for _ in range(forgeries)]
        good = session.submit(envelope)
        assert [(await answer).code for answer in bad] == ["signature.invalid"] * forgeries
        check_one_entry([await good], entries, session)

    play(ledger, scenario)


def test_a_forgery_that_was_refused_does_not_mark_the_honest_one(ledger, play):
    async def scenario(session):
        envelope = ledger.open().envelope
        assert await session.code(forged(envelope)) == "signature.invalid"
        assert not (await session.applied(envelope)).duplicate

    play(ledger, scenario)


def test_a_forgery_behind_the_honest_one_is_no_second_entry(ledger, play):
    async def scenario(session):
        envelope = ledger.open().envelope
        good, bad = session.submit(envelope), session.submit(forged(envelope))
        assert not (await good).duplicate
        assert (await bad).code == "signature.invalid"

    play(ledger, scenario)


def test_the_same_body_with_another_nonce_is_another_transaction(ledger, play):
    async def scenario(session):
        await session.applied(ledger.open())
        answers = [await session.applied(ledger.add()) for _ in range(2)]
        assert [answer.duplicate for answer in answers] == [False, False]
        assert session.node.reading.record("notes", "Note", "a").value["value"] == 2

    play(ledger, scenario)
