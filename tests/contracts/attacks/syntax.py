"""Python beyond the dialect: every kind of statement, expression and pattern that contracts do without.

`NODES` has each kind once, so that a test can show that none of Python's is missing; `EVERYWHERE` puts what is worst
into every place that holds an expression.
"""

from tests.contracts.attacks.attack import Attack, Finding, acting, attacks, contract, file, in_body

OUT = ("syntax.outside",)
NOT_PYTHON = ("syntax.invalid",)
EARLY = ("source.prefix", "source.character", "source.string")

NODES = [
    *attacks(
        "a body inside a body is metered by nobody",
        in_body("lambda", "x = lambda: 1", *OUT),
        in_body("lambda called", "x = (lambda: 1)()", *OUT, "call.unknown"),
        in_body("lambda with a default", "x = lambda a=1: a", *OUT),
        in_body("nested function", "def f():\n    return 1", *OUT),
        in_body("nested function with a decorator", "@require\ndef f():  # !\n    return 1", *OUT),
        in_body("nested async function", "async def f():\n    return 1", *OUT),
        in_body("nested class", "class C:\n    pass", *OUT),
        in_body("nested class with a metaclass", "class C(metaclass=type):\n    pass", *OUT),
        in_body("list comprehension", "x = [i for i in [1]]", *OUT),
        in_body("set comprehension", "x = {i for i in [1]}", *OUT),
        in_body("dict comprehension", "x = {i: i for i in [1]}", *OUT),
        in_body("generator expression", "x = sum(i for i in [1])", *OUT),
        in_body("comprehension with conditions", "x = [i for i in [1] if i if i]", *OUT),
        in_body("async comprehension", "x = [i async for i in [1]]", *OUT, *NOT_PYTHON),
        in_body("comprehension in a comprehension", "x = [[j for j in [i]] for i in [1]]", *OUT),
    ),
    *attacks(
        "a generator or coroutine has a frame, and a frame has everything",
        in_body("yield", "yield 1", *OUT, "statement.value"),
        in_body("yield as a value", "x = yield", *OUT),
        in_body("yield in parentheses", "x = (yield 1)", *OUT),
        in_body("yield from", "yield from [1]", *OUT, "statement.value"),
        in_body("await", "x = await 1", *OUT, *NOT_PYTHON),
        in_body("async for", "async for i in [1]:\n    pass", *OUT, *NOT_PYTHON),
        in_body("async with", "async with 'a':\n    pass", *OUT, *NOT_PYTHON),
    ),
    *attacks(
        "what catches a fault goes on after the steps are used up",
        in_body("try", "try:\n    x = 1 // 0\nexcept Exception:\n    pass", *OUT),
        in_body("try that catches all", "try:\n    pass\nexcept:\n    pass", *OUT),
        in_body("try else", "try:\n    pass\nexcept Exception:\n    pass\nelse:\n    pass", *OUT),
        in_body("try finally", "try:\n    pass\nfinally:\n    pass", *OUT),
        in_body(
            "try finally with a loop",
            "for i in range(9):\n    try:  # !\n        pass\n    finally:\n        continue",
            *OUT,
            *NOT_PYTHON,
        ),
        in_body("except group", "try:\n    pass\nexcept* ValueError:\n    pass", *OUT, source="CVE-2025-22153"),
        in_body("raise", "raise", *OUT),
        in_body("raise of a value", "raise 'a'", *OUT),
        in_body("raise from", "raise 'a' from 'b'", *OUT),
        in_body("assert", "assert 1 == 2, 'no'", *OUT),
        in_body("with", "with 'a' as x:\n    pass", *OUT),
        in_body("with of two", "with 'a' as x, 'b' as y:\n    pass", *OUT),
    ),
    *attacks(
        "names of another scope outlive the transaction",
        in_body("global", "global x\nx = 1", *OUT),
        in_body("global of a constant", "global LIMIT", *OUT, module="LIMIT = 3"),
        in_body("nonlocal", "nonlocal x", *OUT, *NOT_PYTHON),
        in_body("del of a local", "x = 1\ndel x  # !", *OUT),
        in_body("del of an item", "x = [1]\ndel x[0]  # !", *OUT),
        in_body("del of several", "x = 1\ny = 1\ndel (x, y)  # !", *OUT),
        in_body("import", "import os", *OUT),
        in_body("import as", "import os as x", *OUT),
        in_body("import of a dotted name", "import os.path", *OUT),
        in_body("import from", "from os import system", *OUT),
        in_body("import of the dialect in a body", "from hansa.contract import event", *OUT),
        in_body("relative import", "from . import x", *OUT),
        in_body("relative import of the parent", "from ..contracts import guards", *OUT),
        in_body("walrus", "x = (y := 1)", *OUT),
        in_body("walrus in a condition", "if (y := 1) == 1:\n    pass", *OUT),
        in_body("walrus in a rule", "require((y := True), 'no')", *OUT),
    ),
    *attacks(
        "a loop without a bound, or a way through a block that the checker does not follow",
        in_body("while", "while True:\n    pass", *OUT),
        in_body("while else", "while True:\n    pass\nelse:\n    pass", *OUT),
        in_body("for else", "for i in range(3):\n    pass\nelse:\n    pass", *OUT),
        in_body("break outside a loop", "break", *OUT, *NOT_PYTHON, "flow.loop"),
        in_body("continue outside a loop", "continue", *OUT, *NOT_PYTHON, "flow.loop"),
        in_body("match of a value", "match 1:\n    case 1:\n        pass", *OUT),
        in_body("match of None", "match 1:\n    case None:\n        pass", *OUT),
        in_body("match of a class", "match 'a':\n    case str():\n        pass", *OUT),
        in_body("match of a class by an attribute", "match 'a':\n    case str(__class__=c):\n        pass", *OUT),
        in_body("match of a sequence", "match [1]:\n    case [a, *b]:\n        pass", *OUT),
        in_body("match of a mapping", "match {}:\n    case {'a': 1, **rest}:\n        pass", *OUT),
        in_body("match of one or the other", "match 1:\n    case 1 | 2:\n        pass", *OUT),
        in_body("match with a guard", "match 1:\n    case x if x == 1:\n        pass", *OUT),
        in_body("match of all", "match 1:\n    case _:\n        pass", *OUT),
        in_body("two statements in a line", "x = 1; y = 2", *EARLY),
    ),
    *attacks(
        "a target whose assignment runs more than an assignment",
        in_body("chained assignment", "x = y = 1", *OUT, "assign.target"),
        in_body("unpacking", "x, y = 1, 2", *OUT, "assign.target"),
        in_body("unpacking into a list", "[x, y] = [1, 2]", *OUT, "assign.target"),
        in_body("unpacking with a star", "x, *y = [1, 2]", *OUT, "assign.target"),
        in_body("unpacking in a range", "for x, y in range(3):\n    pass", *OUT, "loop.names", "loop.names"),
        in_body("unpacking three", "for x, y, z in zip([1], [2]):\n    pass", *OUT, "loop.names", "loop.names"),
        in_body("unpacking nested", "for x, (y, z) in enumerate([1]):\n    pass", *OUT, "loop.names", "loop.names"),
        in_body("loop over an item", "a = [1]\nfor a[0] in range(3):  # !\n    pass", *OUT, "loop.names"),
        in_body("loop over a field", "for t.n in range(3):\n    pass", *OUT, "loop.names", parameters="t: int"),
        in_body("slice assigned", "x = [1]\nx[:] = [2]  # !", *OUT, "assign.target"),
        in_body("annotation alone", "x: int", *OUT),
        in_body("annotation of an item", "x = [1]\nx[0]: int = 1  # !", *OUT, "assign.target"),
        in_body("annotation in parentheses", "(x): int = 1", *OUT, "assign.target"),
        in_body("a call as a target", "len('a') = 1", *NOT_PYTHON),
    ),
    *attacks(
        "an operator that costs more than its step",
        in_body("power", "x = 9 ** 9 ** 9", *OUT),
        in_body("power assigned", "x = 9\nx **= 9  # !", *OUT),
        in_body("shift", "x = 1 << 100000000", *OUT),
        in_body("right shift", "x = 1 >> 1", *OUT),
        in_body("shift assigned", "x = 1\nx <<= 99  # !", *OUT),
        in_body("division", "x = 1 / 2", *OUT),
        in_body("matrix product", "x = 1 @ 2", *OUT),
        in_body("matrix product assigned", "x = 1\nx @= 2  # !", *OUT),
        in_body("or of bits", "x = 1 | 2", *OUT),
        in_body("exclusive or of bits", "x = 1 ^ 2", *OUT),
        in_body("and of bits", "x = 1 & 2", *OUT),
        in_body("inversion", "x = ~1", *OUT),
        in_body("plus sign", "x = +1", *OUT),
        in_body("chained comparison", "x = 1 < 2 < 3", "compare.chain", *OUT),
        in_body("identity of numbers", "x = 1 is 1", "compare.identity", *OUT),
        in_body("identity not", "y = 1\nx = y is not 1  # !", "compare.identity", *OUT),
        in_body("text formatted by percent", "x = '%1000000000d' % 1", "type.operand"),
        in_body("text repeated", "x = 'a' * 1000000000", "type.operand"),
        in_body("list repeated", "x = [0] * 1000000000", "type.operand"),
    ),
    *attacks(
        "a value that the dialect has no type for",
        in_body("float", "x = 1.5", "type.unknown", "source.number"),
        in_body("float by exponent", "x = 1e400", "type.unknown", "source.number"),
        in_body("complex", "x = 1j", "type.unknown", "source.number"),
        in_body("ellipsis", "x = ...", "type.unknown", *OUT),
        in_body("ellipsis as a body", "...", "statement.value", "type.unknown", *OUT),
        in_body("bytes", "x = b'abc'", *EARLY),
        in_body("raw text", "x = r'abc'", *EARLY),
        in_body("unicode text", "x = u'abc'", *EARLY),
        in_body("tuple", "x = (1, 2)", *OUT),
        in_body("tuple without parentheses", "x = 1,", *OUT),
        in_body("empty tuple", "x = ()", *OUT),
        in_body("set", "x = {1}", *OUT),
        in_body("dict in a dict", "x = {'a': 1, **{}}", "map.form"),
        in_body("star in a list", "x = [*[1]]", *OUT),
        in_body("star in a call", "x = max(*[1, 2])", "call.arity"),
        in_body("double star in a call", "x = max(**{})", *OUT, "call.form", "call.arity"),
        in_body("double star in a rule", "require(True, 'a', **{})", *OUT, "call.form"),
        in_body("star alone", "*x = [1]", *NOT_PYTHON, "assign.target"),
        in_body("slice with a step", "x = [1][::-1]", *OUT, "slice.step"),
        in_body("index by a tuple", "x = [1][0, 1]", *OUT, "type.mismatch"),
        in_body("index by a star", "x = [1][*[0]]", *OUT),
        in_body("slice alone", "x = slice(1)", "call.unknown"),
    ),
    *attacks(
        "text that Python fills in runs code, and costs what its spec says",
        in_body("f-string", "x = f'{1}'", *EARLY),
        in_body("f-string bomb", "x = f'{1:1000000000}'", *EARLY),
        in_body("f-string with an attribute", "x = f'{tx.__class__}'", *EARLY),
        in_body("f-string in capitals", "x = F'{1}'", *EARLY),
        in_body("raw f-string", "x = rf'{1}'", *EARLY),
        in_body("nested f-string", "x = f'{f\"{1}\"}'", *EARLY),
        in_body("f-string with the same quotes", "x = f'{f'{1}'}'", *EARLY),
        in_body("f-string that says what it is", "x = f'{1=}'", *EARLY),
        in_body("f-string over lines", "x = f'''{\n1}'''", *EARLY, source="GHSA-3wwr-3g9f-9gc7"),
        in_body("t-string", "x = t'{1}'", *EARLY, source="PEP 750"),
    ),
    *attacks(
        "a new word of a later Python must be refused by every Python",
        in_body("type statement in a body", "type X = int", *OUT, *NOT_PYTHON),
        in_body("nested function with type parameters", "def f[T](a: T):\n    return a", *OUT, *NOT_PYTHON),
        in_body("nested class with a bound type parameter", "class C[T: int, *U, **P]:\n    pass", *OUT, *NOT_PYTHON),
        in_body("type parameter with a default", "def f[T = int](a: T):\n    return a", *OUT, *NOT_PYTHON),
        in_body("lazy import", "lazy import os", *OUT, *NOT_PYTHON),
        in_body("print statement", "print 'a'", *NOT_PYTHON),
        in_body("exec statement", "exec 'a'", *NOT_PYTHON),
        in_body("backquotes", "x = `1`", *NOT_PYTHON, *EARLY),
        in_body("unequal by angles", "x = 1 <> 2", *NOT_PYTHON),
        in_body("octal of Python 2", "x = 0777", *NOT_PYTHON, "source.number"),
        in_body("long of Python 2", "x = 1L", *NOT_PYTHON, "source.number"),
    ),
    *attacks(
        "a value that nothing uses may be a call with an effect, or a mistake about money",
        in_body("a bare name", "x = 1\nx  # !", "statement.value"),
        in_body("a bare call", "len('a')", "statement.value"),
        in_body("a bare comparison", "1 == 2", "statement.value"),
        in_body("a bare conditional", "len('a') if True else len('b')", "statement.value"),
        in_body("a rule in a rule", "x = require(True, 'a')", "call.statement", "call.unknown"),
        in_body("an event in a condition", "if event('a'):\n    pass", "call.statement", "call.unknown"),
        in_body("a rule after `or`", "True or require(False, 'no')", "statement.value", "call.statement"),
    ),
]
"""One program, or several, for every kind of node; those that the dialect has are among the others."""

