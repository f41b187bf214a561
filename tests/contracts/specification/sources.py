"""Contract files for tests of the rules, and what they come to: the same by the specification and on the fast path."""

import re
import textwrap
from typing import Any

from tests.contracts.world import World

from hansa.contracts import names
from hansa.contracts.calls import Execution


def source(text: str) -> str:
    """A file with the import that it needs."""
    text = textwrap.dedent(text)
    used = sorted(name for name in names.IMPORTABLE if re.search(rf"\b{name}\b", text))
    return (f"from hansa.contract import {', '.join(used)}\n" if used else "\n") + text


def contract(parts: str, before: str = "", version: str = "1.0.0") -> str:
    """A contract of these parts, with declarations before it."""
    inside = textwrap.indent(textwrap.dedent(parts), "    ")
    return source(f'{textwrap.dedent(before)}\nclass Main(Contract, version="{version}"):\n{inside}')


def world(parts: str, before: str = "", **more: Any) -> World:
    """A ledger with the contract `c`."""
    made = World(**more)
    made.deploy("c", contract(parts, before))
    return made


def view(body: str, returns: str = "int", before: str = "", parameters: str = "", **arguments: Any) -> Execution:
    """What a view of this body returns, and its steps; line 1 is the first of the body."""
    inside = textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
    text = f"@view\ndef look(tx{', ' if parameters else ''}{parameters}) -> {returns}:\n{inside}"
    ledger = world(text, before)
    ran = ledger.agree(ledger.call("c", "look", arguments))
    return relative(ran, contract(text, before))


def relative(ran: Execution, text: str) -> Execution:
    """The same, its line counted from the body of `look`."""
    if ran.code == "ok" or ran.result["line"] is None:
        return ran
    head = next(number for number, line in enumerate(text.splitlines(), 1) if "def look(" in line)
    ran.result["line"] -= head
    return ran


def steps(body: str, returns: str = "int", **more: Any) -> int:
    """What the body of a view costs, by itself."""
    ran = view(body, returns, **more)
    assert ran.code == "ok", ran
    return ran.steps - 10


def fault(ran: Execution) -> tuple[str, int | None]:
    """Code and line."""
    assert ran.code != "ok", ran
    return ran.code, ran.result["line"]
