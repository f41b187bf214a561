"""What every orderer keeps to, whatever engine is behind it: one order for all nodes, and nothing in it twice."""

import asyncio

import pytest
from tests.orderers import clusters
from tests.orderers.cometbft import networks
from tests.orderers.replicas import Node, until

from hansa.orderers.solo import Solo
from hansa.wire.limits import ENVELOPE_BYTES_MAX


def solo(folder):
    return [Node(Solo)]


def etcd(folder):
    return clusters.nodes(folder)


def cometbft(folder):
    return networks.nodes(folder)


@pytest.fixture(scope="module", params=[solo, etcd, cometbft], ids=["solo", "etcd", "cometbft"])
def running(request, tmp_path_factory):
    """The nodes of one running ledger, and what runs a coroutine beside them. Tests add entries of their own names."""
    with asyncio.Runner() as runner:
        nodes = request.param(tmp_path_factory.mktemp("nodes"))

        async def begin():
            for node in nodes:
                node.begin()
            await until(lambda: all(node.orderer.standing().state == "healthy" for node in nodes))

        async def end():
            for node in nodes:
                await node.end()

        runner.run(begin())
        try:
            yield nodes, runner.run
        finally:
            runner.run(end())


def same(nodes):
    """Whether all have the same blocks by now."""
    return all(node.blocks == nodes[0].blocks for node in nodes)


def named(nodes, prefix):
    """The entries of one test, once every node has as many."""
    return [[e.decode() for e in node.entries if e.startswith(prefix.encode())] for node in nodes]


async def entries(nodes, prefix, count):
    await until(lambda: all(len(found) >= count for found in named(nodes, prefix)) and same(nodes))
    return named(nodes, prefix)[0]


def test_all_nodes_have_one_order_of_what_came_through_any_of_them(running):
    nodes, run = running

    async def scenario():
        for i in range(20):
            for node in nodes:
                node.submit(f"order {i} {nodes.index(node)}")
            await asyncio.sleep(0)
        return await entries(nodes, "order", 20 * len(nodes))

    found = run(scenario())
    assert len(set(found)) == len(found) == 20 * len(nodes)
    for number in range(len(nodes)):
        own = [name for name in found if name.endswith(f" {number}")]
        assert own == [f"order {i} {number}" for i in range(20)]  # a node's own keep their turns
    for node in nodes:
        positions = [position for position, _ in node.order]
        assert positions == sorted(set(positions))
        assert positions[0] > 0


def test_an_id_that_waits_is_queued_once(running):
    nodes, run = running

    async def scenario():
        nodes[0].submit("once", "once", "once")
        await entries(nodes, "once", 1)

    run(scenario())
    assert [envelopes.count(b"once") for _, envelopes in nodes[0].order if b"once" in envelopes] == [1]


def test_an_id_through_all_nodes_at_once_has_one_entry(running):
    nodes, run = running

    async def scenario():
        for node in nodes:
            node.submit("everywhere")
        await until(lambda: sum(b"everywhere" in envelopes for _, envelopes in nodes[0].order) == len(nodes))
        await until(lambda: same(nodes))

    run(scenario())
    assert named(nodes, "everywhere") == [["everywhere"]] * len(nodes)


def test_the_largest_envelope_and_more_than_a_batch_holds(running):
    nodes, run = running
    large = b"large".ljust(ENVELOPE_BYTES_MAX, b".")

    async def scenario():
        nodes[-1].submit(large, *(f"large {i} ".ljust(2_000, ".") for i in range(300)))
        await entries(nodes, "large", 301)

    run(scenario())
    assert all(large in node.entries for node in nodes)


def test_members_take_turns(running):
    nodes, run = running

    async def scenario():
        nodes[0].submit(*(f"turns a{i} ".ljust(50_000, ".") for i in range(30)), lane="acme")
        nodes[0].submit("turns b", lane="bolt")
        return await entries(nodes, "turns", 31)

    assert "turns b" in run(scenario())[:10]


def test_what_is_not_yet_applied_is_not_followed_by_more(running):
    nodes, run = running
    node = nodes[-1]

    async def scenario():
        node.paused = True
        before = len(node.order)
        node.submit("held 1")
        await asyncio.sleep(0.05)
        node.submit("held 2")
        await asyncio.sleep(0.05)
        assert len(node.order) == before
        node.resume()
        return await entries(nodes, "held", 2)

    assert run(scenario()) == ["held 1", "held 2"]


def test_a_node_that_stops_and_starts_goes_on_behind_its_last_block(running):
    nodes, run = running
    node = nodes[0]

    async def scenario():
        node.submit("resumed 1")
        await entries(nodes, "resumed", 1)
        await node.end()
        before = len(node.order)
        for other in nodes[1:]:
            other.submit(f"resumed by {nodes.index(other)}")
        node.begin()
        node.submit("resumed 2")
        found = await entries(nodes, "resumed", 1 + len(nodes))
        assert found[0] == "resumed 1"
        assert not any(b"resumed 1" in envelopes for _, envelopes in node.order[before:])
        await until(lambda: node.orderer.standing().state == "healthy")

    run(scenario())
    assert len(set(named(nodes, "resumed")[0])) == 1 + len(nodes)


def test_behind_a_barrier_a_node_has_what_any_other_had_before(running):
    nodes, run = running

    async def scenario():
        for number in range(3):
            nodes[0].submit(f"barrier {number}")
            await until(lambda number=number: f"barrier {number}".encode() in nodes[0].entries)
            await asyncio.gather(*(node.orderer.barrier() for node in nodes))
            assert [len(found) for found in named(nodes, "barrier")] == [number + 1] * len(nodes)

    run(scenario())
