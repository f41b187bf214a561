"""The digest of the state: taken behind one block, an entry of a later one, the same on every node and every start."""

import asyncio
import shutil

import pytest
from tests.node import inline as in_process
from tests.node.conftest import FOUNDERS, Ledger, run

from hansa.node import digester
from hansa.node.audit import audit
from hansa.node.create import create_ledger
from hansa.node.digester import Digester
from hansa.node.snapshots import Snapshots
from hansa.node.state_digest import manifest_of
from hansa.store import journal
from hansa.store import snapshots as store_snapshots
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.store.journal import Scan, Segments, Writer
from hansa.wire import entry, snapshot
from hansa.wire.problems import HansaError

TAKE_BESIDE = digester.take_beside


@pytest.fixture(scope="module", autouse=True)
def inline():
    """Digests are taken in this process: to start another takes far longer than they do."""
    with pytest.MonkeyPatch.context() as patch:
        in_process.install(patch)
        yield patch


def run_notes(ledger, *numbers, deploy=False):
    """Makes a block for each note; the node stops when no digest is on its way."""

    async def scenario(session):
        if deploy:
            await session.applied(ledger.deploy())
        for number in numbers:
            await session.applied(ledger.open(f"n{number}"))
        await session.until(lambda: session.node._parts.snapshots.to_digest is None)

    run(ledger, scenario)


@pytest.fixture(scope="module")
def often_template(tmp_path_factory):
    """A stopped ledger whose state is digested every 5 entries, with the digest an entry 3 blocks later.

    Its 26 entries stand in 22 blocks: genesis, the contract, and 20 notes, each in a block of its own. The state is
    digested behind the blocks 4, 8, 12, 16 and 20, and the entries are the last of the blocks 7, 11, 15 and 19.
    """
    root = tmp_path_factory.mktemp("often") / "ledger"
    ledger = Ledger(root, create_ledger(Disk(), Folder(root), "Often", FOUNDERS, snapshots=(5, 3)))
    run_notes(ledger, *range(20), deploy=True)
    return ledger


@pytest.fixture
def often(often_template, tmp_path):
    shutil.copytree(often_template.root, tmp_path / "often")
    return Ledger(tmp_path / "often", often_template.id)


@pytest.fixture
def held(often, parts):
    """The same after a crash before the state behind block 20 was digested: LMDB stands there."""
    shutil.rmtree(often.folder.state)
    shutil.rmtree(often.folder.snapshots)
    with parts(often) as recovered:
        assert recovered.tip.height == 22
        assert recovered.snapshots.to_digest == 20
        assert recovered.state.applied().position.height == 21
    return often


@pytest.fixture
def snapshots_of(parts):
    """Where a ledger's entries of snapshots stand, and what they say: by the height of the block that they are in."""

    def found(ledger):
        with parts(ledger) as recovered:
            reading = recovered.reading()
            entries = [reading.at(seq) for seq in range(recovered.tip.size)]
        return {one.height: snapshot.read(one.envelope) for one in entries if one.kind == entry.SNAPSHOT}

    return found


def test_each_stands_so_many_blocks_behind_the_state_it_is_of(often, snapshots_of):
    found = snapshots_of(often)
    assert {at: one.height for at, one in found.items()} == {7: 4, 11: 8, 15: 12, 19: 16}
    assert {one.ledger for one in found.values()} == {often.id}
    assert len({one.digest for one in found.values()}) == 4


def test_it_is_the_last_entry_of_its_block_and_writes_nothing(often, parts):
    with parts(often) as recovered:
        reading = recovered.reading()
        found = [reading.at(seq) for seq in range(recovered.tip.size)]
        places = [one.seq for one in found if one.kind == entry.SNAPSHOT]
        for seq in places:
            header = reading.header_of(seq)
            assert header.seq + header.count - 1 == seq
            outcome = entry.decode_outcome(found[seq].outcome)
            assert (outcome.status, outcome.result, outcome.events, outcome.steps) == ("applied", None, [], 0)
            assert outcome.time == header.time
            assert found[seq].id == snapshot.id_of(found[seq].envelope)
    assert len(places) == 4