WORST = {
    "lambda": "(lambda: 1)()",
    "comprehension": "[i for i in [1]]",
    "generator": "(i for i in [1])",
    "walrus": "(y := 1)",
    "yield": "(yield 1)",
    "dunder": "''.__class__",
    "call of eval": "eval('1')",
    "guard": "__frame",
    "float": "1.5",
    "ellipsis": "...",
    "tuple": "(1, 2)",
    "power": "9 ** 9",
}

_STATEMENTS = {
    "assigned": ("x = {}", "1"),
    "assigned with a type": ("x: int = {}", "1"),
    "added": ("x = 1\nx += {}  # !", "1"),
    "assigned to a field": ("t.n = {}", "1"),
    "assigned to an item": ("x = [1]\nx[0] = {}  # !", "1"),
    "index of a target": ("x = [1]\nx[{}] = 1  # !", "0"),
    "item of a list": ("x = [1, {}]", "1"),
    "key of a map": ("x = {{{}: 1}}", "'a'"),
    "value of a map": ("x = {{'a': {}}}", "1"),
    "index": ("x = [1][{}]", "0"),
    "start of a slice": ("x = [1][{}:]", "0"),
    "end of a slice": ("x = [1][:{}]", "0"),
    "left operand": ("x = {} + 1", "1"),
    "right operand": ("x = 1 + {}", "1"),
    "negated": ("x = -{}", "1"),
    "not": ("x = not {}", "True"),
    "compared": ("x = {} == 1", "1"),
    "compared with": ("x = 1 < {}", "1"),
    "member of": ("x = 1 in {}", "[1]"),
    "first of and": ("x = {} and True", "True"),
    "last of or": ("x = True or {}", "True"),
    "condition of a choice": ("x = 1 if {} else 2", "True"),
    "left of a choice": ("x = {} if True else 1", "1"),
    "right of a choice": ("x = 1 if True else {}", "1"),
    "condition": ("if {}:\n    pass", "True"),
    "condition of elif": ("if True:\n    pass\nelif {}:  # !\n    pass", "True"),
    "head of a loop": ("for i in {}:\n    pass", "[1]"),
    "bound of a range": ("for i in range({}):\n    pass", "1"),
    "condition of a rule": ("require({}, 'no')", "True"),
    "text of a rule": ("require(True, {})", "'no'"),
    "value of a rule": ("require(True, 'no {{v}}', v={})", "1"),
    "name of an event": ("event({})", "'e'"),
    "value of an event": ("event('e', v={})", "1"),
    "argument": ("x = len({})", "'a'"),
    "field of a struct": ("x = Pair(a={}, b=1)", "1"),
    "argument of a function": ("x = twice({})", "1"),
    "named argument of a function": ("x = twice(a={})", "1"),
    "base of a method": ("x = ({}).upper()", "'a'"),
    "argument of a method": ("x = 'a'.split({})", "'a'"),
    "appended": ("x = [1]\nx.append({})  # !", "1"),
    "key of a record": ("u = Sample.Thing.get({})", "1"),
    "field of a new record": ("u = Sample.Thing.create(id=1, n={}, state='A')", "1"),
    "state of a new record": ("u = Sample.Thing.create(id=1, state={})", "'A'"),
    "state to be": ("become(t, {})", "'B'"),
    "record to be": ("become({}, 'B')", "t"),
    "action scheduled": ("schedule(t, {}, tx.time)", "'tick'"),
    "time scheduled": ("schedule(t, 'tick', {})", "tx.time"),
    "record scheduled": ("schedule({}, 'tick', tx.time)", "t"),
    "bound of a selection": ("for u in Sample.Thing.select(limit={}):\n    pass", "1"),
    "field of a selection": ("for u in Sample.Thing.select(by={}, equal=1, limit=1):\n    pass", "'n'"),
    "value of a selection": ("for u in Sample.Thing.select(by='n', equal={}, limit=1):\n    pass", "1"),
    "argument of another contract": ("Other.pay(a={})", "1"),
}
"""Where an expression stands in a body, and one that may stand there."""

