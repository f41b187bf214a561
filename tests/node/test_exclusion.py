"""Excluding a transaction that stops every node: by as many members as it takes, one entry, proof on the ledger."""

import os
import shutil
import signal
import threading

import msgspec
import pytest
from tests.node import things
from tests.node.conftest import Ledger

from hansa.client import keys as key_files
from hansa.governance import exclusion as rules
from hansa.node import apply, exclusions, shipped
from hansa.node import node as node_module
from hansa.node.audit import audit
from hansa.node.create import Founder, create_ledger
from hansa.node.node import open_node
from hansa.node.recovery import open_stopped
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire import cbor, entry, exclusion, writes
from hansa.wire.problems import HansaError

REASON = "it stops every node"
FOUNDERS = [
    Founder("acme", "Acme", users=["ann"], deployer=True),
    Founder("bolt", "Bolt"),
    Founder("core", "Core"),
]


@pytest.fixture
def ledger(tmp_path):
    """A ledger of three members, more than half of which must sign."""
    root = tmp_path / "ledger"
    return Ledger(root, create_ledger(Disk(), Folder(root), "Test", FOUNDERS))


def sign(ledger, id, *names, reason=REASON, of=None):
    return [exclusion.seal(ledger.governance[name], of or ledger.id, id, reason) for name in names]


def by_transaction_key(ledger, id, *names):
    return [exclusion.seal(ledger.keys[name], ledger.id, id, REASON) for name in names]


def give(ledger, id, statements):
    paths = []
    for number, statement in enumerate(statements):
        paths.append(ledger.root.parent / f"{number}.cose")
        paths[-1].write_bytes(statement)
    return exclusions.give(ledger.root, id, paths)


def exclude(ledger, id, *names):
    return give(ledger, id, sign(ledger, id, *names))


def started(ledger, play):
    async def scenario(session):
        await session.submit(ledger.idle())

    play(ledger, scenario)


def outcome_of(answer):
    return entry.decode_outcome(answer.outcome)


def spin(ledger):
    return ledger.prepare("things", "spin", {"turns": 2**40}, steps_max=100_000)


# The whole way


def test_a_transaction_that_takes_every_node_down_is_excluded(ledger, play):
    """Killed as a node is killed: the worker dies over it, again and again, until members exclude it."""
    hostile = spin(ledger)

    async def deploys(session):
        source = things.THINGS.replace('sums = library("sums", "DIGEST")\n', "").replace(
            "sums.double(part.weight)", "0"
        )
        deployed = ledger.prepare("members", "deploy", {"name": "things", "source": source}, steps_max=200_000)
        await session.applied(deployed)

    async def dies(session):
        pid = session.node._isolation._process.pid
        await session.submit(ledger.idle())
        os.kill(pid, signal.SIGSTOP)  # so that it is at work for certain when it is killed
        killer = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
        killer.start()
        answer = await session.submit(hostile)
        killer.join()
        assert isinstance(answer, HansaError)
        assert hostile.id.hex() in session.node.failed.exception().detail

    play(ledger, deploys)
    for _ in range(2):
        play(ledger, dies, isolate=True)
    before = size_of(ledger)
    assert exclude(ledger, hostile.id, "acme", "core") == ["acme", "core"]

    async def goes_on(session):
        others = [ledger.idle() for _ in range(3)]
        _, answer, *_ = await session.submit_all([others[0], hostile, *others[1:]])
        outcome = outcome_of(answer)
        assert (outcome.status, outcome.code) == ("excluded", "transaction.excluded")
        assert (outcome.steps, outcome.events, outcome.contract) == (0, [], "")
        statement = exclusion.read(sign(ledger, hostile.id, "acme")[0])
        assert outcome.result["values"] == {"reason": REASON, "statement": statement.digest}
        item = session.node.reading.at(answer.seq)
        assert outcome.writes == writes.digest(item.writes)
        record = session.node.reading.record("members", "Exclusion", hostile.id.hex()).value
        assert (record["id"], record["reason"]) == (hostile.id, REASON)
        again = await session.submit(hostile)
        assert (again.seq, again.duplicate) == (answer.seq, True)
        assert answer.seq >= before

    play(ledger, goes_on, isolate=True)
    assert audit(ledger.root, workers=1).findings == []
    with pytest.raises(HansaError) as caught:
        exclude(ledger, hostile.id, "acme", "core")
    assert caught.value.code == "exclusion.late"
    shutil.rmtree(ledger.root / "state")  # rebuilt from the journal, without the given file
    shutil.rmtree(ledger.root / "exclusions")
    started(ledger, play)
    assert audit(ledger.root, workers=1).findings == []


