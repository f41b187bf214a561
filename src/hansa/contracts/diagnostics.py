"""What is wrong with a contract file, in words, with the place and how to mend it. All findings at once.

The text is ours alone, never Python's: a check gives the same answer under every interpreter version.
"""

import difflib
from collections.abc import Iterable

import msgspec

from hansa.wire.problems import HansaError


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
        self.diagnostics = sorted(diagnostics, key=lambda d: (d.line, d.column, d.code))
        first = self.diagnostics[0]
        super().__init__(
            "contract.invalid",
            f"{len(self.diagnostics)} finding(s); line {first.line}: {first.message}",
            findings=[msgspec.to_builtins(d) for d in self.diagnostics],
        )


def nearest(name: str, known: Iterable[str]) -> str:
    """`did you mean ...?`, or what there is, for a name that is not known."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"did you mean `{close[0]}`?"
    return "there is " + ", ".join(f"`{n}`" for n in names[:12]) if names else ""


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