_BY = '"member", on="A", to="B"'
_MODULE = """
class Pair(Struct):
    a: int
    b: int


class Other(Interface, contract="other"):
    @action
    def pay(tx, a: int): ...


def twice(a: int) -> int:
    return a + a
"""
_THING = """
class States:
    A: "a"
    B: "b"
class Thing(Record, key="id", index=["n"]):
    id: Int[0, 9]
    n: int = 0
@action(by="member", creates="Thing", to="A")
def make(tx, t: Thing, id: Int[0, 9]):
    pass
@action(by="schedule")
def tick(tx, t: Thing):
    pass
"""

_DECLARATIONS = {
    "constant": "X = {}  # !\n" + "{rest}",
    "default of a struct's field": "class S(Struct):\n    a: int = {}  # !\n\n\n{rest}",
    "type of a struct's field": "class S(Struct):\n    a: {}  # !\n\n\n{rest}",
    "bound of a type": "class S(Struct):\n    a: Int[0, {}]  # !\n\n\n{rest}",
    "value of an enum": "class E(Enum):\n    A = {}  # !\n\n\n{rest}",
    "base of a class": "class S({}):  # !\n    a: int\n\n\n{rest}",
    "keyword of a class": "class S(Struct, a={}):  # !\n    a: int\n\n\n{rest}",
    "decorator of a class": "@{}  # !\nclass S(Struct):\n    a: int\n\n\n{rest}",
    "contract of an interface": "class A(Interface, contract={}):  # !\n    @view\n    def f(tx) -> int: ...\n\n\n{rest}",
    "body of an interface's action": "class A(Interface, contract='a'):\n    @action\n    def f(tx):  # !\n        {}\n\n\n{rest}",
    "name of a library": "a = library({}, '" + "0" * 64 + "')  # !\n{rest}",
    "digest of a library": "a = library('a', {})  # !\n{rest}",
    "type of a function's parameter": "def f(a: {}) -> int:  # !\n    return 1\n\n\n{rest}",
    "default of a function's parameter": "def f(a: int = {}) -> int:  # !\n    return 1\n\n\n{rest}",
    "type that a function returns": "def f(a: int) -> {}:  # !\n    return 1\n\n\n{rest}",
    "decorator of a function": "@{}  # !\ndef f(a: int) -> int:\n    return 1\n\n\n{rest}",
    "value returned by a function": "def f(a: int) -> int:\n    return {}  # !\n\n\n{rest}",
    "a line of the module": "{}  # !\n{rest}",
}

