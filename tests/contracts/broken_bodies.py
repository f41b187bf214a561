"""Bodies that break one rule each: lines with `$` where the finding stands, and its code."""

from typing import Final

OUTER: Final = """
LIMIT = 5
class Kind(Enum):
    Red = "as blood"
    Blue = "as the sky"
class Point(Struct):
    x: int
    y: int = 0
    tags: list[Text[0, 9], 9] = []
class Thing(Record, key="id", index=["owner"]):
    id: int
    owner: Party
    price: Amount
    note: Text[0, 9] = ""
    at: Point | None = None
    other: Thing | None = None
    tags: list[Text[0, 9], 9] = []
    counts: dict[Text[0, 9], int, 9] = {}
    class States:
        Open: "it is open"
        Shut: "it is shut"
class Box(Record, key="name"):
    name: Text[1, 100]
    owner: Party
class Bank(Interface, contract="bank"):
    @action
    def pay(tx, to: Party, memo: int | None): ...
    @view
    def has(tx, who: Party) -> bool: ...
def double(n: Int[0, 9]) -> int:
    return n + n
"""
PARAMETERS: Final = """t: Thing, b: Box, n: int, c: bool, s: Text[0, 9], r: Bytes[0, 9], m: Amount, g: SignedAmount,
    l: list[int, 9], d: dict[Text[0, 9], int, 9], o: int | None, p: Point, w: Date, i: Instant, u: Duration, k: Kind,
    q: Party"""


def _each(code: str, *bodies: str) -> list[tuple[str, str]]:
    return [(body, code) for body in bodies]


def _values(code: str, *expressions: str) -> list[tuple[str, str]]:
    return [(f"x = {expression}", code) for expression in expressions]


