"""The order out of etcd, with the real engine: what fails, comes back, repeats itself, or is not what it was."""

import asyncio
import os
import shutil
import signal
import time
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
import pytest
import uvloop
from tests.orderers import clusters
from tests.orderers.replicas import Node, until

from hansa.orderers.etcd import gateway, orderer, peers, retained
from hansa.orderers.etcd.gateway import Unavailable
from hansa.orderers.etcd.orderer import Etcd
from hansa.orderers.etcd.retained import KEPT_BATCHES


@asynccontextmanager
async def running(nodes):
    """The nodes, begun, until the block ends; those that a test has ended stay so."""
    for node in nodes:
        node.begin()
    try:
        yield nodes
    finally:
        await asyncio.gather(*(node.end() for node in nodes if node.orderer is not None))


def state(node):
    return node.orderer.standing().state


def reason(node):
    return node.orderer.standing().reason


async def all_have(nodes, count):
    await until(lambda: all(len(node.entries) >= count for node in nodes))


async def one_by_one(node, *names):
    for name in names:
        node.submit(name)
        await until(lambda name=name: name.encode() in node.entries)


def same(nodes):
    return all(node.blocks == nodes[0].blocks for node in nodes)


def member(node):
    """The process of a node's etcd."""
    return node.orderer._engine.pid


async def leader(nodes):
    """The node whose etcd leads."""
    for node in nodes:
        url = node.orderer._settings.own.clients + "/v3/maintenance/status"
        status = (await node.orderer._gateway._client.post(url, content="{}")).json()
        if status["leader"] == status["header"]["member_id"]:
            return node
    raise AssertionError


@pytest.fixture(autouse=True)
def quickly_ended(monkeypatch):
    """A member that waits for others before it ends is killed: what it said is on disk."""
    monkeypatch.setattr(orderer, "ENGINE_PATIENCE_S", 0.2)


@pytest.fixture
def impatient(monkeypatch):
    """Says often how far it is, and soon takes others to be away."""
    monkeypatch.setattr(orderer, "UNANSWERED_S", 1.0)
    monkeypatch.setattr(orderer, "LISTEN_S", 0.5)
    monkeypatch.setattr(orderer, "MARK_S", 0.05)
    monkeypatch.setattr(orderer, "MARK_IDLE_S", 0.2)
    monkeypatch.setattr(orderer, "RETRY_S", 0.05)
    monkeypatch.setattr(peers, "SILENT_S", 1.0)


@pytest.fixture
def eager(impatient, monkeypatch):
    """Trims at once, and keeps nothing for those who come back soon."""
    monkeypatch.setattr(orderer, "TRIM_S", 0.05)
    monkeypatch.setattr(orderer, "COMPACT_REVISIONS", 0)


def test_the_leader_is_killed_and_nothing_is_lost_or_twice(tmp_path):
    async def scenario():
        async with running(clusters.nodes(tmp_path)) as nodes:
            await until(lambda: all(state(node) == "healthy" for node in nodes))
            sent = []

            def send(count):
                for _ in range(count):
                    sent.append(f"entry {len(sent)}")
                    nodes[len(sent) % 3].submit(sent[-1])

            async def load():
                while len(sent) < 300:
                    send(3)
                    await asyncio.sleep(0.005)

            loading = asyncio.create_task(load())
            await all_have(nodes, 20)
            lost = await leader(nodes)
            os.kill(member(lost), signal.SIGKILL)
            await loading
            await all_have(nodes, 300)
            await until(lambda: state(lost) == "healthy" and member(lost) is not None)  # it was started again
            send(3)
            await all_have(nodes, 303)
            assert sorted(nodes[0].entries) == sorted(name.encode() for name in sent)
            assert same(nodes)

    asyncio.run(scenario())


