"""Damage that no crash leaves (lost and stale files, flipped bits, other people's files): recovery mends what is
derived, refuses what is not, and says which; it never goes on with less than was promised.
"""

import asyncio
import shutil
from random import Random

import pytest

from faults import crashes, enumeration, rot, workload, world
from faults.workload import Asked, Ledger
from hansa.client import transactions
from hansa.merkle import receipt
from hansa.node import recovery
from hansa.node.audit import audit
from hansa.node.reading import Reading
from hansa.node.recovery import recover
from hansa.store import journal
from hansa.store.checkpoints import Checkpoints
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.store.journal import Scan, Segments, segment_name
from hansa.store.state import State
from hansa.wire import block, order
from hansa.wire.problems import HansaError


@pytest.fixture(scope="module")
def made():
    """A ledger, stopped cleanly: its image, its run, and images of it at earlier times."""
    with enumeration.conditions() as base:
        ledger, asked, images = Ledger(base / "ledger"), Asked(), []
        waves = list(enumeration.waves(ledger, 0))
        for part in (waves[:6], waves[6:11], waves[11:]):
            asyncio.run(workload.session(ledger, Disk(), part, asked))
            images.append(world.read_image(ledger.folder.root))
        yield ledger, workload.read_run(ledger.folder.root), images


@pytest.fixture
def base():
    with enumeration.conditions() as base:
        yield base


@pytest.fixture
def root(made, base):
    """A copy of the ledger to be damaged."""
    return put(base / "copy", made[2][-1])


def put(place, image):
    place.mkdir()
    world.materialise(image, place)
    return place


def refused(root):
    with pytest.raises(HansaError) as error:
        crashes.close(recover(Disk(), Folder(root)))
    return error.value


def whole(root, made):
    """Recovered to all that it was; twice."""
    _, run, _ = made
    for _ in range(2):
        assert crashes.check(root, run, len(run.ids)) == len(run.ids)


def flip(path, at, bit=1):
    data = bytearray(path.read_bytes())
    data[at] ^= bit
    path.write_bytes(data)


# What is derived is made again


def test_an_undamaged_ledger_recovers(root, made):
    whole(root, made)


def test_a_lost_state_is_rebuilt(root, made):
    shutil.rmtree(root / "state")
    whole(root, made)


@pytest.mark.parametrize("data", [b"", b"x", b"no LMDB" * 5000, bytes(100_000)])
def test_a_state_that_is_none_is_rebuilt(root, made, data):
    (root / "state" / "data.mdb").write_bytes(data)
    whole(root, made)


def test_the_state_of_another_ledger_is_rebuilt(root, made, base):
    other = Ledger(base / "other")
    asyncio.run(workload.session(other, Disk(), [[other.deploy()]], Asked()))
    (root / "state" / "data.mdb").write_bytes((base / "other" / "state" / "data.mdb").read_bytes())
    whole(root, made)


def test_an_older_state_is_brought_up(root, made):
    for image in made[2][:-1]:
        (root / "state" / "data.mdb").write_bytes(image["state/data.mdb"])
        whole(root, made)


