"""Faults of the disk under a running node: what is final ends it, a full disk is waited out, and what was
acknowledged is there afterwards whatever happened.
"""

import asyncio
import errno
import shutil
import threading

import pytest

from faults import crashes, enumeration, workload
from faults.faulty import FaultyFiles, nth
from faults.workload import Asked, Ledger
from hansa.node import commit as commit_module
from hansa.node import node as node_module
from hansa.node.intake import Answer
from hansa.node.node import open_node
from hansa.node.reading import Reading
from hansa.node.recovery import recover
from hansa.store import journal
from hansa.store.files import Disk
from hansa.wire import cbor, entry, order
from hansa.wire.genesis import Limits
from hansa.wire.problems import HansaError

WAIT_S = 5


@pytest.fixture
def base():
    """Without `monkeypatch`, which would outlast it and put back what `conditions` has set."""
    soon = [(commit_module, "DISK_RETRY_S", 0.01), (node_module, "WATCH_S", 0.01)]
    with enumeration.conditions() as base, workload.patched(soon):
        yield base


@pytest.fixture(params=[False, True], ids=["on the loop", "in the thread"])
def threaded(request, monkeypatch):
    """Whether the disk is so slow that a thread waits for it."""
    if request.param:
        monkeypatch.setattr(commit_module, "FAST_S", 0.0)
    return request.param


class Session:
    """A node over faulty files in one event loop, and everything that went wrong in it."""

    def __init__(self, base, files, *, reserve_bytes=0, limits=None, ledger=None):
        shutil.rmtree(base / "ledger", ignore_errors=True) if ledger is None else None
        self.ledger = ledger or Ledger(base / "ledger", limits=limits)
        self.files = files
        self.asked = Asked()
        self.problems = []
        self.reserve_bytes = reserve_bytes
        self.node = None

    def run(self, script):
        """Opens the node, runs `script(self)`, and lets the node go without stopping it."""

        async def main():
            self.node = open_node(self.ledger.folder.root, files=self.files, reserve_bytes=self.reserve_bytes)
            try:
                self.node.start()
                await script(self)
            finally:
                if hasattr(self.node, "_committer"):
                    self.files.full, self.files.slow_s, self.files.plan = "", 0.0, None
                    await workload.abandon(self.node)
                else:
                    workload.release(self.node)

        workload.run_quietly(main(), self.problems)
        return self

    def submit(self, prepared):
        return self.asked.submit(self.node, prepared)

    async def committed(self, *prepared):
        answers = await asyncio.wait_for(self.asked.submit_all(self.node, list(prepared)), WAIT_S)
        assert all(isinstance(answer, Answer) for answer in answers), answers
        return answers

    async def until(self, condition):
        for _ in range(int(WAIT_S / 0.005)):
            if condition():
                return
            await asyncio.sleep(0.005)
        raise AssertionError("it does not come to that")

    def refusal(self, prepared):
        """The code with which intake refuses at once, empty if it does not."""
        try:
            self.node.submit(prepared.envelope, lambda _: None)
        except HansaError as error:
            return error.code
        return ""


def check_acknowledged(ledger, asked):
    """On good files: every acknowledged transaction is there once, at the seq and with the outcome it was told."""
    parts = recover(Disk(), ledger.folder)
    try:
        reading = Reading(parts.segments, parts.state, parts.tiles, parts.checkpoints, parts.directory, parts.tip)
        for answer in asked.acknowledged:
            assert reading.find(answer.id) == answer.seq
            assert reading.at(answer.seq).outcome == answer.outcome
        return parts.tip.size
    finally:
        crashes.close(parts)


# The Nth call


async def workload_until_trouble(session):
    for wave in enumeration.waves(session.ledger, 0):
        answers = await asyncio.wait_for(session.asked.submit_all(session.node, wave), WAIT_S)
        if not all(isinstance(answer, Answer) for answer in answers):
            break
    preparing = session.node._committer._preparing
    if preparing is not None:
        await asyncio.to_thread(preparing.join)
        await asyncio.sleep(0)
    session.status = session.node.status()
    session.failed = session.node.failed.done()
    session.refused = session.refusal(session.ledger.open("late"))


