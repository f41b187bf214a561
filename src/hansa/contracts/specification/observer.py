"""Who watches a run: told what happens, in the order in which it happens; nothing that it does is looked at.

For people who look into a contract: traces and line coverage (`contracts.tracing`). Nothing of the rules stands here.
An observer MUST NOT change what it is shown; records change under its hands as the run goes on, so it copies what it
keeps.
"""

import ast
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from hansa.contracts.specification.machine import Machine
    from hansa.contracts.specification.values import Record
    from hansa.wire.writes import Write


class Observer(Protocol):
    """What can be seen. `machine.left` says the steps that are left at that moment."""

    def began(self, machine: "Machine", body: ast.FunctionDef) -> None:
        """A body begins in the innermost frame, its parameters among its variables."""
        ...

    def ended(self, machine: "Machine", returned: Any) -> None:
        """The innermost body has come to its end, and gives this."""
        ...

    def reached(self, machine: "Machine", statement: ast.stmt) -> None:
        """A statement is about to be executed."""
        ...

    def executed(self, machine: "Machine", statement: ast.stmt) -> None:
        """A statement was executed, with those within it."""
        ...

    def evaluated(self, machine: "Machine", node: ast.expr, value: Any) -> None:
        """An expression was evaluated, after those within it."""
        ...

    def touched(self, machine: "Machine", contract: str, type: str, key: Any, record: "Record | None") -> None:
        """A place was touched for the first time in this transaction; None where there is no record."""
        ...

    def made(self, machine: "Machine", record: "Record") -> None:
        """A record was made."""
        ...

    def stored(self, machine: "Machine", write: "Write") -> None:
        """A record, or what was scheduled, was paid for as a write."""
        ...
