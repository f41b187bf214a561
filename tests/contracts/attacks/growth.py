"""Memory: what is made is bounded and paid for, however it is shared, and nothing large leaves."""

from tests.contracts.attacks.attack import Take, attacks, contract, does, runs, viewing
from tests.contracts.attacks.work import LISTS, LONG, MAP, OVER

ENOUGH = 1_000_000
THING = "class Thing(Record, key='id'):\n    id: Int[0, 9999]\n    text: Text[0, 65536] = ''\n    words: list[Text[0, 65536], 1024] = []\n    deep: list[list[Text[0, 65536], 1024], 1024] = []"
MAKING = f"{THING}\n@action(by='member', creates='Thing')\ndef make(tx, t: Thing, id: Int[0, 9999]):\n    pass\n"
WORDS = LONG + "w = [x]\nfor i in range(10):\n    w = w + w\n"
"""1,024 times the same text of 32,768 characters: 32 MiB for who writes it out."""
NESTED = WORDS + "d = [w]\nfor i in range(10):\n    d = d + d\n"
"""1,048,576 times: 32 GiB."""
PAIR = "class Pair(Struct):\n    a: Text[0, 65536]\n    b: list[Text[0, 65536], 1024]"


def _with_thing(body: str) -> str:
    lines = "\n".join("    " + line for line in body.split("\n"))
    return contract(f"{MAKING}@action(by='member')\ndef go(tx, t: Thing):\n{lines}")


MADE = Take("make", {"id": 1})
GO = Take("go", {"t": 1}, steps=ENOUGH)

BOMB = "".join(
    f"{name} = {first}\nfor i in range(10):\n    {name} = {name} + {name}\n"
    for name, first in zip("abcd", ("[1]", "[a]", "[b]", "[c]"), strict=True)
)
BOMB_TYPE = "list[list[list[list[int, 1024], 1024], 1024], 1024]"
"""A million million numbers, made in seven hundred steps."""


def _within(lines: str, depth: int) -> str:
    return "\n".join("    " * depth + line for line in lines.split("\n"))