def every_nth(base, kind, code, of=""):
    """The workload again and again, the first, second, ... call of a kind failing, until none fails any more."""
    number = 0
    while True:
        files = FaultyFiles(nth(kind, number, code, of))
        session = Session(base, files)
        try:
            session.run(workload_until_trouble)
        except HansaError as error:
            session.status, session.error = None, error
        if not files.fired:
            assert number, f"there is no {kind}"
            return
        yield session, files.fired[0][1]
        number += 1


@pytest.mark.parametrize("kind", ["sync", "write", "rename", "sync_folder", "make_folder", "open"])
def test_an_io_error_at_any_call_stops_the_node_and_loses_nothing(base, threaded, kind):
    stopped = 0
    for session, name in every_nth(base, kind, errno.EIO):
        check_acknowledged(session.ledger, session.asked)
        if session.status is None:  # the node did not even open
            assert session.error.code == "folder.access"
            continue
        assert session.status.state == "faulted", f"{kind} of {name} failed and the node goes on"
        stopped += 1
        assert session.failed
        assert session.status.trouble == "node.faulted"
        assert session.refused == "node.faulted"
        told = [answer for answer in session.asked.told.values() if isinstance(answer, HansaError)]
        assert {error.code for error in told} <= {"node.faulted"}
    assert stopped >= {"sync": 25, "write": 25, "rename": 2, "sync_folder": 4, "make_folder": 1, "open": 3}[kind]


def test_what_was_in_hand_when_the_sync_failed_is_unknown_and_safe_to_send_again(base, threaded):
    """The unit may be on the disk or not; its askers are told of the fault, not of an outcome."""
    for number in (1, 4, 10):  # the first one is recovery's
        session = Session(base, FaultyFiles(nth("sync", number, of=".segment")))
        session.run(workload_until_trouble)
        unanswered = [id for id, told in session.asked.told.items() if isinstance(told, HansaError)]
        before = {answer.id: answer.seq for answer in session.asked.acknowledged}
        again = Session(base, FaultyFiles(), ledger=session.ledger)
        waves = list(enumeration.waves(session.ledger, 1))

        async def script(again, waves=waves):
            for wave in waves:
                await again.committed(*wave)

        again.run(script)
        run = workload.read_run(session.ledger.folder.root)
        assert len(set(run.ids)) == len(run.ids)
        assert all(run.ids[seq] == id for id, seq in before.items())
        assert all(run.ids.count(id) <= 1 for id in unanswered)


@pytest.mark.parametrize("kind", ["read", "open_to_read", "names", "open", "unlink", "sync_folder", "write", "sync"])
def test_an_io_error_at_any_call_of_recovery(base, kind):
    """It raises; on good files the same folder recovers whole. The folder has an unflushed tail and a torn unit."""
    session = Session(base, FaultyFiles())
    session.run(workload_until_trouble)
    root = session.ledger.folder.root
    parts = recover(Disk(), session.ledger.folder)
    end = parts.end
    crashes.close(parts)
    shutil.rmtree(root / "state")
    with (root / "journal" / journal.segment_name(end.segment)).open("r+b") as file:
        file.seek(end.offset)
        file.write(b"HJU\0" + b"torn" * 20)
    image = base / "image"
    shutil.copytree(root, image)
    number = fired = 0
    while fired == number:
        shutil.rmtree(root)
        shutil.copytree(image, root)
        files = FaultyFiles(nth(kind, number))
        try:
            crashes.close(recover(files, session.ledger.folder))
        except HansaError as error:
            assert error.code == "folder.access"
            assert error.__cause__.errno == errno.EIO
        fired += len(files.fired)
        check_acknowledged(session.ledger, session.asked)
        number += 1
    assert fired


