"""Governance on a node: proposals and ballots among its entries, and all of it there again however the node starts."""

import shutil

import pytest
from tests.governance.house import NOTES, remove_member, set_constitution, set_contract, set_member
from tests.governance.test_directory import contents
from tests.node.conftest import FOUNDERS, Ledger, run

from hansa.client import keys as key_files
from hansa.governance import sequel
from hansa.node import shipped
from hansa.node.audit import audit
from hansa.node.backup import back_up, restore
from hansa.node.create import create_ledger
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire import cose, entry, writes

UNANIMOUS = shipped.constitution("unanimous")


@pytest.fixture(scope="module")
def governed_template(tmp_path_factory):
    """See `governed`."""
    root = tmp_path_factory.mktemp("governed") / "ledger"
    ledger = Ledger(root, create_ledger(Disk(), Folder(root), "Governed", FOUNDERS, lock_ms=1_000))
    run(ledger, lambda session: history(session, ledger))
    return ledger


@pytest.fixture
def governed(governed_template, tmp_path):
    """A stopped ledger on which members came, went, voted, and have another constitution."""
    shutil.copytree(governed_template.root, tmp_path / "governed")
    return Ledger(tmp_path / "governed", governed_template.id)


def ballot(session, proposal, by, yes=True):
    digest = session.node.directory.constitution
    arguments = {"proposal": proposal, "yes": yes, "constitution": digest}
    return session.ledger.govern("vote", arguments, by=by)


async def decide(session, ledger, *steps, by=("acme", "bolt", "core")):
    """Proposes, and has members vote until it is decided; its id."""
    made = ledger.propose(*steps, by=by[0])
    await session.applied(made)
    for name in by:
        if state(session, made.id) == "Open":
            await session.applied(ballot(session, made.id, name))
    return made.id


def state(session, id):
    return session.node.reading.record("members", "Proposal", id.hex()).value["state"]


async def history(session, ledger):
    await decide(session, ledger, set_contract("minutes", NOTES))
    await session.applied(ledger.prepare("minutes", "write", {"id": "one"}, by="core"))
    failed = await decide(session, ledger, set_contract("broken", "class"))
    assert state(session, failed) == "Failed"
    await decide(session, ledger, set_member("dora", weight=7))
    await decide(session, ledger, {"name": "pause_contract", "subject": "minutes"})
    assert await session.code(ledger.prepare("minutes", "write", {"id": "two"})) == "contract.paused"
    changed = await decide(session, ledger, set_constitution(UNANIMOUS, lock_ms=5_000))
    assert state(session, changed) == "Accepted"
    new = key_files.generate()
    fields = {"owner_kind": "member", "owner": "bolt", "purpose": "governance", "spki": new.public.spki}
    await session.applied(ledger.govern("register_key", fields, by="bolt"))
    await session.applied(ledger.govern("retire_key", {"key": ledger.governance["bolt"].kid}, by="bolt"))
    before = session.node.directory.constitution
    await session.until(lambda: session.node.directory.constitution != before)
    left = ledger.propose(remove_member("acme"), by="core")
    await session.applied(left)


def kinds(session):
    return [session.node.reading.at(seq).kind for seq in range(session.node.status().entries)]


def test_entries_of_governance_are_of_a_kind_of_their_own(governed, play):
    async def scenario(session):
        found = kinds(session)
        assert {"genesis", "governance", "transaction", "scheduled", "tick"} == set(found)
        first = session.node.reading.at(found.index("governance"))
        assert cose.read_header(cose.split(first.envelope).protected).content_type == cose.GOVERNANCE
        assert session.node.reading.receipt(found.index("governance"))

    play(governed, scenario)


def test_one_entry_writes_a_record_once(governed, play):
    """However many actions it ran: what it was before, and what it is after all of them."""

    async def scenario(session):
        last = {}
        for seq, kind in enumerate(kinds(session)):
            found = writes.decode(session.node.reading.at(seq).writes)
            assert len({write.place for write in found}) == len(found)
            for write in found:
                if kind != "genesis":
                    assert write.previous == last.get(write.place), (seq, write.record)
                last[write.place] = seq

    play(governed, scenario)