def test_without_a_majority_it_halts_and_says_who_is_missing_and_goes_on_when_they_are_back(tmp_path, impatient):
    async def scenario():
        async with running(clusters.nodes(tmp_path)) as (a, b, c):
            await one_by_one(a, "before")
            await all_have([a, b, c], 1)
            await c.end()
            await until(lambda: (state(a), reason(a)) == ("degraded", "not heard: c"))
            await one_by_one(a, "one down")
            await all_have([a, b], 2)
            await b.end()
            await until(lambda: state(a) == "halted")
            a.submit("two down")
            await until(lambda: "not heard: b, c" in reason(a))
            assert "no majority" in reason(a)
            assert "more than half" in a.orderer.standing().remedy
            assert len(a.entries) == 2
            b.begin()
            c.begin()
            await all_have([a, b, c], 3)
            await until(lambda: all(state(node) == "healthy" for node in (a, b, c)))
            assert a.entries == [b"before", b"one down", b"two down"]
            assert same([a, b, c])

    asyncio.run(scenario())


def test_an_answer_that_is_lost_does_not_put_a_batch_in_twice(tmp_path, monkeypatch):
    real = gateway.Gateway.change
    lost = []

    async def change(self, conditions, changes):
        done = await real(self, conditions, changes)
        if "b/" in repr(changes) and len(lost) < 3:
            lost.append(done.succeeded)
            raise Unavailable("the answer is lost")
        return done

    monkeypatch.setattr(gateway.Gateway, "change", change)

    async def scenario():
        async with running(clusters.nodes(tmp_path, "a")) as [a]:
            a.submit("once")
            await until(lambda: len(lost) == 3)
            await one_by_one(a, "more")
            assert [envelopes for _, envelopes in a.order] == [[b"once"], [b"more"]]

    asyncio.run(scenario())
    assert lost == [True, False, False]  # the second and third time it stood there already


def test_another_cluster_at_the_same_place_is_refused(tmp_path):
    async def scenario():
        [settings] = clusters.settings(tmp_path, "a", token="first")
        node = Node(partial(Etcd, settings, clusters.binary()))
        async with running([node]):
            await one_by_one(node, "entry 1", "entry 2", "entry 3")
        shutil.rmtree(tmp_path / "a" / "data")
        [other] = clusters.settings(tmp_path, "a", token="second")
        node.make = partial(Etcd, other, clusters.binary())
        async with running([node]):
            await until(lambda: state(node) == "diverged")
            assert "it is another cluster" in reason(node)
            node.submit("in vain")
            await asyncio.sleep(0.1)
            assert len(node.entries) == 3
        # Without what it had kept, it sees that the cluster never came so far.
        (tmp_path / "a" / "followed").unlink()
        async with running([node]):
            await until(lambda: state(node) == "diverged")
            assert "set back" in reason(node)

    asyncio.run(scenario())


def test_the_cluster_of_another_ledger_is_refused(tmp_path):
    async def scenario():
        [settings] = clusters.settings(tmp_path, "a")
        make = partial(Etcd, settings, clusters.binary())
        async with running([Node(make)]) as [node]:
            await one_by_one(node, "entry")
        async with running([Node(make, ledger=bytes(32))]) as [stranger]:
            await until(lambda: state(stranger) == "diverged")
            assert "another ledger" in reason(stranger)
            assert stranger.entries == []

    asyncio.run(scenario())


def test_a_restored_cluster_is_refused_also_when_it_went_on(tmp_path):
    async def scenario():
        [node] = clusters.nodes(tmp_path, "a")
        home, backup = tmp_path / "a", tmp_path / "backup"
        async with running([node]):
            await one_by_one(node, "early")
        shutil.copytree(home, backup)
        early = list(node.blocks)
        async with running([node]):
            await one_by_one(node, *(f"later {i}" for i in range(10)))
        followed, reached = (home / "followed").read_bytes(), node.position
        shutil.rmtree(home)
        backup.rename(home)
        older = (home / "followed").read_bytes()

        (home / "followed").write_bytes(followed)
        async with running([node]):
            await until(lambda: state(node) == "diverged")
            assert "set back" in reason(node)

        # A node that is restored with it goes on; soon the cluster is as far as it was, and something else.
        (home / "followed").write_bytes(older)
        forgetful = Node(node.make)
        forgetful.blocks = early
        async with running([forgetful]):
            await one_by_one(forgetful, *(f"other {i}" for i in range(20)))
            assert forgetful.position > reached
        (home / "followed").write_bytes(followed)
        async with running([node]):
            await until(lambda: state(node) == "diverged")
            assert f"the batch at {reached} is not there" in reason(node)
            assert len(node.entries) == 11

    asyncio.run(scenario())


