"""Every finding is explained: why it is one, and what to write instead."""

import ast
import inspect

import pytest
from tests.contracts import test_checker, test_declarations
from tests.contracts.sources import action, at_marks, contract, findings

from docs import findings_page
from hansa.contracts import diagnostics, program, source
from hansa.contracts.diagnostics import ContractInvalid, Diagnostic, range_end, render
from hansa.contracts.explanations import CODES, PYTHON, SYNTAX, explain
from hansa.contracts.operations import FUNCTIONS
from hansa.contracts.tree import _WRITTEN as WRITTEN

MANY = "\n\t" * 60
TEXTS = {
    "source.ascii": "é = 1",
    "source.brackets": "(" * 33,
    "source.character": "\t",
    "source.continuation": "x = 'a\\\nb'",
    "source.encoding": "# coding: latin-1",
    "source.escape": "x = '\\x'",
    "source.indent": " " * 65 + "x",
    "source.line": "#" * 201,
    "source.number": "1if x: pass",
    "source.prefix": "x = f'a'",
    "source.size": "#\n" * 40_000,
    "source.string": "x = 'a",
    "source.text": "'\ud800'",
    "syntax.complex": "x = " + "-" * 120 + "1",
    "syntax.invalid": "x = = 1",
    "findings.more": MANY,
}
"""Files that Python's parser does not come to, by the code of what is found."""
UNSEEN = {"library.count"}
"""Many files: `test_declarations` has them."""


def noted() -> set[str]:
    """The codes in the front end: of its notes, and those of texts."""
    found = set(test_checker.sites().values())
    for module in (source, diagnostics):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            is_finding = isinstance(node, ast.Call) and ast.unparse(node.func) == "Diagnostic"
            if is_finding and isinstance(node.args[0], ast.Constant):
                found.add(node.args[0].value)
    return found


def first(text: str) -> Diagnostic:
    """The first finding about a file."""
    return findings(text)[0]


def test_every_code_is_explained_and_no_other() -> None:
    assert set(CODES) == noted()


def test_every_code_has_an_example_that_gives_it() -> None:
    given = {d.code for text in TEXTS.values() for d in findings(text)}
    for marked, code in [*test_checker.BROKEN, *test_declarations.BROKEN]:
        assert code in {d.code for d in findings(at_marks(marked)[0])}
        given.add(code)
    assert set(CODES) - given == UNSEEN
    for code, text in TEXTS.items():
        assert code in {d.code for d in findings(text)}


@pytest.mark.parametrize("code", CODES)
def test_explanations_are_sentences(code: str) -> None:
    for text in (CODES[code].why, CODES[code].instead):
        assert text[0].isupper() or text[0] == "`"
        assert text.endswith(".")
    assert "\n" not in CODES[code].why + CODES[code].instead


def test_every_form_that_is_not_here_has_another() -> None:
    """All that findings call by a name of their own, but a form that is Python's alone to find."""
    assert set(WRITTEN.values()) == set(SYNTAX)


def test_names_of_python_are_none_of_the_dialect() -> None:
    assert not {name for name, _ in FUNCTIONS} & set(PYTHON) - {"str"}


@pytest.mark.parametrize(
    ("body", "instead"),
    [
        ("while True:\n    pass", "Write `for i in range(n):` with a bound"),
        ("print(1)", "Say it by an event"),
        ("x = [i for i in l]", "Write a loop"),
        ("x = {1, 2}", "Write a list and test with `in`"),
        ("x = (1, 2)", "Write a list, or declare a `Struct`"),
        ("try:\n    pass\nexcept E:\n    pass", "Ask before"),
        ("raise ValueError('x')", 'Write `require(condition, "why not")`'),
        ("x = 1 / 2", "Write `//` for whole numbers"),
        ("import json", "Declare a `Struct`"),
        ("x = datetime.now()", "Use `tx.time`"),
        ("x = round(5)", "Round money by `amount.times"),
        ("x = isinstance(1, int)", "Types are known before anything runs"),
        ("requir(True, 'no')", "did you mean `require`?"),
        ("x = enumerat([1])", "did you mean `enumerate`?"),
        ("x = doubel(1)", "did you mean `double`?"),
        ("x = tx.membr", "did you mean `member`?"),
        ("if 1:\n    pass", "compare it: `!= 0`"),
        ("x: float = 1", "there are whole numbers"),
        ("x: Txet[0, 9] = 'a'", "did you mean `Text`?"),
        ("x: datetime = 1", "Use `tx.time`"),
        ("x = [1]\nx[1, 2] = 3", "name, record.field"),
    ],
)
def test_the_most_particular_advice_is_given(body: str, instead: str) -> None:
    text = action(body, outer="def double(n: int) -> int:\n    return n + n")
    assert explain(text, first(text)).instead.startswith(instead)


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("import datetime\n" + contract("pass"), "Use `tx.time`"),
        ("from decimal import Decimal\n" + contract("pass"), "Count in whole units"),
        ("from other import thing\n" + contract("pass"), "use a library by"),
        ("from hansa.contract import Ammount\n" + contract("pass"), "did you mean `Amount`?"),
        ("from hansa.contract import Float\n" + contract("pass"), "there is `Amount`"),
        (contract("pass", "class P(NamedTuple):\n    x: int"), "Derive a class from `Struct`."),
        (contract('@acton(by="member")\ndef go(tx):\n    pass'), "did you mean `@action`?"),
        (contract('@acton(\n    by="member"\n)\ndef go(tx):\n    pass'), "did you mean `@action`?"),
        (contract("@veiw\ndef go(tx) -> int:\n    return 1"), "did you mean `@view`?"),
        (contract("def go(tx):\n    pass"), "a function of values alone stands before the class"),
        (
            contract("class R(Record, key='id'):\n    id: int\n    @invarant\n    def f(r):\n        pass"),
            "did you mean `@invariant`?",
        ),
        (contract("pass", "class P(Recrod):\n    x: int"), "did you mean `Record`?"),
    ],
)
def test_advice_about_declarations(text: str, instead: str) -> None:
    assert explain(text, first(text)).instead.startswith(instead)


@pytest.mark.parametrize(
    ("body", "underlined"),
    [
        ("x = 1 + 'ab'", "1 + 'ab'"),
        ("while True:\n    pass", "while True:"),
        ("x = tx.membr + 1", "tx.membr"),
        ("event('é', x=nope)", "nope"),
    ],
)
def test_carets_stand_under_all_that_a_finding_is_about(body: str, underlined: str) -> None:
    text = action(body)
    with pytest.raises(ContractInvalid) as caught:
        program.check(text, "sample")
    found = caught.value.diagnostics[0]
    line, end = range_end(text, found, caught.value.ends)
    assert (line, text.split("\n")[line - 1][found.column : end]) == (found.line, underlined)
    shown = render(text, found, "f", end).split("\n")
    assert shown[2].count("^") == len(underlined)


def test_where_a_finding_ends_is_no_part_of_an_answer() -> None:
    """What nodes agree on is what it was."""
    with pytest.raises(ContractInvalid) as caught:
        source.parse("x = = 1")
    assert set(caught.value.fields["findings"][0]) == {"code", "message", "line", "column", "hint"}


def test_the_page_has_every_code() -> None:
    assert {code.split(".")[0] for code in CODES} == set(findings_page.TITLES)
    page = findings_page.page()
    assert [code for code in CODES if f"| `{code}` |" not in page] == []