def size_of(ledger):
    with open_stopped(ledger.root) as parts:
        return parts.tip.size


def test_in_the_process_too_nothing_is_applied_when_memory_ends(ledger, play, monkeypatch):
    hostile = ledger.idle()

    def run(call, *_):
        raise MemoryError

    async def scenario(session):
        monkeypatch.setattr(session.node, "_run", run)
        assert await session.code(hostile) == "node.faulted"
        assert hostile.id.hex() in session.node.failed.exception().detail
        assert "MemoryError" in session.node.failed.exception().detail

    started(ledger, play)
    play(ledger, scenario)


def test_what_is_excluded_is_not_run(ledger, play, monkeypatch):
    hostile = ledger.idle()
    started(ledger, play)
    exclude(ledger, hostile.id, "acme", "bolt", "core")
    ran = []

    async def scenario(session):
        whole = session.node._run

        def watched(call, *rest):
            ran.append(call.action)
            return whole(call, *rest)

        monkeypatch.setattr(session.node, "_run", watched)
        assert await session.code(hostile) == "transaction.excluded"
        assert ran == []
        assert await session.code(ledger.idle()) == "contract.unknown"
        assert ran == ["nothing"]

    play(ledger, scenario)


def test_what_is_due_can_be_excluded_too(ledger, play, monkeypatch):
    """It comes by itself with every start, so nobody could leave it out by not sending it."""
    source = things.THINGS.replace('sums = library("sums", "DIGEST")\n', "").replace("sums.double(part.weight)", "0")
    ids = []

    async def schedules(session):
        deployed = ledger.prepare("members", "deploy", {"name": "things", "source": source}, steps_max=200_000)
        await session.applied(deployed)
        await session.applied(ledger.prepare("things", "make", {"name": "t", "owner": "acme"}))
        await session.applied(ledger.prepare("things", "later", {"thing": "t"}))

    async def dies(session):
        def run(*_):
            raise MemoryError

        monkeypatch.setattr(session.node, "_run", run)
        await session.until(lambda: session.node.status().state == "faulted")
        detail = session.node.failed.exception().detail
        ids.append(bytes.fromhex(detail.split("transaction ")[1][:64]))

    async def goes_on(session):
        await session.until(lambda: session.node.reading.find(ids[0]) is not None)
        seq = session.node.reading.find(ids[0])
        item = session.node.reading.at(seq)
        assert item.kind == "scheduled"
        assert entry.decode_outcome(item.outcome).status == "excluded"
        assert session.node.reading.record("things", "Thing", "t").value["done"] is False

    play(ledger, schedules)
    for _ in range(2):
        play(ledger, dies)
    assert ids[0] == ids[1]
    exclude(ledger, ids[0], "bolt", "core")
    play(ledger, goes_on)
    assert audit(ledger.root, workers=1).findings == []
    monkeypatch.setattr(exclusions, "load", lambda *_: {})
    started(ledger, play)  # it is not due any more
    assert audit(ledger.root, workers=1).findings == []


# What counts


def foreign(ledger, id):
    return [exclusion.seal(key_files.generate("ed25519"), ledger.id, id, REASON)]


def changed(ledger, id):
    (statement,) = sign(ledger, id, "acme")
    return [statement[:-1] + bytes([statement[-1] ^ 1])]


