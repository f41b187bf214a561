"""What a body may say: every rule has bodies that break it, and what is surely set is known on every way."""

import ast
import inspect
import sys
import textwrap
from typing import Any

import pytest
from tests.contracts import test_declarations
from tests.contracts.broken_bodies import (
    ACTIONS,
    CREATING,
    FUNCTIONS,
    INVARIANTS,
    MIGRATED,
    MIGRATIONS,
    OUTER,
    PARAMETERS,
    VIEWS,
)
from tests.contracts.sources import action, at_marks, codes, contract, findings, view

from hansa.contracts import annotations, checker, declarations, expressions, program
from hansa.contracts.diagnostics import ContractInvalid
from hansa.contracts.findings import Findings
from hansa.contracts.prices import TYPE_DEPTH_MAX

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
    (
        contract("pass", MIGRATED.replace("    name: Text[1, 9]\nclass", "class") + "        r.count = 1"),
        "migration.key",
    ),
    (
        contract("class R(Record, key='id'):\n    id: int\n@view\ndef go(tx) -> int:\n    return $Sample.R"),
        "name.class",
    ),
    (deciding("pass"), "state.undecided"),
    (deciding("if c:\n    become(t, 'Open')"), "state.undecided"),
    (deciding("if c:\n    $return\nbecome(t, 'Open')"), "state.undecided"),
    (deciding("for j in l:\n    become(t, 'Open')"), "state.undecided"),
    (deciding("x = Thing.get(1)\nbecome(x, 'Open')"), "state.undecided"),
    (deciding("become(t, $'Gone')"), "become.state"),
    (
        action("schedule($b, 'wake', i)", PARAMETERS, '@action(by="schedule")\ndef wake(tx, b: Box):\n    pass', OUTER),
        "schedule.key",
    ),
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


def test_a_ledger_refuses_each_of_them_too_and_every_finding_there_is_is_among_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
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
    base = program.check("def f(a: int) -> int:\n    return a\n", "base")
    uses = f"from hansa.contract import library\nl = library('base', '{base.digest.hex()}')\n"
    with pytest.raises(ContractInvalid):
        program.check(f"{uses}def g(a: int) -> int:\n    return l.g(a)\n", "sample", {base.digest: base})
    noted = sites()
    assert reached <= noted.keys()
    lines = {line for module in MODULES for line in _first_lines(module)}
    unreached = {code for (name, line), code in noted.items() if (name, line) in lines - reached}
    assert unreached <= {"library.count"} | TYPE_PARAMETERS, "many files"


def _first_lines(module: Any) -> set[tuple[str, int]]:
    """The lines at which notes begin: what a frame that notes says it stands at."""
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Call)]
    return {(module.__name__, n.lineno) for n in calls if isinstance(n.func, ast.Attribute) and n.func.attr == "_note"}


@pytest.mark.parametrize(
    ("body", "is_set"),
    [
        ("x = 1\ny = x", True),
        ("if c:\n    x = 1\ny = x", False),
        ("if c:\n    x = 1\nelse:\n    x = 2\ny = x", True),
        ("if c:\n    x = 1\nelse:\n    pass\ny = x", False),
        ("if c:\n    x = 1\nelif n == 2:\n    x = 2\ny = x", False),
        ("if c:\n    x = 1\nelif n == 2:\n    x = 2\nelse:\n    x = 3\ny = x", True),
        ("if c:\n    x = 1\nelse:\n    return\ny = x", True),
        ("if c:\n    return\nelse:\n    x = 1\ny = x", True),
        ("if c:\n    return\nx = 1\ny = x", True),
        ("if c:\n    if n == 2:\n        x = 1\n    else:\n        return\nelse:\n    x = 2\ny = x", True),
        ("if c:\n    if n == 2:\n        x = 1\nelse:\n    x = 2\ny = x", False),
        ("for j in l:\n    x = 1\ny = x", False),
        ("for j in l:\n    x = j\n    y = x", True),
        ("for j in l:\n    y = x\n    x = j", False),
        ("for x in l:\n    y = x", True),
        ("for x in l:\n    pass\ny = x", False),
        ("for j, x in enumerate(l):\n    pass\ny = j", False),
        ("x = 0\nfor x in l:\n    pass\ny = x", True),
        ("for j in range(x):\n    x = 1", False),
        ("x = 0\nfor j in l:\n    if c:\n        x = 1\ny = x", True),
        ("for j in l:\n    if c:\n        x = 1\n    else:\n        return\n    y = x", True),
        ("for j in l:\n    if c:\n        x = 1\n    else:\n        break\n    y = x", True),
        ("for j in l:\n    if c:\n        continue\n    else:\n        x = 1\n    y = x", True),
        ("for j in l:\n    if c:\n        break\n    x = 1\ny = x", False),
        ("x: int = 1\ny = x", True),
        ("y = 1 if c else x\nx = 1", False),
        ("y = c and x == 1\nx = 1", False),
        ("require(x == 1, 'a')\nx = 1", False),
        ("require(c, 'a', x=x)\nx = 1", False),
        ("x = [1]\nx.append(x[0])\ny = x", True),
        ("x = 1\nx += x", True),
    ],
)
def test_what_is_surely_set_is_known(body: str, is_set: bool) -> None:
    assert codes(acting(body)) == ([] if is_set else ["name.unset"])


