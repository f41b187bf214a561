"""The node's clock and the doubts about it that keep a wrong time off the ledger.

Ledger time moves with the order's stamps and cannot go back, so one wrong stamp far ahead would expire everything.
A node therefore refuses to seal when its clock cannot be right, and says so.

A ledger for demonstrations has a told clock instead, which stands where it was put; genesis and checkpoints say so.
"""

import time
from typing import Final

from hansa.wire.problems import HansaError

BEHIND_MS_MAX: Final = 5 * 60 * 1000
"""How far the clock may be behind the last block."""
JUMP_MS_MAX: Final = 5 * 60 * 1000
"""How far it may move against the monotonic clock while the node runs."""
AHEAD_MS_MAX: Final = 90 * 24 * 60 * 60 * 1000
"""How far ahead of the last sign of life it may be at start, without `--accept-clock`."""


class Clock:
    """Wall time in ms since 1970 UTC, doubted. A pause of the machine is normal: both clocks move on after it."""

    def __init__(self) -> None:
        self._wall_start = time.time_ns() // 1_000_000
        self._monotonic_start = _monotonic_ms()

    def now(self) -> int:
        """The time, undoubted: for refusing early, never for a stamp."""
        return time.time_ns() // 1_000_000

    def stamp(self, last_block: int) -> int:
        """The time for a block after one at `last_block`. Raises `HansaError` `clock.behind` or `clock.jumped`."""
        wall = self.now()
        if wall < last_block - BEHIND_MS_MAX:
            raise HansaError("clock.behind", f"the clock is {(last_block - wall) // 1000} s behind the last block")
        drift = (wall - self._wall_start) - (_monotonic_ms() - self._monotonic_start)
        if abs(drift) > JUMP_MS_MAX:
            raise HansaError("clock.jumped", f"the clock moved by {drift // 1000} s against the machine's own")
        return wall

    def check_start(self, last_life: int, *, accepted: bool) -> None:
        """At start: raises `HansaError` `clock.ahead` if the clock is far ahead of the ledger's last sign of life."""
        ahead = self.now() - last_life
        if ahead > AHEAD_MS_MAX and not accepted:
            raise HansaError("clock.ahead", f"the clock is {ahead // 86_400_000} days ahead of the last sign of life")


class ToldClock(Clock):
    """A clock that stands at `time` (ms since 1970 UTC) until it is told a later one. Nothing in it is doubted."""

    def __init__(self, time: int) -> None:
        super().__init__()
        self._time = time

    def now(self) -> int:
        """See `Clock`."""
        return self._time

    def stamp(self, last_block: int) -> int:
        """See `Clock`; never before the last block."""
        return max(self._time, last_block)

    def check_start(self, last_life: int, *, accepted: bool) -> None:
        """See `Clock`: a told clock goes on where the ledger's life was last seen."""
        self._time = max(self._time, last_life)

    def move(self, time: int) -> None:
        """Puts the clock forward. Raises `HansaError` `clock.backward`."""
        if time < self._time:
            raise HansaError("clock.backward", f"the clock stands {(self._time - time) // 1000} s after that")
        self._time = time


def _monotonic_ms() -> int:
    """Time since boot, pauses of the machine included where the system can tell."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(clock) // 1_000_000
