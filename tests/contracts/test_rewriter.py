"""The rewritten body does what the source says, through guards, in the source's order, at the source's lines."""

import ast
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from hansa.contracts import program
from hansa.contracts.guards import GUARDS
from hansa.contracts.rewriter import FRAME, rewrite

PARAMETERS = (
    "n: int, m: int, c: bool, d: bool, s: Text[0, 99], b: Bytes[0, 9], p: Amount, q: Amount, "
    "l: list[int, 9], o: int | None"
)
ARGUMENTS = {
    "n": 7,
    "m": -3,
    "c": True,
    "d": False,
    "s": "abc",
    "b": b"xyz",
    "p": {"minor": 700, "currency": "USD"},
    "q": {"minor": 300, "currency": "USD"},
    "l": [5, 6, 7],
    "o": None,
}


def usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


VALUES = [
    # Each operator
    ("n + m", 4),
    ("n - m", 10),
    ("n * m", -21),
    ("n // m", -3),
    ("n % m", -2),
    ("-n", -7),
    ("- -n", 7),
    ("p + q", usd(1_000)),
    ("p - q", usd(400)),
    ("p * 2", usd(1_400)),
    ("2 * p", usd(1_400)),
    ("s + 'd'", "abcd"),
    ("l + [8]", [5, 6, 7, 8]),
    ("n == 7", True),
    ("n != 7", False),
    ("n < m", False),
    ("m < n", True),
    ("n <= 7", True),
    ("n <= m", False),
    ("n > m", True),
    ("m > n", False),
    ("n >= 7", True),
    ("m >= n", False),
    ("5 in l", True),
    ("5 not in l", False),
    ("o is None", True),
    ("o is not None", False),
    ("n is None", False),
    ("o == None", True),
    ("n == True", False),
    ("1 == True", False),
    ("s == b", False),
    # Precedence is Python's
    ("n + m * 2", 1),
    ("(n + m) * 2", 8),
    ("-n // 2", -4),
    ("-(n // 2)", -3),
    ("n - m - 2", 8),
    ("n - (m - 2)", 12),
    ("not c or d and c", False),
    ("not (c or d) and c", False),
    ("n + 1 == 8 and not d", True),
    ("n if c and d else m", -3),
    ("n if c else m if d else 0", 7),
    # Values
    ("c and d", False),
    ("c or d", True),
    ("not d", True),
    ("[n, [m, s], o, c, b, p]", [7, [-3, "abc"], None, True, b"xyz", usd(700)]),
    ("[]", []),
    ("l[0]", 5),
    ("l[-1]", 7),
    ("l[n - 6]", 6),
    ("[l, l][1][2]", 7),
    ("p.minor", 700),
    ("p.currency", "USD"),
    ("(p + q).minor", 1_000),
    ("[p][0].minor", 700),
    ("len(s)", 3),
    ("len(b)", 3),
    ("len(l)", 3),
    ("abs(m)", 3),
    ("min(n, m, 0)", -3),
    ("max(n, m, 0)", 7),
    ("min(s, 'abb')", "abb"),
    ("max(p, q)", usd(700)),
    ("Amount(n, 'EUR')", {"minor": 7, "currency": "EUR"}),
    ("tx.member", "alice"),
    ("tx.user", "alice/ann"),
    ("tx.time", 1_700_000_000_000),
    ("'a' 'b'", "ab"),
    ("0xff + 1_000", 1_255),
    ("None", None),
    # What is not looked at cannot fail
    ("d and 1 // 0 == 1", False),
    ("c or 1 // 0 == 1", True),
    ("n if c else 1 // 0", 7),
]


@pytest.mark.parametrize(("expression", "value"), VALUES)
def test_expressions(expression: str, value: Any, acting: Callable[..., str], bench: type) -> None:
    ran = bench(acting(f"event('e', v={expression})", PARAMETERS)).run(arguments=ARGUMENTS, user="alice/ann")
    assert (ran.code, ran.events) == ("ok", [{"data": {"v": value}, "name": "e"}])
    assert type(ran.events[0]["data"]["v"]) is type(value)


