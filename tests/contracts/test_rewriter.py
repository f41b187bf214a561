"""The rewritten body: guards where operations stood, a charge before each block, every statement at its own line."""

import ast
import textwrap

import pytest
from tests.contracts.broken_bodies import OUTER, PARAMETERS
from tests.contracts.sources import action, contract, view
from tests.contracts.test_expressions import PARAMETERS as VALUES
from tests.contracts.test_expressions import RESULTS, STATEMENTS
from tests.contracts.world import World

from hansa.contracts import program
from hansa.contracts.codecs import Codecs
from hansa.contracts.guards import GUARDS
from hansa.contracts.rewriter import FRAME, Rewriter

TICK = '@action(by="schedule", to="Shut")\ndef tick(tx, t: Thing):\n    pass\n'


def rewritten(source: str) -> ast.FunctionDef:
    """The code of the body `go`."""
    checked = program.check(source, "sample")
    method = checked.manifest.actions.get("go") or checked.manifest.views["go"]
    return Rewriter(checked, Codecs(checked.manifest)).function(
        "go", checked.bodies["go"], ["tx", *(p.name for p in method.parameters)], method.returns
    )


def code(body: str) -> str:
    """What a body of an action becomes, without its head and its own charge."""
    function = rewritten(action(body, PARAMETERS, TICK, OUTER))
    assert ast.unparse(function.body[0]).startswith("__frame.left -= ")
    assert ast.unparse(function.body[1]) == "if __frame.left < 0:\n    __spent(__frame)"
    return "\n".join(ast.unparse(node) for node in function.body[2:])


BODIES = {
    "pass": "pass",
    '"""Says what it does."""\nx = 1': "x = 1",
    "x = n + 1": "x = __bounded(n + 1)",
    "x = n // 2 % 3": "x = __remainder(__divide(n, 2), 3)",
    "x = -n": "x = __negate_int(n)",
    "x = o * 2": "x = __multiply_int(__some(o), 2)",
    "x = m + m": "x = __add_amount(m, m)",
    "x = m + g": "x = __add_signed(m, g)",
    "x = i - u": "x = __subtract_instant(i, u)",
    "x = s + 'b'": "x = __add_text(__frame, s, 'b')",
    "x = LIMIT": "x = 5",
    "x = k == Kind.Red": "x = k == 'Red'",
    "x = n == 1 and not c": "x = n == 1 and (not c)",
    "x = s == 'a'": "x = __equal(__frame, s, 'a')",
    "x = s >= 'a'": "x = not __less(__frame, s, 'a')",
    "x = m <= m": "x = not __greater_amount(m, m)",
    "x = o is None": "x = o is None",
    "x = n not in l": "x = not __within_list(__frame, n, l)",
    "x = o if c else 1": "x = o if c else 1",
    "x = [o, n]": "x = __make_list(__frame, [o, n])",
    "x = [n, o]": "x = __make_list(__frame, [n, __some(o)])",
    "x = {'a': n}": "x = __make_map(__frame, [__looked_up(__frame, ('a', n))])",
    "x = l[0]": "x = __item(l, 0)",
    "x = d['a']": "x = __value_at(__frame, d, 'a')",
    "x = s[1:]": "x = __slice_text(__frame, s, 1, None)",
    "x = tx.member": "x = tx.member",
    "x = p.x": "x = p['x']",
    "x = t.price.minor": "x = __minor(t.values['price'])",
    "x = t.other.note": "x = __some(__follow(__frame, t, 'other', __r_Thing)).values['note']",
    "x = min(n, 2)": "x = __least_of(__frame, n, 2)",
    "x = Duration(days=n)": "x = __make_duration(days=n)",
    "x = s.split(',')": "x = __split_text(__frame, s, ',')",
    "x = double(o)": "x = __apply(__frame, __f0, __c0, __some(o))",
    "x = Point(x=n)": "x = __make_struct(__frame, __c0, __c1, {'x': n})",
    "x = Thing.find(1)": "x = __find_record(__frame, __r_Thing, 1)",
    "x = Bank.has(who=q)": "x = __call_view(__frame, 'bank', 'has', __c0, __t0, {'who': q})",
    "x: int = n": "x = __fit(__frame, n, __t0, '`x`')",
    "t.note = 'a'": "__set_field(__frame, t, 'note', 'a')",
    "t.other = t": "__set_reference(t, 'other', t)",
    "t.tags.append(s)": "__1 = s\n__2 = t\n__3 = __2.values['tags']\n__4 = __append(__frame, __3, __1)\n"
    "__set_field(__frame, __2, 'tags', __4)",
    "x = p\nx.tags[0] = s": "x = p\n__1 = s\n__2 = x\n__3 = __2['tags']\n__4 = __with_item(__frame, __3, 0, __1)\n"
    "__5 = __with_field(__frame, __2, 'tags', __4, __t0, '`Point.tags`')\nx = __5",
    "x = l\nx.pop(0)": "x = l\n__1 = 0\nx = __pop_item(__frame, x, __1)",
    "x = 1\nx += n": "x = 1\nx = __bounded(x + n)",
    "require(c, 'no {a}', a=n)": "if not c:\n    __refuse(__frame, 'no {a}', __c0, {'a': n})",
    "event('e', bb=n, a=1)": "__emit(__frame, 'e', __c0, {'bb': n, 'a': 1})",
    "x = Thing.get(1)\nbecome(x, 'Shut' if c else 'Open')": "x = __get_record(__frame, __r_Thing, 1)\n"
    "__become(x, 'Shut' if c else 'Open')",
    "schedule(t, 'tick', i)": "__schedule(__frame, t, 'tick', i)",
    "Bank.pay(to=q)": "__call_action(__frame, 'bank', 'pay', __c0, {'to': q})",
    "for j in range(n):\n    break": "for j in __count(n):\n    __frame.left -= 2\n"
    "    if __frame.left < 0:\n        __spent(__frame)\n    break",
    "if c:\n    x = 1": "if c:\n    __frame.left -= 2\n    if __frame.left < 0:\n        __spent(__frame)\n    x = 1",
    "return": "return",
}