def test_a_failed_sync_in_the_background_stops_the_node(base):
    """The contract (D2): a failed fsync stops the node, also when the next segment is being prepared."""
    session = Session(base, FaultyFiles(nth("sync", 0, of="next.spare")))

    async def script(session):
        await asyncio.wait_for(session.submit(session.ledger.deploy()), WAIT_S)
        await session.until(lambda: session.files.fired)
        await session.until(lambda: session.node.status().state == "faulted")

    session.run(script)


def test_a_checkpoint_that_cannot_be_written_is_final(base):
    session = Session(base, FaultyFiles(nth("write", 1, of="checkpoints")))

    async def script(session):
        await session.committed(session.ledger.deploy())
        assert session.files.fired
        assert session.node.status().state == "faulted"
        assert session.node.failed.done()

    session.run(script)
    assert session.problems == []


def test_a_checkpoint_without_room_is_signed_later(base, monkeypatch):
    monkeypatch.setattr(node_module, "IDLE_FLUSH_S", 0.02)
    session = Session(base, FaultyFiles())

    async def script(session):
        session.files.full = "checkpoints"
        await session.committed(session.ledger.deploy())
        assert session.node.status().trouble == "disk.full"
        session.files.full = ""
        await session.until(lambda: session.node.status().state == "running")
        assert session.node.status().checkpoint == 2

    session.run(script)
    assert session.problems == []


def test_what_waits_is_committed_though_a_checkpoint_cannot_be_written(base):
    """`_committed` raises before `_wake`: what queued meanwhile waits until somebody happens to send something."""
    session = Session(base, FaultyFiles(), limits=Limits(block_entries=1))

    async def script(session):
        await session.committed(session.ledger.any("none", {}))
        session.files.full = "checkpoints"
        session.node._signed_at = -1000.0
        waiting = [session.submit(session.ledger.any("none", {"n": n})) for n in range(6)]
        assert isinstance(await asyncio.wait_for(waiting[0], WAIT_S), Answer)
        session.files.full = ""
        await asyncio.wait_for(asyncio.gather(*waiting), 1)

    session.run(script)


@pytest.mark.parametrize("of", ["row-1", "row-4", "checkpoints"])
@pytest.mark.parametrize("kind", ["write", "sync"])
def test_an_io_error_in_flush_is_final(base, kind, of):
    if (kind, of) == ("write", "checkpoints"):
        pytest.skip("is not written in flush")
    session = Session(base, FaultyFiles(nth(kind, 2 if of == "checkpoints" else 1, of=of)))  # recovery syncs these too
    session.run(workload_until_trouble)
    assert (session.status.state, session.failed) == ("faulted", True)
    assert session.refused == "node.faulted"
    assert len(session.asked.acknowledged) >= 20
    check_acknowledged(session.ledger, session.asked)


def test_a_faulted_node_still_reads_and_stops_without_touching_the_disk(base):
    session = Session(base, FaultyFiles())

    async def main():
        session.node = node = open_node(session.ledger.folder.root, files=session.files, reserve_bytes=0)
        node.start()
        await session.committed(session.ledger.deploy())
        await session.committed(session.ledger.open("a"))
        if node._committer._preparing is not None:
            node._committer._preparing.join()
        session.files.plan = nth("sync", 0)
        answer = await session.submit(session.ledger.add("a"))
        assert answer.code == "node.faulted"
        with pytest.raises(HansaError) as failed:
            node.failed.result()
        assert failed.value.code == "node.faulted"
        assert node.reading.record("counter", "Count", "a").value["value"] == 0
        assert node.reading.tip.size == 3
        session.files.calls.clear()
        await node.stop()
        assert not set(session.files.calls) & {"write", "sync", "rename", "truncate"}

    workload.run_quietly(main(), session.problems)
    assert session.problems == []
    check_acknowledged(session.ledger, session.asked)


# The full disk


