"""Contract files made to cost as much as they can: to check, at the size limit, and to run, for their steps.

Deterministic texts; `bench.contracts` measures them, beside the programs of `tests.contracts.growth`, which are
about memory first.
"""

from collections.abc import Iterator

from hansa.contracts.source import LINE_CHARS_MAX, SOURCE_BYTES_MAX

_IMPORTS = (
    "from hansa.contract import (Amount, Contract, Date, Enum, Int, Record, Struct, Text, action, event, "
    "require, sha256,\n    view)\n\n\n"
)
_CLASS = 'class C(Contract, version="1.0.0"):\n'


def _filled(begin: str, piece: str, end: str = "") -> str:
    """As many pieces as fit; `#` in them is their number."""
    parts = [begin]
    size, number = len(begin) + len(end), 0
    while size + len(found := piece.replace("#", str(number))) <= SOURCE_BYTES_MAX:
        parts.append(found)
        size += len(found)
        number += 1
    return "".join(parts) + end


def _long(begin: str, piece: str, end: str = "") -> str:
    """A line of as many pieces as fit in it."""
    return begin + piece * ((LINE_CHARS_MAX - len(begin) - len(end)) // len(piece)) + end + "\n"


def files() -> Iterator[tuple[str, str]]:
    """Files at the size limit, by what they are full of."""
    empty = '    @action(by="member")\n    def take(tx):\n        pass\n'
    body = _IMPORTS + _CLASS + '    @action(by="member")\n    def take(tx, b: int, n: Amount):\n'
    body += "        a = b\n        m = n\n        l: list[int, 99] = [b]\n"
    yield "functions", _filled(_IMPORTS, "def f#(a: int) -> int:\n    return a\n", _CLASS + empty)
    yield "actions", _filled(_IMPORTS + _CLASS, '    @action(by="member")\n    def a#(tx):\n        pass\n')
    yield "views", _filled(_IMPORTS + _CLASS, "    @view\n    def v#(tx) -> int:\n        return 1\n")
    yield (
        "records",
        _filled(_IMPORTS + _CLASS, '    class R#(Record, key="a"):\n        a: int\n        b: Text[0, 9]\n', empty),
    )
    fields = "".join(f"    f{n}: int\n" for n in range(64))
    yield "structs", _filled(_IMPORTS, f"class S#(Struct):\n{fields}", _CLASS + empty)
    yield "enums", _filled(_IMPORTS, 'class E#(Enum):\n    A = "a"\n', _CLASS + empty)
    yield "constants", _filled(_IMPORTS, "K# = 1\n", _CLASS + empty)
    yield "statements", _filled(body, "        a = b\n")
    yield "names made", _filled(body, "        c# = a\n")
    yield "sums", _filled(body, _long("        a = a", "+b"))
    yield "brackets", _filled(body, "        a = " + "(b+" * 30 + "a" + ")" * 30 + "\n")
    yield "amounts", _filled(body, _long("        m = m", "+m"))
    yield "comparisons", _filled(body, _long("        c = a<b", " or a<b"))
    yield "lists", _filled(body, _long("        l = [a", ",a", "]"))
    yield "items", _filled(body, _long("        a = a", "+l[0]"))
    yield "conditions", _filled(body, "        if a < b:\n            a = b\n")
    yield "events", _filled(body, '        event("e", a=a)\n')
    yield "rules", _filled(body, '        require(a < b, "no")\n')
    yield (
        "calls",
        _filled(
            _IMPORTS + "def f(a: int) -> int:\n    return a\n\n\n" + body[len(_IMPORTS) :],
            _long("        a = a", "+f(a)"),
        ),
    )
    yield "minors", _filled(body, _long("        a = a", "+m.minor"))


LOOPS = {
    "nothing": "for i in range(n):\n    pass",
    "sums": "for i in range(n):\n    a = a + i",
    "products": "a = 3\nfor i in range(n):\n    a = a * a % 1000000007",
    "comparisons": "for i in range(n):\n    c = a < i or a < i or a < i",
    "amounts": "for i in range(n):\n    p = p + m - m",
    "shares": "w = [1, 2, 3, 4]\nfor i in range(n):\n    x = m.split_by(w)",
    "many shares": "w = [1, 2, 3, 4]\nfor i in range(8):\n    w = w + w\nfor i in range(n):\n    x = m.split_by(w)",
    "split": "for i in range(n):\n    x = m.split(1024)",
    "texts": 't = "a"\nfor i in range(n):\n    t = (t + t)[:30000]',
    "characters": 'for i in range(n):\n    t = "abc"[i % 3]',
    "numbers written": "for i in range(n):\n    t = str(i * 1000000000000)",
    "numbers read": 'for i in range(n):\n    a = int("1234567890123456789")',
    "text split": 'for i in range(n):\n    x = "a,b,c,d,e,f,g,h,i,j,k,l".split(",")',
    "joined": 'x = ["a", "b", "c", "d"]\nfor i in range(n):\n    t = ",".join(x)',
    "lists": "for i in range(n):\n    x = [i, i, i]",
    "list grown": "x = [1]\nfor i in range(n):\n    x.append(i)\n    if len(x) > 1000:\n        x = [1]",
    "list written": "x = [1] + [2, 3]\nfor i in range(n):\n    x[1] = i",
    "sorted": "x = [5, 4, 3, 2, 1]\nfor i in range(7):\n    x = x + x\nfor i in range(n):\n    x = reversed(sorted(x))",
    "maps": 'for i in range(n):\n    x = {"a": i, "b": i}',
    "map grown": 'x = {"a": 1}\nfor i in range(n):\n    x[str(i % 1000)] = i',
    "structs": "for i in range(n):\n    s = S(a=i, b=i)",
    "struct written": "s = S(a=1, b=2)\nfor i in range(n):\n    s.a = i",
    "calls": "for i in range(n):\n    a = f(i)",
    "recursion": "for i in range(n):\n    a = g(50)",
    "membership": "x = [1, 2, 3, 4]\nfor i in range(7):\n    x = x + x\nfor i in range(n):\n    c = 9 in x",
    "equal lists": "x = [1, 2, 3]\nfor i in range(8):\n    x = x + x\ny = x + []\nfor i in range(n):\n    c = x == y",
    "hashes": 'b = sha256("a")\nfor i in range(n):\n    b = sha256(b)',
    "dates": "d = tx.date\nfor i in range(n):\n    d = d.add_days(1)",
    "months": "d = tx.date\nfor i in range(n):\n    c = d.add_months(1) > d.add_months(2)",
    "record fields": "for i in range(n):\n    r.b = r.b + 1",
    "records found": "for i in range(n):\n    c = C.R.exists(i)",
    "records read": "for i in range(n):\n    a = C.R.get(i % 1000).b",
    "records read anew": "for i in range(n):\n    a = C.R.get(i).b",
    "records made": "for i in range(n):\n    x = C.R.create(a=100000 + i, b=1)",
    "ranges": 'for i in range(n):\n    for x in C.R.select(by="b", limit=1000):\n        pass',
    "events": 'for i in range(60):\n    event("e", a=i, b=i, c=i)',
}
"""Bodies of an action that has `n` to run on, by what they do; most end when their steps do."""


def loop(body: str) -> str:
    """The file with one of `LOOPS` as its action `take`, on records that `make` makes."""
    inside = "".join(f"        {line}\n" for line in body.splitlines())
    return (
        _IMPORTS
        + "class S(Struct):\n    a: int\n    b: int\n\n\n"
        + "def f(a: int) -> int:\n    return a\n\n\n"
        + "def g(a: int) -> int:\n    if a == 0:\n        return 0\n    return g(a - 1)\n\n\n"
        + _CLASS
        + '    class R(Record, key="a", index=["b"]):\n        a: int\n        b: int = 0\n\n'
        + '    @action(by="member", creates="R")\n    def make(tx, r: R, a: int):\n        pass\n\n'
        + '    @action(by="member")\n    def take(tx, r: R, n: int, m: Amount):\n        a = 1\n        p = m\n'
        + inside
    )