@pytest.mark.parametrize("body", BODIES)
def test_what_a_body_becomes(body: str) -> None:
    assert code(body) == BODIES[body]


def test_a_view_fits_what_it_returns() -> None:
    function = rewritten(view("return n", "Int[0, 9]", "n: int"))
    assert ast.unparse(function.body[-1]) == "return __fit(__frame, n, __t0, 'what `go` returns')"


ALL = [
    *(view(f"x = {expression}\nreturn x", type_, VALUES) for expression, type_, _ in RESULTS),
    *(action(body, VALUES) for body, _ in STATEMENTS),
    *(action(body, PARAMETERS, TICK, OUTER) for body in BODIES),
]


def test_what_is_compiled_uses_guards_and_nothing_else() -> None:
    """No operator of Python's is left but those that a guard has made safe, no name but guards', places and locals."""
    for source in ALL:
        function = rewritten(source)
        stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        own = stored | {argument.arg for argument in function.args.args}
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and node.id not in own:
                known = node.id.removeprefix("__") in GUARDS or node.id.startswith(("__c", "__t", "__f", "__r_"))
                assert known, node.id
            if isinstance(node, ast.BinOp):
                assert isinstance(node.op, ast.Add | ast.Sub | ast.Mult)
            if isinstance(node, ast.UnaryOp):
                assert isinstance(node.op, ast.Not)
            if isinstance(node, ast.Attribute):
                base, name = ast.unparse(node.value), node.attr
                assert (base, name) in {(FRAME, "left")} or base == "tx" or name in ("values", "items"), ast.unparse(
                    node
                )
            if isinstance(node, ast.Subscript):
                assert isinstance(node.slice, ast.Constant)
            if isinstance(node, ast.Call):
                assert isinstance(node.func, ast.Name | ast.Attribute)
            assert not isinstance(node, ast.Lambda | ast.ListComp | ast.Try | ast.While | ast.FormattedValue)


def test_no_name_of_a_contract_reaches_a_guard() -> None:
    """What a contract may name does not begin with an underscore; what the rewriter names does."""
    for source in ALL:
        function = rewritten(source)
        own = {p.arg for p in function.args.args} - {FRAME}
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                assert not node.id.startswith("_") or node.id.removeprefix("__").isdigit(), node.id
        assert not any(name.startswith("_") for name in own)