async def fill(session):
    """A full disk from now on; transactions until one waits for it. The one that waits."""
    session.files.full = "journal"
    for number in range(100):
        future = session.submit(session.ledger.any("none", {"filler": bytes(2000), "n": number}))
        await asyncio.wait([future], timeout=0.1)
        if not future.done():
            return future
        assert isinstance(future.result(), Answer)
    raise AssertionError("no segment was needed")


def test_a_full_disk_where_a_segment_is_made_is_waited_out(base, threaded):
    session = Session(base, FaultyFiles())

    async def script(session):
        ledger, node = session.ledger, session.node
        await session.committed(ledger.deploy())
        await session.committed(ledger.open("a"))
        for _ in range(2):  # twice: it comes back as often as it must
            waiting = await fill(session)
            await session.until(lambda: node.status().trouble == "disk.full")
            assert node.status().state == "refusing"
            assert session.refusal(ledger.add("a")) == "disk.full"
            size = node.reading.tip.size
            assert node.reading.record("counter", "Count", "a").value["value"] >= 0
            assert node.reading.at(size - 1).seq == size - 1
            assert node.status().waiting == 1
            session.files.full = ""
            answer = await asyncio.wait_for(waiting, WAIT_S)
            assert isinstance(answer, Answer)
            assert answer.seq == size
            await session.until(lambda: node.status().state == "running")
            await session.committed(ledger.add("a"))
        assert not node.failed.done()

    session.run(script)
    assert session.problems == []
    run = workload.read_run(session.ledger.folder.root)
    assert check_acknowledged(session.ledger, session.asked) == len(run.ids) == len(set(run.ids))


def test_a_full_disk_at_a_write_is_waited_out(base, threaded):
    """File systems that write elsewhere what is written over (btrfs, ZFS) can be full even there."""
    session = Session(base, FaultyFiles())

    async def script(session):
        await session.committed(session.ledger.deploy())
        full = [True]
        session.files.plan = lambda kind, path, _: (
            errno.ENOSPC if full[0] and kind == "write" and path.parent.name == "journal" else 0
        )
        waiting = [session.submit(session.ledger.open(name)) for name in "abc"]
        await session.until(lambda: session.node.status().trouble == "disk.full")
        assert session.refusal(session.ledger.open("d")) == "disk.full"
        await asyncio.sleep(0.05)
        assert not any(future.done() for future in waiting)
        full[0] = False
        answers = await asyncio.wait_for(asyncio.gather(*waiting), WAIT_S)
        assert [answer.seq for answer in answers] == [2, 3, 4]
        await session.until(lambda: session.node.status().state == "running")
        await session.committed(session.ledger.open("d"))

    session.run(script)
    assert session.problems == []
    check_acknowledged(session.ledger, session.asked)


def test_a_crash_while_the_disk_is_full_loses_nothing_acknowledged(base):
    session = Session(base, FaultyFiles())

    async def script(session):
        await session.committed(session.ledger.deploy())
        await fill(session)

    session.run(script)
    size = check_acknowledged(session.ledger, session.asked)
    assert size >= len(session.asked.acknowledged) + 1


def test_a_full_disk_in_flush_is_waited_out(base, monkeypatch):
    """The journal is preallocated, so on a full disk the rows are what cannot grow first."""
    monkeypatch.setattr(node_module, "IDLE_FLUSH_S", 3.0)  # longer than a busy machine takes for what is to be flushed
    session = Session(base, FaultyFiles())

    async def script(session):
        opened = [session.ledger.open(f"n{n}") for n in range(12)]
        await session.committed(session.ledger.deploy())
        session.files.full = "tiles"
        await session.committed(*opened)
        assert session.node.status().state != "faulted"
        await session.until(lambda: session.node.status().trouble == "disk.full")
        session.files.full = ""
        await session.until(lambda: session.node.status().state == "running")
        await session.committed(session.ledger.add("n1"))

    session.run(script)