@pytest.mark.parametrize(
    "body",
    [
        "z.price = Amount(1, 'USD')",
        "if id == 1:\n    z.price = Amount(1, 'USD')\nelse:\n    z.price = Amount(2, 'USD')",
        "if id == 1:\n    z.price = Amount(1, 'USD')\n    return\nz.price = Amount(2, 'USD')",
        "z.price = Amount(1, 'USD')\nfor j in range(3):\n    z.price += z.price",
        "z.price = Amount(1, 'USD')\nz.note = 'x'\nz.owner = tx.member",
        "x = z.id\ny = z.owner\nz.price = Amount(x, 'USD')\nschedule(z, 'tick', tx.time)\nx = Thing.get(z.id).id",
        "x = Box.exists('a')\nz.price = Amount(1, 'USD')",
    ],
)
def test_a_record_that_is_complete_on_every_way_passes(body: str) -> None:
    assert codes(creating(body, "id: int, owner: Party")) == []


@pytest.mark.parametrize(
    ("roles", "by", "parameters", "is_filled"),
    [
        ("owner: Party", '"owner"', "", True),
        ('owner: Party = Party(attribute="a")', '"owner"', "", True),
        ('owner: Party\n    clerk: Party = Party(user="a")', '["clerk", "owner"]', "", True),
        ('owner: Party\n    engine: Party = Party(contract="a")', '["owner", "engine"]', "", False),
        ("owner: Party", '"member"', "", False),
        ("owner: Party", '"owner"', "owner: Party, ", True),
    ],
)
def test_the_creators_role_fills_its_field_where_a_member_must_sign(
    roles: str, by: str, parameters: str, is_filled: bool
) -> None:
    source = action(
        "pass",
        f"z: Thing, id: int, {parameters}price: Amount",
        f"class Roles:\n    {roles}\n{TICK}",
        OUTER,
        options=f'by={by}, creates="Thing", to="Open"',
    )
    assert codes(source) == ([] if is_filled else ["record.incomplete"])


DEPTHS = "\n".join("    " * j + f"for i{j} in range(2):" for j in range(8)) + "\n" + "    " * 8 + "pass"


