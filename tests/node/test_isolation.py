"""Contracts in a process of their own: the same to the last byte, no way out of it, and no outcome when it dies."""

import hashlib
import os
import signal
import socket
import struct
import sys
import threading
import time

import msgspec
import pytest
from tests.node import things

from hansa.node import isolation as isolation_module
from hansa.node import node as node_module
from hansa.node.audit import audit
from hansa.node.isolated import Channel, Done, Failed, Silent, encode
from hansa.node.isolation import Isolation
from hansa.node.node import open_node
from hansa.wire import entry
from hansa.wire.genesis import Limits
from hansa.wire.problems import HansaError

STEPS = 200_000


def deployments(ledger):
    digest = hashlib.sha256(things.LIBRARY.encode()).hexdigest()
    sources = {"tally": things.TALLY, "things": things.THINGS.replace("DIGEST", digest)}
    library = {"name": "sums", "source": things.LIBRARY}
    return [
        ledger.prepare("members", "deploy_library", library, steps_max=STEPS),
        *(deploy(ledger, name, source) for name, source in sources.items()),
    ]


def deploy(ledger, name, source):
    return ledger.prepare("members", "deploy", {"name": name, "source": source}, steps_max=STEPS)


def corpus(ledger):
    """Applied and refused, large and small, over every way in which a run asks for something."""
    part = {"name": "bolt", "weight": 7}

    def call(action, arguments, **options):
        return ledger.prepare("things", action, arguments, **options)

    yield [call("make", {"name": f"t{n}", "owner": ["acme", "bolt"][n % 2]}, by="acme/ann") for n in range(8)]
    yield [call("load", {"thing": f"t{n % 5}", "part": part, "price": None}) for n in range(12)]
    yield [call("load", {"thing": "t0", "part": part | {"weight": 900}, "price": {"minor": 5, "currency": "USD"}})]
    yield [call("load", {"thing": "t0", "part": part | {"weight": 900}})]
    yield [call("sweep", {"owner": "bolt", "least": 0, "most": 500}, by="core")]
    yield [call("keep", {"thing": "t1"}), call("keep", {"thing": "t1"}, by="bolt")]
    yield [call("load", {"thing": "none", "part": {"name": 5}, "more": 1})]
    yield [call("spin", {"turns": 10_000_000}), call("spin", {"turns": 2**40}), call("nothing", {})]
    yield [ledger.prepare("tally", "count", {"name": "x", "number": 1})]
    yield [call("later", {"thing": "t2"}), call("later", {"thing": "t3"})]
    yield [ledger.prepare("members", "upgrade", {"deployment": "tally", "source": things.TALLY_NEXT}, steps_max=STEPS)]
    yield [call("load", {"thing": "t1", "part": part, "price": None})]
    yield [deploy(ledger, "wrong", source) for source in ("import os", "(" * 300, "é\0")]
    yield [call("fill", {"count": 5}), call("fill", {"count": 400})]


async def play_corpus(session):
    for one in deployments(session.ledger):
        await session.applied(one)
    codes, made = [], []
    for batch in corpus(session.ledger):
        answers = await session.submit_all(batch)
        outcomes = [entry.decode_outcome(answer.outcome) for answer in answers]
        codes += [outcome.code for outcome in outcomes]
        for answer, outcome in zip(answers, outcomes, strict=True):
            made += [(event["data"]["id"], answer.id) for event in outcome.events if event["name"] == "made"]
    assert len(made) == 8 and all(told == id for told, id in made), "`tx.id` is each one's own, in a batch too"
    size = session.node.status().entries
    await session.until(lambda: session.node.status().entries > size + 2)  # what was scheduled, and the tick
    return codes


def test_an_isolated_node_gives_the_same_to_the_last_byte(make_ledger, play):
    """An audit executes everything again in its own processes, without isolation, and compares every byte."""
    ledger = make_ledger(deployed=False)

    async def scenario(session):
        assert session.node._run == session.node._isolation.run
        return await play_corpus(session)

    codes = play(ledger, scenario, isolate=True)
    expected = {"ok", "invariant.failed", "role.denied", "arguments.invalid", "steps.exceeded", "action.unknown"}
    assert expected | {"contract.invalid"} == set(codes)
    report = audit(ledger.root, workers=1)
    assert not report.findings, report.findings

    async def again(session):  # what the worker knows comes from the state this time
        one = await session.submit(
            ledger.prepare("things", "load", {"thing": "t4", "part": {"name": "b", "weight": 1}})
        )
        return entry.decode_outcome(one.outcome).code

    assert play(ledger, again, isolate=True) == "ok"
    assert not audit(ledger.root, workers=1).findings


# The end of a worker is never an outcome


async def died(session, prepared):
    """What the node says when running a transaction took the worker down; nobody is given an outcome."""
    size = session.node.status().entries
    answer = await session.submit(prepared)
    assert isinstance(answer, HansaError)
    assert answer.code == "node.faulted"
    status = session.node.status()
    assert (status.state, status.entries) == ("faulted", size)
    error = session.node.failed.exception()
    assert prepared.id.hex() in error.detail
    assert f"hansa tx exclude {prepared.id.hex()}" in error.remedy
    assert await session.code(session.ledger.idle()) == "node.faulted"
    return error.detail


