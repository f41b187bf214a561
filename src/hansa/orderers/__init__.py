"""What puts transactions in one order. One file for each engine; `solo` is the embedded one.

An orderer carries envelopes as bytes and looks into none. It MUST give every node the same batches with the same
gap-free indexes, and MUST NOT give a batch before the one ahead of it was taken. Called by `node` only.
"""

from collections.abc import Callable
from typing import Protocol

import msgspec


class Batch(msgspec.Struct, frozen=True, gc=False):
    """Envelopes in their order. `stamp` is the order's own time, ms since 1970 UTC."""

    index: int
    stamp: int
    envelopes: list[bytes]


class Orderer(Protocol):
    """The seam. `lane` names the member a transaction is for, so that members share what is scarce."""

    def submit(self, lane: str, id: bytes, envelope: bytes, steps: int) -> None:
        """Queues an envelope; the same id again while it waits changes nothing."""
        ...

    def take(self) -> Batch | None:
        """The next batch in order; None if none is there yet. Taking one says that the last was applied."""
        ...

    def on_ready(self, callback: Callable[[], None]) -> None:
        """Has `callback` called when `take` may have something again."""
        ...