async def batches(node):
    """How many etcd holds."""
    found, _ = await node.orderer._list_keys()
    return len(found)


async def trimmed(node):
    """Waits until etcd holds no more than it keeps."""
    while True:
        if await batches(node) <= KEPT_BATCHES:
            return
        await asyncio.sleep(0.05)


def test_only_what_every_node_has_is_trimmed_and_what_was_trimmed_gets_no_second_entry(tmp_path, eager):
    async def scenario():
        async with running(clusters.nodes(tmp_path)) as (a, b, c):
            c.paused = True
            await one_by_one(a, *(f"entry {i}" for i in range(30)))
            await all_have([a, b], 30)
            await asyncio.sleep(0.5)
            assert await batches(a) == 30
            c.resume()
            await all_have([c], 30)
            await trimmed(a)

            b.submit("entry 3")  # its batch is gone; whoever applies knows the transaction
            await until(lambda: sum(b"entry 3" in envelopes for _, envelopes in a.order) == 2)
            await one_by_one(b, "after")
            await all_have([a, b, c], 31)
            assert same([a, b, c])
            assert a.entries.count(b"entry 3") == 1

    asyncio.run(scenario())


def test_a_node_that_was_away_while_etcd_forgot_goes_on_by_the_keys_that_are_left(tmp_path, eager):
    async def scenario():
        async with running(clusters.nodes(tmp_path)) as (a, b, c):
            await one_by_one(a, *(f"entry {i}" for i in range(12)))
            await all_have([a, b, c], 12)
            await c.end()
            await until(lambda: "c" in reason(a))
            await one_by_one(a, "missed 1", "missed 2")

            async def forgotten():
                with pytest.raises((gateway.Compacted, TimeoutError)) as caught:
                    async with asyncio.timeout(0.3):
                        async for _ in a.orderer._gateway.watch(c.position + 1):
                            pass
                return caught.type is gateway.Compacted

            while not await forgotten():
                pass
            c.begin()
            await all_have([c], 14)
            await one_by_one(c, "back")
            await all_have([a, b, c], 15)
            assert same([a, b, c])

    asyncio.run(scenario())


def test_a_node_too_far_behind_is_not_waited_for_and_says_that_it_needs_a_copy(tmp_path, eager):
    async def scenario():
        async with running(clusters.nodes(tmp_path, quota=16 * 1024 * 1024)) as (a, b, c):
            await one_by_one(a, "first")
            await all_have([b, c], 1)
            await c.end()
            await one_by_one(a, *(f"entry {i} ".ljust(200_000, ".") for i in range(30)))
            await trimmed(a)
            c.begin()
            await until(lambda: "trimmed" in reason(c))
            assert state(c) == "halted"
            assert "fresh copy" in c.orderer.standing().remedy
            assert c.entries == [b"first"]
            await one_by_one(b, "goes on")
            await all_have([a, b], 32)
            assert same([a, b])

    asyncio.run(scenario())


def test_a_node_that_is_slow_reads_no_further_than_it_may_and_misses_nothing(tmp_path, impatient, monkeypatch):
    monkeypatch.setattr(orderer, "AHEAD_BYTES_MAX", 3_000)

    async def scenario():
        async with running(clusters.nodes(tmp_path)) as (a, b, c):
            c.paused = True
            await one_by_one(a, *(f"entry {i} ".ljust(500, ".") for i in range(40)))
            await until(lambda: c.orderer._ahead_bytes >= 3_000)
            assert len(c.orderer._ahead) < 10
            await until(lambda: "ordered batches wait for this node" in reason(c))
            await asyncio.sleep(1.1)  # it reads nothing, so that it hears nobody; that is not what it blames
            assert "not heard" not in reason(c)
            await until(lambda: state(a) == "healthy")  # it says how far it is
            c.resume()
            await all_have([a, b, c], 40)
            assert same([a, b, c])

    asyncio.run(scenario())


