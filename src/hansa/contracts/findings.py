"""Collects diagnostics while a file is read, so that all of them are told at once."""

import ast

from hansa.contracts.diagnostics import ContractInvalid, Diagnostic


class Findings:
    """The findings so far about a source. `note` takes the node they are about, for its place."""

    def __init__(self, source: str) -> None:
        self._lines = source.split("\n")
        self._found: list[Diagnostic] = []

    def note(self, node: ast.AST, code: str, message: str, hint: str = "") -> None:
        """Adds a finding at `node`."""
        line, offset = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        column = len(self._lines[line - 1].encode()[:offset].decode())  # Python counts bytes
        self._found.append(Diagnostic(code, message, line, column, hint))

    def raise_any(self) -> None:
        """Raises `ContractInvalid` with all findings, if there are any."""
        if self._found:
            raise ContractInvalid(set(self._found))
