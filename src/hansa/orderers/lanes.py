"""The queue in front of an order: members take turns, so that a flood of one does not delay the others."""

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final, TypeAlias

from hansa.wire.genesis import Limits
from hansa.wire.limits import BLOCK_BYTES_MAX

ENGINE_BATCH_BYTES_MAX: Final = 250_000
"""Envelopes of a batch that an engine carries: larger ones travel no faster, and etcd orders most in a second so."""

_Queued: TypeAlias = tuple[bytes, bytes, int]  # id, envelope, steps


class Lanes:
    """Envelopes that wait for a batch, a lane for each member.

    `limits` bound a batch, `bytes_max` that of more than one envelope as well.
    """

    def __init__(self, limits: Callable[[], Limits], bytes_max: int = BLOCK_BYTES_MAX) -> None:
        self._limits = limits
        self._bytes_max = bytes_max
        self._lanes: OrderedDict[str, deque[_Queued]] = OrderedDict()
        self._waiting: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, lane: str, id: bytes, envelope: bytes, steps: int) -> bool:
        """Queues one; whether it was not there yet."""
        if id in self._waiting:
            return False
        self._waiting.add(id)
        queue = self._lanes.get(lane)
        if queue is None:
            queue = self._lanes[lane] = deque()
        queue.append((id, envelope, steps))
        return True

    def fill(self) -> list[bytes]:
        """Takes one from each lane in turn until a limit is reached; the lane next in turn goes first later."""
        limits = self._limits()
        bytes_max = min(limits.block_bytes, self._bytes_max)
        envelopes: list[bytes] = []
        size = spent = 0
        while self._lanes and len(envelopes) < limits.block_entries:
            lane, queue = self._lanes.popitem(last=False)
            id, envelope, steps = queue[0]
            size += len(envelope)
            spent += steps
            if envelopes and (size > bytes_max or spent > limits.block_steps):
                self._lanes[lane] = queue
                self._lanes.move_to_end(lane, last=False)
                break
            queue.popleft()
            self._waiting.discard(id)
            envelopes.append(envelope)
            if queue:
                self._lanes[lane] = queue
        return envelopes
