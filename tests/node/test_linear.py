"""Readers who want to see what any node answered: one question to the order serves those who came before it."""

import asyncio

from hansa.node import linear
from hansa.node.linear import Barriers
from hansa.orderers import HALTED, HEALTHY, Standing


class Asked:
    """An order whose barriers the test opens."""

    def __init__(self):
        self.now, self.asked, self.gate = Standing(HEALTHY), 0, asyncio.Event()

    def standing(self):
        return self.now

    async def barrier(self):
        self.asked += 1
        await self.gate.wait()
        self.gate.clear()


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


def test_who_comes_while_a_question_is_put_waits_for_the_next():
    async def scenario():
        order = Asked()
        barriers = Barriers(order)
        first = [asyncio.create_task(barriers.wait())]
        await settle()
        later = [asyncio.create_task(barriers.wait()) for _ in range(20)]
        await settle()
        assert order.asked == 1
        order.gate.set()
        await settle()
        assert [task.done() for task in first + later] == [True] + [False] * 20
        assert order.asked == 2
        order.gate.set()
        await asyncio.gather(*first, *later)
        assert order.asked == 2
        order.gate.set()
        await barriers.wait()
        assert order.asked == 3

    asyncio.run(scenario())


def test_a_silent_order_is_said_so_and_asked_again_later(monkeypatch, refused):
    monkeypatch.setattr(linear, "LINEAR_S", 0.01)

    async def scenario():
        order = Asked()
        barriers = Barriers(order)
        with refused("read.unsure"):
            await barriers.wait()
        await asyncio.sleep(0.05)
        order.gate.set()
        await barriers.wait()
        assert order.asked == 2

    asyncio.run(scenario())


def test_a_halted_order_is_not_asked(refused):
    async def scenario():
        order = Asked()
        order.now = Standing(HALTED, "2 of 4 do not answer", "Start them.")
        with refused("orderer.halted"):
            await Barriers(order).wait()
        assert order.asked == 0

    asyncio.run(scenario())