@pytest.mark.parametrize(
    "body",
    [
        "pass",
        '"""A docstring."""',
        '"""A docstring."""\nx = 1',
        "return",
        "if c:\n    return\nelse:\n    return",
        "x = o is None\ny = o is not None\nx = t.at is None",
        "x = - - -1\ny = not not c",
        f"x = {2**255 - 1}\nx = -{2**255 - 1}",
        "x = 0xff + 0o17 + 0b11 + 1_000 + LIMIT",
        "x = 'a' 'b'\ny = 'a' in ['a']\ny = 'a' not in ['a']\ny = None in [o]\ny = tx.member in [q]",
        "x = [[1], [], [2]][0][-1]",
        "x = 1 if c else 2 if not c else 3\ny = o if c else 1\ny = None\nz = None if c else 'a'\nz = 'b'",
        "x = 1 + 2 - 3 * 4 // 5 % 6\nx += 1\nx -= 1\nx *= 2\nx //= 3\nx %= 4",
        "x = n + o + o * o\ny = l[o]\nx = len(t.at.tags)",
        "x = m + m - g\nx += m\ny: SignedAmount = m\nt.price = g",
        "x = [m]\nx.append(m)\ny = [m.signed(), g]",
        "x = t.at.x + p.y + t.other.other.id\ny = t.other == t\nx = t.other.at.x",
        "x = []\nx.append(1)\ny = x[0] + 1",
        "x = []\nfor j in l:\n    x.append([j])\ny = x[0][0] + 1",
        "x = {}\nx['a'] = m\ny = x['a'].minor",
        "x = None\nif c:\n    x = n\ny = x is None",
        "x: list[Text[0, 9], 9] = []\nx.append('a')",
        "x: int | None = None\nx = n",
        "x = p\nx.x = 1\nx.x += 1\nx.tags.append('a')\nx.tags[0] = 'b'\nx.tags[-1] += 'c'\nx.tags.pop(0)",
        "x = {'a': [1], 'b': []}\nx['a'][0] = 2\nx[s].append(3)\nx.pop('a')\nx[LIST] = [4]".replace("[LIST]", "['d']"),
        "t.tags.append('a')\nt.tags.insert(0, 'b')\nt.counts['a'] = 1\nt.counts[s] += 1\nt.at = p\nt.at.tags[0] = 'a'",
        "t.other = t\nt.other.note = 'a'\nt.other = None\nt.other = Thing.find(1)",
        "x = Thing.get(1)\nx.note = 'a'\nbecome(x, 'Open' if c else 'Shut')\ny = x.state == 'Open'\n"
        "y = 'Open' == x.state",
        "x = t.state\ny = x == 'Open' or t.state != x or k == Kind.Red",
        "x = Thing.create(id=1, owner=q, price=m, state='Open')\n"
        "Thing.create(id=2, owner=q, price=g, state='Shut', other=t)",
        "for j in Thing.select(limit=n):\n    j.note = 'a'\n"
        "for j in Thing.select(by='owner', equal=q, limit=3):\n    pass",
        "for j in Thing.select(by='id', least=1, most=2, limit=3):\n    x = j.id\n"
        "for j in Thing.select(least=1, limit=o):\n    pass",
        "for j in range(3):\n    pass\nfor j in range(1, 2):\n    break\nfor j in range(1, 2, -3):\n    continue",
        "for j, h in enumerate(l):\n    x = j + h\nfor y, z in d.items():\n    x = len(y) + z\n"
        "for v, w2 in zip(l, ['a']):\n    x = v",
        "for y in d:\n    x = d[y] + d.get(y, 1)\nx = d.get('a', None)\nfor y in d.keys():\n    pass\n"
        "for v in d.values():\n    x = v",
        "x = [1]\nfor j in x:\n    y = [2]\n    y.append(j)\nx.append(2)",
        "for j in t.tags:\n    t.note = j\n    t.counts[j] = 1",
        "x = p\nfor j in x.tags:\n    x.y = 1",
        "Bank.pay(to=q, memo=None)\nBank.pay(to=q, memo=1)\nBank.pay(memo=o, to=tx.member)\nx = Bank.has(who=q)",
        "x = double(1) + double(n=2) + double(o)",
        "x = Point(x=1, tags=['a'], y=2) == p",
        "schedule(t, 'tick', tx.time + Duration(days=1))\nx = tx.date.add_days(3) == w",
        "require(c, 'plain')\nrequire(c, 'a {b} {b} {e}', b=1, e=2, f=3)\nrequire(c, 'a } {b', b=[o])",
        "event('x')\nevent('x', b=1, a=t.price, c=[1, 2], d=None, e=p, f={'a': m})",
        "if c:\n    x = 1\nelif t.id == 2:\n    x = 2",
        DEPTHS,
        f"{'x' * 48} = 1",
        "match = 1\ntype = 2\ncase = match + type\nprint = case\nmember = 1\nvalues = 2",
    ],
)
def test_what_the_dialect_has_passes(body: str) -> None:
    assert codes(acting(body)) == []


def test_nested_names_are_reached_through_their_class_and_bare_in_annotations() -> None:
    members = """
        class Kind(Enum):
            Red = "as blood"
        class Point(Struct):
            kind: Kind = Kind.Red
        class Thing(Record, key="id"):
            id: int
            point: Point | None = None
        @action(by="member")
        def go(tx, t: Thing, k: Kind):
            x: {prefix}Point = {prefix}Point(kind={prefix}Kind.Red)
            y = {prefix}Thing.get(1)
            require(x.kind == k, "no")
    """
    assert codes(contract(members.format(prefix="Sample."))) == []
    assert codes(contract(members.format(prefix=""))) == ["type.unknown", "call.unknown", "name.class"]


def test_only_the_genesis_contract_has_host_functions() -> None:
    source = action("x = sha256('a')\ny = contract_version('a', 'b')\nz = library_digest('a', 'b')")
    assert codes(source) == ["call.unknown", "call.unknown"]
    assert codes(source, system=True) == []


