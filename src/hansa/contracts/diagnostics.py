"""What is wrong with a contract file, in words, with the place and how to mend it. Many findings at once.

The text is ours alone, never Python's: a check gives the same answer under every interpreter version.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
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
    """The contract cannot be deployed; `diagnostics` says why, in order of place.

    `ends` has line and column behind the end of what a finding is about, where that is known: for people, and so no
    part of the findings themselves, which stand in answers that nodes agree on.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic], ends: Mapping[Diagnostic, tuple[int, int]] = {}) -> None:
        self.ends = ends
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


def range_end(source: str, diagnostic: Diagnostic, ends: Mapping[Diagnostic, tuple[int, int]]) -> tuple[int, int]:
    """Line and column behind the end of what a finding is about: of a block its head, one character if unknown."""
    line, column = ends.get(diagnostic, (diagnostic.line, 0))
    if line != diagnostic.line:
        column = len(line_at(source, diagnostic.line).rstrip())
    return diagnostic.line, max(column, diagnostic.column + 1)


def render(source: str, diagnostic: Diagnostic, file: str, end: int = 0, notes: Iterable[tuple[str, str]] = ()) -> str:
    """A finding with its source line and carets up to the column `end`, for people.

    `notes` stand below instead of its hint, each with a word before it.
    """
    carets = "^" * max(end - diagnostic.column, 1)
    number = f"{diagnostic.line:5d} | "
    margin = " " * (len(number) - 2)
    parts = [
        f"{file}:{diagnostic.line}:{diagnostic.column + 1}: {diagnostic.message} [{diagnostic.code}]",
        number + line_at(source, diagnostic.line),
        f"{margin}| {' ' * diagnostic.column}{carets}",
    ]
    noted = [f"{margin}= {word}: {text}" for word, text in notes]
    return "\n".join([*parts, *(noted or ([f"{margin}= {diagnostic.hint}"] if diagnostic.hint else []))])


def line_at(source: str, number: int) -> str:
    """A line by its number from 1; empty beyond the text."""
    lines = source.split("\n")
    return lines[number - 1] if 0 < number <= len(lines) else ""