def test_lost_or_short_rows_are_rebuilt(root, made):
    for name in sorted(path.name for path in (root / "tiles").iterdir()):
        row = root / "tiles" / name
        data = row.read_bytes()
        for left in (None, 0, 1, 32, len(data) // 2, len(data) - 1):
            row.unlink()
            if left is not None:
                row.write_bytes(data[:left])
            whole(root, made)
            assert row.read_bytes() == data
    shutil.rmtree(root / "tiles")
    whole(root, made)


@pytest.mark.parametrize("left", [None, 0, 32])
def test_a_lost_row_below_the_frontier_is_rebuilt(root, made, left):
    """The frontier needs none of it; receipts would fail with `tiles.short`."""
    row = root / "tiles" / "row-16"
    data = row.read_bytes()
    row.unlink()
    if left is not None:
        row.write_bytes(data[:left])
    whole(root, made)


def test_damage_that_shows_when_the_journal_is_read_on_is_mended(made, base):
    """A crash left a tail to be taken in, and the record that it changes is damaged: at every start, were it kept."""
    images = made[2]
    root = put(base / "copy", {**images[-1], "state/data.mdb": images[0]["state/data.mdb"]})
    (root / "state.seal").unlink()
    place = order.place(workload.CONTRACT, "Count", "a")
    state = State(root / "state", lambda *_: ())
    data = state._reader.get(place, db=state._records)
    state._reader.abort()
    with state._environment.begin(write=True) as txn:
        txn.put(place, data[:-1] + bytes([data[-1] ^ 1]), db=state._records)
    state._environment.close()
    whole(root, made)


def test_lost_checkpoints_are_signed_again(root, made):
    (root / "checkpoints").unlink()
    whole(root, made)


def test_a_lost_or_damaged_genesis_document_is_taken_from_the_journal(root, made):
    document = (root / "genesis.cbor").read_bytes()
    (root / "genesis.cbor").unlink()
    whole(root, made)
    assert (root / "genesis.cbor").read_bytes() == document
    flip(root / "genesis.cbor", 700)
    whole(root, made)
    assert (root / "genesis.cbor").read_bytes() == document


def test_everything_derived_may_be_lost_at_once(root, made):
    for name in ("state", "tiles"):
        shutil.rmtree(root / name)
    (root / "checkpoints").unlink()
    (root / "genesis.cbor").unlink()
    whole(root, made)


@pytest.mark.parametrize("sealed", [True, False])
def test_a_shortened_state_is_rebuilt(made, sealed):
    """A copy that ran out of space, a restore that was interrupted: LMDB maps what is not there (SIGBUS)."""
    _, run, images = made
    image = {path: data for path, data in images[-1].items() if sealed or path != "state.seal"}
    found = rot.recover_each(image, run, [1], ("shortened",))
    assert {about for _, about in found} == {"ok"}


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("kind", ["zeros", "ones", "noise"])
def test_a_state_with_a_bad_page_is_rebuilt_or_refused(made, kind, sealed):
    """With the seal of an orderly end, and without."""
    _, run, images = made
    image = {path: data for path, data in images[-1].items() if sealed or path != "state.seal"}
    found = rot.recover_each(image, run, [1], (kind,))
    assert {about for _, about in found} <= ({"ok"} if sealed else {"ok", "hansa.wire.problems.HansaError"})


def test_flipped_bits_in_the_state_are_never_believed(made):
    """After an orderly stop, whose seal covers every byte."""
    _, run, images = made
    found = rot.recover_each(images[-1], run, range(6), ("flips",))
    assert not [about for _, about in found if about.startswith("silent")]


def flipped_at(root, needle, offset):
    """Flips a bit of the state's file, `offset` behind the beginning of every `needle` in it."""
    path = root / "state" / "data.mdb"
    data = bytearray(path.read_bytes())
    at = data.find(needle)
    assert at >= 0
    while at >= 0:
        data[at + offset] ^= 1
        at = data.find(needle, at + len(needle))
    path.write_bytes(data)


def sealed_or_not(made, base, sealed):
    root = put(base / "copy", made[2][-1])
    if not sealed:  # as after a crash
        (root / "state.seal").unlink()
    return root


@pytest.mark.parametrize("sealed", [True, False], ids=["after an orderly stop", "after a crash"])
def test_a_changed_value_in_the_state_is_always_noticed(made, base, sealed):
    root = sealed_or_not(made, base, sealed)
    place = order.place(workload.CONTRACT, "Count", "b")
    flipped_at(root, place, len(place) + 4 + 8 + 3)
    parts = recover(Disk(), Folder(root))
    try:
        if sealed:
            assert parts.state.get(place) is not None
            assert parts.state.select(workload.CONTRACT, "Count", None, None, None, 10)
        else:
            with pytest.raises(HansaError) as error:
                parts.state.get(place)
            assert error.value.code == "state.corrupt"
            with pytest.raises(HansaError) as error:
                parts.state.select(workload.CONTRACT, "Count", None, None, None, 10)
            assert error.value.code == "state.corrupt"
    finally:
        recovery.close(Folder(root), parts)
    whole(root, made)


@pytest.mark.parametrize("sealed", [True, False], ids=["after an orderly stop", "after a crash"])
def test_a_changed_key_in_the_state_is_noticed_by_the_seal_or_by_an_audit(made, base, sealed):
    """After a crash there is no seal: a changed key may then hide its record from whoever asks for it by key. Pages
    notice it, since they meet the changed key; an audit always does.
    """
    root = sealed_or_not(made, base, sealed)
    place = order.place(workload.CONTRACT, "Count", "b")
    flipped_at(root, place, len(place) - len(order.key_bytes("b")))
    if not sealed:
        assert {finding.code for finding in audit(root).findings} == {"state.corrupt"}
    parts = recover(Disk(), Folder(root))
    try:
        assert (parts.state.get(place) is None) == (not sealed)
        if sealed:
            assert len(parts.state.select(workload.CONTRACT, "Count", None, None, None, 10)) == 3
        else:
            with pytest.raises(HansaError) as error:
                parts.state.select(workload.CONTRACT, "Count", None, None, None, 10)
            assert error.value.code == "state.corrupt"
    finally:
        recovery.close(Folder(root), parts)
    whole(root, made)


def test_a_damaged_row_hands_out_no_false_receipts(root, made):
    """A flipped bit in a leaf's hash, far below the frontier."""
    _, run, _ = made
    flip(root / "tiles" / "row-1", 2 * 32)
    parts = recover(Disk(), Folder(root))
    try:
        reading = Reading(parts.segments, parts.state, parts.tiles, parts.checkpoints, parts.directory, parts.tip)
        for seq in range(len(run.ids)):
            receipt.verify_inclusion(reading.receipt(seq), reading.at(seq).entry(), parts.directory.checkpoint_keys)
    finally:
        crashes.close(parts)


def test_a_damaged_checkpoint_takes_no_others_with_it(root, made):
    """With the state gone nobody knows any more whether a crash made it."""
    before = sound_checkpoints(root)
    flip(root / "checkpoints", 3 * 160 + 50)
    shutil.rmtree(root / "state")
    crashes.close(recover(Disk(), Folder(root)))
    assert len(sound_checkpoints(root)) == len(before) - 1


def sound_checkpoints(root):
    found = Checkpoints(Disk(), root / "checkpoints", bytes(32), writable=False)
    sizes = [head.size for head in map(found.get, range(found.count)) if head is not None]
    found.close()
    return sizes


# What is not derived is refused


@pytest.mark.parametrize("missing", [1])
def test_a_missing_segment_is_refused_and_named(root, missing):
    assert len(list((root / "journal").iterdir())) == 5
    (root / "journal" / segment_name(missing)).unlink()
    error = refused(root)
    assert error.code == "journal.missing"
    assert segment_name(missing) in error.detail


@pytest.mark.parametrize("gone", ["journal", "journal/00000000.segment"])
def test_a_missing_first_segment_is_refused_and_named(root, gone):
    path = root / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    error = refused(root)
    assert error.code == "journal.missing"
    assert segment_name(0) in error.detail


def test_a_missing_last_segment_is_a_lost_tail(root):
    path = sorted((root / "journal").iterdir())[-1]
    path.unlink()
    assert refused(root).code == "journal.lost_tail"


@pytest.mark.parametrize("witness", ["state", "tiles", "checkpoints"])
def test_an_older_journal_is_noticed_by_each_witness_alone(made, base, witness):
    """A journal restored from a backup, under newer state, rows or checkpoints: entries were promised and are gone."""
    _, _, images = made
    for number, older in enumerate(images[:-1]):
        image = {path: data for path, data in images[-1].items() if not path.startswith("journal/")}
        image |= {path: data for path, data in older.items() if path.startswith("journal/")}
        for path in list(image):
            if path.split("/")[0] in {"state", "tiles", "checkpoints"} - {witness}:
                del image[path]
                if path in older:
                    image[path] = older[path]
        error = refused(put(base / f"older-{number}", image))
        assert error.code == "journal.lost_tail"


@pytest.mark.parametrize("witness", ["state", "tiles", "checkpoints"])
def test_a_torn_unit_that_was_whole_once_is_refused(made, base, witness):
    """State, rows or checkpoints reach beyond it: it is no crash's, and nothing is cut."""
    root = put(base / witness, made[2][-1])
    for name in {"state", "tiles", "checkpoints"} - {witness}:
        shutil.rmtree(root / name) if (root / name).is_dir() else (root / name).unlink()
    path, begin, end = last_unit(root)
    data = bytearray(path.read_bytes())
    data[begin + 10 : end] = bytes(end - begin - 10)
    path.write_bytes(data)
    assert refused(root).code == "journal.lost_tail"
    assert path.read_bytes() == data
    assert not (root / "cut").exists()


def last_unit(root):
    """Its segment, where it begins and ends."""
    files = Disk()
    segments = Segments(files, root / "journal", journal.read_ledger(files, root / "journal"))
    scan = Scan(segments)
    units = list(scan)
    segments.close()
    _, blocks = units[-1]
    place = blocks[0][1]
    begin = place.offset - 4 - 56
    return root / "journal" / segment_name(place.segment), begin, place.offset + place.length


def test_flips_all_over_the_journal_are_refused(made, base):
    """Read from the beginning, since the state is gone: every unit is under its checksum and chain."""
    images = made[2]
    chance = Random(3)
    root = put(base / "flips", {path: data for path, data in images[-1].items() if not path.startswith("state")})
    segments = [path for path in sorted((root / "journal").iterdir()) if len(path.read_bytes().rstrip(b"\0")) > 4096]
    checkpoints = (root / "checkpoints").read_bytes()
    for number in range(150):
        path = segments[number % len(segments)]
        used = len(path.read_bytes().rstrip(b"\0"))
        at = chance.choice([chance.randrange(92), chance.randrange(4096, used)])
        flip(path, at, 1 << number % 8)
        code = refused(root).code
        assert code in ("journal.header", "journal.format", "journal.corrupt", "journal.chain", "journal.lost_tail")
        flip(path, at, 1 << number % 8)
        shutil.rmtree(root / "state", ignore_errors=True)
        assert (root / "checkpoints").read_bytes() == checkpoints
    whole(root, made)


@pytest.mark.parametrize("field", ["outcome", "writes", "envelope"])
def test_a_rewritten_block_is_refused(made, base, field):
    """Someone who can write the disk makes checksums and chain right again. The roots still tell."""
    _, run, images = made
    image = {path: data for path, data in images[-1].items() if path.split("/")[0] not in ("state", "tiles")}
    root = put(base / "rewritten", image)
    blocks = list(run.blocks)
    decoded = block.decode(blocks[5])
    item = decoded.items[0]
    changed = {
        "outcome": item.outcome.replace(b"applied", b"refused"),
        "writes": item.writes[:-12] + bytes([item.writes[-12] ^ 1]) + item.writes[-11:],
        "envelope": item.envelope[:-1] + bytes([item.envelope[-1] ^ 1]),
    }[field]
    assert changed != getattr(item, field)
    fields = {name: getattr(item, name) for name in ("kind", "id", "envelope", "outcome", "writes")}
    blocks[5] = block.encode(
        block.Block(decoded.header, [block.Item(**{**fields, field: changed}), *decoded.items[1:]])
    )
    shutil.rmtree(root / "journal")
    files, folder = Disk(), root / "journal"
    journal.create(files, folder, made[0].id)
    writer = journal.Writer(files, folder, made[0].id, journal.START)
    for data in blocks:
        writer.append([data])
    writer.close()
    assert refused(root).code in ("block.root", "block.writes", "writes.form", "outcome.form")


def test_the_checkpoints_of_another_ledger_are_refused(root, made, base):
    other = Ledger(base / "other")
    asyncio.run(workload.session(other, Disk(), [[other.deploy()]], Asked()))
    (root / "checkpoints").write_bytes((base / "other" / "checkpoints").read_bytes())
    assert refused(root).code == "journal.diverged"


def test_a_refused_recovery_changes_nothing_that_matters(made, base):
    """Refuse, put the right files back, and it opens: in the same process too."""
    root = put(base / "refused", made[2][-1])
    path = sorted((root / "journal").iterdir())[-1]
    kept = path.read_bytes()
    path.unlink()
    assert refused(root).code == "journal.lost_tail"
    path.write_bytes(kept)
    whole(root, made)


def test_a_refused_recovery_lets_go_of_what_it_opened(made, base, monkeypatch):
    """LMDB refuses to open twice in one process, and every error in opening is taken for a damaged state."""
    root = put(base / "refused", made[2][-1])
    path = sorted((root / "journal").iterdir())[-1]
    kept = path.read_bytes()
    path.unlink()
    error = refused(root)
    path.write_bytes(kept)
    dropped = []
    fresh = recovery._fresh_state
    monkeypatch.setattr(recovery, "_fresh_state", lambda *given: (dropped.append(given), fresh(*given))[1])
    crashes.close(recover(Disk(), Folder(root)))
    assert not dropped, f"after {error}"


# What was cut


def torn(root, end, data):
    path = root / "journal" / segment_name(end.segment)
    with path.open("r+b") as file:
        file.seek(end.offset)
        file.write(data)


def end_of(root):
    parts = recover(Disk(), Folder(root))
    crashes.close(parts)
    return parts.end


def test_what_is_cut_is_kept(root, made):
    end = end_of(root)
    torn(root, end, b"HJU\0" + b"half a unit" * 9)
    whole(root, made)
    (kept,) = (root / "cut").iterdir()
    assert kept.name == f"{segment_name(end.segment)}-{end.offset}"
    assert kept.read_bytes() == b"HJU\0" + b"half a unit" * 9


def test_what_is_cut_at_one_place_twice_is_kept_twice(root, made):
    end = end_of(root)
    torn(root, end, b"HJU\0" + b"the first" * 9)
    whole(root, made)
    torn(root, end, b"HJU\0" + b"the second" * 9)
    whole(root, made)
    assert len(list((root / "cut").iterdir())) == 2


def test_what_is_cut_is_kept_though_the_cutting_is_interrupted(root, made, monkeypatch):
    end = end_of(root)
    left = b"HJU\0" + b"half a unit" * 400
    torn(root, end, left)
    monkeypatch.setattr(journal, "_READ_BYTES", 512)

    class Killed(BaseException):
        pass

    class Dying(Disk):
        def open(self, path, *, create=False):
            file, count = super().open(path, create=create), [0]
            if not path.name.endswith(".segment"):
                return file
            write = file.write

            class DyingFile:
                def write(self, offset, data):
                    count[0] += 1
                    if count[0] == 3:
                        raise Killed
                    write(offset, data)

                def __getattr__(self, name):
                    return getattr(file, name)

            return DyingFile()

    with pytest.raises(Killed):
        recover(Dying(), Folder(root))
    whole(root, made)
    assert left in [kept.read_bytes() for kept in (root / "cut").iterdir()]


# A transaction that nobody survives


def test_no_transaction_can_stop_the_node_for_good(base):
    """A contract with `key="name"`, `name: Text[0, 40]` and an index; one action that creates a record named ""."""
    ledger, asked = Ledger(base / "poisoned"), Asked()
    source = workload.SOURCE.replace("Text[1, 40]", "Text[0, 40]")
    deploy = transactions.prepare(
        ledger.key, ledger.id, "members", "deploy", {"name": "counter", "source": source}, steps_max=100_000
    )

    async def main():
        node = await workload.session(ledger, Disk(), [[deploy], [ledger.open("")]], asked, stop=False)
        node._flush()
        state = node.status().state
        await workload.abandon(node)
        return state

    first = asyncio.run(main())
    for _ in range(2):
        crashes.close(recover(Disk(), ledger.folder))  # lmdb.BadValsizeError, at this start and at every other
    assert first == "running"
