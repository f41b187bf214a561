"""What puts transactions in one order. One file for each engine; `solo` is the embedded one.

An orderer carries envelopes as bytes and looks into none. It MUST give every node the same batches in the same order,
and MUST NOT give a batch before the one ahead of it was applied. Called by `node` only, all of it on one event loop.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol, TypeAlias, runtime_checkable

import msgspec

from hansa.wire.genesis import Limits

HEALTHY: Final = "healthy"
DEGRADED: Final = "degraded"
HALTED: Final = "halted"
DIVERGED: Final = "diverged"


class Misbehavior(msgspec.Struct, frozen=True, gc=False):
    """What the order proved to every node: at `height` of the engine a voter broke the rules of voting.

    `key` is what the engine knows the voter by.
    """

    height: int
    key: bytes


class Batch(msgspec.Struct, frozen=True, gc=False):
    """Envelopes in their order. `stamp` is the order's own time, ms since 1970 UTC.

    `position`: where in the order it stands, from 1; grows from batch to batch, the same on every node. What lies
    between two positions is the engine's own. `misbehavior` has what the order proved; a batch has that or envelopes.
    """

    position: int
    stamp: int
    envelopes: list[bytes]
    misbehavior: tuple[Misbehavior, ...] = ()


class Standing(msgspec.Struct, frozen=True):
    """How the ordering is: healthy; degraded, when it goes on without somebody; halted; or diverged, for good.

    `reason` and `remedy` are for people, both empty when it is healthy.
    """

    state: str
    reason: str = ""
    remedy: str = ""


class Seat(msgspec.Struct, frozen=True):
    """A node with an engine, as the ledger has it: what others call the engine, and where they reach it (HOST:PORT).

    `key` (Ed25519, 32 bytes) is what it votes with, `power` what its vote counts. One that `is_trusted` not yet follows
    alone. `address` may be empty.
    """

    name: str
    peer: str
    address: str
    key: bytes
    power: int
    is_trusted: bool = True


class Replica(msgspec.Struct, frozen=True):
    """What a node tells its orderer of itself.

    `stamp` gives the time of a batch in ms and may raise `HansaError` to refuse making one; `limits` bound a batch.
    `digest_before` gives the SHA-256 of the header of the last block whose position is below a given one.
    `time` is that of genesis (ms), `founders` the seats that it has; `seats` gives those that are let in as of now.
    `powers` gives what the blocks at positions from one to before another set: keys of engines, and what their votes
    count from then on; the same whenever it is asked.
    """

    ledger: bytes
    stamp: Callable[[], int]
    limits: Callable[[], Limits]
    digest_before: Callable[[int], bytes]
    time: int
    founders: Sequence[Seat]
    seats: Callable[[], Sequence[Seat]]
    powers: Callable[[int, int], Sequence[tuple[bytes, int]]]


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


@runtime_checkable
class Answering(Protocol):
    """An orderer whose engine answers questions of other members' nodes, for its own proofs."""

    async def ask(self, route: str, query: Mapping[str, int]) -> bytes:
        """What the engine answers to a question that changes nothing. Raises `HansaError` `engine.silent`."""
        ...


MakeOrderer: TypeAlias = Callable[[Replica], Orderer]
"""By what a node makes its orderer."""