def test_a_node_stops_cleanly_on_a_full_disk(base):
    session = Session(base, FaultyFiles())

    async def main():
        session.node = open_node(session.ledger.folder.root, files=session.files, reserve_bytes=0)
        session.node.start()
        await session.committed(session.ledger.deploy())
        session.files.full = "clock.json"
        try:
            await session.node.stop()
            open_node(session.ledger.folder.root)
        finally:
            workload.release(session.node)

    workload.run_quietly(main())


def test_a_node_starts_on_a_full_disk(base):
    """D3: a full disk leaves a node that reads. After a crash with an unflushed tail it says not even what is wrong."""
    session = Session(base, FaultyFiles())

    async def script(session):
        await session.committed(session.ledger.deploy())

    session.run(script)
    files = FaultyFiles()
    files.full = "/"
    again = Session(base, files, ledger=session.ledger)

    async def look(again):
        assert again.node.reading.tip.size == 2

    again.run(look)


def test_stopping_while_a_unit_waits_for_space_gives_it_up(base):
    """Its asker is told that nothing is known; sent again after the start it is committed, once."""
    session = Session(base, FaultyFiles())
    given_up = []

    async def main():
        session.node = node = open_node(session.ledger.folder.root, files=session.files, reserve_bytes=0)
        node.start()
        await session.committed(session.ledger.deploy())
        session.files.full = "journal"
        prepared = [session.ledger.any("none", {"filler": bytes(5000), "n": n}) for n in range(5)]
        for one in prepared:
            future = session.submit(one)
            await asyncio.wait([future], timeout=0.1)
            if not future.done():
                given_up.append(one)
                break
        await session.until(lambda: node.status().trouble == "disk.full")
        await node.stop()
        assert (await future).code in ("node.stopping", "node.faulted")
        if node.failed.done():
            node.failed.exception()

    workload.run_quietly(main())
    assert given_up
    check_acknowledged(session.ledger, session.asked)
    again = Session(base, FaultyFiles(), ledger=session.ledger)

    async def script(again):
        first = await again.committed(*given_up)
        second = await again.committed(*given_up)
        assert [a.seq for a in first] == [a.seq for a in second]
        assert [a.duplicate for a in (*first, *second)] == [False, True]

    again.run(script)
    run = workload.read_run(session.ledger.folder.root)
    assert len(run.ids) == len(set(run.ids))


# Little space


def test_intake_stops_first_when_space_runs_low(base):
    files = FaultyFiles()
    session = Session(base, files, reserve_bytes=10_000_000)

    async def script(session):
        ledger, node = session.ledger, session.node
        await session.committed(ledger.deploy())
        answers = await session.committed(ledger.open("a"))
        files.free = 9_999_999
        await session.until(lambda: node.status().state == "refusing")
        status = node.status()
        assert status.trouble == "disk.full"
        assert "9 MB are free" in status.detail
        for prepared in (ledger.open("b"), ledger.add("a")):
            with pytest.raises(HansaError) as error:
                node.submit(prepared.envelope, lambda _: None)
            assert error.value.code == "disk.full"
            assert error.value.kind.status == 503
            assert error.value.fields["retry_after"] == 1
        assert node.reading.record("counter", "Count", "a").value["value"] == 0
        assert node.reading.receipt(answers[0].seq)
        files.free = 10_000_000
        await session.until(lambda: node.status().state == "running")
        await session.committed(ledger.add("a"))

    session.run(script)
    assert session.problems == []


def test_what_was_taken_in_before_space_ran_low_is_committed(base, threaded):
    """The reserve is for exactly this."""
    files = FaultyFiles()
    session = Session(base, files, reserve_bytes=10_000_000)

    async def script(session):
        await session.committed(session.ledger.deploy())
        files.slow_s = 0.05
        waiting = [session.submit(session.ledger.open(name)) for name in "abcdef"]
        await asyncio.sleep(0)
        files.free = 5
        answers = await asyncio.wait_for(asyncio.gather(*waiting), WAIT_S)
        committed = [answer for answer in answers if isinstance(answer, Answer)]
        assert committed
        assert {a.code for a in answers if not isinstance(a, Answer)} <= {"disk.full"}

    session.run(script)
    check_acknowledged(session.ledger, session.asked)


