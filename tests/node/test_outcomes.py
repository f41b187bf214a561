"""What gets an entry: applied or refused, and what an outcome says. A refused action leaves no trace but its entry."""

import time

import pytest

from hansa.wire import cbor, entry
from hansa.wire.limits import PRECONDITIONS_MAX

VERSION = "1.0.0"


def decoded(answer):
    return entry.decode_outcome(answer.outcome)


def note(session, name="a"):
    return session.node.reading.record("notes", "Note", name)


REFUSALS = {
    "unknown contract": (lambda ledger: ledger.prepare("nowhere", "open"), "contract.unknown"),
    "a contract's name with NUL": (lambda ledger: ledger.prepare("notes\0", "open"), "contract.unknown"),
    "another version": (lambda ledger: ledger.open("b", contract_version="1.0.1"), "contract.version"),
    "an empty version": (lambda ledger: ledger.open("b", contract_version=""), "contract.version"),
    "unknown action": (lambda ledger: ledger.prepare("notes", "steal"), "action.unknown"),
    "a view": (lambda ledger: ledger.prepare("notes", "value_of", {"note": "a"}), "action.unknown"),
    "a record type": (lambda ledger: ledger.prepare("notes", "Note"), "action.unknown"),
    "a Python name": (lambda ledger: ledger.prepare("notes", "__init__"), "action.unknown"),
    "missing arguments": (lambda ledger: ledger.prepare("notes", "add"), "arguments.invalid"),
    "no such record": (lambda ledger: ledger.add("b"), "arguments.invalid"),
    "a rule": (lambda ledger: ledger.add("a", 0), "require.failed"),
    "a role": (lambda ledger: ledger.prepare("notes", "keep", {"note": "a"}, by="bolt"), "role.denied"),
    "an existing record": (lambda ledger: ledger.open("a"), "record.exists"),
    "no steps": (lambda ledger: ledger.add("a", steps_max=0), "steps.exceeded"),
    "a number beyond 64 bits": (lambda ledger: ledger.add("a", 2**63 - 1), "value.bounds"),
    "a deployment by another": (
        lambda ledger: ledger.prepare("members", "deploy", {"name": "more", "source": "x"}, by="bolt"),
        "role.denied",
    ),
    "a contract that is none": (lambda ledger: ledger.deploy("more", "import os"), "contract.invalid"),
    "a contract's name that is taken": (lambda ledger: ledger.deploy("members"), "contract.name"),
}


@pytest.mark.parametrize(("make", "code"), REFUSALS.values(), ids=REFUSALS)
def test_what_apply_refuses_gets_an_entry_and_writes_nothing(ledger, play, make, code):
    async def scenario(session):
        await session.applied(ledger.open("a"))
        await session.applied(ledger.add("a"))
        before, record = session.node.status(), note(session)
        answer = await session.submit(make(ledger))
        outcome = decoded(answer)
        assert (outcome.status, outcome.code, outcome.events) == ("refused", code, [])
        assert (answer.seq, answer.duplicate) == (before.entries, False)
        assert session.node.status().entries == before.entries + 1
        assert session.node.reading.at(answer.seq).writes == b"\x80"
        assert note(session) == record
        assert await session.code(ledger.add("a")) == "ok"

    play(ledger, scenario)


def test_steps_are_charged_to_the_last(ledger, play):
    async def scenario(session):
        await session.applied(ledger.open("a"))
        steps = decoded(await session.applied(ledger.add("a"))).steps
        short = decoded(await session.submit(ledger.add("a", steps_max=steps - 1)))
        assert (short.code, short.steps) == ("steps.exceeded", steps - 1)
        assert decoded(await session.applied(ledger.add("a", steps_max=steps))).steps == steps
        assert note(session).value["value"] == 2

    play(ledger, scenario)


def test_all_problems_of_the_arguments_are_told_at_once(ledger, play):
    arguments = {"to": "nobody", "text": "longer than ten", "more": 1, "": 2, "\0": 3}

    async def scenario(session):
        answer = await session.submit(ledger.prepare("notes", "say", arguments))
        outcome = decoded(answer)
        assert outcome.code == "arguments.invalid"
        assert outcome.result["values"]["problems"] == [
            {"name": "to", "problem": "is not a member of this ledger"},
            {"name": "text", "problem": "must have 1 to 10 characters, not 15"},
            {"name": "number", "problem": "is missing"},
            {"name": "", "problem": "is not a parameter"},
            {"name": "\0", "problem": "is not a parameter"},
            {"name": "more", "problem": "is not a parameter"},
        ]

    play(ledger, scenario)