FAULTS = [
    ("n // 0", "value.division"),
    ("n % (m + 3)", "value.division"),
    ("n + s", "value.type"),
    ("n + c", "value.type"),
    ("s * 2", "value.type"),
    ("l * 2", "value.type"),
    ("s % n", "value.type"),
    ("-s", "value.type"),
    ("-p", "value.type"),
    ("not n", "value.type"),
    ("n and c", "value.type"),
    ("c and n", "value.type"),
    ("d or n", "value.type"),
    ("1 if n else 2", "value.type"),
    ("1 if l else 2", "value.type"),
    ("1 if s else 2", "value.type"),
    ("1 if o else 2", "value.type"),
    ("n < s", "value.type"),
    ("c < d", "value.type"),
    ("l < l", "value.type"),
    ("'b' in s", "value.type"),
    ("n in n", "value.type"),
    ("l[3]", "index.range"),
    ("l[-4]", "index.range"),
    ("l[c]", "value.type"),
    ("s[0]", "value.type"),
    ("b[0]", "value.type"),
    ("o.minor", "value.type"),
    ("n.minor", "value.type"),
    ("len(n)", "value.type"),
    ("len(p)", "value.type"),
    ("abs(p)", "value.type"),
    ("abs(c)", "value.type"),
    ("max(n, c)", "value.type"),
    ("q - p", "value.range"),
    ("p + Amount(1, 'EUR')", "value.currency"),
    ("Amount(m, 'USD')", "value.range"),
    ("Amount(n, s)", "value.currency"),
    ("Amount(s, 'USD')", "value.type"),
    ("n * 57896044618658097711785492504343953926634992332820282019728792003956564819967", "value.range"),
    ("9223372036854775807 + 1", "value.range"),
]


@pytest.mark.parametrize(("expression", "code"), FAULTS)
def test_faults(expression: str, code: str, acting: Callable[..., str], bench: type) -> None:
    source = acting(f"event('first')\nevent('e', v={expression})", PARAMETERS)
    ran = bench(source).run(arguments=ARGUMENTS)
    line = source.split("\n").index(f"        event('e', v={expression})") + 1
    assert (ran.code, ran.result["line"], ran.events) == (code, line, [])
    assert set(ran.result) <= {"line", "values", "message"}
    assert ran.result["message"]


STATEMENTS = [
    ("x = 1\nx += n\nx *= 2\nx -= 1\nx //= 2\nx %= 4", {"x": 3}),
    ("x = l\nx += [8]\ny = l", {"x": [5, 6, 7, 8], "y": [5, 6, 7]}),
    ("x = 0\nfor i in l:\n    x += i", {"x": 18}),
    ("x = []\nfor i in range(3):\n    x += [i]", {"x": [0, 1, 2]}),
    ("x = []\nfor i in range(5, 1, -2):\n    x += [i]", {"x": [5, 3]}),
    (
        "x = []\nfor i in range(2):\n    for j in range(2):\n        x += [[i, j]]",
        {"x": [[0, 0], [0, 1], [1, 0], [1, 1]]},
    ),
    ("x = [1, 2, 3]\nfor i in x:\n    x = x + [i]", {"x": [1, 2, 3, 1, 2, 3]}),
    ("x = 0\nfor i in range(3):\n    i = 7\n    x += i", {"x": 21}),
    ("if d:\n    x = 1\nelif c:\n    x = 2\nelse:\n    x = 3", {"x": 2}),
    ("if d:\n    x = 1\nelif d:\n    x = 2\nelse:\n    x = 3", {"x": 3}),
    ("x = 1\nif c:\n    pass\nelse:\n    x = 2", {"x": 1}),
    ("x = l\ny = x\nx = x + [1]", {"x": [5, 6, 7, 1], "y": [5, 6, 7]}),
]


@pytest.mark.parametrize(("body", "values"), STATEMENTS)
def test_statements(body: str, values: dict[str, Any], acting: Callable[..., str], bench: type) -> None:
    told = ", ".join(f"{name}={name}" for name in values)
    ran = bench(acting(f"{body}\nevent('e', {told})", PARAMETERS)).run(arguments=ARGUMENTS)
    assert (ran.code, ran.events) == ("ok", [{"data": values, "name": "e"}])


def test_a_return_ends_the_action(acting: Callable[..., str], bench: type) -> None:
    body = "event('a')\nfor i in range(9):\n    if i == 2:\n        return\n    event('b', i=i)\nevent('c')"
    assert [event["name"] for event in bench(acting(body)).run().events] == ["a", "b", "b"]


def test_the_values_of_events_and_refusals_come_in_encoding_order(acting: Callable[..., str], bench: type) -> None:
    values = "ccc=3, b=2, aaaa=4, a=1, bb=22, B=0"
    ordered = ["B", "a", "b", "bb", "ccc", "aaaa"]
    assert list(bench(acting(f"event('e', {values})")).run().events[0]["data"]) == ordered
    refused = bench(acting(f"require(1 == 2, 'no', {values})")).run()
    assert list(refused.result["values"]) == ordered
    assert list(refused.result) == ["line", "values", "message"]


