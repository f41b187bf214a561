"""What a body may say: every rule has a body that breaks it, and what is surely set is known on every way."""

import ast
import inspect
from collections.abc import Callable

import pytest

from hansa.contracts import checker
from hansa.contracts.diagnostics import Diagnostic

RECORDS = """
class Thing(Record, key="id"):
    id: int
    owner: Party
    price: Amount
    note: Text[0, 9] = ""
"""

# A body, its parameters, and the only finding about it: code, line in the body, column in the body's line.
BROKEN = [
    # Names
    ("x = y", "", "name.unknown", 1, 4),
    ("x = self", "", "name.unknown", 1, 4),
    ("x = Sample", "", "name.unknown", 1, 4),
    ("x = go", "", "name.unknown", 1, 4),
    ("x = event", "", "name.unknown", 1, 4),
    ("x = int", "", "name.unknown", 1, 4),
    ("x = __builtins__", "", "name.unknown", 1, 4),
    ("x = __frame", "", "name.unknown", 1, 4),
    ("x = tx", "", "name.context", 1, 4),
    ("x = tx.date", "", "name.context", 1, 4),
    ("x = tx.__class__", "", "name.context", 1, 4),
    ("x = x", "", "name.unset", 1, 4),
    ("x += 1", "", "name.unset", 1, 0),
    ("_x = 1", "", "name.reserved", 1, 0),
    ("__frame = 1", "", "name.reserved", 1, 0),
    ("len = 1", "", "name.reserved", 1, 0),
    ("tx = 1", "", "name.reserved", 1, 0),
    ("Amount = 1", "", "name.reserved", 1, 0),
    ("int = 1", "", "name.reserved", 1, 0),
    (f"{'x' * 49} = 1", "", "name.reserved", 1, 0),
    ("for _ in range(3):\n    pass", "", "name.reserved", 1, 4),
    ("for range in range(3):\n    pass", "", "name.reserved", 1, 4),
    ("a = 1", "a: int", "name.parameter", 1, 0),
    ("a += 1", "a: int", "name.parameter", 1, 0),
    ("for a in range(3):\n    pass", "a: int", "name.parameter", 1, 4),
    ("t = 1", "t: Thing", "name.parameter", 1, 0),
    # Records and their fields
    ("x = t", "t: Thing", "record.value", 1, 4),
    ("x = [t]", "t: Thing", "record.value", 1, 5),
    ("if t == t.note:\n    pass", "t: Thing", "record.value", 1, 3),
    ('event("x", t=t)', "t: Thing", "record.value", 1, 13),
    ("x = t.nothing", "t: Thing", "field.unknown", 1, 4),
    ("x = t.__class__", "t: Thing", "field.unknown", 1, 4),
    ("x = t.values", "t: Thing", "field.unknown", 1, 4),
    ("t.nothing = 1", "t: Thing", "field.unknown", 1, 0),
    ("t.values = 1", "t: Thing", "field.unknown", 1, 0),
    ("x = t.price.nothing", "t: Thing", "field.unknown", 1, 4),
    ("x = a.nothing", "a: Amount", "field.unknown", 1, 4),
    ("x = a.__class__", "a: Amount", "field.unknown", 1, 4),
    ("x = (1).real", "", "field.unknown", 1, 4),
    ("x = ''.join", "", "field.unknown", 1, 4),
    ("t.id = 1", "t: Thing", "record.key", 1, 0),
    ("t.id += 1", "t: Thing", "record.key", 1, 0),
    # Targets
    ("a.minor = 1", "a: Amount", "assign.target", 1, 0),
    ("tx.time = 1", "", "assign.target", 1, 0),
    ("a[0] = 1", "a: list[int, 3]", "assign.target", 1, 0),
    ("a[0] += 1", "a: list[int, 3]", "assign.target", 1, 0),
    ("t.price.minor = 1", "t: Thing", "assign.target", 1, 0),
    ("[x] = [1]", "", "assign.target", 1, 0),
    # Statements
    ("1", "", "statement.value", 1, 0),
    ("'a'\n'b'", "", "statement.value", 2, 0),
    ("a", "a: int", "statement.value", 1, 0),
    ("len('a')", "", "statement.value", 1, 0),
    ("return\nx = 1", "", "flow.unreachable", 2, 0),
    ("if 1 == 1:\n    return\nelse:\n    return\nx = 1", "", "flow.unreachable", 5, 0),
    ("for i in range(3):\n    return\n    x = 1", "", "flow.unreachable", 3, 4),
    ("return 1", "", "action.returns", 1, 0),
    ("return None", "", "action.returns", 1, 0),
    *[
        (statement, "", "syntax.outside", 1, 0)
        for statement in [
            "while 1 == 1:\n    pass",
            "try:\n    pass\nfinally:\n    pass",
            "try:\n    pass\nexcept* x:\n    pass",
            "with 'a':\n    pass",
            "def f():\n    pass",
            "async def f():\n    pass",
            "class C:\n    pass",
            "import os",
            "from os import path",
            "del x",
            "global x",
            "nonlocal x",
            "assert 1 == 1",
            "raise",
            "x: int = 1",
            "x: int",
            "x = y = 1",
            "match 1:\n    case 1:\n        pass",
            "for i in range(3):\n    pass\nelse:\n    pass",
            "for i, j in range(3):\n    pass",
            "for i.x in range(3):\n    pass",
            "break",
            "continue",
        ]
    ],
    # Operators and expressions
    *[
        (f"x = {expression}", "", "syntax.outside", 1, 4)
        for expression in [
            "1 / 2",
            "2 ** 3",
            "1 << 2",
            "1 >> 2",
            "1 | 2",
            "1 & 2",
            "1 ^ 2",
            "1 @ 2",
            "~1",
            "+1",
            "lambda: 1",
            "(1, 2)",
            "()",
            "{}",
            "{1: 2}",
            "{1}",
            "[i for i in [1]]",
            "{i for i in [1]}",
            "{i: 1 for i in [1]}",
            "(i for i in [1])",
            "[1][0:1]",
            "[1][:]",
            "[1][0, 1]",
            "[1][0:1, 0]",
        ]
    ],
    *[
        (f"x = ({expression})", "", "syntax.outside", 1, 5)
        for expression in ["i := 1", "yield", "yield 1", "yield from [1]", "await 1"]
    ],
    ("x = [*[1]]", "", "syntax.outside", 1, 5),
    ("x = 1\nx **= 2", "", "syntax.outside", 2, 0),
    ("x = 1\nx /= 2", "", "syntax.outside", 2, 0),
    ("x = 1\nx |= 2", "", "syntax.outside", 2, 0),
    ("x = 1\nx @= 2", "", "syntax.outside", 2, 0),
    ("x = 1 < 2 < 3", "", "compare.chain", 1, 4),
    ("x = 1 == 1 == 1", "", "compare.chain", 1, 4),
    ("x = 1 is 1", "", "compare.identity", 1, 4),
    ("x = 1 is not 1", "", "compare.identity", 1, 4),
    ("x = None is 1", "", "compare.identity", 1, 4),
    ("x = 1 is None", "", "compare.identity", 1, 4),
    ("x = [" + "\n1, 1, 1, 1, 1," * 205 + "]", "", "list.size", 1, 4),
    ("x = a is True", "a: bool", "compare.identity", 1, 4),
    ("x = 1.5", "", "type.unknown", 1, 4),
    ("x = 1e3", "", "type.unknown", 1, 4),
    ("x = 1j", "", "type.unknown", 1, 4),
    ("x = ...", "", "type.unknown", 1, 4),
    (f"x = {2**255}", "", "number.range", 1, 4),
    (f"x = -{2**255}", "", "number.range", 1, 5),
    ("x = 0x" + "f" * 65, "", "number.range", 1, 4),
    # Calls
    ("x = print('a')", "", "call.unknown", 1, 4),
    ("x = getattr('a', 'b')", "", "call.unknown", 1, 4),
    ("x = eval('1')", "", "call.unknown", 1, 4),
    ("x = go()", "", "call.unknown", 1, 4),
    ("x = Thing()", "", "call.unknown", 1, 4),
    ("x = Text('a')", "", "call.unknown", 1, 4),
    ("x = Party('a')", "", "call.unknown", 1, 4),
    ("x = sha256('a')", "", "call.unknown", 1, 4),
    ("x = contract_version('a', 'b')", "", "call.unknown", 1, 4),
    ("x = 'a'.upper()", "", "call.unknown", 1, 4),
    ("x = a()", "a: int", "call.unknown", 1, 4),
    ("x = (1)()", "", "call.unknown", 1, 4),
    ("x = len(len)('a')", "", "call.unknown", 1, 4),
    ("x = __add(1, 2)", "", "call.unknown", 1, 4),
    ("x = __spent(1)", "", "call.unknown", 1, 4),
    ("x = require(1 == 1, 'a')", "", "call.statement", 1, 4),
    ("x = event('a')", "", "call.statement", 1, 4),
    ("x = range(3)", "", "call.range", 1, 4),
    ("x = len(range(3))", "", "call.range", 1, 8),
    ("for i in [range(3)]:\n    pass", "", "call.range", 1, 10),
    ("x = len()", "", "call.arity", 1, 4),
    ("x = len('a', 'b')", "", "call.arity", 1, 4),
    ("x = len(a='a')", "", "call.arity", 1, 4),
    ("x = len('a', a=1)", "", "call.arity", 1, 4),
    ("x = len(**a)", "a: int", "call.arity", 1, 4),
    ("x = abs()", "", "call.arity", 1, 4),
    ("x = min(1)", "", "call.arity", 1, 4),
    ("x = max(1, 2, 3, 4, 5, 6, 7, 8, 9)", "", "call.arity", 1, 4),
    ("x = max(1, 2, key=3)", "", "call.arity", 1, 4),
    ("x = Amount(1)", "", "call.arity", 1, 4),
    ("x = Amount(minor=1, currency='USD')", "", "call.arity", 1, 4),
    ("for i in range():\n    pass", "", "call.arity", 1, 9),
    ("for i in range(1, 2, 3, 4):\n    pass", "", "call.arity", 1, 9),
    ("for i in range(stop=3):\n    pass", "", "call.arity", 1, 9),
    ("x = len(*a)", "a: list[Text[0, 1], 2]", "syntax.outside", 1, 8),
    ("require()", "", "call.form", 1, 0),
    ("require(1 == 1)", "", "call.form", 1, 0),
    ("require(1 == 1, a)", "a: Text[1, 2]", "call.form", 1, 0),
    ("require(1 == 1, 1)", "", "call.form", 1, 0),
    ("require(1 == 1, '')", "", "call.form", 1, 0),
    ("require(1 == 1, 'a', 'b')", "", "call.form", 1, 0),
    ("require(1 == 1, 'a' + 'b')", "", "call.form", 1, 0),
    ("event()", "", "call.form", 1, 0),
    ("event(a)", "a: Text[1, 2]", "call.form", 1, 0),
    ("event(1)", "", "call.form", 1, 0),
    ("event('')", "", "call.form", 1, 0),
    ("event('a', 'b')", "", "call.form", 1, 0),
    ("event('a', **a)", "a: int", "call.form", 1, 11),
    ("require(1 == 1, 'a {b}')", "", "require.holes", 1, 0),
    ("require(1 == 1, 'a {b} {c}', b=1)", "", "require.holes", 1, 0),
    ("require(1 == 1, 'a {}')", "", "require.holes", 1, 0),
    ("require(1 == 1, 'a {0}')", "", "require.holes", 1, 0),
    ("require(1 == 1, 'a {b.c}', b=1)", "", "require.holes", 1, 0),
    ("require(1 == 1, 'a {b!r}', b=1)", "", "require.holes", 1, 0),
    ("require(1 == 1, 'a {b:>9}', b=1)", "", "require.holes", 1, 0),
    ("require(1 == 1, 'a { b}', b=1)", "", "require.holes", 1, 0),
    # Loops
    (
        "".join("    " * i + f"for i{i} in range(2):\n" for i in range(9)) + "    " * 9 + "pass",
        "",
        "loop.depth",
        9,
        36,
    ),
]