GROWTH = [
    *attacks(
        "what doubles is large after thirty rounds",
        does("text", "x = 'aaaaaaaaaaaaaaaa'\nfor i in range(64):\n    x = x + x", "value.size"),
        does("text added to", "x = 'aaaaaaaaaaaaaaaa'\nfor i in range(64):\n    x += x", "value.size"),
        does("a list", "x = [1, 2]\nfor i in range(64):\n    x = x + x", "value.size"),
        does(
            "bytes",
            "x = a\nfor i in range(64):\n    x = x + x",
            "value.size",
            parameters="a: Bytes[1, 9]",
            arguments={"a": b"abc"},
        ),
        does("hashes", "x = sha256('a') + sha256('b')\nfor i in range(64):\n    x = x + x", "value.size"),
        does("text by joining", "x = 'aaaaaaaa'\nfor i in range(64):\n    x = ','.join([x, x])", "value.size"),
        does("text by joining a thousand", WORDS + "y = ''.join(w)", "value.size"),
        does("text by what joins", LONG + "y = x.join(['a', 'b', 'c', 'd'])", "value.size"),
        does("a list by splitting", "x = 'a,'\nfor i in range(11):\n    x = x + x\ny = x.split(',')", "value.size"),
        does("a list by appending", "x = [1]\nfor i in range(9999):\n    x.append(i)", "value.size", steps=ENOUGH),
        does("a list by inserting", "x = [1]\nfor i in range(9999):\n    x.insert(0, i)", "value.size", steps=ENOUGH),
        does(
            "a map by one key more",
            "y = x\ny['new'] = 1",
            "value.size",
            parameters="x: dict[Text[0, 9], int, 1024]",
            arguments={"x": {str(n): n for n in range(1024)}},
        ),
        does(
            "hexadecimal",
            "x = a\nfor i in range(12):\n    x = x + x\ny = x.hex() + x.hex() + x.hex() + x.hex()",
            "value.size",
            parameters="a: Bytes[9, 9]",
            arguments={"a": b"abcdefghi"},
        ),
        does("a number", "x = 3\nfor i in range(64):\n    x = x * x", "value.range"),
        does("a negative number", "x = -3\nfor i in range(64):\n    x = -(x * x)", "value.range"),
        does("a number by adding", f"x = {2**255 - 1}\nx += 1", "value.range"),
        does("a number by subtracting", f"x = -{2**255 - 1}\nx -= 1", "value.range"),
        does("a number by minus", f"x = -{2**255 - 1}\nx = -x\nx += 1", "value.range"),
        does("a sum", f"x = sum([{2**255 - 1}, 1, -1])", "value.range"),
        does("factorial", "x = 1\nfor i in range(1, 99):\n    x *= i", "value.range"),
        does(
            "money",
            "x = m\nfor i in range(64):\n    x = x + x",
            "value.range",
            parameters="m: Amount",
            arguments={"m": {"minor": 5, "currency": "USD"}},
        ),
        does("a length of time", "x = Duration(days=1)\nfor i in range(64):\n    x = x + x", "value.range"),
    ),
    *attacks(
        "many values, each of them allowed",
        does(
            "texts kept in a list",
            LONG + "y = [x]\nfor i in range(1000):\n    y.append(x + str(i))",
            "value.made",
            steps=ENOUGH,
        ),
        does(
            "texts kept in a map",
            LONG + "y = {'': x}\nfor i in range(1000):\n    y[str(i)] = x + str(i)",
            "value.made",
            steps=ENOUGH,
        ),
        does("texts thrown away", LONG + "for i in range(99999):\n    y = x + 'b'", "value.made", steps=ENOUGH),
        does(
            "lists kept in lists",
            LISTS + "y = [x]\nfor i in range(1000):\n    z = x[0:1023]\n    z.append(i)\n    y.append(z)",
            "value.made",
            steps=ENOUGH,
        ),
        does(
            "maps kept in a list",
            MAP + "y = [m]\nfor i in range(1000):\n    m['1'] = i\n    y.append(m)",
            "value.made",
            steps=ENOUGH,
        ),
        does(
            "structs kept in a list",
            LONG + "y = [Pair(a=x, b=[x])]\nfor i in range(1000):\n    y.append(Pair(a=x + str(i), b=[x]))",
            "value.made",
            steps=ENOUGH,
            module=PAIR,
        ),
        does("capitals", LONG + "for i in range(99999):\n    y = x.upper()", "value.made", steps=ENOUGH),
        does("slices", LONG + "for i in range(99999):\n    y = x[1:]", "value.made", steps=ENOUGH),
        does("sorted lists", LISTS + "for i in range(99999):\n    y = sorted(x)", "value.made", steps=100_000_000),
        does(
            "in a function at every level",
            LONG + "y = f(x, 62)",
            "ok",
            steps=ENOUGH,
            module="def f(t: Text[0, 65536], n: int) -> int:\n    mine = t[n:]\n    if n == 0:\n        return len(mine)\n    return f(mine, n - 1)",
        ),
        does(
            "numbers of 256 bits in lists",
            f"y = [{2**254}]\nfor i in range(1000):\n    y.append(i * {2**240})\nz = [y]\nfor i in range(1000):\n    w: list[int, 1024] = []\n    for v in y:\n        w.append(v + i)\n    z.append(w)",
            "value.made",
            steps=100_000_000,
        ),
        does(
            "split into texts",
            "x = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,'\nfor i in range(9):\n    x = x + x\ny = [x.split(',')]\nfor i in range(1000):\n    y.append(x.split(','))",
            "value.made",
            steps=ENOUGH,
        ),
    ),
    *attacks(
        "a value that is small by sharing is large for who writes it out, compares it or checks it",
        does("an event of a thousand texts", WORDS + "event('e', w=w)", "output.events", steps=ENOUGH),
        does("an event of a million texts", NESTED + "event('e', d=d)", "output.events", steps=100_000_000),
        does("a refusal of a thousand texts", WORDS + "require(False, 'no', w=w)", "value.size", steps=ENOUGH),
        does("a refusal of a million texts", NESTED + "require(False, 'no', d=d)", "value.size", steps=100_000_000),
        does("a refusal of one text", LONG + "require(False, 'no', x=x)", "value.size"),
        does("a refusal of a long name", "require(False, 'no', " + "a" * 48 + "=1)", "require.failed"),
        does("comparing a million texts", NESTED + "y = d == d", OVER, steps=100_000),
        does(
            "comparing lists of lists",
            "x = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\ny = [x, x, x, x, x, x, x, x, x, x]\nz = [y, y, y, y, y, y, y, y, y, y]\nw = [z, z, z, z, z, z, z, z, z, z]\nfor i in range(99):\n    b = w == w",
            OVER,
            steps=100_000,
        ),
        does("looking for a list in a list", NESTED + "y = w in d", OVER, steps=100_000),
        runs("storing a thousand texts", _with_thing(WORDS + "t.words = w"), "output.stored", MADE, GO),
        runs(
            "storing a million texts",
            _with_thing(NESTED + "t.deep = d"),
            "output.stored",
            MADE,
            Take("go", {"t": 1}, steps=100_000_000),
        ),
        runs(
            "returning a thousand texts",
            viewing(WORDS + "return w", "list[Text[0, 65536], 1024]"),
            "output.result",
            Take(steps=ENOUGH),
        ),
        runs(
            "returning a million texts",
            viewing(NESTED + "return d", "list[list[Text[0, 65536], 1024], 1024]"),
            "output.result",
            Take(steps=100_000_000),
        ),
        does(
            "passing a million texts",
            NESTED + "y = f(d)",
            OVER,
            steps=100_000,
            module="def f(d: list[list[Text[0, 65536], 1024], 1024]) -> int:\n    return len(d)",
        ),
        runs("a record's list compared with itself", _with_thing(WORDS + "y = t.words == w"), "ok", MADE, GO),
    ),
    *attacks(
        "a thousand references to a thousand references to ...: whoever walks it before it is paid for never comes back",
        does("a deep bomb as an annotated local", BOMB + f"z: {BOMB_TYPE} = d", OVER, steps=100_000),
        does(
            "a deep bomb as an argument",
            BOMB + "z = f(d)",
            OVER,
            steps=100_000,
            module=f"def f(q: {BOMB_TYPE}) -> int:\n    return 1",
        ),
        does(
            "a deep bomb in a struct",
            BOMB + "z = P(q=d)",
            OVER,
            steps=100_000,
            module=f"class P(Struct):\n    q: {BOMB_TYPE}",
        ),
        does(
            "a deep bomb in a field of a struct",
            BOMB + "z = P()\nz.q = d",
            OVER,
            steps=100_000,
            module=f"class P(Struct):\n    q: {BOMB_TYPE} = []",
        ),
        does(
            "a deep bomb for another contract",
            BOMB + "There.f(q=d)",
            OVER,
            steps=100_000,
            module=f"class There(Interface, contract='there'):\n    @action\n    def f(tx, q: {BOMB_TYPE}): ...",
        ),
        does("a deep bomb in an event", BOMB + "event('e', q=d)", "output.events", steps=100_000),
        does("a deep bomb in a refusal", BOMB + "require(False, 'e', q=d)", "value.size", steps=100_000),
        does("a deep bomb compared", BOMB + "z = d == d", OVER, steps=100_000),
        does("a deep bomb looked for", BOMB + "z = d in [d]", OVER, steps=100_000),
        runs("a deep bomb returned", viewing(BOMB + "return d", BOMB_TYPE), OVER, Take(steps=100_000)),
        runs(
            "a deep bomb returned by a function",
            viewing(
                "return len(f(1))", "int", module=f"def f(n: int) -> {BOMB_TYPE}:\n" + _within(BOMB + "return d", 1)
            ),
            OVER,
            Take(steps=100_000),
        ),
        runs(
            "a deep bomb as a record's field",
            contract(
                f"class T(Record, key='id'):\n    id: int\n    q: {BOMB_TYPE} = []\n@action(by='member', creates='T')\ndef go(tx, t: T, id: int):\n"
                + _within(BOMB + "t.q = d", 1)
            ),
            OVER,
            Take(arguments={"id": 1}, steps=100_000),
        ),
        runs(
            "a deep bomb in a new record",
            contract(
                f"class T(Record, key='id'):\n    id: int\n    q: {BOMB_TYPE} = []\n@action(by='member')\ndef go(tx):\n"
                + _within(BOMB + "t = Sample.T.create(id=1, q=d)", 1)
            ),
            OVER,
            Take(steps=100_000),
        ),
        runs(
            "a selection again and again after many records were made",
            contract(
                f"{THING}\n@action(by='member')\ndef go(tx):\n    for i in range(500):\n        t = Sample.Thing.create(id=i)\n    for i in range(99999):\n        for u in Sample.Thing.select(limit=1):\n            pass"
            ),
            OVER,
            Take(steps=50_000),
        ),
        does(
            "weights again and again",
            "x = [1]\nfor i in range(10):\n    x = x + x\nfor i in range(99999):\n    y = m.split_by(x)",
            OVER,
            parameters="m: Amount",
            arguments={"m": {"minor": 5, "currency": "USD"}},
            steps=50_000,
        ),
    ),
    *attacks(
        "a transaction that writes more than anyone wants to keep",
        does("sixty-five events", "for i in range(65):\n    event('e')", "output.events", line=8),
        does("sixty-four events", "for i in range(64):\n    event('e')", "ok"),
        does("a large event", LONG + "event('e', x=x + x)", "output.events"),
        does("large events together", LONG + "for i in range(3):\n    event('e', x=x)", "output.events"),
        does(
            "long names of events",
            "for i in range(64):\n    event('''" + "\n".join(["x" * 100] * 100) + "''')",
            "output.events",
        ),
        does("an event of a number beyond 64 bits", f"event('e', x={2**63})", "value.range"),
        does("an event of a number below 64 bits", f"event('e', x=-{2**63} - 1)", "value.range"),
        does("an event of a number beyond 64 bits in a list", f"event('e', x=[1, {2**63}])", "value.range"),
        does("a refusal of a number beyond 64 bits", f"require(False, 'no', x={2**63})", "value.range"),
        runs("a view of a number beyond 64 bits", viewing(f"return {2**63 - 1} + 1", "int"), "value.bounds"),
        does("a word of Python as a name in an event", "event('e', match=1, type=2, case=3)", "ok"),
        runs(
            "a record that is too large",
            contract(
                f"{MAKING}@action(by='member')\ndef go(tx, t: Thing):\n"
                + "\n".join("    " + line for line in (LONG + "for i in range(31):\n    t.words.append(x)").split("\n"))
            ),
            "ok",
            MADE,
            GO,
        ),
        runs(
            "records that are too large together",
            contract(
                f"{THING}\n@action(by='member')\ndef go(tx):\n"
                + "\n".join(
                    "    " + line
                    for line in (LONG + "for i in range(40):\n    t = Sample.Thing.create(id=i, text=x)").split("\n")
                )
            ),
            "output.stored",
            Take(steps=ENOUGH),
        ),
        runs(
            "a thousand records",
            contract(
                f"{THING}\n@action(by='member')\ndef go(tx):\n    for i in range(1024):\n        t = Sample.Thing.create(id=i)"
            ),
            "ok",
            Take(steps=ENOUGH),
        ),
        runs(
            "a thousand and one records",
            contract(
                f"{THING}\n@action(by='member')\ndef go(tx):\n    for i in range(1025):\n        t = Sample.Thing.create(id=i)"
            ),
            "records.exceeded",
            Take(steps=ENOUGH),
        ),
        runs(
            "a thousand and one that are not there",
            contract(
                f"{THING}\n@action(by='member')\ndef go(tx):\n    for i in range(1025):\n        require(not Sample.Thing.exists(i), 'no')"
            ),
            "records.exceeded",
            Take(steps=ENOUGH),
        ),
        runs(
            "records without the steps",
            contract(
                f"{THING}\n@action(by='member')\ndef go(tx):\n    for i in range(1024):\n        t = Sample.Thing.create(id=i)"
            ),
            OVER,
        ),
        runs(
            "one record over and over",
            contract(
                f"{THING}\n@action(by='member')\ndef go(tx):\n    for i in range(99999):\n        t = Sample.Thing.find(1)"
            ),
            OVER,
        ),
        runs(
            "one record written over and over",
            _with_thing("for i in range(99999):\n    t.text = 'a'"),
            OVER,
            MADE,
            Take("go", {"t": 1}),
        ),
        runs(
            "one record selected over and over",
            _with_thing("for i in range(99999):\n    for u in Sample.Thing.select(limit=1024):\n        pass"),
            OVER,
            MADE,
            Take("go", {"t": 1}),
        ),
        runs(
            "a selection of too many",
            _with_thing("for u in Sample.Thing.select(limit=t.id + 1024):\n    pass"),
            "value.range",
            MADE,
            GO,
        ),
        runs(
            "a selection of none",
            _with_thing("for u in Sample.Thing.select(limit=t.id - 1):\n    pass"),
            "value.range",
            MADE,
            GO,
        ),
        runs(
            "a selection of less than none",
            _with_thing("for u in Sample.Thing.select(limit=-t.id):\n    pass"),
            "value.range",
            MADE,
            GO,
        ),
        runs(
            "a selection of 200 bits",
            _with_thing(f"for u in Sample.Thing.select(limit=t.id * {2**200}):\n    pass"),
            "value.range",
            MADE,
            GO,
        ),
        runs(
            "a selection between bounds the wrong way",
            _with_thing("for u in Sample.Thing.select(by='id', least=9, most=1, limit=9):\n    require(False, 'no')"),
            "ok",
            MADE,
            GO,
        ),
        runs(
            "a selection that makes what it would find next",
            _with_thing("for u in Sample.Thing.select(limit=1024):\n    n = Sample.Thing.create(id=u.id + 1)"),
            "ok",
            MADE,
            GO,
        ),
        runs(
            "a selection in a selection",
            _with_thing(
                "for a in Sample.Thing.select(limit=9):\n    for b in Sample.Thing.select(limit=9):\n        for c in Sample.Thing.select(limit=9):\n            event('e')"
            ),
            "ok",
            MADE,
            GO,
        ),
    ),
]