_MEMBERS = {
    "key of a record type": "class R(Record, key={}):  # !\n    id: int",
    "index of a record": 'class R(Record, key="id", index=[{}]):  # !\n    id: int',
    "all indexes of a record": 'class R(Record, key="id", index={}):  # !\n    id: int',
    "type of a record's field": 'class R(Record, key="id"):\n    id: int\n    a: {}  # !',
    "default of a record's field": 'class R(Record, key="id"):\n    id: int\n    a: int = {}  # !',
    "type of a role": "class Roles:\n    a: {}  # !",
    "rule of a role": "class Roles:\n    a: Party = {}  # !",
    "attribute of a role": "class Roles:\n    a: Party = Party(attribute={})  # !",
    "what a state says": "class States:\n    A: {}  # !",
    "who may act": "@action(by={})  # !\ndef f(tx):\n    pass",
    "what an action creates": "@action(by='member', creates={})  # !\ndef f(tx):\n    pass",
    "states that an action comes from": "@action(by='member', on={})  # !\ndef f(tx):\n    pass",
    "states that an action comes to": "@action(by='member', to=[{}])  # !\ndef f(tx):\n    pass",
    "decorator of an action": "@{}\ndef f(tx):  # !\n    pass",
    "decorator called": "@({})(by='member')\ndef f(tx):  # !\n    pass",
    "second decorator": "@{}\n@action(by='member')\ndef f(tx):  # !\n    pass",
    "type of a parameter": "@action(by='member')\ndef f(tx, a: {}):  # !\n    pass",
    "default of a parameter": "@action(by='member')\ndef f(tx, a: int = {}):  # !\n    pass",
    "type that a view returns": "@view\ndef f(tx) -> {}:  # !\n    return 1",
    "a line of the class": "{}  # !",
    "rule of an invariant": (
        "class R(Record, key='id'):\n    id: int\n    @invariant\n    def f(r):\n        require({}, 'no')  # !"
    ),
}

