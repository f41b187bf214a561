"""A node's life: one node to a ledger, whatever it promised is there after a restart, and nobody waits in vain."""

import asyncio
import errno
import os
import shutil
import subprocess
import sys
from functools import partial

import pytest

from hansa.client import keys as key_files
from hansa.doctor.examination import examine
from hansa.node import commit
from hansa.node import node as node_module
from hansa.node.backup import back_up
from hansa.node.create import CHECKPOINT_KEY, Founder, create_ledger
from hansa.node.intake import Answer
from hansa.node.node import open_node
from hansa.node.recovery import open_stopped
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire.problems import HansaError

# One node to a ledger


def test_a_second_node_on_the_folder_refuses(ledger, play, refused):
    async def scenario(session):
        with refused("folder.locked"):
            open_node(ledger.root)
        assert await session.code(ledger.open()) == "ok"

    play(ledger, scenario)


def test_a_second_process_on_the_folder_refuses(ledger, play):
    code = "import sys, pathlib; from hansa.node.node import open_node; open_node(pathlib.Path(sys.argv[1]))"

    async def scenario(session):
        command = [sys.executable, "-c", code, str(ledger.root)]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "folder.locked" in done.stderr

    play(ledger, scenario)


def test_a_copy_with_the_same_keys_refuses_beside_the_original(ledger, play, refused, tmp_path):
    """Two that sign would be two histories under one key."""
    shutil.copytree(ledger.root, tmp_path / "copy")

    async def scenario(session):
        with refused("folder.locked"):
            open_node(tmp_path / "copy")
        assert await session.code(ledger.open()) == "ok"

    play(ledger, scenario)


def test_a_refused_start_holds_no_lock(ledger, play, refused, tmp_path):
    shutil.copytree(ledger.root, tmp_path / "copy")

    async def scenario(session):
        with refused("folder.locked"):
            open_node(tmp_path / "copy")

    play(ledger, scenario)
    ledger.root, root = tmp_path / "copy", ledger.root
    assert play(ledger, lambda session: session.code(ledger.open())) == "ok"
    ledger.root = root
    assert play(ledger, lambda session: session.code(ledger.idle())) == "contract.unknown"


def test_where_there_is_no_ledger_no_node_starts(tmp_path, refused):
    with refused("folder.none"):
        open_node(tmp_path / "nothing")


def test_a_ledger_is_not_made_over_another(ledger, refused):
    with refused("folder.taken"):
        create_ledger(Disk(), ledger.folder, "Another", [Founder("acme", "Acme", deployer=True)])


def test_the_checkpoint_key_must_be_the_ledgers(ledger, refused):
    path = ledger.folder.keys / CHECKPOINT_KEY
    path.unlink()
    key_files.save(key_files.generate("p256"), path)
    with refused("key.checkpoint"):
        open_node(ledger.root)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda path: path.unlink(), "key.file"),
        (lambda path: path.write_bytes(b"no key"), "key.file"),
        (lambda path: path.chmod(0o644), "key.exposed"),
    ],
    ids=["none", "damaged", "exposed"],
)
def test_the_checkpoint_key_must_be_sound(ledger, refused, spoil, code):
    spoil(ledger.folder.keys / CHECKPOINT_KEY)
    with refused(code):
        open_node(ledger.root)


def test_a_folder_of_another_format_is_refused(ledger, refused):
    ledger.folder.format.write_bytes(b"hansa ledger folder, format 1\n")
    with refused("folder.format"):
        open_node(ledger.root)


# Restarts


def test_everything_is_there_after_a_restart(ledger, play):
    async def first(session):
        await session.applied(ledger.open("a"))
        return await session.submit_all([ledger.add("a", number) for number in range(50)]), session.node.status()

    answers, before = play(ledger, first)

    async def second(session):
        status = session.node.status()
        assert (status.entries, status.height, status.time) == (before.entries, before.height, before.time)
        assert status.checkpoint == status.entries
        for answer in answers:
            found = session.node.reading.at(answer.seq)
            assert (found.id, found.outcome) == (answer.id, answer.outcome)
            assert session.node.reading.find(answer.id) == answer.seq
        assert session.node.reading.record("notes", "Note", "a").value["value"] == sum(range(50))

    play(ledger, second)


@pytest.mark.parametrize("lost", ["state", "tiles", "genesis.cbor", "clock.json"])
def test_what_is_derived_may_be_lost(ledger, play, lost):
    async def first(session):
        await session.applied(ledger.open("a"))
        return (await session.applied(ledger.add("a"))).seq

    seq = play(ledger, first)
    path = ledger.root / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()

    async def second(session):
        assert session.node.reading.record("notes", "Note", "a").seq == seq
        assert await session.code(ledger.add("a")) == "ok"

    play(ledger, second)
    assert path.exists()


def test_a_new_ledger_begins_with_its_genesis(make_ledger, play):
    ledger = make_ledger(deployed=False)

    async def scenario(session):
        status = session.node.status()
        assert (status.entries, status.height, status.checkpoint, status.state) == (1, 0, 1, "running")
        found = session.node.reading.at(0)
        assert (found.kind, found.id) == ("genesis", ledger.id)
        assert session.node.reading.find(ledger.id) == 0

    play(ledger, scenario)


