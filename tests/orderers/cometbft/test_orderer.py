"""Ordering by real CometBFT engines on loopback: one order for all, whatever dies, and the words when it stops."""

import asyncio
import os
import shutil
import signal
import time

import pytest
from msgspec.structs import replace
from tests.orderers.cometbft import networks
from tests.orderers.replicas import until

from hansa.orderers import DEGRADED, DIVERGED, HALTED, HEALTHY
from hansa.orderers.cometbft import orderer, standing
from hansa.orderers.cometbft.orderer import CometBFT
from hansa.orderers.cometbft.rpc import Refused
from hansa.wire import batch
from hansa.wire.problems import HansaError


def known(node, *names):
    return set(map(str.encode, names)) <= set(node.entries)


async def have(nodes, *names):
    """Waits until all of these nodes have all of these entries."""
    await until(lambda: all(known(node, *names) for node in nodes))


def state(node):
    return node.orderer.standing().state


def home(node):
    return node.orderer._home


async def power_cut(node):
    """Everything of a node is gone at once but what is durable."""
    os.kill(node.orderer._engine.pid, signal.SIGKILL)
    await node.end()
    node.paused = False


def some(name, count=3):
    return [f"{name} {index}" for index in range(count)]


@pytest.fixture(scope="module")
def runner():
    with asyncio.Runner() as runner, pytest.MonkeyPatch.context() as patch:
        patch.setattr(orderer, "LOOK_S", 0.1)
        yield runner


@pytest.fixture(scope="module")
def shared(runner, tmp_path_factory):
    """Four nodes for all tests of this page."""
    nodes = networks.nodes(tmp_path_factory.mktemp("network"))

    async def begin():
        for node in nodes:
            node.begin()
        await until(lambda: all(state(node) == HEALTHY for node in nodes))

    async def end():
        for node in nodes:
            if node.orderer is not None:
                await node.end()

    runner.run(begin())
    yield nodes
    runner.run(end())


@pytest.fixture
def run(runner, shared):
    """Runs a test on them. It MUST leave all nodes going: then they are healthy and equal, and have nothing twice."""

    def within(coroutine):
        async def whole():
            await coroutine
            marks = [f"whole {index} {time.monotonic_ns()}" for index in range(len(shared))]
            for node, mark in zip(shared, marks, strict=True):
                node.submit(mark)
            await have(shared, *marks)
            await until(lambda: all(state(node) == HEALTHY for node in shared))
            await until(lambda: all(node.blocks == shared[0].blocks for node in shared))
            assert len(set(shared[0].entries)) == len(shared[0].entries)

        runner.run(whole())

    return within


def test_all_nodes_have_one_order_and_nothing_twice_though_all_of_them_hand_it_in(run, shared):
    async def test():
        for index, node in enumerate(shared):
            node.submit(*some("everywhere", 20), *some(f"through {index}", 20))
        await have(
            shared, *some("everywhere", 20), *(name for index in range(4) for name in some(f"through {index}", 20))
        )
        positions = [block[0] for block in shared[0].blocks]
        stamps = [block[3] for block in shared[0].blocks]
        assert positions == sorted(set(positions))
        assert stamps == sorted(stamps)

    run(test())


def test_an_engine_that_is_killed_comes_back_and_what_it_had_of_its_node_is_not_lost(run, shared):
    async def test():
        node, *others = shared
        node.submit(*some("before"))
        await asyncio.sleep(0)
        pid = node.orderer._engine.pid
        os.kill(pid, signal.SIGKILL)
        node.submit(*some("after"))
        others[0].submit(*some("others"))
        await have(others, *some("others"))
        await have(shared, *some("before"), *some("after"), *some("others"))
        assert node.orderer._engine.pid != pid

    run(test())


def test_an_engine_whose_connection_ends_is_killed_and_started_again(run, shared):
    async def test():
        node = shared[1]
        pid = node.orderer._engine.pid

        def broken(tx):
            raise RuntimeError("a defect")

        node.orderer.check = broken
        node.submit(*some("defect"))
        await until(lambda: node.orderer._engine.pid != pid)
        del node.orderer.check
        await have(shared, *some("defect"))

    run(test())


