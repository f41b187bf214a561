"""Findings as people read them: sorted, with the line, a caret, and what to write instead."""

import ast

import pytest

from hansa.contracts.diagnostics import FINDINGS_MAX, ContractInvalid, Diagnostic, nearest, render
from hansa.contracts.findings import Findings

SOURCE = "first line\n    second = nothing\nthird\n"


@pytest.mark.parametrize(
    ("finding", "text"),
    [
        (
            Diagnostic("name.unknown", "there is no `nothing` here", 2, 13, "did you mean `note`?"),
            "shop.py:2:14: there is no `nothing` here [name.unknown]\n"
            "    2 |     second = nothing\n"
            "      |              ^\n"
            "      = did you mean `note`?",
        ),
        (
            Diagnostic("file.class", "a contract file holds one class", 1, 0),
            "shop.py:1:1: a contract file holds one class [file.class]\n    1 | first line\n      | ^",
        ),
        (
            Diagnostic("syntax.invalid", "this is not valid Python", 9, 0),
            "shop.py:9:1: this is not valid Python [syntax.invalid]\n    9 | \n      | ^",
        ),
        (
            Diagnostic("syntax.invalid", "this is not valid Python", 0, 0),
            "shop.py:0:1: this is not valid Python [syntax.invalid]\n    0 | \n      | ^",
        ),
    ],
)
def test_a_finding_is_shown_with_its_line_and_a_caret(finding: Diagnostic, text: str) -> None:
    assert render(SOURCE, finding, "shop.py") == text


@pytest.mark.parametrize("line", [1, 99, 999, 9_999, 65_536])
def test_the_caret_stands_under_its_column_at_any_line_number(line: int) -> None:
    shown = render("\n" * (line - 1) + "abcdef", Diagnostic("x", "m", line, 3), "f").split("\n")
    assert shown[1][shown[2].index("^")] == "d"


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("amuont", ["amount", "account"], "did you mean `amount`?"),
        ("qqq", ["amount", "account"], "there is `account`, `amount`"),
        ("qqq", [], ""),
        ("q", [f"n{i:02}" for i in range(20)], "there is " + ", ".join(f"`n{i:02}`" for i in range(12))),
    ],
)
def test_the_nearest_name_or_those_there_are(name: str, known: list[str], hint: str) -> None:
    assert nearest(name, known)() == hint
    assert nearest(name, set(known))() == hint, "whatever the order it comes in"


def test_findings_come_in_order_of_place_and_say_what_came_first() -> None:
    later, early, beside = Diagnostic("b", "x", 2, 5), Diagnostic("c", "first", 1, 9), Diagnostic("a", "y", 2, 5)
    invalid = ContractInvalid([later, early, beside])
    assert invalid.diagnostics == [early, beside, later]
    assert (invalid.code, invalid.detail) == ("contract.invalid", "3 finding(s); line 1: first")
    assert invalid.fields["findings"][0] == {"code": "c", "message": "first", "line": 1, "column": 9, "hint": ""}


def test_the_same_finding_is_told_once() -> None:
    findings = Findings("x")
    findings.raise_any()
    node = ast.parse("x").body[0]
    findings.note(node, "a", "b")
    findings.note(node, "a", "b")
    with pytest.raises(ContractInvalid) as caught:
        findings.raise_any()
    assert caught.value.diagnostics == [Diagnostic("a", "b", 1, 0)]


def test_the_first_fifty_findings_are_told_then_how_many_more_there_are() -> None:
    found = [Diagnostic("a", "b", line, 0) for line in range(1, FINDINGS_MAX + 1)]
    assert ContractInvalid(found).diagnostics == found
    more = [*found, Diagnostic("a", "b", 90, 1), Diagnostic("a", "b", 80, 2)]
    invalid = ContractInvalid(more)
    assert invalid.diagnostics[:-1] == found
    last = invalid.diagnostics[-1]
    assert (last.code, last.line, last.column) == ("findings.more", 80, 2)
    assert last.message == "there are 2 more findings from here on"
    assert invalid.detail.startswith("52 finding(s)")


def test_only_the_first_findings_get_a_hint_that_has_to_be_looked_for() -> None:
    looked: list[int] = []
    findings = Findings("x\n" * 40)
    for line, node in enumerate(ast.parse("x\n" * 40).body):
        findings.note(node, "a", "b", lambda line=line: looked.append(line) or "hint")
    assert looked == list(range(10))
    with pytest.raises(ContractInvalid) as caught:
        findings.raise_any()
    assert [d.hint for d in caught.value.diagnostics] == ["hint"] * 10 + [""] * 30


def test_where_nobody_reads_them_the_first_finding_ends_it_without_a_hint() -> None:
    findings = Findings("x", ends_at_first=True)
    with pytest.raises(ContractInvalid) as caught:
        findings.note(ast.parse("x").body[0], "a", "b", lambda: pytest.fail("nobody asked"))
    assert caught.value.diagnostics == [Diagnostic("a", "b", 1, 0)]
