"""What a check gives: a verdict, what was seen, and for all that is not well why it matters and what to do."""

from typing import Literal

import msgspec

Verdict = Literal["ok", "warn", "fail", "unknown"]
"""`unknown` is a check that could not be made: it says why, and counts as nothing else."""


class Check(msgspec.Struct, frozen=True):
    """One thing looked at. `why` and `fix` are there whenever the verdict is not `ok`."""

    name: str
    verdict: Verdict
    seen: str
    why: str = ""
    fix: str = ""

    def __post_init__(self) -> None:
        assert bool(self.why) == bool(self.fix) == (self.verdict != "ok"), self