def test_every_statement_stands_where_it_stood() -> None:
    """All that one statement became has its line, charges have the line of the first statement of their block."""
    body = """
    x = [
        n,
        2,
    ]
    if (
        c
    ):
        x.append(
            3
        )
    elif n == 1:
        require(
            c,
            "no",
        )
    else:
        t.tags[
            0
        ] = "a"
    for j in range(
        3
    ):
        event(
            "e",
            j=j,
        )
    """
    source = action(textwrap.dedent(body), PARAMETERS, TICK, OUTER)
    go = next(n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef) and n.name == "go")
    begins = {node.lineno for node in ast.walk(go) if isinstance(node, ast.stmt)} - {go.lineno}
    function = rewritten(source)
    lines = {n.lineno for statement in function.body for n in ast.walk(statement) if isinstance(n, ast.stmt | ast.expr)}
    assert lines == begins
    for block in [n for n in ast.walk(function) if isinstance(n, ast.If | ast.For | ast.FunctionDef)]:
        for statements in (block.body, getattr(block, "orelse", [])):
            if len(statements) > 2:
                charge, check, first = statements[:3]
                assert {n.lineno for n in (*ast.walk(charge), *ast.walk(check)) if hasattr(n, "lineno")} == {
                    first.lineno
                }


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("x = 1\ny = 0\nz = x // y", 3),
        ("x = [\n    1,\n    2 // 0,\n]", 1),
        ("x = max(\n    1,\n    l[\n        9\n    ],\n)", 1),
        ("for j in range(3):\n    if j == 1:\n        x = 1 // 0", 3),
        ("if l[9] == 1:\n    pass", 1),
        ("if n == 9:\n    pass\nelif l[9] == 1:\n    pass", 3),
        ("for j in [l[9]]:\n    pass", 1),
        ("require(\n    1 == 2,\n    'no',\n)", 1),
        ("event(\n    'e',\n    a=1 // 0,\n)", 1),
        ("t.tags[\n    3\n] = 'a'", 1),
        ("x = 2\nt.note = 'aaaaaaaaaa'", 2),
        ("x = 2\ny: Int[0, 1] = (\n    x\n)", 2),
        ("x = 1\nx = double(\n    99\n)", 2),
    ],
)
def test_a_fault_has_the_first_line_of_its_statement(body: str, line: int) -> None:
    members = (
        TICK
        + '@action(by="member", creates="Thing", to="Open")\n'
        + "def make(tx, z: Thing, id: int, owner: Party, price: Amount):\n    pass\n"
    )
    source = action(body, "t: Thing, n: int, c: bool, l: list[int, 9]", members, OUTER)
    world = World()
    world.deploy("sample", source)
    world.take(world.call("sample", "make", {"id": 1, "owner": "bob", "price": {"minor": 1, "currency": "EUR"}}))
    ran = world.run(world.call("sample", "go", {"t": 1, "n": 7, "c": True, "l": [1]}))
    before = next(at for at, text in enumerate(source.split("\n"), 1) if "def go(" in text)
    assert ran.code != "ok"
    assert ran.result["line"] == before + line


def test_a_fault_in_a_function_has_the_functions_line() -> None:
    outer = "def half(n: int) -> int:\n    x = n\n    return x // 0"
    world = World()
    source = contract('@action(by="member")\ndef go(tx):\n    x = half(1)', outer)
    world.deploy("sample", source)
    ran = world.run(world.call("sample", "go"))
    assert ran.result["line"] == source.split("\n").index("    return x // 0") + 1


def test_a_fault_in_a_library_names_the_library_and_its_digest() -> None:
    world = World()
    digest = world.add_library("tools", "def half(n: int) -> int:\n    return n // 0\n")
    world.deploy(
        "sample", contract('@action(by="member")\ndef go(tx):\n    x = l.half(1)', f'l = library("tools", "{digest}")')
    )
    ran = world.run(world.call("sample", "go"))
    assert (ran.code, ran.result["line"]) == ("value.division", 2)
    assert (ran.result["contract"], ran.result["version"], ran.version) == ("tools", digest, "1.0.0")


def test_values_are_worked_out_in_the_order_of_the_source() -> None:
    for order, code_ in (("bb=1 // 0, a=l[9]", "value.division"), ("a=l[9], bb=1 // 0", "index.range")):
        world = World()
        world.deploy("sample", action(f"event('e', {order})", "l: list[int, 9]"))
        assert world.run(world.call("sample", "go", {"l": []})).code == code_


def test_a_rule_that_holds_does_not_look_at_its_values() -> None:
    for condition, code_ in (("1 == 1", "ok"), ("1 == 2", "value.division")):
        world = World()
        world.deploy("sample", action(f"require({condition}, 'no {{a}}', a=1 // 0)"))
        assert world.run(world.call("sample", "go")).code == code_
