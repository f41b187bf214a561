"""A node under an orderer that is not its own: what it is told of the node, and what the node makes of its standing."""

import asyncio

import pytest

from hansa.node import node as node_module
from hansa.node.node import open_node
from hansa.orderers import DEGRADED, DIVERGED, HALTED, HEALTHY, Batch, Standing
from hansa.wire import block


class Dictated:
    """An order that the test makes: batches come when they are put there."""

    name = "dictated"

    def __init__(self, replica):
        self.replica, self.batches, self.submitted, self.seen = replica, [], [], []
        self.begun, self.is_stopped = None, False
        self.now = Standing(HEALTHY)

    def start(self, position, digest, ready):
        self.begun, self.ready = (position, digest), ready

    def submit(self, lane, id, envelope, steps):
        self.submitted.append(envelope)

    def take(self):
        return self.batches.pop(0) if self.batches else None

    def applied(self, position, digest):
        self.seen.append((position, digest))

    def standing(self):
        return self.now

    async def barrier(self):
        pass

    async def stop(self):
        self.is_stopped = True

    def order(self, position, *envelopes):
        self.batches.append(Batch(position, self.replica.stamp(), list(envelopes)))
        self.ready()


@pytest.fixture(autouse=True)
def watchful(monkeypatch):
    monkeypatch.setattr(node_module, "WATCH_S", 0.01)


def scene(ledger, scenario):
    """Runs a scenario on a node under a dictated order; what the orderer saw in the end."""
    made = []

    def make(replica):
        made.append(Dictated(replica))
        return made[0]

    async def run():
        node = open_node(ledger.root, orderer=make)
        node.start()
        try:
            return await scenario(node, made[0])
        finally:
            await node.stop()
            assert made[0].is_stopped

    result = asyncio.run(run())
    return made[0], result


async def until(condition):
    for _ in range(2_000):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it did not come to that")


def header(node):
    return node.reading.header_of(node.reading.tip.size - 1)


def test_it_goes_on_behind_the_last_position_also_after_a_restart(ledger):
    async def first(node, order):
        before = header(node)
        assert order.begun == (before.position, block.header_digest(before))
        order.order(700, ledger.open("a").envelope)
        order.order(701, b"no transaction")
        order.order(900, ledger.open("b").envelope)
        await until(lambda: len(order.seen) == 3)
        return before, header(node)

    order, (before, last) = scene(ledger, first)
    assert [position for position, _ in order.seen] == [700, 701, 900]
    assert order.seen[0][1] == order.seen[1][1] != order.seen[2][1] == block.header_digest(last)
    assert last.position == 900

    async def second(node, order):
        digests = [order.replica.digest_before(position) for position in (901, 900, 700)]
        return order.begun, digests

    _, (begun, digests) = scene(ledger, second)
    assert begun == (900, block.header_digest(last))
    assert digests == [block.header_digest(last), order.seen[0][1], block.header_digest(before)]


def test_a_new_ledger_is_ordered_from_genesis_on(make_ledger):
    ledger = make_ledger(deployed=False)

    async def scenario(node, order):
        await until(lambda: order.begun is not None)
        return header(node)

    order, genesis = scene(ledger, scenario)
    assert order.begun == (0, block.header_digest(genesis))
    assert order.seen == []


def test_what_two_nodes_order_gets_one_entry(ledger):
    prepared = ledger.open("a")

    async def scenario(node, order):
        answered = asyncio.get_running_loop().create_future()
        node.submit(prepared.envelope, answered.set_result)
        await until(lambda: order.submitted)
        order.order(50, prepared.envelope)
        order.order(51, prepared.envelope)
        answer = await answered
        await until(lambda: len(order.seen) == 2)
        return answer, node.reading.tip.size

    _, (answer, size) = scene(ledger, scenario)
    assert (answer.duplicate, answer.seq) == (False, size - 1)


def test_a_halted_order_is_refused_for_and_comes_back(ledger, refused):
    async def scenario(node, order):
        order.now = Standing(HALTED, "2 of 4 do not answer", "Start them.")
        await until(lambda: not node.status().ready)
        reason = node.status().reasons[0]
        assert (reason.code, reason.detail, reason.remedy) == ("orderer.halted", "2 of 4 do not answer", "Start them.")
        assert node.status().healthy
        with refused("orderer.halted"):
            node.submit(ledger.open().envelope, lambda _: None)
        order.now = Standing(DEGRADED, "d does not answer", "Start it.")
        await until(lambda: node.status().ready)
        warning = node.status().warnings[-1]
        assert (warning.code, warning.detail) == ("orderer.degraded", "d does not answer")

    scene(ledger, scenario)


def test_a_node_is_not_ready_before_it_has_looked_at_its_order(ledger, monkeypatch):
    """Nor does it say anything of an order as it was: who asks is told how it is now."""
    monkeypatch.setattr(node_module, "WATCH_S", 1_000.0)

    def make(replica):
        made = Dictated(replica)
        made.now = Standing(HALTED, "etcd is starting", "Wait a moment.")
        return made

    async def run():
        node = open_node(ledger.root, orderer=make)
        node.start()
        try:
            assert node._trouble["order"].detail == "etcd is starting", "with what it knows from its start"
            assert not node.status().ready
            node._orderer.now = Standing(HEALTHY)
            return node.status()
        finally:
            await node.stop()

    status = asyncio.run(run())
    assert (status.ready, status.reasons, status.warnings) == (True, [], [])


def test_a_diverged_order_stops_the_node_for_good(ledger):
    async def scenario(node, order):
        order.now = Standing(DIVERGED, "revision 7 is another batch", "Find out why.")
        await until(lambda: not node.status().healthy)
        assert node.failed is not None
        assert "revision 7 is another batch" in str(node.failed.exception())
        assert node.status().orderer == "dictated"

    scene(ledger, scenario)


def test_a_tick_is_ordered_once_while_it_is_on_its_way(ledger, monkeypatch):
    monkeypatch.setattr(node_module, "TICK_AGAIN_S", 1_000.0)

    async def scenario(node, order):
        for _ in range(3):
            node._order_tick()
        return len(order.submitted)

    _, ticks = scene(ledger, scenario)
    assert ticks == 1