MAY_BE = {("ellipsis", "body of an interface's action")}
"""No attack: the one place where it stands."""
ANY: frozenset[str] = frozenset()
"""Any code will do: the same expression is wrong in many ways at once."""


def _everywhere() -> list[Attack]:
    found: list[Attack] = []
    for what, text in WORST.items():
        for place, (line, _) in _STATEMENTS.items():
            program = acting(line.format(text), "t: Thing", _THING, _MODULE, by=_BY)
            body = [n for n, said in enumerate(program.split("\n"), 1) if said.endswith("# !")]
            at = body[0] if body else program.split("\n").index(" " * 8 + line.format(text).split("\n")[0]) + 1
            found.append(Attack(f"{what} as {place}", program, Finding(at, ANY)))
        rest = "class Sample(Contract, version='1.0.0'):\n    @action(by='member')\n    def go(tx):\n        pass"
        for place, line in _DECLARATIONS.items():
            if (what, place) in MAY_BE:
                continue
            program = file(line.format(text, rest=rest))
            found.append(Attack(f"{what} as {place}", program, Finding(_marked(program), ANY)))
        for place, line in _MEMBERS.items():
            program = contract(line.format(text))
            found.append(Attack(f"{what} as {place}", program, Finding(_marked(program), ANY)))
    return attacks("what Python evaluates there, nobody meters or guards", found)


def _marked(program: str) -> int:
    return next(n for n, said in enumerate(program.split("\n"), 1) if said.endswith("# !"))


EVERYWHERE = _everywhere()
PLACES = {
    place: acting(line.format(fine), "t: Thing", _THING, _MODULE, by=_BY) for place, (line, fine) in _STATEMENTS.items()
}
"""The same places with what may stand there: accepted, so that it is the expression that is refused elsewhere."""
