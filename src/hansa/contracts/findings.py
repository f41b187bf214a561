"""Collects diagnostics while a file is read, so that all of them are told at once; or ends at the first."""

import ast
from collections.abc import Callable
from typing import Final

from hansa.contracts.diagnostics import ContractInvalid, Diagnostic

_HINTED_MAX: Final = 10
"""Findings that get a hint that has to be looked for: that takes long, and nobody reads more at once."""


class Findings:
    """The findings so far about a source. `note` takes the node they are about, for its place.

    With `ends_at_first` the first one is raised at once, its hint not looked for: where only whether there are any
    counts, a file full of them costs no more than another.
    """

    def __init__(self, source: str, *, ends_at_first: bool = False) -> None:
        self._lines = source.split("\n")
        self._found: list[Diagnostic] = []
        self._ends: dict[Diagnostic, tuple[int, int]] = {}
        self._hinted_max = 0 if ends_at_first else _HINTED_MAX
        self._ends_at_first = ends_at_first

    def note(self, node: ast.AST, code: str, message: str, hint: str | Callable[[], str] = "") -> None:
        """Adds a finding at `node`."""
        line, offset = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        column = self._column(line, offset)
        if not isinstance(hint, str):
            hint = hint() if len(self._found) < self._hinted_max else ""
        found = Diagnostic(code, message, line, column, hint)
        self._found.append(found)
        end, behind = getattr(node, "end_lineno", None), getattr(node, "end_col_offset", None)
        if end is not None and behind is not None:
            self._ends[found] = (end, self._column(end, behind))
        if self._ends_at_first:
            self.raise_any()

    @property
    def count(self) -> int:
        """How many there are so far."""
        return len(self._found)

    def raise_any(self) -> None:
        """Raises `ContractInvalid` with all findings, if there are any."""
        if self._found:
            raise ContractInvalid(set(self._found), self._ends)

    def _column(self, line: int, offset: int) -> int:
        return len(self._lines[line - 1].encode()[:offset].decode())  # Python counts bytes
