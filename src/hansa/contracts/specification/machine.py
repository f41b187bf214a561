"""The state of a run, and what steps and memory cost.

Every rule below says what it charges. A fault ends the transaction: no events, no writes; the steps charged so far
stay. A transaction needs the same steps on every machine and under every version of Python.
"""

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hansa.contracts import messages, prices
from hansa.contracts.calls import Call, Host, Reader
from hansa.contracts.checked import Checked
from hansa.contracts.faults import Fault
from hansa.contracts.manifest import Type
from hansa.contracts.specification.observer import Observer
from hansa.contracts.specification.values import Record
from hansa.wire import order
from hansa.wire.order import Key
from hansa.wire.writes import Write


class Outside(Exception):
    """The reader or the host failed: nothing of the contract's, so it is passed on as `cause`, never an outcome."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


@dataclass
class Context:
    """What `tx` says: who signed (None: ledger time began the run), and the contract that called (None: none did)."""

    caller: str | None


@dataclass
class Frame:
    """One body that runs: its file, its variables, and the line of the statement being executed.

    `contract` and `version` are what a fault in it names: for a library its name, and its digest in hexadecimal.
    `returns` is the type of what it returns, `name` how a misfit of that is called.
    """

    file: Checked
    contract: str
    version: str
    context: Context | None = None
    name: str = ""
    returns: Type | None = None
    locals: dict[str, Any] = field(default_factory=dict[str, Any])
    line: int | None = None
    returned: Any = None


@dataclass
class Machine:
    """All that a transaction changes while it runs.

    `records` has every place touched in order of its first touch, with None where there is no record. `run_body` and
    `call_contract` stand here because records migrate by bodies, and bodies touch records and call contracts. The
    `observer`, if there is one, is told what happens and decides nothing.
    """

    host: Host[Checked]
    reader: Reader
    call: Call
    limit: int
    left: int
    run_body: Callable[["Machine", ast.FunctionDef], Any]
    call_contract: Callable[["Machine", str, str, bool, dict[str, Any]], Any]
    made: int = 0
    depth: int = 0
    emitted: int = 0
    in_invariant: bool = False
    frames: list[Frame] = field(default_factory=list[Frame])
    running: list[str] = field(default_factory=list[str])
    records: dict[bytes, Record | None] = field(default_factory=dict[bytes, "Record | None"])
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    schedules: list[Write] = field(default_factory=list[Write])
    observer: Observer | None = None

    @property
    def frame(self) -> Frame:
        """The body that runs: the innermost."""
        return self.frames[-1]


def charge(machine: Machine, steps: int) -> None:
    """Charging takes steps off. When none are left the fault is `steps.exceeded`, and all allowed are used."""
    machine.left -= steps
    if machine.left < 0:
        machine.left = 0
        raise messages.steps_exceeded()


def look(machine: Machine, length: int) -> None:
    """Looking through `length` characters or bytes: 1 step for every full 32."""
    charge(machine, length // prices.BYTES_PER_STEP)


def match_text(machine: Machine, length: int) -> None:
    """Comparing text or bytes of which the shorter has `length` characters or bytes, or looking a key of that length up
    in a map: 1 step for every full 128. So names are free.
    """
    charge(machine, length // prices.COMPARED_BYTES_PER_STEP)


def make(machine: Machine, size: int) -> None:
    """Making a value of `size` bytes (see `size_of`): 1 step for every full 128.

    All that a transaction makes has at most 16 MiB together, else `value.made`.
    """
    charge(machine, size // prices.MADE_BYTES_PER_STEP)
    machine.made += size
    if machine.made > prices.MADE_BYTES_MAX:
        raise messages.made_too_much()


def ask(function: Callable[..., Any], *arguments: Any) -> Any:
    """An answer of the ledger: from its records, its registers, its contracts. Its failures are not the contract's."""
    try:
        return function(*arguments)
    except Fault:
        raise
    except Exception as error:
        raise Outside(error) from error


def deepen(machine: Machine) -> None:
    """A function, a migration, an invariant or another contract's action begins one deeper than what called it. At most
    64 are in each other, else `call.depth`.
    """
    if machine.depth + 1 > prices.CALL_DEPTH_MAX:
        raise messages.call_too_deep()
    machine.depth += 1


def enter(machine: Machine, frame: Frame) -> None:
    """A body begins, one deeper than what called it."""
    deepen(machine)
    machine.frames.append(frame)


def leave(machine: Machine) -> None:
    """A body has ended. One that faults is never left: so the innermost says where."""
    machine.depth -= 1
    machine.frames.pop()


def key_of(value: Any) -> Key:
    """A plain key, known to be one."""
    assert order.has_key_type(value)
    return value