def test_without_two_of_four_it_halts_says_who_is_missing_and_goes_on_when_one_is_back(run, shared):
    async def test():
        first, second, third, fourth = shared
        await second.end()
        await until(lambda: state(first) == DEGRADED)
        assert first.orderer.standing().reason == "no connection to b"
        await fourth.end()
        await until(lambda: state(first) == HALTED)
        told = first.orderer.standing()
        assert "b, d" in told.reason
        assert "two thirds" in told.reason
        assert told.remedy
        first.submit(*some("halted"))
        await asyncio.sleep(0.5)
        assert not known(first, "halted 0")
        second.begin()
        await have([first, second, third], *some("halted"))
        fourth.begin()

    run(test())


def test_all_nodes_may_stop_and_go_on(run, shared):
    async def test():
        before = list(shared[0].blocks)
        await asyncio.gather(*(node.end() for node in shared))
        for node in shared:
            node.begin()
        shared[3].submit(*some("cold"))
        await have(shared, *some("cold"))
        assert shared[0].blocks[: len(before)] == before

    run(test())


def test_a_node_that_dies_before_a_batch_is_durable_is_given_it_again(run, shared):
    async def test():
        node = shared[0]
        node.paused = True
        shared[1].submit(*some("not durable"))
        await have(shared[1:], *some("not durable"))
        await until(lambda: node.orderer._queue)
        await power_cut(node)
        assert not known(node, "not durable 0")
        node.begin()
        await have(shared, *some("not durable"))

    run(test())


def test_a_node_that_dies_when_a_batch_is_durable_and_its_engine_does_not_know_is_not_given_it_again(run, shared):
    async def test():
        node = shared[0]
        node.orderer.applied = lambda position, digest: None
        shared[1].submit("durable")
        await have(shared, "durable")
        order = len(node.order)
        await power_cut(node)
        node.begin()
        await until(lambda: state(node) == HEALTHY)
        assert not any(b"durable" in envelopes for _, envelopes in node.order[order:])

    run(test())


def test_no_blocks_are_made_when_nothing_is_to_be_ordered(run, shared):
    async def test():
        seen = []
        for _ in range(2):
            await asyncio.sleep(1.0)
            seen.append([node.orderer._view.height for node in shared])
        assert seen[0] == seen[1]
        assert len(set(seen[0])) == 1

    run(test())


def test_after_a_pause_a_batch_has_the_time_of_its_own_day(run, shared, monkeypatch):
    monkeypatch.setattr(orderer, "STALE_S", 0.5)

    async def test():
        await asyncio.sleep(1.0)
        began = time.time_ns() // 1_000_000
        shared[2].submit("woken")
        await have(shared, "woken")
        assert shared[0].blocks[-1][3] >= began

    run(test())


def test_what_is_no_batch_is_refused_and_counts_for_nothing_where_it_is_ordered_all_the_same(run, shared):
    async def test():
        node = shared[0]
        for bad in (b"\x00 no batch", batch.encode(0, [bytes(400_000)], bytes(16))):
            with pytest.raises(Refused):
                await node.orderer._rpc.broadcast(bad)
        seen = []
        finalize = node.orderer.finalize

        async def spied(height, time, txs, *proved):
            seen.extend(txs)
            return await finalize(height, time, txs, *proved)

        for each in shared:  # as if all were dishonest
            each.orderer.check = lambda tx: ""
        node.orderer.finalize = spied
        blocks = len(node.blocks)
        await node.orderer._rpc.broadcast(b"\x01 no batch")
        await until(lambda: b"\x01 no batch" in seen)
        for each in shared:
            del each.orderer.check
        del node.orderer.finalize
        assert len(node.blocks) == blocks

    run(test())


def test_a_proposer_that_puts_too_much_into_a_block_is_passed_over(run, shared):
    async def test():
        liar, honest, *_ = shared
        verdicts = []
        process = honest.orderer.process

        def judged(height, txs):
            verdicts.append(process(height, txs))
            return verdicts[-1]

        liar.orderer.prepare = lambda *_: [batch.encode(0, [b"a lie"], os.urandom(16)) for _ in range(17)]
        honest.orderer.process = judged
        while all(verdicts):
            honest.submit(f"past the liar {len(verdicts)}")
            await have(shared, f"past the liar {len(verdicts)}")
        del liar.orderer.prepare, honest.orderer.process
        assert not known(honest, "a lie")

    run(test())


