"""What a body may say: every rule has bodies that break it, and what is surely set is known on every way."""

import ast
import inspect
import sys
import textwrap
from typing import Any

import pytest
from tests.contracts import broken_bodies, test_declarations
from tests.contracts.broken_bodies import ACTIONS, CREATING, FUNCTIONS, INVARIANTS, MIGRATED, MIGRATIONS, OUTER, PARAMETERS, VIEWS
from tests.contracts.sources import action, at_marks, codes, contract, findings, view
from tests.contracts.world import World

from hansa.contracts import annotations, checker, declarations, expressions, program
from hansa.contracts.diagnostics import ContractInvalid
from hansa.contracts.findings import Findings

TICK = '@action(by="schedule", to="Shut")\ndef tick(tx, t: Thing):\n    pass\n'


def acting(body: str) -> str:
    return action(body, PARAMETERS, TICK, OUTER)


def viewing(body: str) -> str:
    return view(body, "int", PARAMETERS, TICK, OUTER)


def computing(body: str) -> str:
    head = "def f(n: int, q: Party, i: Instant) -> int:\n"
    return contract(TICK, OUTER + head + textwrap.indent(body, "    "))


def ruling(body: str) -> str:
    head = "    @invariant\n    def ok(r):\n"
    before, box, behind = OUTER.partition("class Box")
    return contract(TICK, before + head + textwrap.indent(body, "        ") + "\n" + box + behind)


def migrating(body: str) -> str:
    return contract("pass", MIGRATED + textwrap.indent(body, "        "))


def creating(body: str, parameters: str, by: str = "member", members: str = "") -> str:
    options = f'by="{by}", creates="Thing", to="Open"'
    return action(body, f"z: Thing, {parameters}", members + TICK, OUTER, options=options)


def deciding(body: str) -> str:
    return action(body, PARAMETERS, TICK, OUTER, options='by="member", to=["Open", "Shut"]')


BROKEN = [
    *((acting(body), code) for body, code in ACTIONS),
    *((viewing(body), code) for body, code in VIEWS),
    *((computing(body), code) for body, code in FUNCTIONS),
    *((ruling(body), code) for body, code in INVARIANTS),
    *((migrating(body), code) for body, code in MIGRATIONS),
    *((creating(body, parameters), code) for body, parameters, code in CREATING),
    (contract("pass", MIGRATED.replace("    name: Text[1, 9]\nclass", "class") + "        r.count = 1"), "migration.key"),
    (deciding("pass"), "state.undecided"),
    (deciding("if c:\n    become(t, 'Open')"), "state.undecided"),
    (deciding("if c:\n    $return\nbecome(t, 'Open')"), "state.undecided"),
    (deciding("for j in l:\n    become(t, 'Open')"), "state.undecided"),
    (deciding("x = Thing.get(1)\nbecome(x, 'Open')"), "state.undecided"),
    (deciding("become(t, $'Gone')"), "become.state"),
    (action("schedule($b, 'wake', i)", PARAMETERS, '@action(by="schedule")\ndef wake(tx, b: Box):\n    pass', OUTER), "schedule.key"),
]
"""Whole files, each with its only finding: at the mark, or at the head of the body without one."""


@pytest.mark.parametrize(("marked", "code"), BROKEN)
def test_a_broken_body_is_found_at_its_place(marked: str, code: str) -> None:
    source, places = at_marks(marked)
    found = findings(source)
    assert [d.code for d in found] == [code]
    line, column = found[0].line, found[0].column
    assert (line, column) in places or (not places and source.split("\n")[line - 1][column:].startswith("def "))


TYPE_PARAMETERS = {"type.unknown"} if sys.version_info < (3, 12) else set()
"""Those are not parsed before Python 3.12."""
MODULES = (annotations, checker, declarations, expressions)


def sites() -> dict[tuple[str, int], str]:
    """Every place in the front end that notes a finding: file and line, with its code."""
    found: dict[tuple[str, int], str] = {}
    for module in MODULES:
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "_note":
                code = node.args[1]
                assert isinstance(code, ast.Constant), "codes are written out"
                found |= {(module.__name__, line): code.value for line in range(node.lineno, node.end_lineno + 1)}
    return found


def test_a_ledger_refuses_each_of_them_too_and_every_finding_there_is_is_among_them(monkeypatch: pytest.MonkeyPatch) -> None:
    reached: set[tuple[str, int]] = set()
    note = Findings.note

    def watched(self: Findings, node: ast.AST, code: str, *rest: Any) -> None:
        caller = sys._getframe(1)
        reached.add((caller.f_globals["__name__"], caller.f_lineno))
        note(self, node, code, *rest)

    monkeypatch.setattr(Findings, "note", watched)
    for marked, _ in [*BROKEN, *test_declarations.BROKEN]:
        with pytest.raises(ContractInvalid) as first:
            program.load(at_marks(marked)[0], "sample")
        assert len(first.value.diagnostics) == 1
    with pytest.raises(ContractInvalid):
        program.check(view("return contract_version('a', 'b')", "Text[0, 9]"), "sample", system=True)
    noted = sites()
    assert reached <= noted.keys()
    lines = {line for module in MODULES for line in _first_lines(module)}
    unreached = {code for (name, line), code in noted.items() if (name, line) in lines - reached}
    assert unreached <= {"library.count", "field.type"} | TYPE_PARAMETERS, "many files; nothing comes to it"


def _first_lines(module: Any) -> set[tuple[str, int]]:
    """The lines at which notes begin: what a frame that notes says it stands at."""
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Call)]
    return {(module.__name__, n.lineno) for n in calls if isinstance(n.func, ast.Attribute) and n.func.attr == "_note"}
