"""Which batches etcd still holds, and who is so far behind that the others no longer wait for it. Pure.

Millions of small batches may wait for one node that is away, so they are kept as numbers and bytes, not as objects.
"""

from array import array
from bisect import bisect_right
from collections.abc import Mapping
from typing import Final

KEY_BYTES: Final = 38
"""Of a batch: `b/`, its id, and its size in four bytes, so that a list of keys tells how much there is."""
OVERHEAD_BYTES: Final = 1_024
"""What a batch takes beside its own bytes, counted rather too high."""
KEPT_BATCHES: Final = 8
"""That stay though every node has them: by its last batch a node knows the cluster again."""


class Retained:
    """The batches from the oldest that is not trimmed, in order."""

    def __init__(self) -> None:
        self._positions = array("q")
        self._totals = array("q")  # bytes up to and with each, from an arbitrary start
        self._keys = bytearray()
        self.trimmed = 0
        """The position of the last batch that was trimmed."""

    def __len__(self) -> int:
        return len(self._positions)

    def add(self, position: int, key: bytes) -> None:
        """Notes a batch; one that is not behind all others is known already."""
        if self._positions and position <= self._positions[-1]:
            return
        total = self._totals[-1] if self._totals else 0
        self._positions.append(position)
        self._totals.append(total + OVERHEAD_BYTES + int.from_bytes(key[-4:], "big"))
        self._keys += key

    def trim(self, through: int) -> None:
        """Notes that everything up to `through` was trimmed."""
        count = bisect_right(self._positions, through)
        self.trimmed = max(self.trimmed, through)
        del self._positions[:count], self._totals[:count], self._keys[: count * KEY_BYTES]

    def behind(self, seen: int) -> int:
        """The bytes that a node which has seen the order up to revision `seen` lacks."""
        if not self._totals:
            return 0
        index = bisect_right(self._positions, seen)
        before = self._totals[index - 1] if index else self._totals[0] - self._first()
        return self._totals[-1] - before

    def trimmable(self, seen: int, most: int) -> list[tuple[int, bytes]]:
        """Position and key of the oldest batches, at most `most`, that nodes which have seen `seen` need no more."""
        count = min(bisect_right(self._positions, seen), len(self._positions) - KEPT_BATCHES, most)
        return [
            (self._positions[i], bytes(self._keys[i * KEY_BYTES : (i + 1) * KEY_BYTES])) for i in range(max(count, 0))
        ]

    def _first(self) -> int:
        return OVERHEAD_BYTES + int.from_bytes(self._keys[KEY_BYTES - 4 : KEY_BYTES], "big")


def waited_for(retained: Retained, seen: Mapping[str, int], quota: int) -> list[str]:
    """The nodes for which the others keep batches: those that lack a quarter of `quota` at most, and nothing trimmed.

    `seen` has every node of the cluster, 0 for one that has not been heard.
    """
    return [
        name
        for name, revision in seen.items()
        if revision >= retained.trimmed and retained.behind(revision) <= quota // 4
    ]
