"""Sources of small contracts for tests, made of a body or of the lines of a class; and the findings about them."""

import textwrap
from collections.abc import Mapping

from hansa.contracts import names, program
from hansa.contracts.checked import Checked
from hansa.contracts.diagnostics import ContractInvalid, Diagnostic

HEAD = f"from hansa.contract import ({textwrap.fill(', '.join(sorted(names.IMPORTABLE)), 110)})\n"
"""Imports all there is to import."""

Libraries = Mapping[bytes, Checked]


def lines(text: str) -> str:
    """A text as it is meant, whatever it is indented by in a test."""
    return textwrap.dedent(text).strip("\n")


def contract(members: str, outer: str = "", *, version: str = "1.0.0") -> str:
    """A contract file: what stands before the class, and what stands in it."""
    inside = textwrap.indent(lines(members), "    ")
    return f'{HEAD}{lines(outer)}\nclass Sample(Contract, version="{version}"):\n{inside}\n'


def action(body: str, parameters: str = "", members: str = "", outer: str = "", *, options: str = 'by="member"') -> str:
    """A contract file with one action `go` of this body; its parameters as they are written."""
    head = f"def go(tx, {parameters}):" if parameters else "def go(tx):"
    return contract(f"{lines(members)}\n@action({options})\n{head}\n{textwrap.indent(lines(body), '    ')}", outer)


def view(body: str, returns: str, parameters: str = "", members: str = "", outer: str = "") -> str:
    """A contract file with one view `go` of this body."""
    head = f"def go(tx, {parameters})" if parameters else "def go(tx)"
    return contract(f"{lines(members)}\n@view\n{head} -> {returns}:\n{textwrap.indent(lines(body), '    ')}", outer)


def findings(source: str, libraries: Libraries | None = None, *, system: bool = False) -> list[Diagnostic]:
    """The findings about a file, none if it can be deployed."""
    try:
        program.check(source, "sample", libraries, system=system)
    except ContractInvalid as invalid:
        assert invalid.code == "contract.invalid"
        return invalid.diagnostics
    program.load(source, "sample", libraries, system=system)
    return []


def codes(source: str, libraries: Libraries | None = None, *, system: bool = False) -> list[str]:
    """The codes of the findings about a file, in order of place."""
    return [found.code for found in findings(source, libraries, system=system)]


def at_marks(source: str) -> tuple[str, list[tuple[int, int]]]:
    """A source without its marks `$`, and where they stood: line and column."""
    places: list[tuple[int, int]] = []
    while (at := source.find("$")) >= 0:
        places.append((source.count("\n", 0, at) + 1, at - (source.rfind("\n", 0, at) + 1)))
        source = source[:at] + source[at + 1 :]
    return source, places
