"""What puts transactions in one order. One file for each engine; `solo` is the embedded one.

An orderer carries envelopes as bytes and looks into none. It MUST give every node the same batches in the same order,
and MUST NOT give a batch before the one ahead of it was applied. Called by `node` only, all of it on one event loop.
"""

from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

import msgspec

from hansa.wire.genesis import Limits

HEALTHY: Final = "healthy"
DEGRADED: Final = "degraded"
HALTED: Final = "halted"
DIVERGED: Final = "diverged"


class Batch(msgspec.Struct, frozen=True, gc=False):
    """Envelopes in their order. `stamp` is the order's own time, ms since 1970 UTC.

    `position`: where in the order it stands, from 1; grows from batch to batch, the same on every node. What lies
    between two positions is the engine's own.
    """

    position: int
    stamp: int
    envelopes: list[bytes]


class Standing(msgspec.Struct, frozen=True):
    """How the ordering is: healthy; degraded, when it goes on without somebody; halted; or diverged, for good.

    `reason` and `remedy` are for people, both empty when it is healthy.
    """

    state: str
    reason: str = ""
    remedy: str = ""


class Replica(msgspec.Struct, frozen=True):
    """What a node tells its orderer of itself.

    `stamp` gives the time of a batch in ms and may raise `HansaError` to refuse making one; `limits` bound a batch.
    `digest_before` gives the SHA-256 of the header of the last block whose position is below a given one.
    """

    ledger: bytes
    stamp: Callable[[], int]
    limits: Callable[[], Limits]
    digest_before: Callable[[int], bytes]


class Orderer(Protocol):
    """The seam. `lane` names the member a transaction is for, so that members share what is scarce.

    A node calls `take` when the batch before is durable, applies the batch, makes it durable, and says so by `applied`.
    """

    name: str
    """As people know it: solo, etcd, cometbft."""

    def start(self, position: int, digest: bytes, ready: Callable[[], None]) -> None:
        """Begins behind the batch at `position`, that of the last block here; 0 where there is genesis only.

        `digest` is the SHA-256 of that block's header. `ready` is called when `take` may have something again.
        """
        ...

    def submit(self, lane: str, id: bytes, envelope: bytes, steps: int) -> None:
        """Queues an envelope; the same id again while it waits changes nothing."""
        ...

    def take(self) -> Batch | None:
        """The next batch in order; None if none is there yet. May raise what `Replica.stamp` raises."""
        ...

    def applied(self, position: int, digest: bytes) -> None:
        """The batch at `position` is durable here, or counts for nothing.

        `digest` is the SHA-256 of the header of the last block by then.
        """
        ...

    def standing(self) -> Standing:
        """How it is, from what is known; never waits."""
        ...

    async def barrier(self) -> None:
        """Returns when all that any node had applied before the call is applied here; it may wait without end."""
        ...

    async def stop(self) -> None:
        """Ends what `start` began. No batch is given any more; what was submitted may yet be ordered."""
        ...


MakeOrderer: TypeAlias = Callable[[Replica], Orderer]
"""By what a node makes its orderer."""