def test_an_engine_whose_disk_was_full_is_started_anew(run, shared, monkeypatch):
    async def test():
        node, *others = shared
        pid, free, looks = node.orderer._engine.pid, orderer.Disk.free_bytes, []

        def full(self, path):
            looks.append(path)
            return 0 if path == home(node) else free(self, path)

        with monkeypatch.context() as patch:
            patch.setattr(orderer.Disk, "free_bytes", full)
            await until(lambda: looks.count(home(node)) > 2)
            assert node.orderer._engine.pid == pid  # while it is full nothing would be better
        await until(lambda: node.orderer._engine.pid not in (None, pid))
        others[0].submit("there is space again")
        await have(shared, "there is space again")

    run(test())


def test_a_proposer_that_leaves_everything_out_delays_it_only(run, shared):
    """Its turns bring nothing; whoever is next takes what came through any other node."""

    async def test():
        node, *others = shared
        turns = []

        def nothing(height, txs, room):
            turns.append(height)
            return []

        node.orderer.prepare = nothing
        count = 0
        while not turns:
            count += 1
            others[0].submit(f"left out {count}")
            await have(shared, f"left out {count}")
        del node.orderer.prepare

    run(test())


def test_an_engine_without_its_data_comes_back_and_votes_only_where_it_cannot_have_voted(run, shared):
    async def test():
        node = shared[3]
        engine = home(node)
        await node.end()
        shutil.rmtree(engine / "data")
        shared[0].submit(*some("meanwhile"))
        await have(shared[:3], *some("meanwhile"))
        node.begin()
        assert (engine / "renewed").exists()
        await have(shared, *some("meanwhile"))
        await until(lambda: not (engine / "renewed").exists())
        await power_cut(node)
        node.begin()

    run(test())


def test_a_node_without_anything_gets_everything_again(run, shared):
    async def test():
        node = shared[2]
        engine = home(node)
        await node.end()
        shutil.rmtree(engine / "data")
        node.blocks.clear()
        node._known.clear()
        node.begin()
        await until(lambda: node.blocks == shared[0].blocks)

    run(test())


def test_when_others_are_suspended_it_says_that_a_batch_waits(run, shared, monkeypatch):
    monkeypatch.setattr(standing, "SILENCE_S", 2.0)
    monkeypatch.setattr(standing, "MOVING_S", 1.0)

    async def test():
        node, *others = shared
        pids = [other.orderer._engine.pid for other in others[:2]]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            node.submit(*some("suspended"))
            await until(lambda: state(node) == HALTED)
            assert "a batch waits" in node.orderer.standing().reason
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        await have(shared, *some("suspended"))

    run(test())


def test_a_node_that_computed_another_ledger_stops_for_good_and_the_others_go_on(runner, shared):
    """The last of the four nodes' tests: one of them stays out."""

    async def test():
        wrong, *others = shared
        wrong.wrong = True
        others[0].submit("computed otherwise")
        await have(shared, "computed otherwise")
        await until(lambda: state(wrong) == DIVERGED)
        others[0].submit("without it")
        await have(others, "without it")
        await until(lambda: wrong.orderer._engine.pid is None)
        await wrong.end()
        wrong.begin()
        await until(lambda: state(wrong) == DIVERGED)
        assert not known(wrong, "without it")

    runner.run(test())


def fragile(folder, point):
    """An engine whose first life ends at a fail point (libs/fail of CometBFT counts them); it lives on afterwards."""
    program, armed = folder / "fragile", folder / "armed"
    armed.touch()
    program.write_text(
        "#!/bin/sh\n"
        f"if [ -e {armed} ]; then rm {armed}; export FAIL_TEST_INDEX={point}; fi\n"
        f'exec {networks.binary()} "$@"\n'
    )
    program.chmod(0o700)
    return program


