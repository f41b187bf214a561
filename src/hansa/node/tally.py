"""What a node counts about itself while it runs: plain numbers, added to once a block, so that counting costs nothing.

`node` and `api` count; `metrics` gives the numbers out. Nothing here is of the ledger, and none of it outlives the
process. No name that a user chose is ever counted under.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

import msgspec

from hansa.wire import entry
from hansa.wire.block import Item

SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
ENTRIES: Final = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2000)


class Histogram:
    """How many values lay up to each bound, and above the last; and their sum."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        """Counts a value in."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Tally:
    """The counts of one node since it started."""

    def __init__(self) -> None:
        self.applied = 0
        self.refused = 0
        self.skipped = 0
        self.refusals: dict[str, int] = {}
        """Requests refused, by the first word of the code: a family, of which there are as many as the errors have."""
        self.block_entries = Histogram(ENTRIES)
        self.commit_s = Histogram(SECONDS)
        self.sync_s = Histogram(SECONDS)

    def committed(self, items: Sequence[Item], seconds: float) -> None:
        """Counts a block that has become durable, so long after it was begun."""
        outcomes = [item.outcome for item in items if item.kind in entry.SIGNED]
        applied = sum(map(entry.is_applied, outcomes))
        self.applied += applied
        self.refused += len(outcomes) - applied
        self.block_entries.add(len(items))
        self.commit_s.add(seconds)

    def refuse(self, code: str) -> None:
        """Counts a request that was refused."""
        family = code.partition(".")[0]
        self.refusals[family] = self.refusals.get(family, 0) + 1


class Gauges(msgspec.Struct, frozen=True):
    """What is as it is when it is asked for."""

    ready: bool
    entries: int
    lag_s: float
    queued: int
    streams: int
    expiry_days: float  # to the next expiry of a key; infinite if none expires
