"""What is wrong with a contract file, in words, with the place and how to mend it. Many findings at once.

The text is ours alone, never Python's: a check gives the same answer under every interpreter version.
"""

import difflib
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from hansa.wire.problems import HansaError

FINDINGS_MAX: Final = 50
"""Told at once; then one more says how many more there are."""


class Diagnostic(msgspec.Struct, frozen=True):
    """One finding. Lines count from 1, columns from 0."""

    code: str
    message: str
    line: int
    column: int
    hint: str = ""


class ContractInvalid(HansaError):
    """The contract cannot be deployed; `diagnostics` says why, in order of place."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        found = sorted(diagnostics, key=lambda d: (d.line, d.column, d.code))
        self.diagnostics = found[:FINDINGS_MAX]
        if more := found[FINDINGS_MAX:]:
            message = f"there are {len(more)} more findings from here on"
            self.diagnostics.append(Diagnostic("findings.more", message, more[0].line, more[0].column))
        super().__init__(
            "contract.invalid",
            f"{len(found)} finding(s); line {found[0].line}: {found[0].message}",
            findings=[msgspec.to_builtins(d) for d in self.diagnostics],
        )


def nearest(name: str, known: Iterable[str]) -> Callable[[], str]:
    """How to find the hint for a name that is not known: `did you mean ...?`, or what there is."""

    def hint() -> str:
        names = sorted(known)
        close = difflib.get_close_matches(name, names, n=1)
        if close:
            return f"did you mean `{close[0]}`?"
        return "there is " + ", ".join(f"`{n}`" for n in names[:12]) if names else ""

    return hint


def render(source: str, diagnostic: Diagnostic, file: str) -> str:
    """A finding with its source line and a caret, for people."""
    lines = source.split("\n")
    text = lines[diagnostic.line - 1] if 0 < diagnostic.line <= len(lines) else ""
    caret = " " * diagnostic.column + "^"
    number = f"{diagnostic.line:5d} | "
    parts = [
        f"{file}:{diagnostic.line}:{diagnostic.column + 1}: {diagnostic.message} [{diagnostic.code}]",
        number + text,
        " " * (len(number) - 2) + "| " + caret,
    ]
    if diagnostic.hint:
        parts.append(" " * (len(number) - 2) + "= " + diagnostic.hint)
    return "\n".join(parts)