def test_an_outcome_stays_small_however_wrong_the_arguments_are(ledger, play):
    """An entry is kept for ever: what refuses an envelope must not be many times the envelope."""

    async def scenario(session):
        prepared = ledger.prepare("notes", "say", {f"{number:x}": 0 for number in range(20_000)})
        answer = await session.submit(prepared)
        assert decoded(answer).code == "arguments.invalid"
        assert len(answer.outcome) < len(prepared.envelope)

    play(ledger, scenario)


def test_an_applied_outcome_says_what_was_done(ledger, play):
    async def scenario(session):
        await session.applied(ledger.open("a"))
        prepared = ledger.add("a", 5, contract_version=VERSION)
        answer = await session.applied(prepared)
        outcome = decoded(answer)
        assert (outcome.code, outcome.result, outcome.contract, outcome.dialect) == ("ok", None, VERSION, 0)
        assert [event["name"] for event in outcome.events] == ["added"]
        assert outcome.time == session.node.status().time
        assert note(session).value["value"] == 5
        assert answer.id == prepared.id

    play(ledger, scenario)


def test_a_users_key_acts_for_its_member(ledger, play):
    async def scenario(session):
        await session.applied(ledger.open("a", by="acme/ann"))
        await session.applied(ledger.prepare("notes", "keep", {"note": "a"}, by="acme/ann"))

    play(ledger, scenario)


# Contracts


def test_a_contract_can_be_called_from_the_next_block_on(make_ledger, play):
    ledger = make_ledger(deployed=False)

    async def scenario(session):
        assert await session.code(ledger.open()) == "contract.unknown"
        deployment = await session.applied(ledger.deploy())
        call = await session.applied(ledger.open())
        heights = [session.node.reading.at(answer.seq).height for answer in (deployment, call)]
        assert heights[1] == heights[0] + 1

    play(ledger, scenario)


def test_a_contract_can_be_called_from_the_next_entry_on(make_ledger, play, gate):
    """In one block, in its order; what came before the deployment did not find it."""
    ledger = make_ledger(deployed=False)

    async def scenario(session):
        first = await session.block()
        answers = [session.submit(ledger.open("a")), session.submit(ledger.deploy()), session.submit(ledger.open("a"))]
        await session.until(lambda: session.node.status().waiting == 4)
        gate.release()
        await first
        entered = [await answer for answer in answers]
        assert len({session.node.reading.at(answer.seq).height for answer in entered}) == 1
        assert [decoded(answer).code for answer in entered] == ["contract.unknown", "ok", "ok"]

    play(ledger, scenario, files=gate)


def test_a_contract_outlives_a_restart(ledger, play):
    assert play(ledger, lambda session: session.code(ledger.open())) == "ok"
    assert play(ledger, lambda session: session.code(ledger.add())) == "ok"


# Preconditions

HOSTILE = {
    "a contract with NUL": ["notes\0Note\0", "Note", "a"],
    "a record type with NUL": ["notes", "Note\0a", ""],
    "an empty contract": ["", "Note", "a"],
    "a very long contract": ["n" * 50_000, "Note", "a"],
    "a very long record type": ["notes", "N" * 50_000, "a"],
    "a very long key": ["notes", "Note", "a" * 50_000],
    "a key just too long": ["notes", "Note", "a" * 401],
    "a key of bytes, too long": ["notes", "Note", bytes(401)],
    "an empty key": ["notes", "Note", ""],
    "a key with NUL": ["notes", "Note", "a\0"],
    "the greatest number": ["notes", "Seal", 2**63 - 1],
    "the least number": ["notes", "Seal", -(2**63)],
    "other scripts": ["nötes", "Ñote", "ä"],
    "a line break": ["notes\n", "Note\n", "a\n"],
}