def now():
    return time.time_ns() // 1_000_000


def test_the_one_node_with_a_wrong_clock_does_not_stamp_and_nothing_stops(tmp_path):
    async def scenario():
        async with running(clusters.nodes(tmp_path, clocks={"b": lambda: now() + 3_600_000})) as (a, b, c):
            await until(lambda: "others stamp" in reason(b))
            b.submit("through b")
            a.submit("through a")
            await all_have([a, b, c], 2)
            assert all(abs(stamp - now()) < 60_000 for _, _, _, stamp in a.blocks)
            assert same([a, b, c])
            await until(lambda: [state(node) for node in (a, b, c)] == ["healthy", "degraded", "healthy"])

    asyncio.run(scenario())


def test_the_one_node_with_another_history_stops_and_the_others_go_on(tmp_path, impatient):
    async def scenario():
        async with running(clusters.nodes(tmp_path)) as (a, b, c):
            await one_by_one(a, "together")
            await all_have([a, b, c], 1)
            c.wrong = True
            await one_by_one(a, "apart")
            await until(lambda: state(c) == "diverged")
            assert "not that of" in reason(c)
            before = len(c.entries)
            await one_by_one(a, "without c")
            await one_by_one(b, "without c too")
            await all_have([a, b], 4)
            assert same([a, b])
            assert len(c.entries) == before

    asyncio.run(scenario())


def test_what_is_no_batch_counts_for_nothing(tmp_path):
    no_bundle = b"\x84\x00\x61a\x82\x00\x58\x20" + bytes(32) + b"\x41\x00"

    async def scenario():
        async with running(clusters.nodes(tmp_path, "a")) as [a]:
            await one_by_one(a, "first")
            for number, value in enumerate((b"", b"\xff", no_bundle)):
                await a.orderer._gateway.change([], [gateway.put(b"b/" + bytes(35) + bytes([number]), value)])
            await a.orderer._gateway.change([], [gateway.put(b"b/short", b"")])
            await one_by_one(a, "last")
            assert [envelopes for _, envelopes in a.order] == [[b"first"], [], [], [], [b"last"]]
            assert a.entries == [b"first", b"last"]

    asyncio.run(scenario())


@pytest.mark.parametrize("forgets", [False, True], ids=["by its file", "by its mark"])
def test_batches_that_left_no_block_may_be_trimmed_and_the_node_still_knows_where_it_was(tmp_path, eager, forgets):
    async def scenario():
        async with running(clusters.nodes(tmp_path, "a")) as [a]:
            await one_by_one(a, "entry")
            for count in range(1, 20):  # each is in the order again, and applied already
                a.submit("entry")
                await until(lambda count=count: len(a.order) > count)
            await trimmed(a)
            assert a.orderer._retained.trimmed > a.position
            last = a.order[-1][0]
            await until(lambda: a.orderer._changed is False)  # what it says of itself is written
            await a.end()
            if forgets:
                (tmp_path / "a" / "followed").unlink()
            a.begin()
            await one_by_one(a, "after")
            assert a.order[-1][0] > last
            assert [envelopes for position, envelopes in a.order if position > last] == [[b"after"]]

    asyncio.run(scenario())


def test_a_full_store_halts_the_order_and_says_what_to_do(tmp_path, impatient):
    async def scenario():
        async with running(clusters.nodes(tmp_path, "a", quota=16 * 1024 * 1024)) as [a]:
            await one_by_one(a, "entry")
            with pytest.raises(gateway.Full):
                for number in range(20):
                    await a.orderer._gateway.change([], [gateway.put(b"z%d" % number, bytes(1024 * 1024))])
            a.submit("in vain")
            await until(lambda: state(a) == "halted")
            assert "full" in reason(a)
            assert "quota" in a.orderer.standing().remedy
            assert a.entries == [b"entry"]
            await a.end()
            wider = msgspec.structs.replace(a.make.args[0], quota=64 * 1024 * 1024)
            a.make = partial(Etcd, wider, clusters.binary())
            a.begin()
            await one_by_one(a, "with more room")
            await until(lambda: state(a) == "healthy")

    asyncio.run(scenario())