# A view's body and the only finding about it.
VIEWS = [
    ("x = 1", "view.returns", 0),
    ("if tx.time == 1:\n    return 1", "view.returns", 0),
    ("for i in range(3):\n    return 1", "view.returns", 0),
    ("return", "action.returns", 1),
    ("t.price = t.price\nreturn 1", "view.writes", 1),
    ("t.id = 1\nreturn 1", "view.writes", 1),
    ("t.price += t.price\nreturn 1", "view.writes", 1),
    ("event('x')\nreturn 1", "view.writes", 1),
    ("return 1\nreturn 1", "flow.unreachable", 2),
]

# An action that creates a Thing: its body, the parameters behind the record, and the only finding.
CREATING = [
    ("pass", "owner: Party, price: Amount", "action.key"),
    ("pass", "id: int, price: Amount", "record.incomplete"),
    ("t.owner = tx.member", "id: int", "record.incomplete"),
    ("if id == 1:\n    t.price = Amount(1, 'USD')", "id: int, owner: Party", "record.incomplete"),
    (
        "if id == 1:\n    return\nt.price = Amount(1, 'USD')",
        "id: int, owner: Party",
        "record.incomplete",
    ),
    ("for i in range(3):\n    t.price = Amount(1, 'USD')", "id: int, owner: Party", "record.incomplete"),
    ("t.price = Amount(t.price.minor, 'USD')", "id: int, owner: Party", "field.unset"),
    ("t.price += Amount(1, 'USD')", "id: int, owner: Party", "field.unset"),
    ("event('x', p=t.price)\nt.price = Amount(1, 'USD')", "id: int, owner: Party", "field.unset"),
]