ACTIONS: Final[list[tuple[str, str]]] = [
    ("x = [[[[[1]]]]]\nevent('e', x=$[x])", "type.depth"),
    ("x = 5\nfor $x in [o]:\n    y = x + 1", "type.mismatch"),
    ("x = $n + None", "type.operand"),
    ("z = 1\nx = []\nfor y in x:\n    z += $y", "type.unclear"),
    # Names
    *_values("name.unknown", "$y", "$self", "$event", "$int", "$__builtins__", "$__frame", "$print"),
    *_values("name.context", "$tx", "$tx.block", "$tx.__class__", "$tx == 1"),
    *_values("name.unset", "$x"),
    *_values("name.class", "$Thing", "$Kind", "$go", "$double", "$Bank"),
    *_each("name.unset", "$x += 1", "for j in l:\n    event('e', y=$y)\n    y = 1", "for j in $x:\n    pass\nx = [1]"),
    *_each(
        "name.reserved",
        *("$_x = 1", "$__frame = 1", "$len = 1", "$tx = 1", "$Amount = 1", "$int = 1", f"${'x' * 49} = 1"),
        *(
            "$LIMIT = 1",
            "$Thing = 1",
            "$double = 1",
            "$tick = 1",
            "for $_ in l:\n    pass",
            "for $Kind in l:\n    pass",
        ),
    ),
    *_each(
        "name.parameter",
        *("$n = 1", "$n += 1", "for $n in l:\n    pass", "$t = t", "$l.append(1)", "$l[0] = 1", "$p.x = 1"),
        *("$d.pop('a')", "$p.tags.append('a')"),
    ),
    *_each("name.twice", "x = 1\n$x: int = 2", "x: int = 1\n$x: int = 2"),
    # Fields
    *_values("field.unknown", "$t.nothing", "$t.__class__", "$t.values", "$t.price.nothing", "$m.nothing", "$p.z"),
    *_values(
        "field.unknown", "$(1).real", "$s.join", "$w.hour", "$i.year", "Point(x=1, $z=2)", "Bank.has(who=q, $x=1)"
    ),
    *_each("field.unknown", "$t.nothing = 1", "$t.values = 1", "x = p\n$x.z = 1"),
    *_each("field.unknown", "x = Thing.create(id=1, owner=q, price=m, state='Open', $nothing=1)"),
    *_each("record.key", "$t.id = 1", "$t.id += 1"),
    *_each("field.state", "$t.state = 'Open'"),
    *_values("enum.unknown", "$Kind.Green"),
    # Records as values
    *_values("record.value", "[$t]", "{'a': $t}"),
    *_each("record.value", "event('e', t=$t)", "require(c, 'e', t=$t)"),
    *_each("type.record", "x: $Thing = t"),
    # Targets
    *_each("assign.target", "$[x] = [1]", "$(x, y) = [1, 2]", "x = s\n$x[0] = 'a'", "$l[0:1] = [1]"),
    *_each("assign.target", "$Point(x=1).x = 2", "x = m\n$x.minor = 1"),
    *_each("assign.index", "x = [[1]]\nx[$n + 1][0] = 2", "x = [[1]]\nx[$-1].append(2)"),
    # Statements
    *_each("statement.value", "$1", "'a'\n$'b'", "$n", "$len('a')", "$double(1)", "$Thing.get(1)"),
    *_each("flow.unreachable", "return\n$x = 1", "if c:\n    return\nelse:\n    return\n$x = 1"),
    *_each("flow.unreachable", "for j in l:\n    break\n    $x = 1", "for j in l:\n    continue\n    $x = 1"),
    *_each("flow.loop", "$break", "$continue", "if c:\n    $break"),
    *_each("flow.returns", "$return 1", "$return None"),
    *_each(
        "syntax.outside",
        *("$while c:\n    pass", "$try:\n    pass\nfinally:\n    pass", "$try:\n    pass\nexcept* x:\n    pass"),
        *("$with s:\n    pass", "$def f():\n    pass", "$async def f():\n    pass", "$class C:\n    pass"),
        *("$import os", "$from os import path", "$del n", "$global x", "$nonlocal x", "$assert c", "$raise", "$x: int"),
        *("$x = y = 1", "$match n:\n    case 1:\n        pass", "$for j in l:\n    pass\nelse:\n    pass"),
        *("$(x): int = 1", "$async for j in l:\n    pass", "x = 1\n$x **= 2", "x = 1\n$x /= 2", "x = 1\n$x |= 2"),
    ),
    # Expressions
    *_values(
        "syntax.outside",
        *("$1 / 2", "$2 ** 3", "$1 << 2", "$1 >> 2", "$1 | 2", "$1 & 2", "$1 ^ 2", "$1 @ 2", "$~1", "$+1"),
        *("$lambda: 1", "$(1, 2)", "$()", "${1}", "$[j for j in l]", "${j for j in l}", "${j: 1 for j in l}"),
        *(
            "$(j for j in l)",
            "l[$0, 1]",
            "($i := 1)",
            "($yield)",
            "($yield from l)",
            "($await n)",
            "[$*l]",
            "double($*l)",
        ),
    ),
    *_values("compare.chain", "$1 < 2 < 3", "$1 == 1 == 1"),
    *_values("compare.identity", "$n is 1", "$n is not 1", "$None is None", "$None is 1", "$1 is None", "$c is True"),
    *_values("compare.never", "$n is None", "$s is not None", "$t is None"),
    *_values("list.size", "$[" + "\n1, 1, 1, 1, 1," * 205 + "]"),
    *_values("map.size", "${" + ",\n".join(f"'k{j}': 1" for j in range(1025)) + "}"),
    *_values("map.form", "${**d}", "${'a': 1, **d}"),
    *_values("type.map", "{$1: 2}", "{$c: 2}", "{$w: 2}"),
    *_values("slice.step", "s[0:1:$2]"),
    *_values("type.unknown", "$1.5", "$1e3", "$1j", "$..."),
    *_values("number.range", f"${2**255}", f"-${2**255}", "$0x" + "f" * 65),
    *_values(
        "type.operand",
        *("$n + s", "$n + c", "$s * 2", "$l * 2", "$s % n", "$s - s", "$m + 1", "$m * m", "$w + 1", "$o + s"),
        *("$-s", "$-m", "$-w", "$n < s", "$c < c", "$l < l", "$k < k", "$q < q", "$d < d", "$1 == 'a'", "$n == c"),
        *("$s == r", "$t == n", "$t == b", "$k == q", "$n in n", "$1 in s", "$1 in d", "$None in d", "$s in l"),
        *("$w[0]", "$n[0]", "$w[0:1]", "$d[0:1]", "$len(n)", "$len(p)", "$abs(s)", "$sum([s])", "$str(s)", "$int(n)"),
        *("$sha256(n)", "$Amount(s, 'EUR')", "$Date(s, 1, 1)", "$max(n, s)", "$min(c, c)", "$min(l, l)", "$sorted(n)"),
        *("$sorted([m])", "$sorted([[1]])", "$reversed(s)", "$max(m, g)", "$i + i", "$i - 1", "$w - w"),
    ),
    *_values(
        "type.mismatch",
        *("$1 if c else s", "not $n", "$n and c", "c or $n", "1 if $n else 2"),
        *("1 if $o else 2", "l[$s]", "l[$c]", "d[$n]", "s[$s:]", "s.startswith($n)", "s.split($n)", "s.join($l)"),
        *("w.add_days($s)", "m.times($s, 1, 'up')", "double($s)", "Point(x=$s)", "Bank.has(who=$n)", "Thing.get($s)"),
        *("d.get($1, 2)", "d.get('a', $s)", "Duration(days=$s)", "m.split_by([$s])", "double($None)", "Point(x=$None)"),
    ),
    *_values("type.mismatch", "{'a': 1, 'b': $s}", "[1, $s]", "[m, $g]"),
    *_each("type.mismatch", "x = 1\n$x = s", "x = 1\nfor $x in ['a']:\n    pass", "x: int = $s", "x: int = $None"),
    *_each("type.mismatch", "t.note = $1", "t.note = $None", "t.price = $n", "t.other = $b", "t.tags = [$1]"),
    *_each(
        "type.mismatch",
        "x = [1]\nx.append($s)",
        "x = {'a': 1}\nx[$1] = 1",
        "x = {'a': 1}\nx['a'] = $s",
        "x = [m]\n$x[0] -= g",
    ),
    *_each("type.mismatch", "if $n:\n    pass", "require($n, 'a')", "for j in range($s):\n    pass"),
    *_each(
        "type.unclear",
        "$x = None",
        "$x = []",
        "$x = {}",
        "$x = [[]]",
        "$x = [None]",
        "x = $[][0]",
        "x = ${}['a']",
        "event('e', x=$[] + [])",
    ),
    *_each("loop.items", "for j in $n:\n    pass", "for j in $s:\n    pass", "for j, h in enumerate($n):\n    pass"),
    *_each("loop.items", "for j, h in zip(l, $n):\n    pass", "for j in $c:\n    pass"),
    # Calls
    *_values(
        "call.unknown",
        *("$print('a')", "$getattr('a', 'b')", "$eval('1')", "$go()", "$Thing()", "$Text('a')", "$Party('a')", "$n()"),
        *(
            "$(1)()",
            "$len(s)('a')",
            "$__add(1, 2)",
            "$contract_version('a', 'b')",
            "$s.nothing()",
            "$n.bit_length()",
        ),
        *(
            "$Thing.all()",
            "$Bank.nothing()",
            "$Bank.pay(to=q)",
            "$l.append(1)",
            "$l.sort()",
            "$d.items()",
            "$s.format(1)",
        ),
    ),
    *_each(
        "call.unknown", "$Bank.nothing(x=1)", "$Bank.has(who=q)", "x = s\n$x.append('a')", "x = {'a': 1}\n$x.append(1)"
    ),
    *_each("call.unknown", "for j, h in $l.items():\n    pass"),
    *_values("call.statement", "$require(c, 'a')", "$event('a')", "$become(t, 'Open')", "$schedule(t, 'tick', i)"),
    *_values("call.range", "$range(3)", "[$range(3)]", "$enumerate(l)", "$zip(l, l)", "$Thing.select(limit=1)"),
    *_values(
        "call.arity",
        *("$len()", "$len('a', 'b')", "$len(a='a')", "$abs()", "$min(1)", "$max(1, 2, 3, 4, 5, 6, 7, 8, 9)"),
        *("$max(1, 2, key=3)", "$Amount(1)", "$Amount(minor=1, currency='USD')", "$sorted(l, l)", "$Duration()"),
        *("$s.upper(1)", "$s.split()", "$double()", "$double(1, 2)", "$Point(1, x=1)"),
        *("$Thing.get()", "$Thing.get(id=1)", "$Bank.has(q, who=q)", "$Duration(1, days=1)"),
    ),
    *_each("call.arity", "x = [1]\n$x.append()", "x = [1]\n$x.append(item=1)", "x = [1]\n$x.pop()"),
    *_values(
        "call.form", "Point(x=1, $**p)", "Point(x=1, $x=2)", "double($x=1, n=1)", "double(1, $n=1)", "double(1, $**p)"
    ),
    *_each(
        "call.form",
        *("$require()", "$require(c)", "$require(c, s)", "$require(c, 1)", "$require(c, '')", "$require(c, 'a', 'b')"),
        *("$event()", "$event(s)", "$event('')", "$event('a', 'b')", "event('a', $**p)", "$become(t)", "$schedule(t)"),
        *("$schedule(t, s, i)", "$schedule(t, 'tick', at=i)"),
    ),
    *_each(
        "call.form",
        *("for j in $Thing.select():\n    pass", "for j in $Thing.select(1, limit=1):\n    pass"),
        *("for j in $Thing.select(equal=1, least=1, limit=1):\n    pass",),
        *("for j in Thing.select(where=$1, limit=1):\n    pass",),
    ),
    *_values("call.missing", "$Point()", "$Point(y=1)", "$Bank.has()", "$Thing.create(id=1, owner=q, price=m)"),
    *_each("call.missing", "$Bank.pay()"),
    *_values("call.rounding", "m.times(1, 2, $'even')", "m.times(1, 2, $s)"),
    *_each("require.holes", "$require(c, 'a {b}')", "$require(c, 'a {}')", "$require(c, 'a {b.c}', b=1)"),
    *_each(
        "require.holes", "$require(c, 'a {b!r}', b=1)", "$require(c, 'a {b:>9}', b=1)", "$require(c, 'a { b}', b=1)"
    ),
    # States
    *_values("state.unknown", "t.state == $'Gone'", "$'Gone' == t.state"),
    *_values("state.unknown", "Thing.create(id=1, owner=q, price=m, state=$'Gone')"),
    *_values("state.constant", "Thing.create(id=1, owner=q, price=m, state=$t.state)"),
    *_each("become.record", "become($b, 'Open')", "become($n, 'Open')", "become($t.other, 'Open')"),
    *_each("become.state", "become(t, $s)", "x = Thing.get(1)\nbecome(x, $'Gone')", "become(t, $'Open')"),
    *_each("become.state", "x = Thing.get(1)\nbecome(x, 'Open' if c else $'Gone')"),
    *_each("schedule.action", "schedule(t, $'tock', i)", "schedule(t, $'go', i)"),
    *_each("schedule.record", "schedule($b, 'tick', i)"),
    # Loops
    *_each(
        "loop.names",
        *("for $j, h in range(3):\n    pass", "for $j, j in enumerate(l):\n    pass", "for $t.id in l:\n    pass"),
        *("for $j in d.items():\n    pass", "for $j in zip(l, l):\n    pass", "for $[j, h] in enumerate(l):\n    pass"),
    ),
    *_each(
        "loop.mutation",
        *("x = [1]\nfor j in x:\n    $x.append(j)", "x = [1]\nfor j in x:\n    $x = [2]"),
        *("x = [1]\nfor j in x:\n    $x += [2]", "x = [1]\nfor j in x:\n    $x[0] = j"),
        *(
            "x = [1]\nfor j, h in enumerate(x):\n    $x.pop(0)",
            "x = [1]\nfor j in x:\n    for h in l:\n        $x.pop(0)",
        ),
        *("x = [1]\ny = [2]\nfor j, h in zip(x, y):\n    $y.append(j)", "x = {'a': 1}\nfor j in x:\n    $x[j] = 2"),
        *(
            "x = {'a': 1}\nfor j, h in x.items():\n    $x.pop(j)",
            "x = {'a': [1]}\nfor j in x['a']:\n    $x['b'].append(j)",
        ),
        *("for j in t.tags:\n    $t.tags.append(j)", "for j in t.tags:\n    $t.tags = []"),
        *("x = [[1]]\nfor j in x:\n    for $x in [[[2]]]:\n        pass",),
        *("x = p\nfor j in x.tags:\n    $x = Point(x=1)", "x = [[1]]\nfor j in x:\n    $x[0].append(1)"),
    ),
    (
        "".join("    " * j + f"for i{j} in range(2):\n" for j in range(8))
        + "    " * 8
        + "$for j in l:\n"
        + "    " * 9
        + "pass",
        "loop.depth",
    ),
    *_each("select.index", "for j in Thing.select(by=$'price', limit=1):\n    pass"),
    *_each("select.index", "for j in Thing.select(by=$s, limit=1):\n    pass"),
    *_each(
        "select.limit", "for j in Thing.select(limit=$0):\n    pass", "for j in Thing.select(limit=$1025):\n    pass"
    ),
]
"""Bodies of an action of any member."""