@pytest.mark.parametrize("place", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_names_no_record(ledger, play, place):
    """It neither fails the node nor reaches another record: there is nothing at that place."""

    async def scenario(session):
        await session.applied(ledger.open("a"))
        assert await session.code(ledger.add("a", preconditions=[[*place, None]])) == "ok"
        answer = await session.submit(ledger.add("a", preconditions=[[*place, 1]]))
        outcome = decoded(answer)
        assert outcome.code == "precondition.failed"
        assert outcome.result["values"] == {"seq": None, "record": place[1][:64]}
        assert len(answer.outcome) < 1_000

    play(ledger, scenario)


def test_a_precondition_holds_while_the_record_is_as_it_was_read(ledger, play):
    async def scenario(session):
        opened = await session.applied(ledger.open("a"))
        read = [["notes", "Note", "a", opened.seq]]
        added = await session.applied(ledger.add("a", preconditions=read))
        late = await session.submit(ledger.add("a", preconditions=read))
        assert decoded(late).code == "precondition.failed"
        assert decoded(late).result["values"] == {"seq": added.seq, "record": "Note"}
        assert note(session).value["value"] == 1
        assert await session.code(ledger.add("a", preconditions=[["notes", "Note", "a", added.seq]])) == "ok"

    play(ledger, scenario)


def test_a_precondition_may_ask_that_a_record_does_not_exist(ledger, play):
    async def scenario(session):
        absent = [["notes", "Note", "a", None]]
        await session.applied(ledger.open("a", preconditions=absent))
        assert await session.code(ledger.add("a", preconditions=absent)) == "precondition.failed"

    play(ledger, scenario)


def test_a_precondition_may_name_a_record_of_another_contract(ledger, play):
    async def scenario(session):
        await session.applied(ledger.open("a"))
        member = ["members", "Member", "bolt"]
        assert await session.code(ledger.add("a", preconditions=[[*member, 0]])) == "ok"
        assert await session.code(ledger.add("a", preconditions=[[*member, 1]])) == "precondition.failed"
        assert await session.code(ledger.add("a", preconditions=[["members", "Note", "a", None]])) == "ok"

    play(ledger, scenario)


def test_a_precondition_sees_keys_of_every_type(ledger, play):
    async def scenario(session):
        sealed = await session.applied(ledger.prepare("notes", "seal", {"number": -5}))
        await session.applied(ledger.open("a"))
        kid = ledger.keys["bolt"].kid
        fitting = [["notes", "Seal", -5, sealed.seq], ["members", "Key", kid, 0]]
        assert await session.code(ledger.add("a", preconditions=fitting)) == "ok"

    play(ledger, scenario)


@pytest.mark.parametrize("wrong", [0, 7, PRECONDITIONS_MAX - 1])
def test_all_preconditions_must_hold(ledger, play, wrong):
    async def scenario(session):
        await session.applied(ledger.open("a"))
        conditions = [["members", "Member", "bolt", 0]] * PRECONDITIONS_MAX
        assert await session.code(ledger.add("a", preconditions=conditions)) == "ok"
        conditions[wrong] = ["members", "Member", "bolt", 1]
        assert await session.code(ledger.add("a", preconditions=conditions)) == "precondition.failed"

    play(ledger, scenario)


def test_a_precondition_sees_what_its_own_block_wrote_before(ledger, play, gate):
    async def scenario(session):
        opened = await session.applied(ledger.open("a"))
        read = [["notes", "Note", "a", opened.seq]]
        first = await session.block()
        rivals = [session.submit(ledger.add("a", preconditions=read)) for _ in range(3)]
        await session.until(lambda: session.node.status().waiting == 4)
        gate.release()
        await first
        answers = [await rival for rival in rivals]
        assert len({session.node.reading.at(answer.seq).height for answer in answers}) == 1
        assert [decoded(answer).code for answer in answers] == ["ok", "precondition.failed", "precondition.failed"]
        assert decoded(answers[1]).result["values"]["seq"] == answers[0].seq

    play(ledger, scenario, files=gate)


def test_preconditions_are_checked_before_the_action(ledger, play):
    """Also where the action would be refused: then the caller learns that it read something old."""

    async def scenario(session):
        stale = [["members", "Member", "bolt", 9]]
        assert await session.code(ledger.add("none", preconditions=stale)) == "precondition.failed"
        assert await session.code(ledger.prepare("notes", "steal", preconditions=stale)) == "precondition.failed"

    play(ledger, scenario)


# Time between intake and apply


def test_what_expires_while_it_waits_gets_no_entry(ledger, play, gate, clock):
    async def scenario(session):
        first = await session.block()
        prepared = ledger.idle(not_after=time.time_ns() // 1_000_000 + 5_000)
        late = session.submit(prepared)
        good = session.submit(ledger.idle(data=cbor.encode(1)))
        await session.until(lambda: session.node.status().waiting == 3)
        clock.ahead = 6_000
        gate.release()
        entered = [await first, await good]
        assert [answer.seq for answer in entered] == [3, 4]  # no seq was spent
        assert (await late).code == "transaction.expired"
        assert session.node.reading.find(prepared.id) is None
        assert not session.node.is_pending(prepared.id)
        assert await session.code(prepared) == "transaction.expired"

    play(ledger, scenario, files=gate, clock=clock)
