"""Linearizable reads: who asks for one sees whatever any node had answered before.

One question to the order serves all who came before it was put, so many readers cost what one does.
"""

import asyncio
from typing import Final

from hansa.orderers import DIVERGED, HALTED, Orderer
from hansa.wire.problems import HansaError

LINEAR_S: Final = 10.0
"""How long a reader waits for the order to answer."""


class Barriers:
    """Made and used on the node's loop."""

    def __init__(self, orderer: Orderer) -> None:
        self._orderer = orderer
        self._waiting: list[asyncio.Future[None]] = []
        self._asking: asyncio.Task[None] | None = None

    async def wait(self) -> None:
        """Returns when all that any node had answered before the call is here.

        Raises `HansaError`: `orderer.halted`, `read.unsure` if the order does not answer in time.
        """
        standing = self._orderer.standing()
        if standing.state in (HALTED, DIVERGED):
            raise HansaError("orderer.halted", standing.reason, remedy=standing.remedy, retry_after=1)
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(reached)
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        try:
            async with asyncio.timeout(LINEAR_S):
                await reached
        except TimeoutError:
            raise HansaError("read.unsure", retry_after=1) from None

    def stop(self) -> None:
        """Ends the question that is put; who waits is told in time."""
        if self._asking is not None:
            self._asking.cancel()

    async def _ask(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                async with asyncio.timeout(LINEAR_S):
                    await self._orderer.barrier()
                for reached in waiting:
                    if not reached.done():
                        reached.set_result(None)
        except TimeoutError:
            pass  # those who waited see it by themselves
        finally:
            self._asking = None