def test_all_findings_are_told_at_once() -> None:
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
    assert codes(acting(textwrap.dedent(body).strip())) == [
        "name.unknown",
        "name.unknown",
        "syntax.outside",
        "field.unknown",
        "type.unknown",
        "call.unknown",
        "call.form",
        "type.operand",
        "flow.returns",
        "flow.unreachable",
    ]


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ("x = tx.membr", "did you mean `member`?"),
        ("x = t.pirce", "did you mean `price`?"),
        ("t.pirce = m", "did you mean `price`?"),
        ("x = p.z", "there is `tags`, `x`, `y`"),
        ("x = Kind.Rde", "did you mean `Red`?"),
        ("x = lenn('a')", "did you mean `len`?"),
        ("x = doubel(1)", "did you mean `double`?"),
        ("x = m.minro", "did you mean `minor`?"),
        ("x = s.uper()", "did you mean `upper`?"),
        ("x = Thing.gt(1)", "did you mean `get`?"),
        ("x = LIMTI", "did you mean `LIMIT`?"),
        ("x = Thing", "write `Thing.get(key)`; to go through them `for x in Thing.select(limit=100)`"),
        ("x = Point", "make one by `Point(...)`"),
        ("x = Kind", "write one of its values: `Kind.Name`"),
        ("x = double", "call it, or name one of its values"),
        ("x = m / 2", 'amount.times(1, 100, "half_even")'),
        ("x = m + 1", "make the number an Amount of that currency: `Amount(1, a.currency)`"),
        ("x = w + 1", "date.add_days(1)"),
        ("x = w - w", "first.days_until(second)"),
        ("x = i + 1", "instant + Duration(milliseconds=1)"),
        ("if o:\n    pass", "`is not None`"),
        ("if n:\n    pass", "`!= 0`"),
        ("if l:\n    pass", "`len(...) > 0`"),
        ("for x, y in d:\n    pass", "go through `.items()`"),
        ("for x, y in l:\n    pass", "go through `enumerate(...)`"),
        ("for x in Thing.select():\n    pass", 'Thing.select(by="id", least=..., most=..., limit=100)'),
        ("x = Thing.get(1)\nbecome(x, s)", '"Open" if condition else "Shut"'),
        ("become(t, 'Opne')", ""),
        ("x = t.state == 'Opne'", "did you mean `Open`?"),
        ("schedule(t, 'tikc', i)", "did you mean `tick`?"),
        ("while True:\n    pass", "use `for ... in range(...)` with a bound"),
        ("try:\n    pass\nfinally:\n    pass", "an action that fails is refused whole; use `require` before"),
        ("x = lambda: 1", "write the expression where it is used"),
        ("x = 1 / 2", "use `//`; there are no fractions"),
        ("x = 1 ** 2", "multiply"),
        ("class C:\n    pass", "declare classes outside functions"),
        ("def f():\n    pass", "functions are not nested"),
        ("x = [i for i in [1]]", "use a `for` loop and `.append(...)`"),
        ("x = (j := 1)", "assign on a line of its own"),
        ("x = 1 is 1", "use `==`"),
        ("x = 1 < 2 < 3", "join them with `and`"),
        ("len('a')", "assign it, or remove the line"),
        ("raise", "use `require(condition, text)`"),
        ("l.append(1)", "assign it to a name of its own first"),
        ("x = m.times(1, 2, 'even')", "half_even, half_up, half_down, up, down, floor, ceiling"),
        ("t.state = 'Open'", 'become(record, "State")'),
    ],
)
def test_a_finding_says_what_to_write_instead(body: str, hint: str) -> None:
    assert findings(acting(body))[0].hint == hint


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("x = 1.5", "no floats: count in the smallest unit"),
        ("x = (1, 2)", "a tuple is not in the dialect"),
        ("x = 1 & 2", "`&` is not in the dialect"),
        ("import os", "`import` is not in the dialect"),
        ("for x in Thing.select():\n    pass", "`limit` is missing"),
        ("return 1", "an action returns nothing"),
    ],
)
def test_a_finding_says_it_in_words_of_the_dialect(body: str, message: str) -> None:
    assert findings(acting(body))[0].message == message


def test_what_is_nested_is_told_by_its_full_name() -> None:
    members = 'class R(Record, key="id"):\n    id: Int[0, 9]\n@view\ndef go(tx) -> int:\n'
    (found,) = findings(contract(members + "    return R.get(1).id"))
    assert "write `Sample.R.get(key)`" in found.hint
    (found,) = findings(contract(members + "    for q in Sample.R:\n        pass\n    return 1"))
    assert "for x in Sample.R.select(limit=100)" in found.hint