@pytest.mark.parametrize(("body", "parameters", "code", "line", "column"), BROKEN)
def test_a_broken_body_is_found_at_its_place(
    body: str,
    parameters: str,
    code: str,
    line: int,
    column: int,
    acting: Callable[..., str],
    findings: Callable[..., list[Diagnostic]],
) -> None:
    before = acting("MARK", parameters, RECORDS).split("MARK")[0]
    first, indent = before.count("\n"), len(before.rpartition("\n")[2])
    found = [(d.code, d.line - first, d.column - indent) for d in findings(acting(body, parameters, RECORDS))]
    assert found == [(code, line, column)]


@pytest.mark.parametrize(("body", "code", "line"), VIEWS)
def test_a_broken_view_is_found_at_its_line(
    body: str, code: str, line: int, viewing: Callable[..., str], findings: Callable[..., list[Diagnostic]]
) -> None:
    first = viewing("MARK", "int", "t: Thing", RECORDS).split("MARK")[0].count("\n")
    source = viewing(body, "int", "t: Thing", RECORDS)
    assert [(d.code, d.line - first) for d in findings(source)] == [(code, line)]


@pytest.mark.parametrize(("body", "parameters", "code"), CREATING)
def test_a_record_that_is_not_complete_is_found(
    body: str, parameters: str, code: str, declared: Callable[[str], str], codes: Callable[..., list[str]]
) -> None:
    assert codes(declared(creating(body, parameters))) == [code]