def test_a_state_made_again_from_the_journal_has_the_digest(often, parts, snapshots_of):
    """Whatever was flushed when: the rows are the same, those of the window of ids too."""
    said = snapshots_of(often)[19]
    cut_back_to(often, 16)
    with parts(often) as recovered:
        assert recovered.snapshots.to_digest == 16
        manifest = manifest_of(recovered.state, 16)
        assert list(recovered.state.decisive("window"))
    assert snapshot.read(snapshot.envelope_of(manifest)) == said
    decoded = snapshot.decode_manifest(manifest)
    assert (decoded.height, decoded.size, decoded.ledger) == (16, 20, often.id)
    kept = store_snapshots.Snapshots(Disk(), often.folder.snapshots)
    assert kept.heights() == []


def cut_back_to(ledger, height):
    """Leaves of a ledger what it had behind a block, as another node would have it, with nothing derived."""
    files, folder = Disk(), ledger.folder
    segments = Segments(files, folder.journal, ledger.id)
    blocks = [data for _, unit in Scan(segments) for data, _ in unit][: height + 1]
    segments.close()
    for path in (folder.journal, folder.state, folder.tiles, folder.snapshots):
        shutil.rmtree(path)
    folder.checkpoints.unlink()
    folder.seal.unlink(missing_ok=True)
    journal.create(files, folder.journal, ledger.id)
    writer = Writer(files, folder.journal, ledger.id, journal.START)
    for data in blocks:
        writer.append([data])
    writer.close()


def test_the_newest_are_kept_and_are_what_their_entries_say(often, snapshots_of):
    kept = store_snapshots.Snapshots(Disk(), often.folder.snapshots)
    assert kept.heights() == [20, 16]
    manifest = kept.manifest(16)
    assert snapshot.read(snapshot.envelope_of(manifest)) == snapshots_of(often)[19]
    decoded = snapshot.decode_manifest(manifest)
    after, rows = snapshot.BEGIN, 0
    for number, chunk in enumerate(decoded.chunks):
        section, found = snapshot.decode_chunk(kept.chunk(16, number), chunk, after)
        after, rows = (section, found[-1].key), rows + len(found)
    assert rows == decoded.keys
    assert after[0] == "window"


def test_a_crash_before_the_digest_is_known(held, snapshots_of):
    """The state waits where it is to be digested, the next start does it, and the entry is what it would have been."""
    run_notes(held, 100, 101)
    assert snapshots_of(held)[23].height == 20
    assert audit(held.root, workers=1).is_sound


def test_a_digest_that_is_kept_is_believed_and_one_that_is_damaged_is_not(held, parts):
    with parts(held) as recovered:
        recovered.snapshots.keep(recovered.state)
    with parts(held) as recovered:
        assert recovered.snapshots.to_digest is None
        expected = recovered.snapshots.digested(23)
        assert snapshot.read(expected).height == 20
        assert recovered.state.applied().position.height == 22
    (path,) = (held.folder.snapshots / f"{20:016d}").glob("*.manifest")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with parts(held) as recovered:  # the state had moved on, and is made again
        assert recovered.snapshots.digested(23) is None
        assert recovered.snapshots.to_digest == 20
        recovered.snapshots.keep(recovered.state)
        assert recovered.snapshots.digested(23) == expected


def test_a_digest_lost_when_the_state_has_moved_on_has_the_state_made_again(often, parts):
    with parts(often) as recovered:
        expected = recovered.snapshots.digested(23)
        assert snapshot.read(expected).height == 20
        assert recovered.state.applied().position.height == 22
    shutil.rmtree(often.folder.snapshots)
    with parts(often) as recovered:
        assert recovered.tip.height == 22
        assert recovered.snapshots.to_digest == 20
        assert recovered.state.applied().position.height == 21
        recovered.snapshots.keep(recovered.state)
        assert recovered.snapshots.digested(23) == expected


def test_a_node_waits_for_a_digest_that_is_not_ready(held, play):
    async def scenario(session):
        node = session.node
        await session.applied(held.open("n100"))
        waiting = session.submit(held.open("n101"))
        await session.until(lambda: len(node._queue) > 0)
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert not waiting.done()  # block 23 ends with the digest of the state behind block 20
        assert node.status().height == 22
        assert node.status().ready
        assert node._parts.state.applied().position.height == 21  # and nothing was flushed over it
        patch.undo()
        node._digest()
        assert entry.decode_outcome((await waiting).outcome).status == "applied"
        found = node.reading.at(node.reading.tip.size - 1)
        assert (found.height, found.kind) == (23, entry.SNAPSHOT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Digester, "begin", lambda *_: None)
        play(held, scenario)
    assert audit(held.root, workers=1).is_sound