def test_an_engine_may_die_at_any_point_of_a_height_and_its_node_with_it(runner, tmp_path, monkeypatch):
    """A height of a single validator has 13 points: four messages to itself, its commit, and what is done for it."""
    monkeypatch.setattr("hansa.orderers.engine.PAUSE_FIRST_S", 0.01)
    monkeypatch.setattr(CometBFT, "_is_stale", lambda self: False)  # the first height has a batch
    (node,) = networks.nodes(tmp_path, "a", program=tmp_path / "fragile")
    log = tmp_path / "a" / "engine" / "engine.log"
    sent = []

    async def one_more():
        sent.append(f"entry {len(sent)}")
        node.submit(sent[-1])
        await have([node], sent[-1])

    async def test():
        for point in range(13):
            fragile(tmp_path, point)
            node.begin()
            await one_more()
            while f"*** fail-test {point} ***" not in log.read_text():
                await one_more()
            await node.end()

    runner.run(test())
    assert node.entries == [name.encode() for name in sent]


def test_old_blocks_are_dropped_and_what_is_left_is_enough_for_a_restart(runner, tmp_path):
    (node,) = networks.nodes(tmp_path, "a", retained=4)

    async def earliest():
        status = await node.orderer._rpc._ask("status", {})
        return int(status.result["sync_info"]["earliest_block_height"])

    async def test():
        node.begin()
        for index in range(10):
            node.submit(f"dropped {index}")
            await have([node], f"dropped {index}")
        await power_cut(node)
        node.begin()
        await until(lambda: state(node) == HEALTHY)
        assert await earliest() > 5
        node.submit("after")
        await have([node], "after")
        await node.end()

    runner.run(test())


def test_nodes_without_a_vote_follow_and_those_that_are_not_known_are_kept_out(runner, tmp_path):
    settings, seats = networks.network(tmp_path, "abc")
    known = [seats[0], replace(seats[1], power=0)]
    nodes = [networks.node(each, known) for each in settings[:2]]
    nodes.append(networks.node(settings[2], [*known, seats[2]]))
    stranger = seats[2]

    async def test():
        asked = []
        for node in nodes:
            node.begin()
        admits = nodes[0].orderer.admits
        nodes[0].orderer.admits = lambda path: asked.append((path, admits(path))) or asked[-1][1]
        nodes[1].submit("from a follower")
        await have(nodes[:2], "from a follower")
        await until(lambda: any(path.endswith(stranger.peer) for path, _ in asked))
        await asyncio.gather(*(node.end() for node in nodes))
        refused = {path for path, why in asked if why}
        assert refused == {f"/p2p/filter/id/{stranger.peer}"}
        assert not nodes[2].entries

    runner.run(test())


def test_nodes_that_reach_each_other_through_one_only_are_not_halted(runner, tmp_path):
    settings, seats = networks.network(tmp_path, "abcd")
    nowhere = dict.fromkeys("bcd", "127.0.0.1:1")  # a node knows where `a` is, and of the others only that they are
    nodes = [networks.node(replace(each, addresses=nowhere), seats) for each in settings]

    async def test():
        for node in nodes:
            node.begin()
        await until(lambda: [state(node) for node in nodes] == [HEALTHY, DEGRADED, DEGRADED, DEGRADED])
        assert nodes[1].orderer.standing().reason == "no connection to c, d"
        nodes[3].submit("through a")
        await have(nodes, "through a")
        await asyncio.gather(*(node.end() for node in nodes))

    runner.run(test())


def test_an_engine_whose_data_are_older_than_the_ledger_says_so(runner, tmp_path, monkeypatch):
    monkeypatch.setattr(standing, "SILENCE_S", 1.0)
    (node,) = networks.nodes(tmp_path, "a")

    async def test():
        node.begin()
        engine = home(node)
        await until(lambda: state(node) == HEALTHY)
        await node.end()
        shutil.copytree(engine / "data", tmp_path / "copy")
        node.begin()
        for name in some("newer", 5):
            node.submit(name)
            await have([node], name)
        await node.end()
        shutil.rmtree(engine / "data")
        shutil.copytree(tmp_path / "copy", engine / "data")
        node.begin()
        await until(lambda: state(node) == HALTED)
        assert "higher than core" in node.orderer.standing().reason
        await node.end()

    runner.run(test())


def test_without_its_program_or_with_the_keys_of_another_it_does_not_start(tmp_path):
    (first, second), seats = networks.network(tmp_path, "ab")

    async def test(settings, program):
        with pytest.raises(HansaError) as raised:
            networks.node(settings, seats, program).begin()
        return raised.value.code

    assert asyncio.run(test(first, tmp_path / "nothing")) == "engine.start"
    assert asyncio.run(test(replace(first, home=second.home), networks.binary())) == "engine.keys"
