"""The embedded orderer: one process decides the order, and the journal makes it last.

A batch is whatever queued while the last one was being written, so there is no timer to wait for: light load gets
small batches at once, heavy load large ones. Members take turns, so that a flood of one does not delay the others.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import TypeAlias

from hansa.orderers import Batch
from hansa.wire.genesis import Limits

_Queued: TypeAlias = tuple[bytes, bytes, int]  # id, envelope, steps


class Solo:
    """See `Orderer`. `clock` gives the stamp in ms and may raise to refuse sealing; `limits` bound a batch."""

    def __init__(self, index: int, clock: Callable[[], int], limits: Callable[[], Limits]) -> None:
        self._index = index
        self._clock = clock
        self._limits = limits
        self._lanes: OrderedDict[str, deque[_Queued]] = OrderedDict()
        self._waiting: set[bytes] = set()
        self._ready: Callable[[], None] | None = None

    def submit(self, lane: str, id: bytes, envelope: bytes, steps: int) -> None:
        """See `Orderer`."""
        if id in self._waiting:
            return
        self._waiting.add(id)
        queue = self._lanes.get(lane)
        if queue is None:
            queue = self._lanes[lane] = deque()
        queue.append((id, envelope, steps))
        if self._ready is not None:
            self._ready()

    def take(self) -> Batch | None:
        """See `Orderer`."""
        if not self._waiting:
            return None
        stamp = self._clock()
        envelopes = self._fill(self._limits())
        self._index += 1
        return Batch(self._index - 1, stamp, envelopes)

    def on_ready(self, callback: Callable[[], None]) -> None:
        """See `Orderer`."""
        self._ready = callback

    def _fill(self, limits: Limits) -> list[bytes]:
        """Takes one from each lane in turn until a limit is reached; the lane next in turn goes first later."""
        envelopes: list[bytes] = []
        size = spent = 0
        while self._lanes and len(envelopes) < limits.block_entries:
            lane, queue = self._lanes.popitem(last=False)
            id, envelope, steps = queue[0]
            size += len(envelope)
            spent += steps
            if envelopes and (size > limits.block_bytes or spent > limits.block_steps):
                self._lanes[lane] = queue
                self._lanes.move_to_end(lane, last=False)
                break
            queue.popleft()
            self._waiting.discard(id)
            envelopes.append(envelope)
            if queue:
                self._lanes[lane] = queue
        return envelopes