def transaction(ledger, id):
    return [ledger.idle().envelope]


SIGNER = "exclusion.signer"
REFUSED = {
    "a minority": (lambda ledger, tx: sign(ledger, tx, "bolt"), "exclusion.minority"),
    "one member twice": (lambda ledger, tx: 2 * sign(ledger, tx, "bolt"), "exclusion.minority"),
    "a user": (lambda ledger, tx: sign(ledger, tx, "bolt") + by_transaction_key(ledger, tx, "acme/ann"), SIGNER),
    "a transaction key": (
        lambda ledger, tx: sign(ledger, tx, "bolt") + by_transaction_key(ledger, tx, "acme"),
        SIGNER,
    ),
    "a key of nobody": (lambda ledger, tx: sign(ledger, tx, "acme", "bolt") + foreign(ledger, tx), SIGNER),
    "a changed signature": (
        lambda ledger, tx: changed(ledger, tx) + sign(ledger, tx, "bolt", "core"),
        "signature.invalid",
    ),
    "another id": (lambda ledger, tx: sign(ledger, bytes(32), "acme", "bolt"), "exclusion.form"),
    "another ledger": (lambda ledger, tx: sign(ledger, tx, "acme", "bolt", of=bytes(32)), "exclusion.ledger"),
    "two reasons": (
        lambda ledger, tx: sign(ledger, tx, "acme") + sign(ledger, tx, "bolt", reason="?"),
        "exclusion.form",
    ),
    "a transaction": (transaction, "envelope.content_type"),
    "nothing": (lambda ledger, tx: [b""], "exclusion.form"),
}