def test_the_limit_of_memory_stops_the_node_and_names_the_transaction(make_ledger, play, monkeypatch):
    monkeypatch.setattr(node_module, "Isolation", lambda members: Isolation(members, 26 * 1024 * 1024))
    ledger = make_ledger(Limits(transaction_steps=1_000_000), deployed=False)

    async def scenario(session):
        for one in deployments(ledger):
            await session.applied(one)
        hog = ledger.prepare("things", "fill", {"count": 200}, steps_max=1_000_000)
        detail = await died(session, hog)
        assert "contract things" in detail
        assert "MemoryError" in detail

    play(ledger, scenario, isolate=True)

    async def with_memory(session):  # nothing of it has stayed, and where there is memory it is an ordinary action
        hog = ledger.prepare("things", "fill", {"count": 200}, steps_max=1_000_000)
        assert await session.code(hog) == "ok"

    play(ledger, with_memory)
    assert not audit(ledger.root, workers=1).findings


def test_a_worker_that_is_killed_at_work_stops_the_node(make_ledger, play):
    ledger = make_ledger(Limits(transaction_steps=1_000_000), deployed=False)

    async def scenario(session):
        for one in deployments(ledger):
            await session.applied(one)
        pid = session.node._isolation._process.pid
        killer = threading.Timer(0.02, os.kill, (pid, signal.SIGKILL))
        killer.start()
        detail = await died(session, ledger.prepare("things", "spin", {"turns": 2**40}, steps_max=1_000_000))
        killer.join()
        assert "signal 9" in detail

    play(ledger, scenario, isolate=True)
    assert not audit(ledger.root, workers=1).findings


def test_a_worker_that_is_silent_is_given_up(make_ledger, play, monkeypatch):
    monkeypatch.setattr(isolation_module, "SILENCE_S", 0)
    ledger = make_ledger(deployed=False)

    async def scenario(session):
        await session.submit(ledger.idle())
        os.kill(session.node._isolation._process.pid, signal.SIGSTOP)
        assert "said nothing for too long" in await died(session, ledger.idle())

    play(ledger, scenario, isolate=True)


def test_no_process_is_left_behind(make_ledger, play):
    ledger = make_ledger(deployed=False)
    found = []

    async def scenario(session):
        found.append(session.node._isolation._process)
        await session.submit(ledger.idle())

    play(ledger, scenario, isolate=True)
    assert found[0].returncode == -signal.SIGKILL


def test_a_worker_that_does_not_start_is_told_and_the_folder_let_go(make_ledger, play, monkeypatch, refused):
    ledger = make_ledger(deployed=False)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/bin/false")
        with refused("contract.isolation"):
            open_node(ledger.root, isolate=True)

    async def scenario(session):
        assert await session.code(ledger.idle()) == "contract.unknown"

    play(ledger, scenario)


# What the worker says is read as a stranger's word


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 20_000))
    with ours, theirs:
        yield Channel(ours, most=1_000, silence=1), theirs


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"", Silent),
        (b"\0\0\0\x05abc", Silent),
        (b"\0\0\0\x02abc", Silent),
        (b"\xff\xff\xff\xff", Silent),
        (struct.pack(">I", 997) + bytes(997), Silent),
    ],
)
def test_a_message_that_is_late_too_long_or_not_asked_for_is_none(ends, said, error):
    channel, theirs = ends
    theirs.sendall(said)
    with pytest.raises(error):
        channel.receive()


def test_a_message_comes_whole_however_it_is_cut(ends):
    channel, theirs = ends
    whole = struct.pack(">I", 900) + bytes(range(90)) * 10

    def slowly():
        for at in range(0, len(whole), 7):
            theirs.sendall(whole[at : at + 7])
            time.sleep(0.0001)

    sender = threading.Thread(target=slowly)
    sender.start()
    assert channel.receive() == whole[4:]
    sender.join()
    theirs.close()
    with pytest.raises(EOFError):
        channel.receive()


LIARS = {
    "no message": b"\xc1",
    "another kind": msgspec.msgpack.encode([9, b""]),
    "not ready": encode(Failed("no")),
    "a float": encode(Done("ok", b"\x82\xfb" + bytes(8) + b"\x80", b"\x80", 1, "1.0.0", "")),
    "no events": encode(Done("ok", b"\x82\xf6\xf6", b"\x80", 1, "1.0.0", "")),
    "a write of nothing": encode(Done("ok", b"\x82\xf6\x80", b"\x81\x85\x60\x60\x00\x40\xf6", 1, "1.0.0", "")),
}


@pytest.mark.parametrize("lie", LIARS.values(), ids=LIARS)
def test_what_the_worker_makes_up_stops_the_node(make_ledger, play, monkeypatch, lie):
    ledger = make_ledger(deployed=False)

    async def scenario(session):
        await session.submit(ledger.idle())
        channel = session.node._isolation._channel
        monkeypatch.setattr(channel, "receive", lambda: lie)
        await session.submit(ledger.idle())
        assert session.node.status().state == "faulted"

    play(ledger, scenario, isolate=True)
    assert not audit(ledger.root, workers=1).findings
