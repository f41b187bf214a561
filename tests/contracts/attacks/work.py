"""Work without end, or at a price too low: all that runs is metered, and ends at the same step everywhere."""

from tests.contracts.attacks.attack import Take, attacks, contract, does, runs, viewing

HUGE = 2**200
FIB = "def f(n: int) -> int:\n    if n < 2:\n        return n\n    return f(n - 1) + f(n - 2)"
DEEP = "def f(n: int) -> int:\n    if n == 0:\n        return 0\n    return 1 + f(n - 1)"
BOTH = "def even(n: int) -> bool:\n    if n == 0:\n        return True\n    return odd(n - 1)\n\n\ndef odd(n: int) -> bool:\n    if n == 0:\n        return False\n    return even(n - 1)"
LONG = "x = 'aaaaaaaaaaaaaaaa'\nfor i in range(11):\n    x = x + x\n"
"""A text of 32,768 characters."""
LISTS = "x = [1]\nfor i in range(10):\n    x = x + x\n"
"""A list of 1,024 numbers."""
MAP = "m = {'': 0}\nfor i in range(199):\n    m[str(i)] = i\n"
"""A map of 200 keys; a thousand cost more than a transaction may make."""
OVER = "steps.exceeded"

WORK = [
    *attacks(
        "a loop that never ends stops every node",
        does("a loop of 2^63 rounds", "for i in range(9223372036854775807):\n    pass", OVER, line=8),
        does(
            "loops in loops",
            "for i in range(99999):\n    for j in range(99999):\n        for k in range(99999):\n            pass",
            OVER,
        ),
        does(
            "eight loops in each other",
            "".join("    " * n + f"for i{n} in range(9):\n" for n in range(8)) + "    " * 8 + "pass",
            OVER,
        ),
        does("a loop downwards", f"for i in range(0, -{2**62}, -1):\n    pass", OVER),
        does("a loop that only continues", "for i in range(9999999):\n    continue", OVER),
        does("a loop of empty loops", "for i in range(9999999):\n    for j in range(0):\n        pass", OVER),
        does(
            "a loop that only decides",
            "for i in range(9999999):\n    if i > 5:\n        pass\n    elif i > 4:\n        pass",
            OVER,
        ),
        does("a range beyond 64 bits", f"for i in range({2**63}):\n    pass", "value.range"),
        does("a range below 64 bits", f"for i in range(-{2**63} - 1, 0):\n    pass", "value.range"),
        does("a range of 200 bits", f"for i in range({HUGE}):\n    pass", "value.range"),
        does("a step of 200 bits", f"for i in range(0, 9, {HUGE}):\n    pass", "value.range"),
        does("a step of nothing", "for i in range(0, 9, 0):\n    pass", "value.division"),
        does("a step of nothing that is computed", "x = 5\nfor i in range(0, 9, x - 5):\n    pass", "value.division"),
        does("a range that runs the other way", "n = 0\nfor i in range(9, 0):\n    n += 1\nevent('n', n=n)", "ok"),
        does("no steps at all", "pass", OVER, steps=1),
        does("steps for the transaction and no more", "pass", OVER, steps=10),
    ),
    *attacks(
        "recursion is a loop that also takes the stack",
        does("two calls each", "x = f(50)", OVER, module=FIB),
        does("a call in a call", "x = f(1000)", "call.depth", module=DEEP),
        does("64 calls", "x = f(63)\nevent('x', x=x)", "ok", module=DEEP),
        does("65 calls", "x = f(64)", "call.depth", module=DEEP, line=7),
        does("without end", "x = f(1)", "call.depth", module="def f(n: int) -> int:\n    return f(n)"),
        does("each other", "x = even(1000)", "call.depth", module=BOTH),
        does("of a view's own function", "x = f(f(f(63)))", "ok", module=DEEP),
        does(
            "in arguments",
            "x = f(f(f(0, 1), f(1, 0)), f(f(5, 6), 7))",
            "call.depth",
            module="def f(a: int, b: int) -> int:\n    return f(b, a)",
        ),
        does(
            "many at each level",
            "x = f(60)",
            OVER,
            module="def f(n: int) -> int:\n    s = 0\n    if n > 0:\n        for i in range(1000):\n            s += f(n - 1)\n    return s",
        ),
        does(
            "with a large value at each level",
            LONG + "y = f(x, 60)",
            "ok",
            steps=100_000,
            module="def f(t: Text[0, 65536], n: int) -> int:\n    if n == 0:\n        return len(t)\n    return f(t, n - 1)",
        ),
    ),
    *attacks(
        "one step that does the work of many",
        does("looking through a list again and again", LISTS + "for i in range(999999):\n    y = 2 in x", OVER),
        does("comparing lists again and again", LISTS + "for i in range(999999):\n    y = x == x", OVER),
        does(
            "comparing texts again and again",
            LONG + "z = x + 'b'\ny = x + 'c'\nfor i in range(999999):\n    w = z == y",
            OVER,
        ),
        does(
            "ordering texts again and again",
            LONG + "z = x + 'b'\ny = x + 'c'\nfor i in range(999999):\n    w = z < y",
            OVER,
        ),
        does("text in a text", LONG + "z = x + 'b'\nfor i in range(999999):\n    w = 'b' in z", OVER),
        does(
            "a needle that nearly fits everywhere",
            LONG + "y = x[2:] + 'b' + x\nfor i in range(9999):\n    w = y in x + x",
            OVER,
        ),
        does("sorting again and again", LISTS + "for i in range(999999):\n    y = sorted(x)", OVER),
        does(
            "sorting texts that agree for long",
            LONG + "y = [x]\nfor i in range(9):\n    y = y + y\nz = sorted(y)",
            OVER,
        ),
        does(
            "sorting what is in the worst order",
            "x = [0]\nfor i in range(9999):\n    x = sorted(reversed(x) + [i])",
            OVER,
        ),
        does("adding up again and again", LISTS + "for i in range(999999):\n    y = sum(x)", OVER),
        does("reversing again and again", LISTS + "for i in range(999999):\n    y = reversed(x)", OVER),
        does("hashing again and again", LONG + "for i in range(999999):\n    y = sha256(x)", OVER),
        does("capitals again and again", LONG + "for i in range(999999):\n    y = x.upper()", OVER, steps=9_000),
        does(
            "digits again and again",
            "x = '1111111111111111'\nfor i in range(11):\n    x = x + x\nfor i in range(999999):\n    y = x.isdigit()",
            OVER,
        ),
        does("the beginning again and again", LONG + "for i in range(999999):\n    y = x.startswith(x)", OVER),
        does("the end again and again", LONG + "for i in range(999999):\n    y = x.endswith(x)", OVER),
        does("slices again and again", LONG + "for i in range(999999):\n    y = x[1:]", OVER, steps=9_000),
        does("slices of lists again and again", LISTS + "for i in range(999999):\n    y = x[1:]", OVER),
        does("keys again and again", MAP + "for i in range(999999):\n    y = m.keys()", OVER, steps=19_000),
        does("values again and again", MAP + "for i in range(999999):\n    y = m.values()", OVER, steps=19_000),
        does("maps compared again and again", MAP + "for i in range(999999):\n    y = m == m", OVER, steps=19_000),
        does(
            "a map looked up with a long key", LONG + "m = {'a': 1}\nfor i in range(999999):\n    y = m.get(x, 1)", OVER
        ),
        does("a long key that is in a map", LONG + "m = {'a': 1}\nfor i in range(999999):\n    y = x in m", OVER),
        does("appending, which copies", "x = [1]\nfor j in range(99999):\n    x.append(1)\n    x.pop(0)", OVER),
        does(
            "inserting in front",
            "x = [1]\nfor i in range(1000):\n    x.insert(0, i)\nfor i in range(99999):\n    x.pop(0)\n    x.insert(0, 1)",
            OVER,
        ),
        does(
            "splitting again and again",
            "x = 'a,'\nfor i in range(9):\n    x = x + x\nfor i in range(99999):\n    y = x.split(',')",
            OVER,
        ),
        does(
            "joining again and again",
            "x = ['a']\nfor i in range(9):\n    x = x + x\nfor i in range(99999):\n    y = ','.join(x)",
            OVER,
        ),
        does(
            "dividing money into a thousand again and again",
            "for i in range(99999):\n    y = m.split(1024)",
            OVER,
            parameters="m: Amount",
            arguments={"m": {"minor": 5, "currency": "USD"}},
            steps=9_000,
        ),
        does(
            "dividing by weights again and again",
            LISTS + "for i in range(99999):\n    y = m.split_by(x)",
            OVER,
            parameters="m: Amount",
            arguments={"m": {"minor": 5, "currency": "USD"}},
            steps=9_000,
        ),
        does(
            "256-bit products again and again",
            f"x = {2**127 - 1}\nfor i in range(99999):\n    y = x * x // x % x",
            OVER,
        ),
        does(
            "numbers to text and back again and again",
            f"x = {2**254}\nfor i in range(99999):\n    y = int(str(x))",
            OVER,
        ),
        does(
            "a list of a thousand written again and again",
            "for i in range(99999):\n    y = [" + ", ".join(["0"] * 50) + "]",
            OVER,
        ),
        does(
            "a map written again and again",
            "for i in range(99999):\n    y = {" + ", ".join(f"'{n}': 0" for n in range(20)) + "}",
            OVER,
        ),
        does(
            "`and` of many",
            "x = True\nfor i in range(99999):\n    y = x and x and x and x and x and x and x and x and x",
            OVER,
        ),
        does(
            "a rule with many values",
            "for i in range(99999):\n    require(True, 'a', a=1, b=2, c=3, d=4, e=5, f=6)",
            OVER,
        ),
        does(
            "arguments that are checked",
            LISTS + "for i in range(99999):\n    y = f(x)",
            OVER,
            module="def f(a: list[int, 1024]) -> list[int, 1024]:\n    return a",
        ),
        does("a local whose bounds are checked", LISTS + "for i in range(99999):\n    y: list[int, 1024] = x", OVER),
        does("an item assigned", LISTS + "for i in range(99999):\n    x[0] = i", OVER),
        does(
            "an item of a map in a map",
            MAP + "n = {'a': m}\nfor i in range(99999):\n    n['a']['1'] = i",
            OVER,
            steps=19_000,
        ),
        does(
            "a struct's item",
            LISTS + "p = Pair(a=x, b=x)\nfor i in range(99999):\n    p.a[5] = i",
            OVER,
            module="class Pair(Struct):\n    a: list[int, 1024]\n    b: list[int, 1024]",
        ),
    ),
    *attacks(
        "many keys of one hash make a map a list; a thousand entries are all there can be",
        does(
            "a map looked up",
            MAP + "s = 0\nfor k in m:\n    s += m[k]\nevent('s', s=s)",
            "ok",
            steps=1_000_000,
        ),
        does(
            "keys that end alike",
            "m = {'': 0}\nfor i in range(599):\n    m['aaaaaaaaaaaaaaaa' + str(i * 65536)] = i\nevent('n', n=len(m))",
            "ok",
            steps=1_000_000,
        ),
        does(
            "a map of a thousand keys, made one by one",
            "m = {'': 0}\nfor i in range(1024):\n    m[str(i)] = i",
            "value.made",
            steps=1_000_000,
        ),
    ),
    *attacks(
        "a view is work as well",
        runs("a view without end", viewing("n = 0\nfor i in range(9999999):\n    n += i\nreturn n", "int"), OVER),
        runs(
            "a view that selects without end",
            contract(
                "class T(Record, key='id'):\n    id: int\n@view\ndef go(tx) -> int:\n    n = 0\n    for i in range(99999):\n        for t in Sample.T.select(limit=1024):\n            n += 1\n    return n"
            ),
            OVER,
        ),
        runs(
            "a view that looks up without end",
            contract(
                "class T(Record, key='id'):\n    id: int\n@view\ndef go(tx) -> int:\n    n = 0\n    for i in range(99999):\n        if Sample.T.exists(1):\n            n += 1\n    return n"
            ),
            OVER,
        ),
        runs(
            "a view that looks up ever other records",
            contract(
                "class T(Record, key='id'):\n    id: int\n@view\ndef go(tx) -> int:\n    n = 0\n    for i in range(99999):\n        if Sample.T.exists(i):\n            n += 1\n    return n"
            ),
            "records.exceeded",
            Take(steps=100_000),
        ),
    ),
]