def test_a_digest_that_fails_is_said_and_tried_again(held, play, monkeypatch):
    monkeypatch.setattr("hansa.node.node.RETRY_S", 0.01)
    held.folder.snapshots.write_bytes(b"no folder")

    async def scenario(session):
        await session.until(lambda: not session.node.status().ready)
        (reason,) = session.node.status().reasons
        assert reason.code == "snapshot.failed"
        held.folder.snapshots.unlink()
        await session.until(lambda: session.node.status().ready)
        for number in (100, 101):
            await session.applied(held.open(f"n{number}"))
        assert session.node.reading.at(session.node.reading.tip.size - 1).kind == entry.SNAPSHOT

    play(held, scenario)


def test_a_damaged_state_is_not_digested(held, play, parts):
    """The node stops, and the next start makes the state again."""
    path = held.folder.state / "data.mdb"
    data = path.read_bytes()
    assert data.count(b"evalue\x00") >= 18  # the last field of each note
    path.write_bytes(data.replace(b"evalue\x00", b"evalue\x07"))

    async def scenario(session):
        await session.until(lambda: not session.node.status().healthy)
        assert "checksum" in session.node.status().detail

    play(held, scenario)
    assert not path.exists()
    with parts(held) as recovered:
        assert recovered.tip.height == 22
        assert recovered.snapshots.to_digest == 20


@pytest.fixture
def beside(monkeypatch):
    """Digests are taken by a process, as they are."""
    monkeypatch.setattr(digester, "take_beside", TAKE_BESIDE)


def test_a_process_beside_the_node_takes_it(held, play, beside):
    async def scenario(session):
        await session.until(lambda: session.node._parts.snapshots.to_digest is None, seconds=60)
        return session.node._parts.snapshots.digested(23)

    assert snapshot.read(play(held, scenario)).height == 20


def test_a_node_that_stops_meanwhile_ends_it(held, play, beside):
    async def scenario(session):
        assert session.node._digester.is_busy
        await asyncio.sleep(0.01)

    play(held, scenario)
    run_notes(held, 100, 101)
    assert audit(held.root, workers=1).is_sound


def test_what_goes_wrong_in_that_process_is_told(held, tmp_path, refused):
    with refused("state.unreadable") as caught:
        asyncio.run(TAKE_BESIDE(held.folder.state, tmp_path / "kept", 7))
    assert "not behind block 7" in caught.value.detail
    (tmp_path / "file").touch()
    with refused("snapshot.failed") as caught:
        asyncio.run(TAKE_BESIDE(held.folder.state, tmp_path / "file", 20))
    assert "NotADirectoryError" in caught.value.detail


def test_a_forged_digest_is_found_by_an_audit_and_stops_a_replay(often, parts, monkeypatch):
    forged = snapshot.envelope(often.id, 20, bytes(32), 1)
    monkeypatch.setattr(Snapshots, "digested", lambda self, height: forged if height == 23 else None)
    monkeypatch.setattr(Snapshots, "passed", lambda self, made: False)
    run_notes(often, 100, 101)
    monkeypatch.undo()
    (finding,) = audit(often.root, workers=1).findings
    assert (finding.code, finding.where) == ("audit.executed", "entry 28")
    shutil.rmtree(often.folder.state)
    with pytest.raises(HansaError, match=r"block\.form: block 23"), parts(often):
        pass


def test_an_entry_that_is_missing_or_too_many_is_found(often, parts, monkeypatch):
    extra = snapshot.envelope(often.id, 20, bytes(32), 1)
    monkeypatch.setattr(Snapshots, "digested", lambda self, height: extra if height == 22 else None)
    monkeypatch.setattr(Snapshots, "passed", lambda self, made: False)
    run_notes(often, 100, 101)
    monkeypatch.undo()
    findings = {finding.where: finding.code for finding in audit(often.root, workers=1).findings}
    assert findings == {"entry 27": "block.form", "entry 28": "audit.executed"}
    shutil.rmtree(often.folder.state)
    with pytest.raises(HansaError, match=r"block\.form: block 22"), parts(often):
        pass


def test_two_states_to_digest_at_once(tmp_path, snapshots_of):
    """With each entry a state to digest, a node goes from digest to digest, and each has its entry."""
    root = tmp_path / "ledger"
    ledger = Ledger(root, create_ledger(Disk(), Folder(root), "Every", FOUNDERS, snapshots=(1, 3)))
    run_notes(ledger, *range(6), deploy=True)
    assert {at: one.height for at, one in snapshots_of(ledger).items()} == {at: at - 3 for at in range(3, 8)}
    assert audit(root, workers=1).is_sound