VIEWS: Final[list[tuple[str, str]]] = [
    ("x = 1", "flow.returns"),
    ("if c:\n    return 1", "flow.returns"),
    ("for j in l:\n    return 1", "flow.returns"),
    ("$return", "flow.returns"),
    ("return $s", "type.mismatch"),
    ("return $None", "type.mismatch"),
    ("$t.price = t.price\nreturn 1", "context.writes"),
    ("$t.price += t.price\nreturn 1", "context.writes"),
    ("$t.tags.append('a')\nreturn 1", "context.writes"),
    ("$event('x')\nreturn 1", "context.writes"),
    ("$schedule(t, 'tick', i)\nreturn 1", "context.writes"),
    ("$Bank.pay(to=q)\nreturn 1", "context.writes"),
    ("x = $Box.create(name='a', owner=q)\nreturn 1", "context.writes"),
    ("return 1\n$return 1", "flow.unreachable"),
]
"""Bodies of a view that returns an int; without a mark the finding stands at the view's head."""

FUNCTIONS: Final[list[tuple[str, str]]] = [
    ("return $tx.time.milliseconds", "name.unknown"),
    ("x = $Thing.get(1)\nreturn 1", "context.records"),
    ("x = $Bank.has(who=q)\nreturn 1", "context.records"),
    ("$event('x')\nreturn 1", "context.writes"),
    ("$Bank.pay(to=q)\nreturn 1", "context.writes"),
    ("for j in $Thing.select(limit=1):\n    pass\nreturn 1", "context.records"),
]
"""Bodies of `def f(n: int, q: Party, i: Instant) -> int`."""

