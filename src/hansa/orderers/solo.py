"""The embedded orderer: one process decides the order, and the journal makes it last.

A batch is whatever queued while the last one was being written, so there is no timer to wait for: light load gets
small batches at once, heavy load large ones.
"""

from collections.abc import Callable
from typing import Final

from hansa.orderers import HEALTHY, Batch, Replica, Standing
from hansa.orderers.lanes import Lanes

_STANDING: Final = Standing(HEALTHY)


class Solo:
    """See `Orderer`."""

    name = "solo"

    def __init__(self, replica: Replica) -> None:
        self._stamp = replica.stamp
        self._lanes = Lanes(replica.limits)
        self._position = 0
        self._ready: Callable[[], None] | None = None

    def start(self, position: int, digest: bytes, ready: Callable[[], None]) -> None:
        """See `Orderer`."""
        self._position = position
        self._ready = ready

    def submit(self, lane: str, id: bytes, envelope: bytes, steps: int) -> None:
        """See `Orderer`."""
        if self._lanes.add(lane, id, envelope, steps) and self._ready is not None:
            self._ready()

    def take(self) -> Batch | None:
        """See `Orderer`."""
        if not len(self._lanes):
            return None
        stamp = self._stamp()
        self._position += 1
        return Batch(self._position, stamp, self._lanes.fill())

    def applied(self, position: int, digest: bytes) -> None:
        """See `Orderer`."""

    def standing(self) -> Standing:
        """See `Orderer`: as long as the process lives, it orders."""
        return _STANDING

    async def barrier(self) -> None:
        """See `Orderer`: nobody else applies anything."""

    async def stop(self) -> None:
        """See `Orderer`."""
        self._ready = None