def creating(body: str, parameters: str, role: str = "member") -> str:
    indented = "".join(f"    {line}\n" for line in body.split("\n"))
    return f'{RECORDS}\n@action(by="{role}", creates="Thing")\ndef go(tx, t: Thing, {parameters}):\n{indented}'


def test_every_rule_has_a_body_that_breaks_it() -> None:
    tree = ast.parse(inspect.getsource(checker))
    notes = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "_note"
    ]
    rules = {node.args[1].value for node in notes if isinstance(node.args[1], ast.Constant)}
    assert len(rules) > 25
    assert rules == {code for _, _, code, *_ in BROKEN} | {c for _, c, _ in VIEWS} | {c for *_, c in CREATING}


@pytest.mark.parametrize(
    "body",
    [
        "t.price = Amount(1, 'USD')",
        "if id == 1:\n    t.price = Amount(1, 'USD')\nelse:\n    t.price = Amount(2, 'USD')",
        "if id == 1:\n    t.price = Amount(1, 'USD')\n    return\nt.price = Amount(2, 'USD')",
        "t.price = Amount(1, 'USD')\nfor i in range(3):\n    t.price += t.price",
        "t.price = Amount(1, 'USD')\nt.note = 'x'\nt.owner = tx.member",
    ],
)
def test_a_record_that_is_complete_on_every_way_passes(
    body: str, declared: Callable[[str], str], codes: Callable[..., list[str]]
) -> None:
    assert codes(declared(creating(body, "id: int, owner: Party"))) == []


def test_the_creators_role_fills_its_field(declared: Callable[[str], str], codes: Callable[..., list[str]]) -> None:
    roles = "class Roles:\n    owner: Party\n"
    assert codes(declared(roles + creating("pass", "id: int, price: Amount", "owner"))) == []