@pytest.mark.parametrize("kind", ["folder", "link to nowhere", "pipe"])
@pytest.mark.parametrize(
    "name",
    [
        "format",
        "genesis.cbor",
        "checkpoints",
        "clock.json",
        "state.seal",
        "journal",
        "journal/00000000.segment",
        "journal/next.spare",
        "state",
        "state/data.mdb",
        "state/lock.mdb",
        "tiles",
        "tiles/row-1",
    ],
)
def test_what_is_no_file_is_refused_by_name_or_made_again(ledger, name, kind, tmp_path):
    """Never as a defect of ours, by whatever reads the folder; put right again, all of it is there."""
    path, kept = ledger.root / name, tmp_path / "kept"
    if path.exists():
        path.rename(kept)
    if kind == "folder":
        path.mkdir()
        (path / "x").write_bytes(b"x")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(tmp_path / "nowhere")

    async def started():
        node = open_node(ledger.root, reserve_bytes=0)
        try:
            node.start()
        except HansaError:
            node._parts.close()
            for lock in node._locks:
                lock.release()
            raise
        await node.stop()

    def read():
        with open_stopped(ledger.root):
            pass

    def back():
        back_up(ledger.root, tmp_path / "backup", keys=True)

    for use in (back, lambda: list(examine(ledger.root, port=0)), lambda: asyncio.run(started()), read):
        try:
            use()
        except HansaError as error:
            assert error.code.partition(".")[0] in ("folder", "journal", "genesis", "state"), error
            assert error.code != "folder.access" or str(ledger.root) in error.detail
    if kept.exists():
        (path.unlink if path.is_symlink() or not path.is_dir() else partial(shutil.rmtree, path))()
        kept.rename(path)
        read()


# The end


def test_a_stop_answers_what_is_in_hand_and_refuses_what_waits(ledger, play, gate):
    async def scenario(session):
        first = await session.block()
        queued = [session.submit(ledger.open(f"n{number}")) for number in range(5)]
        await session.until(lambda: session.node.status().waiting == 6)
        stopping = asyncio.ensure_future(session.node.stop())
        await asyncio.sleep(0.01)
        assert not first.done()
        with pytest.raises(HansaError) as caught:
            session.node.submit(ledger.idle().envelope, lambda _: None)
        assert caught.value.code == "node.stopping"
        gate.release()
        await stopping
        assert isinstance(await first, Answer)
        assert [(await future).code for future in queued] == ["node.stopping"] * 5
        return (await first).id

    id = play(ledger, scenario, files=gate, stop=False)

    async def after(session):
        assert session.node.reading.find(id) is not None
        assert session.node.reading.page("notes", "Note", None, 1).rows == []

    play(ledger, after)


@pytest.mark.parametrize("count", [1, 5, 40, 400], ids=lambda count: f"{count} waiting")
def test_a_stop_answers_those_whose_signature_was_not_checked_yet(ledger, play, count):
    async def scenario(session):
        futures = [session.submit(ledger.idle()) for _ in range(count)]
        await session.node.stop()
        await asyncio.sleep(0)
        answers = [future.result() for future in futures if future.done()]
        assert [answer.code for answer in answers if isinstance(answer, HansaError)] == ["node.stopping"] * count

    play(ledger, scenario, stop=False)


