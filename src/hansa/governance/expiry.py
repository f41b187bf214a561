"""When keys expire, by what was said when they were registered. It warns, and never stops anything."""

from collections.abc import Iterable
from typing import Final

from hansa.governance.directory import Expiring
from hansa.wire.problems import HansaError

DAY_MS: Final = 86_400_000
"""A day of ledger time."""
STAGES: Final = (1, 7, 14, 30)
"""Days before an expiry at which a warning begins or grows."""
WARNINGS_MAX: Final = 20
"""Warnings given at once; the last one says how many more there are."""


def stage(expires: int, now: int) -> int | None:
    """How near an expiry is: the smallest of `STAGES` it lies within, 0 once it has passed, None while it is far."""
    left = expires - now
    return 0 if left <= 0 else next((days for days in STAGES if left <= days * DAY_MS), None)


def warnings(keys: Iterable[Expiring], now: int) -> list[HansaError]:
    """What to say of keys that expire soon or have, the nearest first; fields `kid`, `owner`, `purpose`, `expires`."""
    near = sorted((key.expires, key.kid, key) for key in keys if stage(key.expires, now) is not None)
    found = [_warning(key, now) for _, _, key in near[:WARNINGS_MAX]]
    if len(near) > WARNINGS_MAX:
        more = len(near) - WARNINGS_MAX + 1
        found[-1] = HansaError("key.expires", f"{more} more keys expire within {STAGES[-1]} days")
    return found


def next_days(keys: Iterable[Expiring], now: int) -> float:
    """Days to the next expiry, below zero if it has passed; infinite if no key expires."""
    return min(((key.expires - now) / DAY_MS for key in keys), default=float("inf"))


def _warning(key: Expiring, now: int) -> HansaError:
    what, reached = f"the {key.purpose} key {key.kid.hex()[:16]} of {key.owner}", stage(key.expires, now)
    if reached == 0:
        told = f"{what} expired {_days((now - key.expires) // DAY_MS)} ago and goes on counting"
    else:
        told = f"{what} expires in {_days(-(-(key.expires - now) // DAY_MS))}"
    return HansaError("key.expires", told, kid=key.kid.hex(), owner=key.owner, purpose=key.purpose)


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"