def test_the_values_of_an_event_are_evaluated_in_encoding_order(acting: Callable[..., str], bench: type) -> None:
    ran = bench(acting("event('e', bb=1 // 0, a=[1][1])")).run()
    assert ran.code == "index.range", "`a` comes before `bb`"


def test_a_rule_that_holds_does_not_look_at_its_values(acting: Callable[..., str], bench: type) -> None:
    assert bench(acting("require(1 == 1, 'no {a}', a=1 // 0)")).run().code == "ok"
    assert bench(acting("require(1 == 2, 'no {a}', a=1 // 0)")).run().code == "value.division"


def test_a_rule_that_does_not_hold_says_why(acting: Callable[..., str], bench: type) -> None:
    source = acting("x = 1\nrequire(x == 2, 'x is {x}, not {y}', x=x, y=[2])")
    ran = bench(source).run()
    line = source.split("\n").index("        require(x == 2, 'x is {x}, not {y}', x=x, y=[2])") + 1
    assert (ran.code, ran.result) == (
        "require.failed",
        {"line": line, "values": {"x": 1, "y": [2]}, "message": "x is {x}, not {y}"},
    )


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("x = 1\ny = 0\nz = x // y", 3),
        ("x = [\n    1,\n    2 // 0,\n]", 3),
        ("x = (\n    1 +\n    2 +\n    3 // 0\n)", 4),
        ("x = max(\n    1,\n    len(\n        2\n    ),\n)", 3),
        ("for i in range(3):\n    if i == 1:\n        x = 1 // 0", 3),
        ("if [1][1] == 1:\n    pass", 1),
        ("if 1 == 2:\n    pass\nelif [1][1] == 1:\n    pass", 3),
        ("for i in [[1][1]]:\n    pass", 1),
        ("require(\n    1 == 2,\n    'no',\n)", 1),
        ("require(\n    1 ==\n    1 // 0,\n    'no',\n)", 3),
        ("event(\n    'e',\n    a=1 // 0,\n)", 3),
        ("for i in range(99):\n    for j in range(99):\n        pass\n        pass", 3),
    ],
)
def test_a_fault_has_the_line_of_the_source(body: str, line: int, acting: Callable[..., str], bench: type) -> None:
    before = acting("MARK").split("MARK")[0].count("\n")
    ran = bench(acting(body)).run(steps=2_000)
    assert ran.code != "ok"
    assert ran.result["line"] == before + line


def test_what_is_compiled_uses_guards_and_nothing_else(acting: Callable[..., str]) -> None:
    """No operator of Python's is left but those that a guard has made safe; no name is free but guards'."""
    body = "\n".join(f"x{i} = {expression}" for i, (expression, _) in enumerate(VALUES))
    manifest, bodies = program.check(
        acting(f"{body}\nt.note += s\nrequire(c, 's')", f"t: T, {PARAMETERS}", RECORD), "x"
    )
    function = rewrite(manifest.actions["go"], bodies["go"])
    assigned = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    read = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    assert read - assigned - {argument.arg for argument in function.args.args} <= set(GUARDS)
    for node in ast.walk(function):
        assert not isinstance(node, ast.BinOp)
        assert not (isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not))
        if isinstance(node, ast.Compare):
            (comparator,) = node.comparators
            spent = ast.unparse(node) == f"{FRAME}.left < 0"
            assert spent or (isinstance(node.ops[0], ast.Is | ast.IsNot) and ast.unparse(comparator) == "None")
        if isinstance(node, ast.Attribute):
            assert ast.unparse(node) in (f"{FRAME}.left", "tx.member", "tx.user", "tx.time", "t.values")
        if isinstance(node, ast.Subscript):
            assert isinstance(node.slice, ast.Constant)
            assert ast.unparse(node.value) == "t.values"
        if isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Name)
            assert node.func.id in GUARDS


def test_the_docstring_is_not_part_of_what_runs(acting: Callable[..., str]) -> None:
    manifest, bodies = program.check(acting('"""Says what it does."""\nx = 1'), "x")
    assert "Says" not in ast.unparse(rewrite(manifest.actions["go"], bodies["go"]))


RECORD = textwrap.dedent(
    """
    class T(Record, key="id"):
        id: int
        note: Text[0, 99] = ""
    """
)