def test_a_stop_while_workers_verify_answers_everyone(ledger, play):
    async def scenario(session):
        await session.submit_all([ledger.idle() for _ in range(30)])  # now there are workers
        futures = [session.submit(ledger.idle()) for _ in range(200)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await session.node.stop()
        answers = await asyncio.wait_for(asyncio.gather(*futures), 2)
        refused = {answer.code for answer in answers if isinstance(answer, HansaError)}
        assert refused <= {"node.stopping"}

    play(ledger, scenario, stop=False)


# A disk that fails


class Failing(Disk):
    """A disk on which, once `broken` is set, one operation on one kind of file fails."""

    def __init__(self, operation: str, suffix: str, number: int, times: int = 10**9) -> None:
        self.operation, self.suffix, self.number, self.times = operation, suffix, number, times
        self.broken = False

    def check(self, operation, path):
        if self.broken and operation == self.operation and path.name.endswith(self.suffix) and self.times > 0:
            self.times -= 1
            raise OSError(self.number, "injected")

    def open(self, path, *, create=False):
        return FailingFile(super().open(path, create=create), path, self)


class FailingFile:
    def __init__(self, file, path, disk) -> None:
        self._file, self._path, self._disk = file, path, disk

    def __getattr__(self, name):
        return getattr(self._file, name)

    def write(self, offset, data):
        self._disk.check("write", self._path)
        self._file.write(offset, data)

    def sync(self):
        self._disk.check("sync", self._path)
        self._file.sync()


@pytest.mark.parametrize("operation", ["write", "sync"])
@pytest.mark.parametrize("slow", [False, True], ids=["on the loop", "in the thread"])
def test_a_failed_write_is_final_and_everyone_is_told(ledger, play, operation, slow, monkeypatch):
    if slow:
        monkeypatch.setattr(commit, "FAST_S", 0.0)
    files = Failing(operation, ".segment", errno.EIO)

    async def scenario(session):
        kept = await session.applied(ledger.open("a"))
        files.broken = True
        futures = [session.submit(ledger.open(f"n{number}")) for number in range(20)]
        answers = await asyncio.wait_for(asyncio.gather(*futures), 5)
        assert {answer.code for answer in answers} == {"node.faulted"}
        assert session.node.status().state == "faulted"
        files.broken = False  # a disk that works again changes nothing: what it holds is unknown
        assert await session.code(ledger.open("b")) == "node.faulted"
        assert session.node.failed.done()
        assert session.node.failed.exception().code == "node.faulted"
        assert session.node.reading.find(kept.id) == kept.seq
        assert session.node.reading.page("notes", "Note", None, 50).size == kept.seq + 1

    play(ledger, scenario, files=files)
    assert play(ledger, lambda session: session.code(ledger.open("c"))) == "ok"


@pytest.mark.parametrize("slow", [False, True], ids=["on the loop", "in the thread"])
def test_a_full_disk_is_waited_out(ledger, play, monkeypatch, slow):
    monkeypatch.setattr(commit, "DISK_RETRY_S", 0.01)
    if slow:
        monkeypatch.setattr(commit, "FAST_S", 0.0)
    files = Failing("write", ".segment", errno.ENOSPC)

    async def scenario(session):
        await session.applied(ledger.open("a"))
        entries = session.node.status().entries
        files.broken = True
        held = session.submit(ledger.add("a"))
        await session.until(lambda: session.node.status().trouble == "disk.full")
        assert await session.code(ledger.add("a")) == "disk.full"
        assert not held.done()
        assert session.node.status().entries == entries
        assert session.node.reading.record("notes", "Note", "a").value["value"] == 0
        files.broken = False
        assert (await held).seq == entries
        await session.until(lambda: session.node.status().state == "running")
        assert await session.code(ledger.add("a")) == "ok"

    play(ledger, scenario, files=files)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["no room", "broken"])
def test_a_checkpoint_that_cannot_be_written_stops_nobody_unnoticed(ledger, play, number, gate, monkeypatch):
    """Either the node goes on and signs later, or it says that it is faulted; what waits is answered either way."""
    monkeypatch.setattr(node_module, "CHECKPOINT_MS", 0)
    gate.failing = False
    gated_open = gate.open

    def opened(path, *, create=False):
        file = gated_open(path, create=create)
        if path.name == "checkpoints":
            write = file.write

            class File:
                def __getattr__(self, name):
                    return getattr(file, name)

                def write(self, offset, data):
                    if gate.failing:
                        raise OSError(number, "injected")
                    write(offset, data)

            return File()
        return file

    monkeypatch.setattr(gate, "open", opened)

    async def scenario(session):
        first = await session.block()
        second = session.submit(ledger.open("a"))
        await session.until(lambda: session.node.status().waiting == 2)
        gate.failing = True
        gate.release()
        assert isinstance(await first, Answer)
        await asyncio.wait([second], timeout=1)
        gate.failing = False
        assert second.done()
        status = session.node.status()
        if number == errno.EIO:
            assert status.state == "faulted"
        else:
            assert isinstance(await second, Answer)
            await session.until(lambda: session.node.status().state == "running")
            assert await session.code(ledger.idle()) == "contract.unknown"
            assert session.node.status().checkpoint == session.node.status().entries

    play(ledger, scenario, files=gate)


def test_below_its_reserve_a_node_takes_nothing_and_goes_on_by_itself(ledger, play, monkeypatch):
    monkeypatch.setattr(node_module, "WATCH_S", 0.01)
    free = [10**9]

    class Filling(Disk):
        def free_bytes(self, path):
            return free[0]

    async def scenario(session):
        free[0] = 10**8 - 1
        await session.until(lambda: session.node.status().state == "refusing")
        refused = await session.submit(ledger.open())
        assert (refused.code, refused.fields["retry_after"]) == ("disk.full", 1)
        assert session.node.reading.at(0).kind == "genesis"
        free[0] = 10**8
        await session.until(lambda: session.node.status().state == "running")
        assert await session.code(ledger.open()) == "ok"

    play(ledger, scenario, files=Filling(), reserve_bytes=10**8)


def test_a_trouble_of_one_listener_is_not_the_others(ledger, play):
    async def scenario(session):
        envelope = ledger.open().envelope

        def broken(_):
            raise ValueError

        session.node.submit(envelope, broken)
        assert isinstance(await session.submit(envelope), Answer)

    play(ledger, scenario)


def test_a_folder_holds_no_more_keys_than_its_owner_may_read(ledger):
    files = list(Folder(ledger.root).keys.rglob("*.pem"))
    assert len(files) == 9
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
