"""One transaction's run: the steps left, what was made, emitted and touched so far, and who is asked.

The rewriter's code charges it at every block, guards and execution by size. It lives for one transaction.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from hansa.contracts import messages
from hansa.contracts.prices import MADE_BYTES_MAX, MADE_BYTES_PER_STEP
from hansa.wire.writes import Write

if TYPE_CHECKING:
    from hansa.contracts.calls import Call, Host, Reader
    from hansa.contracts.program import Program
    from hansa.contracts.values import Cache, Record


class Frame:
    """What a run has at hand. `records`: what was touched, in that order, None where nothing was found.

    `stack`: the contracts that run, the innermost last. `enter` runs an action or view of another contract.
    """

    __slots__ = (
        "cache",
        "call",
        "checks",
        "depth",
        "emitted",
        "enter",
        "events",
        "host",
        "left",
        "limit",
        "made",
        "reader",
        "records",
        "schedules",
        "stack",
    )

    def __init__(
        self, call: "Call", host: "Host[Program]", reader: "Reader", steps: int, cache: "Cache | None"
    ) -> None:
        self.cache = cache
        self.call = call
        self.host = host
        self.reader = reader
        self.limit = steps
        self.left = steps
        self.made = 0
        self.depth = 0
        self.emitted = 0
        self.events: list[dict[str, Any]] = []
        self.records: dict[bytes, Record | None] = {}
        self.schedules: list[Write] = []
        self.stack: list[str] = []
        self.checks = False
        self.enter: Callable[[Frame, str, str, dict[str, Any], bool], Any]

    @property
    def used(self) -> int:
        """The steps charged so far; never more than the limit."""
        return min(self.limit - self.left, self.limit)

    def charge(self, steps: int) -> None:
        """Takes steps off. Raises `Fault` when none are left."""
        self.left -= steps
        if self.left < 0:
            spent(self)

    def make(self, size: int) -> None:
        """Charges for a value of so many bytes, and counts them."""
        self.left -= size // MADE_BYTES_PER_STEP
        if self.left < 0:
            spent(self)
        self.made += size
        if self.made > MADE_BYTES_MAX:
            raise messages.made_too_much()


def spent(frame: Frame) -> NoReturn:
    """Ends the run: the steps are used up."""
    frame.left = 0
    raise messages.steps_exceeded()