def test_the_watch_over_the_space_survives_an_error(base):
    files = FaultyFiles(nth("free_bytes", 1))
    session = Session(base, files, reserve_bytes=10_000_000)

    async def script(session):
        await session.until(lambda: files.fired)
        files.free = 5
        await asyncio.sleep(0.1)
        assert session.node.status().state == "refusing"

    session.run(script)


# Nothing of a block before it is durable; nothing of a fault on the ledger


def test_nothing_of_a_block_is_seen_before_it_is_durable(base):
    """`apply_batch` moves the directory on, which reads and `GET /app/contracts` use, while the block waits for space
    or for a slow sync. If the block is lost, what was shown was never on the ledger.
    """
    session = Session(base, FaultyFiles())

    async def script(session):
        session.files.plan = lambda kind, path, _: errno.ENOSPC if kind == "write" else 0
        session.submit(session.ledger.deploy())
        await session.until(lambda: session.node.status().trouble == "disk.full")
        assert session.node.reading.tip.size == 1
        assert workload.CONTRACT not in session.node.directory.programs
        with pytest.raises(HansaError):
            session.node.reading.page(workload.CONTRACT, "Count", None, 10)

    session.run(script)


def test_damage_in_the_state_never_becomes_an_outcome(base):
    """`execution.run` turns every exception into `contract.internal`, the store's own too. So a flipped bit on one
    disk refuses a transaction for ever, and two nodes' roots differ, where the node should stop and say why.
    """
    session = Session(base, FaultyFiles())

    async def script(session):
        ledger, node = session.ledger, session.node
        await session.committed(ledger.deploy())
        await session.committed(ledger.open("a"))
        node._flush()
        await session.committed(ledger.open("b"))
        node._flush()  # what the last flush moved is still in memory; "a" is not any more
        state, place = node._parts.state, order.place(workload.CONTRACT, "Count", "a")
        state._reader.abort()
        with state._environment.begin(write=True) as txn:
            data = txn.get(place, db=state._records)
            txn.put(place, data[:-1] + bytes([data[-1] ^ 1]), db=state._records)
        state._reader = state._environment.begin()
        answer = await asyncio.wait_for(session.submit(ledger.add("a")), WAIT_S)
        if isinstance(answer, Answer):
            outcome = entry.decode_outcome(answer.outcome)
            assert outcome.code != "contract.internal", cbor.decode(answer.outcome)
        assert node.status().state == "faulted"

    session.run(script)


def test_a_stopped_node_touches_the_folder_no_more(base, monkeypatch):
    """The lock is free by then: the thread may be filling with zeros what another process takes for its spare."""
    monkeypatch.setattr(commit_module, "FAST_S", 0.0)
    files = FaultyFiles()

    async def main():
        session.node = node = open_node(session.ledger.folder.root, files=files, reserve_bytes=0)
        node.start()
        await session.committed(session.ledger.any("none", {}))
        files.gate = threading.Event()
        future = session.submit(session.ledger.any("none", {"filler": bytes(30_000)}))
        await session.until(lambda: node._committing)
        stopping = asyncio.ensure_future(node.stop())
        await session.until(lambda: node._stopping)
        files.gate.set()
        await stopping
        assert isinstance(await future, Answer)
        late = [thread for thread in threading.enumerate() if thread.name == "prepare"]
        for thread in late:
            thread.join()
        assert "next.spare" not in files.names(session.ledger.folder.journal)
        assert not late

    with workload.patched([(journal, "SEGMENT_BYTES_FIRST", 65_536)]):
        session = Session(base, files)
        workload.run_quietly(main())