INVARIANTS: Final[list[tuple[str, str]]] = [
    ("$r.note = 'a'", "context.writes"),
    ("$become(r, 'Open')", "context.writes"),
    ("$event('x')", "context.writes"),
    ("x = $Thing.get(1)", "context.records"),
    ("x = $r.other", "context.records"),
    ("for j in $Thing.select(limit=1):\n    pass", "context.records"),
    ("require($tx.time == 1, 'a')", "name.unknown"),
    ("$return 1", "flow.returns"),
    ("$r = r", "name.parameter"),
]
"""Bodies of an invariant of a Thing `r`."""

MIGRATIONS: Final[list[tuple[str, str]]] = [
    ("r.count = 1\n$require(r.count == 1, 'a')", "context.refuses"),
    ("r.count = 1\n$event('x')", "context.writes"),
    ("r.count = 1\nx = $R.get(1)", "context.records"),
    ("r.count = 1\n$r.key = 2", "record.key"),
    ("r.count = 1\n$r.name = 'a'", "migration.key"),
    ("r.count = 1\n$r.next = r", "context.records"),
    ("r.count = 1\nx = r\n$x.count = 2", "context.writes"),
    ("r.count = 1\nx = r\nbecome($x, 'Open')", "context.writes"),
    ("r.count = $r.count + 1", "field.unset"),
    ("r.count = 1\n$old.name = 'a'", "name.parameter"),
    ("r.count = 1\nbecome(r, $'Gone')", "become.state"),
    ("if r.name == 'a':\n    r.count = 1", "record.incomplete"),
    ("pass", "record.incomplete"),
]
"""Bodies of a migration of R; without a mark the finding stands at its head."""