def test_what_is_not_known_is_told_once() -> None:
    for body in ("x = y\nz = x < w", "x = y\nx.z = 1", "x = y\nx.append(1)", "x: Nothing = 1\nz = x + 1"):
        assert len(codes(acting(body))) == 1


def test_columns_count_characters() -> None:
    source = acting("event('é√💡', a=nothing)")
    (found,) = findings(source)
    assert source.split("\n")[found.line - 1][found.column :].startswith("nothing")


DEEP = {
    "sum": lambda n: "x = (1" + "\n + 1" * n + ")",
    "minus": lambda n: "x = (" + "-\n" * n + "1)",
    "not": lambda n: "x = (" + "not\n" * n + "c)",
    "index": lambda n: "x = (l" + "\n[0]" * n + ")",
    "condition": lambda n: "x = (1" + "\nif c else 1" * n + ")",
    "elif": lambda n: "if c:\n    pass" + "\nelif c:\n    pass" * n,
    "field": lambda n: "x = (t" + "\n.other" * n + ")",
}


@pytest.mark.parametrize("shape", DEEP)
def test_deep_nesting_without_brackets_passes_or_is_refused(shape: str) -> None:
    """Levels that a file may have pass, others are refused, however many more there are."""
    found = {depth: codes(acting(DEEP[shape](depth))) for depth in (10, 100, 300, 900)}
    assert "syntax.complex" not in found.pop(10)
    assert set(map(tuple, found.values())) == {("syntax.complex",)}


def test_a_file_is_judged_the_same_at_any_depth_of_the_stack() -> None:
    source = acting(DEEP["sum"](500))

    def deeper(levels: int) -> list[str]:
        return deeper(levels - 1) if levels else codes(source)

    assert deeper(0) == deeper(450)


LATER_CLEAR = {
    "an item": "x = []\nfor j in range(2):\n    for v in x:\n        y = len(v)\n    v = 'abc'\n    x.append(v)",
    "None for a list": "x = None\nfor j in range(2):\n    if j > 0:\n        require(5 not in x, 'no')\n    x = [1, 2]",
    "into another list": "z: list[int, 9] = []\nx = []\nfor j in range(2):\n    for v in x:\n        z.append(v)\n"
    "    v = '%s'\n    x.append(v)\ny = z[0] % 5",
    "another record": "x = None\nfor j in range(2):\n    t.other = x\n    x = Box.find('a')",
    "None among the items": "x = [None]\nif c:\n    x = [1]\ny = x[0] + 1",
    "None in the items": "x = [None]\nx.append(1)\ny = x[0] + 1",
    "None in the values": "x = {'a': None}\nx['b'] = 1\ny = x['a'] + 1",
    "None compared as an item": "x = []\nfor v in x:\n    y = v < 3\nx.append('a')",
    "a field of None": "x = None\nx.y = 1\nx = p",
    "an item of None": "x = None\nx[0] = 1\nx = [1]",
    "None appended to": "x = None\nx.append(1)\nx = [1]",
    "an item that is None appended to": "x = [None]\nx[0].append(1)\nx = [[1]]",
}


@pytest.mark.parametrize("body", LATER_CLEAR.values(), ids=LATER_CLEAR)
def test_what_is_unclear_where_it_is_read_is_refused_whatever_it_becomes_later(body: str) -> None:
    """Else a number would be taken for a text where it runs: loops come back to lines that were checked before."""
    assert set(codes(acting(body))) & {"type.unclear", "type.operand"}


@pytest.mark.parametrize("levels", [5, 6, 20, 300, 1_500])
@pytest.mark.parametrize("form", ["[{}]", "{{'a': {}}}"])
@pytest.mark.parametrize("use", ["event('e', x={})", "y = {0} == {0}", "require(c, 'no', x={})"])
def test_types_made_in_a_body_are_no_deeper_than_declared_ones(levels: int, form: str, use: str) -> None:
    """Else an event could not be encoded, and comparing would need more stack than there is: on every node alike."""
    steps = [f"b{level + 1} = {form.format(f'b{level}')}" for level in range(levels)]
    source = action("\n".join(["b0 = 1", *steps, use.format(f"b{levels}")]), "c: bool")
    assert set(codes(source)) - {"findings.more"} == (set() if levels < TYPE_DEPTH_MAX else {"type.depth"})


def test_a_struct_counts_as_deep_as_it_is_in_a_body_too() -> None:
    assert codes(acting("x: list[list[list[Point, 2], 2], 2] = []\nx.append([[p]])")) == []
    assert codes(acting("x: list[list[list[list[Point, 2], 2], 2], 2] = []\nx.append([[[p]]])"))[0] == "type.depth"