@pytest.mark.parametrize(("made", "code"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_count_is_not_taken(ledger, play, refused, made, code):
    hostile = ledger.idle()
    started(ledger, play)
    with refused(code):
        give(ledger, hostile.id, made(ledger, hostile.id))
    assert not ledger.folder.exclusions.exists()

    async def scenario(session):
        assert await session.code(hostile) == "contract.unknown"

    play(ledger, scenario)


def test_it_takes_two_members_whatever_the_constitution_says(tmp_path, play, refused):
    root = tmp_path / "ledger"
    alone = shipped.constitution("majority").replace("return gov.decided(votes, gov.more", 'return "Accepted"  # ')
    ledger = Ledger(root, create_ledger(Disk(), Folder(root), "Test", FOUNDERS, constitution=alone))
    started(ledger, play)
    hostile = ledger.idle()
    with refused("exclusion.minority"):
        exclude(ledger, hostile.id, "acme")
    assert exclude(ledger, hostile.id, "acme", "core") == ["acme", "core"]


def test_all_members_are_enough_whatever_the_constitution_says(tmp_path, play, refused):
    root = tmp_path / "ledger"
    never = shipped.constitution("majority").replace("return gov.decided(votes, gov.more", 'return "Open"  # ')
    ledger = Ledger(root, create_ledger(Disk(), Folder(root), "Test", FOUNDERS, constitution=never))
    started(ledger, play)
    hostile = ledger.idle()
    with refused("exclusion.minority"):
        exclude(ledger, hostile.id, "acme", "core")
    assert exclude(ledger, hostile.id, "acme", "bolt", "core") == ["acme", "bolt", "core"]


def test_statements_can_be_given_one_after_the_other_once_they_are_enough(ledger, play, refused):
    hostile = ledger.idle()
    started(ledger, play)
    exclude(ledger, hostile.id, "acme", "bolt")
    assert exclude(ledger, hostile.id, "core") == ["acme", "bolt", "core"]


def test_a_running_node_is_given_nothing(ledger, play, refused):
    async def scenario(session):
        with refused("folder.locked"):
            exclude(ledger, bytes(32), "acme", "bolt")

    play(ledger, scenario)


def test_a_file_that_cannot_be_read_stops_the_start(ledger, play, refused):
    """What it excludes must not run for want of it."""
    started(ledger, play)
    exclude(ledger, bytes(32), "acme", "bolt")
    (path,) = ledger.folder.exclusions.iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    with refused("exclusion.form") as caught:
        open_node(ledger.root)
    assert str(path) in caught.value.detail


def test_which_nodes_have_more_statements_makes_no_difference(ledger, parts, play):
    """Only as many as it takes count, by the members' names, in whatever order they were given."""
    started(ledger, play)
    id = bytes(32)
    with parts(ledger) as recovered:

        def counted(*names):
            statements = [exclusion.read(one) for one in sign(ledger, id, *names)]
            return [
                recovered.directory.senders[one.kid].member
                for one in rules.enough(statements, ledger.id, id, recovered.directory)
            ]

        assert counted("core", "acme", "bolt") == counted("bolt", "acme") == ["acme", "bolt"]


# What an audit believes


@pytest.fixture
def falsified(ledger, play, monkeypatch):
    """`falsified(statements)`: a ledger whose node excluded an ordinary transaction by these; the audit's findings."""

    def make(statements_of):
        ordinary = ledger.idle()
        statements = [exclusion.read(one) for one in statements_of(ledger, ordinary.id)]
        monkeypatch.setattr(rules, "enough", lambda given, *_: list(given))
        monkeypatch.setattr(node_module, "load_exclusions", lambda *_: {ordinary.id: statements})

        async def scenario(session):
            assert await session.code(ordinary) == "transaction.excluded"

        play(ledger, scenario)
        monkeypatch.undo()
        return audit(ledger.root, workers=1).findings

    return make


UNFOUNDED = {
    "a minority": lambda ledger, tx: sign(ledger, tx, "bolt"),
    "a user": lambda ledger, tx: sign(ledger, tx, "acme") + by_transaction_key(ledger, tx, "acme/ann"),
    "keys of nobody": lambda ledger, tx: foreign(ledger, tx) + foreign(ledger, tx),
    "another ledger's": lambda ledger, tx: sign(ledger, tx, "acme", "bolt", of=bytes(32)),
    "a changed signature": lambda ledger, tx: changed(ledger, tx) + sign(ledger, tx, "bolt"),
    "more than it takes": lambda ledger, tx: sign(ledger, tx, "acme", "bolt", "core"),
    "in another order": lambda ledger, tx: sign(ledger, tx, "bolt", "acme"),
}


@pytest.mark.parametrize("made", UNFOUNDED.values(), ids=UNFOUNDED)
def test_an_exclusion_without_enough_statements_is_found(falsified, made):
    (finding,) = falsified(made)
    assert finding.code == "audit.executed"


def test_one_with_enough_statements_is_sound(falsified):
    assert falsified(lambda ledger, tx: sign(ledger, tx, "acme", "core")) == []


def test_the_record_of_an_exclusion_in_an_ordinary_entry_is_found(ledger, play, monkeypatch):
    """An applied entry cannot carry one: no contract writes it."""
    ordinary = ledger.idle()
    made = apply.make_item

    def with_record(kind, id, envelope, ran, time):
        if id == ordinary.id:
            statements = [exclusion.read(one) for one in sign(ledger, id, "acme", "bolt")]
            ran = msgspec.structs.replace(ran, writes=[rules.write(statements)])
        return made(kind, id, envelope, ran, time)

    monkeypatch.setattr(apply, "make_item", with_record)

    async def scenario(session):
        assert await session.code(ordinary) == "contract.unknown"

    play(ledger, scenario)
    monkeypatch.undo()
    findings = audit(ledger.root, workers=1).findings
    assert any(one.code == "audit.executed" for one in findings)


@pytest.mark.parametrize("value", [{}, {"statements": 5}, {"statements": []}, {"statements": [b"x"]}])
def test_a_record_that_holds_no_statements_is_told(value, refused):
    write = writes.make("members", rules.RECORD, bytes(32), cbor.encode(value), None)
    with pytest.raises(HansaError):
        rules.written([write])
