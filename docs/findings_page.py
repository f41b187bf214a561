"""Makes the page of what `hansa contract check` finds: each code with why, and what to write instead."""

from hansa.contracts.explanations import CODES, PYTHON, SYNTAX

HEAD = """\
# Findings

`hansa contract check FILE` reads a contract file as a ledger would, and tells all that it finds at once: where, what,
why that is not allowed, and what to write instead. Each kind of finding has a code. A file with findings cannot be
deployed. Why and instead are for people: no outcome on a ledger holds them, so they can be improved at any time.

With `--json` each finding has `line` (from 1), `column` (from 0), `end_line`, `end_column`, `code`, `message`, `why`
and `instead`.

This page is made from the code by `make docs`.
"""
TITLES = {
    "source": "The text of a file",
    "syntax": "Syntax",
    "file": "The file",
    "import": "Imports",
    "name": "Names",
    "constant": "Constants",
    "library": "Libraries",
    "class": "Classes",
    "contract": "The contract",
    "role": "Roles",
    "state": "States",
    "enum": "Enums",
    "struct": "Structs",
    "record": "Records",
    "field": "Fields",
    "invariant": "Invariants",
    "migration": "Migrations",
    "interface": "Interfaces",
    "action": "Actions",
    "view": "Views",
    "function": "Functions",
    "parameter": "Parameters",
    "type": "Types",
    "number": "Numbers",
    "list": "Lists",
    "map": "Maps",
    "slice": "Slices",
    "compare": "Comparisons",
    "assign": "Assignments",
    "call": "Calls",
    "require": "Rules",
    "become": "Next states",
    "schedule": "Schedules",
    "select": "Selections",
    "loop": "Loops",
    "flow": "Ways through a body",
    "statement": "Statements",
    "context": "What a body may do",
    "findings": "Many findings",
}


def page() -> str:
    """The page."""
    lines = [HEAD]
    for prefix, title in TITLES.items():
        found = {code: said for code, said in CODES.items() if code.split(".")[0] == prefix}
        lines += [f"## {title}", "", "| Code | Why | Instead |", "|---|---|---|"]
        lines += [f"| `{code}` | {cell(said.why)} | {cell(said.instead)} |" for code, said in sorted(found.items())]
        lines.append("")
    lines += ["## Python that is not here", "", "| Python | Instead |", "|---|---|"]
    lines += [f"| {cell(form)} | {cell(instead)} |" for form, instead in SYNTAX.items()]
    by_text: dict[str, list[str]] = {}
    for name, instead in PYTHON.items():
        by_text.setdefault(instead, []).append(f"`{name}`")
    lines += [f"| {', '.join(named)} | {cell(instead)} |" for instead, named in by_text.items()]
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """Text within a table."""
    return text.replace("|", "\\|")