def test_an_engine_that_does_not_come_up_is_worked_around_by_the_others(tmp_path, impatient, monkeypatch):
    async def scenario():
        async with running(clusters.nodes(tmp_path)) as (a, b, c):
            await one_by_one(a, "entry")
            monkeypatch.setattr("hansa.orderers.engine.PAUSE_FIRST_S", 60)
            a.orderer._engine.kill()
            await until(lambda: "own etcd is down" in reason(a))
            assert str(tmp_path / "a" / "etcd.log") in a.orderer.standing().remedy
            await one_by_one(a, "through another")
            await all_have([a, b, c], 2)
            assert same([a, b, c])

    asyncio.run(scenario())


def test_where_no_majority_says_whose_history_holds_nobody_goes_on(tmp_path, impatient):
    async def scenario():
        async with running(clusters.nodes(tmp_path)) as (a, b, c):
            await one_by_one(a, "together")
            await all_have([a, b, c], 1)
            await b.end()
            c.wrong = True
            await one_by_one(a, "apart")
            await all_have([c], 2)
            for node, other in ((a, c), (c, a)):
                await until(lambda node=node: state(node) == "halted" and "no majority says" in reason(node))
                assert f"the history of {other.orderer._settings.name} " in reason(node)
            a.submit("later")
            c.submit("later too")
            await until(lambda: len(a.orderer._ahead) == len(c.orderer._ahead) == 2)
            a.resume()
            c.resume()
            assert len(a.entries) == len(c.entries) == 2
            b.begin()  # which finds out for itself what the batch gives
            await all_have([a, b], 4)
            assert same([a, b])
            await until(lambda: state(c) == "diverged")
            assert len(c.entries) == 2

    asyncio.run(scenario())


def test_a_member_whose_data_are_wiped_votes_again_only_as_another(tmp_path, impatient):
    async def scenario():
        async with running(clusters.nodes(tmp_path)) as (a, b, c):
            await one_by_one(a, "before")
            await all_have([a, b, c], 1)
            was = {one.id for one in await a.orderer._gateway.members()}
            await b.end()
            shutil.rmtree(tmp_path / "b" / "data")
            await one_by_one(a, "missed")
            b.begin()
            await all_have([b], 2)
            await one_by_one(b, "after")
            await all_have([a, b, c], 3)
            assert same([a, b, c])
            await until(lambda: state(b) == "healthy")
            found = await a.orderer._gateway.members()
            assert len(was & {one.id for one in found}) == 2
            assert len(found) == 3
            await c.end()  # its vote counts
            await one_by_one(a, "without c")
            await all_have([a, b], 4)

    asyncio.run(scenario())


def test_a_node_that_trims_late_does_not_hide_what_another_has_trimmed(tmp_path, eager):
    async def scenario():
        async with running(clusters.nodes(tmp_path, "a")) as [a]:
            await one_by_one(a, *(f"entry {i}" for i in range(20)))
            await trimmed(a)
            made = a.orderer._retained.trimmed
            late = retained.Retained()
            late.add(2, b"b/" + bytes(36))
            for position in range(3, 12):
                late.add(position, b"b/" + bytes(36))
            a.orderer._retained = late
            await a.orderer._trim()
            found = await a.orderer._gateway.read(b"t")
            assert int(found.kvs[0].value) == made

    asyncio.run(scenario())


def children():
    """The processes that this one has started and that live."""
    listed = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    return set(listed.read_text().split())


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux tells the children of a process")
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_a_stop_at_any_moment_of_the_start_leaves_no_process(tmp_path, loop):
    async def scenario():
        [node] = clusters.nodes(tmp_path, "a")
        before = children()
        for pause in (None, 0, 0.001, 0.01, 0.03, 0.1, 0.3):
            node.begin()
            if pause is not None:
                await asyncio.sleep(pause)
            await node.end()
            assert children() <= before

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(scenario())