def test_the_directory_is_the_same_after_any_start(governed, parts, play):
    with parts(governed) as opened:
        before = contents(opened.directory)
    assert len(before["members"]) == 4
    assert before["paused"] == {"minutes"}
    assert len(before["former"]) == 1
    shutil.rmtree(governed.folder.state)
    with parts(governed) as rebuilt:
        assert contents(rebuilt.directory) == before

    async def scenario(session):
        assert contents(session.node.directory) == before
        assert await session.code(ballot(session, bytes(32), "bolt")) == "sender.revoked"

    play(governed, scenario)


def test_an_audit_runs_governance_again(governed):
    found = audit(governed.root, workers=1)
    assert found.findings == []


def test_an_audit_finds_a_vote_that_was_counted_otherwise(ledger, play, monkeypatch):
    """A node that lets one of three decide."""
    whole = sequel._Entry.follow

    def generous(self, action, id, steps):
        ran = whole(self, action, id, steps)
        if action == "tally" and self.proposal(id)["state"] == "Open" and self.proposal(id)["ballots"]:
            place = next(number for number, write in enumerate(self.writes) if write.record == "Proposal")
            changed = {**self.proposal(id), "state": "Accepted", "is_open": False}
            write = self.writes[place]
            self.writes[place] = writes.make("members", "Proposal", id, sequel.cbor.encode(changed), write.previous)
        return ran

    monkeypatch.setattr(sequel._Entry, "follow", generous)

    async def scenario(session):
        made = ledger.propose(set_contract("minutes", NOTES))
        await session.applied(made)
        await session.applied(ballot(session, made.id, "acme"))
        assert state(session, made.id) == "Accepted"
        assert "minutes" in session.node.directory.programs

    play(ledger, scenario)
    monkeypatch.undo()
    assert [finding.code for finding in audit(ledger.root, workers=1).findings] == ["audit.executed"]


def test_a_backup_has_all_of_it(governed, tmp_path, parts):
    with parts(governed) as opened:
        before = contents(opened.directory)
    back_up(governed.root, tmp_path / "backup", keys=True)
    shutil.rmtree(governed.root)
    restore(tmp_path / "backup", governed.root)
    with parts(governed) as opened:
        assert contents(opened.directory) == before
    assert audit(governed.root, workers=1).findings == []


def test_isolated_contracts_give_the_same(tmp_path, play):
    """The worker runs what follows from a ballot too, and takes in who comes by it."""
    root = tmp_path / "ledger"
    ledger = Ledger(root, create_ledger(Disk(), Folder(root), "Isolated", FOUNDERS, lock_ms=1_000))
    play(ledger, lambda session: history(session, ledger), isolate=True)
    assert audit(ledger.root, workers=1).findings == []


def test_a_ballot_sent_again_after_a_restart_is_the_same_entry(ledger, play):
    kept = {}

    async def first(session):
        made = ledger.propose(set_contract("minutes", NOTES))
        await session.applied(made)
        kept["ballot"] = ballot(session, made.id, "bolt")
        kept["seq"] = (await session.applied(kept["ballot"])).seq

    async def second(session):
        again = await session.submit(kept["ballot"])
        assert (again.seq, again.duplicate) == (kept["seq"], True)

    play(ledger, first)
    play(ledger, second)


def test_intake_tells_what_a_key_is_for(ledger, play):
    async def scenario(session):
        wrong = ledger.govern("propose", {"title": "t", "steps": []}, content_type=cose.TRANSACTION)
        assert await session.code(wrong) == "sender.purpose"
        plain = ledger.prepare("members", "propose", {}, content_type=cose.GOVERNANCE)
        assert await session.code(plain) == "sender.purpose"
        long = ledger.govern(
            "propose", {"title": "t", "steps": []}, not_after=session.node.ledger_time() + 40 * 86_400_000
        )
        assert await session.code(long) == "transaction.too_far"
        assert entry.decode_outcome((await session.submit(ledger.idle())).outcome).code == "contract.unknown"

    play(ledger, scenario)