@pytest.mark.parametrize(
    ("body", "is_set"),
    [
        ("x = 1\ny = x", True),
        ("if c:\n    x = 1\ny = x", False),
        ("if c:\n    x = 1\nelse:\n    x = 2\ny = x", True),
        ("if c:\n    x = 1\nelse:\n    pass\ny = x", False),
        ("if c:\n    x = 1\nelif d:\n    x = 2\ny = x", False),
        ("if c:\n    x = 1\nelif d:\n    x = 2\nelse:\n    x = 3\ny = x", True),
        ("if c:\n    x = 1\nelse:\n    return\ny = x", True),
        ("if c:\n    return\nelse:\n    x = 1\ny = x", True),
        ("if c:\n    return\nx = 1\ny = x", True),
        ("if c:\n    if d:\n        x = 1\n    else:\n        return\nelse:\n    x = 2\ny = x", True),
        ("if c:\n    if d:\n        x = 1\nelse:\n    x = 2\ny = x", False),
        ("for i in range(3):\n    x = 1\ny = x", False),
        ("for i in range(3):\n    x = i\n    y = x", True),
        ("for i in range(3):\n    y = x\n    x = i", False),
        ("for x in range(3):\n    y = x", True),
        ("for x in range(3):\n    pass\ny = x", False),
        ("x = 0\nfor x in range(3):\n    pass\ny = x", True),
        ("for i in range(x):\n    x = 1", False),
        ("x = 0\nfor i in range(3):\n    if c:\n        x = 1\ny = x", True),
        ("for i in range(3):\n    if c:\n        x = 1\n    else:\n        return\n    y = x", True),
        ("y = 1 if c else x\nx = 1", False),
        ("y = c and x == 1\nx = 1", False),
        ("require(x == 1, 'a')\nx = 1", False),
        ("require(c, 'a', x=x)\nx = 1", False),
        ("x = 1\nx += x", True),
        ("x -= 1", False),
    ],
)
def test_what_is_surely_set_is_known(
    body: str, is_set: bool, acting: Callable[..., str], codes: Callable[..., list[str]]
) -> None:
    assert codes(acting(body, "c: bool, d: bool")) == ([] if is_set else ["name.unset"])


@pytest.mark.parametrize(
    "body",
    [
        "pass",
        '"""A docstring."""',
        '"""A docstring."""\nx = 1',
        "return",
        "if c:\n    return\nelse:\n    return",
        "x = None\nif x is None:\n    pass\nif x is not None:\n    pass",
        "x = - - -1\nx = not not c",
        f"x = {2**255 - 1}\nx = -{2**255 - 1}",
        "x = 0xff + 0o17 + 0b11 + 1_000",
        "x = 'a' 'b'\nx = 'a' in ['a']\nx = 'a' not in ['a']",
        "x = [[1, 'a', None, c], []][0][-1]",
        "x = 1 if c else 2 if not c else 3",
        "x = 1 + 2 - 3 * 4 // 5 % 6\nx += 1\nx -= 1\nx *= 2\nx //= 3\nx %= 4",
        "x = 1 < 2 and 1 <= 2 and 2 > 1 and 2 >= 1 and 1 != 2 or 1 == 1",
        "x = len('a') + abs(-1) + min(1, 2) + max(1, 2, 3, 4, 5, 6, 7, 8)",
        "x = Amount(1, 'USD').minor\nx = Amount(1, 'USD').currency",
        "x = t.price.minor\nx = t.id\nx = tx.member\nx = tx.user\nx = tx.time",
        "for i in range(3):\n    pass\nfor i in range(1, 2):\n    pass\nfor i in range(1, 2, -3):\n    pass",
        "for i in [1]:\n    for j in t.note:\n        pass",
        "require(c, 'plain')\nrequire(c, 'a {b} {b} {c}', b=1, c=2, d=3)\nrequire(c, 'a } {b', b=1)",
        "event('x')\nevent('x', b=1, a=t.price, c=[1, 2])",
        "t.note = 'x'\nt.note += 'y'\nt.owner = tx.member",
        "if c:\n    x = 1\nelif t.id == 2:\n    x = 2",
        "\n".join("    " * i + f"for i{i} in range(2):" for i in range(8)) + "\n" + "    " * 8 + "pass",
        f"{'x' * 48} = 1",
        "match = 1\ntype = 2\ncase = match + type\nstr = 'a'\nprint = str",
    ],
)
def test_what_the_dialect_has_passes(body: str, acting: Callable[..., str], codes: Callable[..., list[str]]) -> None:
    assert codes(acting(body, "t: Thing, c: bool", RECORDS)) == []


