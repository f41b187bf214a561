"""What running a contract costs, in steps, and the frame that counts them.

Prices are per construct of the source, so they are the same under every Python version; what is made, stored or
emitted is charged by its size besides. The rewriter puts the static charges in; guards and execution add theirs.
"""

from typing import Any, Final, NoReturn, Protocol

TRANSACTION_STEPS: Final = 10
LOAD_STEPS: Final = 20
STORE_STEPS: Final = 50
EVENT_STEPS: Final = 20
CHECK_STEPS_PER_BYTE: Final = 2
"""Checking a contract file for deployment, per character. It takes longer, 3 to 20 microseconds; but more would put
the largest file beyond the steps of one transaction, and only deployers may deploy."""
BYTES_PER_STEP: Final = 32
"""What is read or made inside an action."""
OUTPUT_BYTES_PER_STEP: Final = 8
"""What leaves it: stored, emitted or returned. With the steps of a block this bounds what a block holds."""
FREE_BYTES_MAX: Final = 16 * 1024
"""What an entry may hold beside its envelope that no step pays for: a refusal, digests, the outcome's own fields."""

INTEGER_MAX: Final = 2**255 - 1
"""Intermediate values: 256 bits, sign included."""
TEXT_MAX: Final = 65_536
LIST_MAX: Final = 1_024
NESTING_MAX: Final = 8
"""Lists in lists, where values are compared or leave the contract: with what is around them, messages hold them."""
EVENTS_MAX: Final = 64
EVENTS_BYTES_MAX: Final = 65_536
"""All events of an action together, encoded, names included."""
REFUSAL_BYTES_MAX: Final = 4_096
"""What a rule says when it refuses, encoded: few enough to cost nothing."""
STORED_BYTES_MAX: Final = 1024 * 1024
"""The records that an action stores, encoded, together."""
RESULT_BYTES_MAX: Final = 1024 * 1024
"""What a view returns, encoded."""


class Fault(Exception):
    """An action ended early: a rule refused it, or a value broke a bound. `values` fill the holes of `message`."""

    def __init__(self, code: str, message: str, values: dict[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.values = values or {}


class Host(Protocol):
    """What a contract may ask its ledger, beyond its own records. Answers are the same on every node."""

    def is_member(self, name: str) -> bool:
        """Whether a member of this name is registered."""
        ...

    def contract_version(self, name: str, source: str) -> str:
        """Checks a contract file for deployment under `name`; its version. Raises `Fault` if it cannot be."""
        ...


class Frame:
    """One transaction's run: the steps left, the events so far with their size, and the host."""

    __slots__ = ("_limit", "emitted", "events", "host", "left")

    def __init__(self, steps: int, host: Host) -> None:
        self._limit = steps
        self.left = steps
        self.events: list[dict[str, Any]] = []
        self.emitted = 0
        self.host = host

    @property
    def used(self) -> int:
        """The steps charged so far; never more than the limit."""
        return min(self._limit - self.left, self._limit)

    def charge(self, steps: int) -> None:
        """Takes steps off. Raises `Fault` when none are left."""
        self.left -= steps
        if self.left < 0:
            spent(self)


def spent(frame: Frame) -> NoReturn:
    """Ends the run: the steps are used up."""
    frame.left = 0
    raise Fault("steps.exceeded", "the action needs more steps than the transaction allows")