MIGRATED: Final = """
class Old(Struct):
    key: int
    name: Text[1, 9]
class R(Record, key="key", index=["name"]):
    key: int
    name: Text[1, 9]
    count: int
    next: R | None = None
    class States:
        Open: "it is open"
    @migration
    def from_old(r, old: Old):
"""

CREATING: Final[list[tuple[str, str, str]]] = [
    ("pass", "owner: Party, price: Amount", "action.key"),
    ("pass", "id: int, price: Amount", "record.incomplete"),
    ("z.owner = tx.member", "id: int", "record.incomplete"),
    ("if id == 1:\n    z.price = Amount(1, 'USD')", "id: int, owner: Party", "record.incomplete"),
    ("if id == 1:\n    $return\nz.price = Amount(1, 'USD')", "id: int, owner: Party", "record.incomplete"),
    ("for j in range(3):\n    z.price = Amount(1, 'USD')", "id: int, owner: Party", "record.incomplete"),
    ("z.price = Amount($z.price.minor, 'USD')", "id: int, owner: Party", "field.unset"),
    ("$z.price += Amount(1, 'USD')", "id: int, owner: Party", "field.unset"),
    ("event('x', p=$z.price)\nz.price = Amount(1, 'USD')", "id: int, owner: Party", "field.unset"),
    ("x = $z\nz.price = Amount(1, 'USD')", "id: int, owner: Party", "record.incomplete"),
    ("x = $Thing.get(2)\nz.price = Amount(1, 'USD')", "id: int, owner: Party", "record.incomplete"),
    ("x = $Thing.exists(2)\nz.price = Amount(1, 'USD')", "id: int, owner: Party", "record.incomplete"),
    (
        "for j in $Thing.select(limit=1):\n    pass\nz.price = Amount(1, 'USD')",
        "id: int, owner: Party",
        "record.incomplete",
    ),
    ("schedule($z, 'tick', tx.time)\nz.price = Amount(1, 'USD')", "id: int, owner: Party", "record.incomplete"),
    ("z.price = Amount(1, 'USD')", "id: int, owner: Text[1, 9]", "type.mismatch"),
]
"""Bodies of an action that creates a Thing `z`, the parameters behind it; without a mark it stands at the head."""