def test_only_the_genesis_contract_has_host_functions(
    acting: Callable[..., str], codes: Callable[..., list[str]]
) -> None:
    source = acting("x = sha256('a')\ny = contract_version('a', 'b')")
    assert codes(source) == ["call.unknown", "call.unknown"]
    assert codes(source, system=True) == []


def test_all_findings_are_told_at_once(acting: Callable[..., str], codes: Callable[..., list[str]]) -> None:
    body = """
        x = y + z
        while x:
            pass
        t.nothing = 1.5
        print(x)
        require(t == 1)
        return x
        x = 1
        """
    assert codes(acting(body, "t: Thing", RECORDS)) == [
        "name.unknown",
        "name.unknown",
        "syntax.outside",
        "field.unknown",
        "type.unknown",
        "statement.value",
        "call.form",
        "record.value",
        "action.returns",
        "flow.unreachable",
    ]


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ("x = amuont", "did you mean `amount`?"),
        ("x = t.pirce", "did you mean `price`?"),
        ("t.pirce = 1", "did you mean `price`?"),
        ("x = tx.membr", "did you mean `member`?"),
        ("x = lenn('a')", "did you mean `len`?"),
        ("x = amount.mino", "an Amount has `minor` and `currency`; nothing else here has fields"),
        ("while True:\n    pass", "use `for ... in range(...)` with a bound"),
        ("try:\n    pass\nfinally:\n    pass", "an action that fails is refused whole; use `require` before"),
        ("x = lambda: 1", "write the expression where it is used"),
        ("x = 1 / 2", "use `//`; there are no fractions"),
        ("x = 1 ** 2", "multiply"),
        ("class C:\n    pass", "declare records in the contract, outside functions"),
        ("def f():\n    pass", "functions are not nested"),
        ("x = [i for i in [1]]", "use a `for` loop"),
        ("x = (i := 1)", "assign on a line of its own"),
        ("x = 1 is 1", "use `==`"),
        ("x = 1 < 2 < 3", "join them with `and`"),
        ("len('a')", "assign it, or remove the line"),
    ],
)
def test_a_finding_says_what_to_write_instead(
    body: str, hint: str, acting: Callable[..., str], findings: Callable[..., list[Diagnostic]]
) -> None:
    assert findings(acting(body, "t: Thing, amount: Amount", RECORDS))[0].hint == hint


def test_columns_count_characters(acting: Callable[..., str], findings: Callable[..., list[Diagnostic]]) -> None:
    source = acting("event('é√💡', a=nothing)")
    (found,) = findings(source)
    assert source.split("\n")[found.line - 1][found.column :].startswith("nothing")


DEEP = {
    "sum": lambda n: "x = (1" + "\n + 1" * n + ")",
    "minus": lambda n: "x = (" + "-\n" * n + "1)",
    "not": lambda n: "x = (" + "not\n" * n + "c)",
    "index": lambda n: "x = ([1]" + "\n[0]" * n + ")",
    "condition": lambda n: "x = (1" + "\nif c else 1" * n + ")",
    "elif": lambda n: "if c:\n    pass" + "\nelif c:\n    pass" * n,
    "field": lambda n: "x = (a" + "\n.minor" * n + ")",
}


@pytest.mark.parametrize("shape", DEEP)
def test_deep_nesting_without_brackets_passes_or_is_refused(
    shape: str, acting: Callable[..., str], codes: Callable[..., list[str]]
) -> None:
    """Levels that a file may have pass, others are refused, however many more there are."""
    found = {depth: codes(acting(DEEP[shape](depth), "c: bool, a: Amount")) for depth in (10, 100, 300, 900, 1_300)}
    assert "syntax.complex" not in found.pop(10)
    assert set(map(tuple, found.values())) == {("syntax.complex",)}


def test_a_file_is_judged_the_same_at_any_depth_of_the_stack(
    acting: Callable[..., str], codes: Callable[..., list[str]]
) -> None:
    source = acting(DEEP["sum"](500))

    def deeper(levels: int) -> list[str]:
        return deeper(levels - 1) if levels else codes(source)

    assert deeper(0) == deeper(450)
