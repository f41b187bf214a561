"""What operations give: each of the tables of `operations`, typed and run; and programs as Python would run them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.sources import action, codes, view
from tests.contracts.world import World, transaction_id

from hansa.contracts import operations, program
from hansa.contracts.operations import accepts, kind

PARAMETERS = """n: int, c: bool, s: Text[0, 99], b: Bytes[0, 99], m: Amount, g: SignedAmount, w: Date, i: Instant,
        u: Duration, l: list[int, 9], e: list[Text[0, 9], 9], d: dict[Text[0, 9], int, 9]"""
EUR = {"minor": 700, "currency": "EUR"}
DAY_MS = 86_400_000
ARGUMENTS = {
    "n": 7,
    "c": True,
    "s": "abc",
    "b": b"xyz",
    "m": EUR,
    "g": {"minor": -300, "currency": "EUR"},
    "w": "2024-02-29",
    "i": 1_700_000_000_000,
    "u": 3 * DAY_MS + 1,
    "l": [5, 6, 7],
    "e": ["b", "a"],
    "d": {"k": 1, "j": 2},
}


def eur(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "EUR"}


RESULTS = [
    # An expression, its type as it is written, its value
    ("n + 3", "int", 10),
    ("n - 10", "int", -3),
    ("n * -3", "int", -21),
    ("-n // 2", "int", -4),
    ("-n % 4", "int", 1),
    ("-(n // 2)", "int", -3),
    ("n + 3 * 2", "int", 13),
    ("n - 3 - 2", "int", 2),
    ("s + 'd'", "Text[0, 9]", "abcd"),
    ("b + b", "Bytes[0, 9]", b"xyzxyz"),
    ("l + [8]", "list[int, 9]", [5, 6, 7, 8]),
    ("m + m", "Amount", eur(1400)),
    ("m - Amount(1, 'EUR')", "Amount", eur(699)),
    ("g + g", "SignedAmount", eur(-600)),
    ("g - g", "SignedAmount", eur(0)),
    ("m + g", "SignedAmount", eur(400)),
    ("m - g", "SignedAmount", eur(1000)),
    ("g + m", "SignedAmount", eur(400)),
    ("g - m", "SignedAmount", eur(-1000)),
    ("m * 2", "Amount", eur(1400)),
    ("2 * m", "Amount", eur(1400)),
    ("g * 2", "SignedAmount", eur(-600)),
    ("2 * g", "SignedAmount", eur(-600)),
    ("-g", "SignedAmount", eur(300)),
    ("i + u", "Instant", 1_700_000_000_000 + 3 * DAY_MS + 1),
    ("i - u", "Instant", 1_700_000_000_000 - 3 * DAY_MS - 1),
    ("i - (i - u)", "Duration", 3 * DAY_MS + 1),
    ("u + u", "Duration", 6 * DAY_MS + 2),
    ("u - u", "Duration", 0),
    ("u * -2", "Duration", -6 * DAY_MS - 2),
    ("2 * u", "Duration", 6 * DAY_MS + 2),
    ("-u", "Duration", -3 * DAY_MS - 1),
    # Fields
    ("m.minor", "int", 700),
    ("g.minor", "int", -300),
    ("m.currency", "Text[0, 9]", "EUR"),
    ("g.currency", "Text[0, 9]", "EUR"),
    ("w.year", "int", 2024),
    ("w.month", "int", 2),
    ("w.day", "int", 29),
    ("w.weekday", "int", 4),
    ("i.date", "Date", "2023-11-14"),
    ("i.milliseconds", "int", 1_700_000_000_000),
    ("u.milliseconds", "int", 3 * DAY_MS + 1),
    ("u.days", "int", 3),
    ("(-u).days", "int", -4),
    # Methods
    ("s.upper()", "Text[0, 9]", "ABC"),
    ("'ÄbC'.lower()", "Text[0, 9]", "Äbc"),
    ("s.startswith('ab')", "bool", True),
    ("s.endswith('ab')", "bool", False),
    ("'12'.isdigit()", "bool", True),
    ("'a,b,,'.split(',')", "list[Text[0, 9], 9]", ["a", "b", "", ""]),
    ("', '.join(e)", "Text[0, 9]", "b, a"),
    ("b.hex()", "Text[0, 9]", "78797a"),
    ("m.times(1, 3, 'half_even')", "Amount", eur(233)),
    ("g.times(1, 7, 'floor')", "SignedAmount", eur(-43)),
    ("m.split(3)", "list[Amount, 9]", [eur(234), eur(233), eur(233)]),
    ("m.split_by(l)", "list[Amount, 9]", [eur(195), eur(233), eur(272)]),
    ("m.signed()", "SignedAmount", EUR),
    ("w.add_days(1)", "Date", "2024-03-01"),
    ("w.add_months(12)", "Date", "2025-02-28"),
    ("w.days_until(Date(2024, 3, 1))", "int", 1),
    ("w.start()", "Instant", 1_709_164_800_000),
    ("d.get('k', 9)", "int", 1),
    ("d.get('z', 9)", "int", 9),
    ("d.get('z', None)", "int | None", None),
    ("d.keys()", "list[Text[0, 9], 9]", ["j", "k"]),
    ("d.values()", "list[int, 9]", [2, 1]),
    # Functions
    ("len(s)", "int", 3),
    ("len(b)", "int", 3),
    ("len(l)", "int", 3),
    ("len(d)", "int", 2),
    ("abs(-n)", "int", 7),
    ("sum(l)", "int", 18),
    ("sum([])", "int", 0),
    ("str(-n)", "Text[0, 9]", "-7"),
    ("int('-007')", "int", -7),
    ("sha256('')", "Hash", bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")),
    ("sha256(b) == sha256('xyz')", "bool", True),
    ("Amount(7, 'EUR')", "Amount", eur(7)),
    ("SignedAmount(-7, 'EUR')", "SignedAmount", eur(-7)),
    ("Date(2024, 2, 29)", "Date", "2024-02-29"),
    ("Duration(days=1, hours=2, minutes=3, seconds=4, milliseconds=5)", "Duration", 93_784_005),
    ("Duration(hours=-1)", "Duration", -3_600_000),
    ("min(n, 3)", "int", 3),
    ("max('a', s, 'b')", "Text[0, 9]", "b"),
    ("min(m, m * 2)", "Amount", EUR),
    ("max(w, Date(2024, 1, 1))", "Date", "2024-02-29"),
    ("sorted(l + [1])", "list[int, 9]", [1, 5, 6, 7]),
    ("sorted(e)", "list[Text[0, 9], 9]", ["a", "b"]),
    ("reversed(e)", "list[Text[0, 9], 9]", ["a", "b"]),
    ("reversed([m, m * 2])", "list[Amount, 9]", [eur(1400), EUR]),
    # Items and slices
    ("l[0]", "int", 5),
    ("l[-1]", "int", 7),
    ("s[1]", "Text[0, 9]", "b"),
    ("b[1]", "int", 121),
    ("d['k']", "int", 1),
    ("[l, l][1][2]", "int", 7),
    ("s[1:]", "Text[0, 9]", "bc"),
    ("s[:-1]", "Text[0, 9]", "ab"),
    ("b[1:2]", "Bytes[0, 9]", b"y"),
    ("l[-2:99]", "list[int, 9]", [6, 7]),
    ("l[2:1]", "list[int, 9]", []),
    # Comparisons
    ("n < 7 or n >= 8", "bool", False),
    ("n <= 7 and n > 6", "bool", True),
    ("'Z' < 'a' and 'a' < 'aa'", "bool", True),
    ("b < b + b", "bool", True),
    ("m > g and g <= m", "bool", True),
    ("w < w.add_days(1)", "bool", True),
    ("m == g", "bool", False),
    ("m == m.signed()", "bool", True),
    ("l == [5, 6, 7]", "bool", True),
    ("d == {'k': 1, 'j': 2}", "bool", True),
    ("d != {'k': 1, 'j': 3}", "bool", True),
    ("None == tx.user", "bool", False),
    ("5 in l and 8 not in l", "bool", True),
    ("'bc' in s", "bool", True),
    ("'k' in d", "bool", True),
    ("tx.user in [None]", "bool", False),
    ("tx.caller in [None]", "bool", True),
    ("not c or c and c", "bool", True),
    ("n if c else 1 // 0", "int", 7),
    ("not c and 1 // 0 == 1", "bool", False),
    ("{'b': 1, 'a': 2, 'b': 3}", "dict[Text[0, 9], int, 9]", {"a": 2, "b": 3}),
    ("0xff + 1_000", "int", 1_255),
    ("tx.member", "Party", "alice"),
    ("tx.user", "User | None", "alice/ann"),
    ("tx.id", "Hash", transaction_id(1)),
    ("tx.time", "Instant", 1_700_000_000_000),
    ("tx.date", "Date", "2023-11-14"),
    ("tx.caller", "Text[0, 9] | None", None),
]


@pytest.mark.parametrize(("expression", "type_", "value"), RESULTS, ids=[text for text, *_ in RESULTS])
def test_an_expression_has_its_type_and_value(expression: str, type_: str, value: Any) -> None:
    world = World()
    source = view(f"x = {expression}\nreturn x", type_, PARAMETERS)
    loaded = world.deploy("sample", source)
    variable = loaded.checked.bodies["go"].body[0].targets[0]  # type: ignore[attr-defined]
    want = loaded.manifest.views["go"].returns
    assert want is not None
    assert accepts(want, loaded.checked.types[variable]), "as the checker has it"
    ran = world.run(world.call("sample", "go", ARGUMENTS, user="alice/ann"))
    assert (ran.code, ran.result) == ("ok", value)
    assert type(ran.result) is type(value)


def test_the_tables_are_all_tried() -> None:
    """Each row of the tables of operations is among the expressions here, by what the checker wrote down."""
    tried: set[object] = set()
    for expression, type_, _ in RESULTS:
        checked = program.check(view(f"x = {expression}\nreturn x", type_, PARAMETERS), "sample")
        tried |= {row for node in checked.types for row in _rows(node, checked.types)}
    rows = {*operations.BINARY, *operations.ATTRIBUTES, *operations.METHODS, *_flat(operations.FUNCTIONS)}
    system = {
        ("contract_version", "text", "text"),
        ("library_digest", "text", "text"),
        ("key_id", "bytes"),
        ("member_id", "party"),
    }
    assert rows - tried == system


def _flat(functions: Any) -> set[tuple[str, ...]]:
    return {(name, *("list" if word == "ints" else word for word in takes)) for name, takes in functions}


def _rows(node: Any, types: Any) -> set[tuple[str, ...]]:
    """What a node uses of the tables."""
    name = type(node).__name__
    if name == "BinOp":
        symbol = {"Add": "+", "Sub": "-", "Mult": "*", "FloorDiv": "//", "Mod": "%"}[type(node.op).__name__]
        return {(symbol, kind(types[node.left]), kind(types[node.right]))}
    if name == "Attribute" and node.value in types:
        return {(kind(types[node.value]), node.attr)}
    if name == "Call" and type(node.func).__name__ == "Attribute":
        return {(kind(types[node.func.value]), node.func.attr)}
    if name == "Call":
        return {(node.func.id, *(kind(types[argument]) for argument in node.args))}
    return set()


FAULTS = [
    ("n // 0", "value.division"),
    ("n % (n - 7)", "value.division"),
    ("l[3]", "index.range"),
    ("l[-4]", "index.range"),
    ("s[3]", "index.range"),
    ("b[-4]", "index.range"),
    ("d['z']", "key.missing"),
    ("m - m * 2", "value.range"),
    ("m + Amount(1, 'USD')", "value.currency"),
    ("m < Amount(1, 'USD')", "value.currency"),
    ("max(m, Amount(1, 'USD'))", "value.currency"),
    ("Amount(-1, 'EUR')", "value.range"),
    ("Amount(1, s)", "value.currency"),
    ("Date(2023, 2, 29)", "value.range"),
    ("w.add_months(120000)", "value.range"),
    ("Date(1969, 12, 31).start()", "value.range"),
    ("i + u * 999999", "value.range"),
    ("u * 999999999", "value.range"),
    ("int(s)", "value.form"),
    ("s.split('')", "value.form"),
    ("m.split(0)", "value.range"),
    ("m.split_by([])", "value.range"),
    ("m.times(1, 0, 'up')", "value.range"),
    (f"n * {2**255 - 1}", "value.range"),
    ("'a' if tx.caller == None and tx.caller < 'b' else s", "value.none"),
    ("len(tx.caller)", "value.none"),
    ("tx.caller in s", "value.none"),
    ("tx.caller in d", "value.none"),
    ("s + tx.caller", "value.none"),
]


@pytest.mark.parametrize(("expression", "code"), FAULTS)
def test_a_fault_ends_the_action_at_its_line(expression: str, code: str) -> None:
    source = action(f"event('first')\nevent('e', v={expression})", PARAMETERS)
    world = World()
    world.deploy("sample", source)
    ran = world.run(world.call("sample", "go", ARGUMENTS))
    line = source.split("\n").index(f"        event('e', v={expression})") + 1
    assert (ran.code, ran.result["line"], ran.events) == (code, line, [])
    assert set(ran.result) <= {"line", "values", "message", "version", "contract"}
    assert (ran.result["version"], ran.result["contract"]) == ("1.0.0", "sample")


STATEMENTS = [
    ("x = 1\nx += n\nx *= 2\nx -= 1\nx //= 2\nx %= 4", {"x": 3}),
    ("x = l\nx += [8]\ny = l", {"x": [5, 6, 7, 8], "y": [5, 6, 7]}),
    ("x = l\ny = x\nx.append(8)\nx[0] = 4\nx.insert(1, 9)\nx.pop(-2)", {"x": [4, 9, 6, 8], "y": [5, 6, 7]}),
    ("x = [[1], [2]]\ny = x[0]\nx[0].append(3)\nx[1][0] += 5", {"x": [[1, 3], [7]], "y": [1]}),
    ("x = d\nx['a'] = 3\nx['k'] += 1\nx.pop('j')\ny = d", {"x": {"a": 3, "k": 2}, "y": {"j": 2, "k": 1}}),
    ("x = {}\nx['b'] = [1]\nx['a'] = [2]\nx['b'].append(3)", {"x": {"a": [2], "b": [1, 3]}}),
    ("x = 0\nfor j in l:\n    x += j", {"x": 18}),
    ("x = []\nfor j in range(5, 1, -2):\n    x.append(j)", {"x": [5, 3]}),
    ("x = []\nfor j in d:\n    x.append(j)", {"x": ["j", "k"]}),
    ("x = []\nfor j, h in d.items():\n    x.append(j + str(h))", {"x": ["j2", "k1"]}),
    ("x = []\nfor j, h in enumerate(e):\n    x.append(h + str(j))", {"x": ["b0", "a1"]}),
    ("x = []\nfor j, h in zip(l, e):\n    x.append(h + str(j))", {"x": ["b5", "a6"]}),
    (
        "x = []\nfor j in range(9):\n    if j == 1:\n        continue\n    if j == 3:\n        break\n    x.append(j)",
        {"x": [0, 2]},
    ),
    ("x = 0\nfor j in range(3):\n    j = 7\n    x += j", {"x": 21}),
    ("if not c:\n    x = 1\nelif c:\n    x = 2\nelse:\n    x = 3", {"x": 2}),
    ("x = 1\nif c:\n    pass\nelse:\n    x = 2", {"x": 1}),
]


@pytest.mark.parametrize(("body", "values"), STATEMENTS)
def test_statements(body: str, values: dict[str, Any]) -> None:
    world = World()
    world.deploy("sample", action(f"{body}\nevent('e', {', '.join(f'{name}={name}' for name in values)})", PARAMETERS))
    ran = world.run(world.call("sample", "go", ARGUMENTS))
    assert (ran.code, ran.events) == ("ok", [{"data": values, "name": "e"}])


# Generated programs, run both ways

EXAMPLES = settings(max_examples=60)
PLAIN = {"__builtins__": {"abs": abs, "len": len, "max": max, "min": min, "range": range, "sum": sum, "sorted": sorted}}
OF_PYTHON = {ZeroDivisionError: "value.division", IndexError: "index.range"}

# A dozen numbers of 16 bits keep within 256 bits whatever is done with them.
NUMBERS = st.integers(-(2**16), 2**16).map(lambda n: f"({n})" if n < 0 else str(n)) | st.sampled_from(["a", "b"])
BOOLEANS = st.sampled_from(["c", "d", "1 == 1", "a == 2"]).map(lambda text: f"({text})")
LISTS = st.sampled_from(["l", "[7]", "[1, 2]"])


def numbers(depth: int) -> st.SearchStrategy[str]:
    """An expression that is a number."""
    if not depth:
        return NUMBERS
    part, condition, items = numbers(depth - 1), booleans(depth - 1), lists(depth - 1)
    return st.one_of(
        NUMBERS,
        st.builds("({} {} {})".format, part, st.sampled_from(["+", "-", "*", "//", "%"]), part),
        st.builds("(-{})".format, part),
        st.builds("abs({})".format, part),
        st.builds("{}({}, {})".format, st.sampled_from(["min", "max"]), part, part),
        st.builds("({} if {} else {})".format, part, condition, part),
        st.builds("{}({})".format, st.sampled_from(["len", "sum"]), items),
        st.builds("{}[{}]".format, items, part),
    )


def booleans(depth: int) -> st.SearchStrategy[str]:
    """An expression that is a boolean."""
    if not depth:
        return BOOLEANS
    part, number, items = booleans(depth - 1), numbers(depth - 1), lists(depth - 1)
    return st.one_of(
        BOOLEANS,
        st.builds("({} {} {})".format, number, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), number),
        st.builds("({} {} {})".format, part, st.sampled_from(["and", "or", "==", "!="]), part),
        st.builds("(not {})".format, part),
        st.builds("({} {} {})".format, items, st.sampled_from(["==", "!="]), items),
        st.builds("({} {} {})".format, number, st.sampled_from(["in", "not in"]), items),
    )


def lists(depth: int) -> st.SearchStrategy[str]:
    """An expression that is a list of numbers."""
    if not depth:
        return LISTS
    number, items = numbers(depth - 1), lists(depth - 1)
    return st.one_of(
        LISTS,
        st.builds("[{}, {}]".format, number, number),
        st.builds("({} + {})".format, items, items),
        st.builds("sorted({})".format, items),
        st.builds("{}[{}:{}]".format, items, NUMBERS, NUMBERS),
        st.builds("({} if {} else {})".format, items, booleans(depth - 1), items),
    )


SMALL = st.integers(-100, 100)
GIVEN = st.fixed_dictionaries(
    {"a0": SMALL, "b0": SMALL, "c0": st.booleans(), "d0": st.booleans(), "l0": st.lists(SMALL, max_size=5)}
)
HEAD = "a = a0\nb = b0\nc = c0\nd = d0\nl = l0\n"
GIVEN_AS = "a0: int, b0: int, c0: bool, d0: bool, l0: list[int, 5]"


def by_python(body: str, names: dict[str, Any]) -> dict[str, Any] | str:
    """The variables after a body, or the code of what went wrong. Lists are values, so none is changed in place."""
    inside = dict(names)
    try:
        exec(
            body.replace("l += [", "l = l + [").replace("l.append(", "l = l + list_of("),
            {**PLAIN, "list_of": lambda x: [x]},
            inside,
        )
    except (ZeroDivisionError, IndexError) as error:
        return OF_PYTHON[type(error)]
    return inside


def by_contract(body: str, told: str, names: dict[str, Any]) -> dict[str, Any] | str:
    world = World()
    world.deploy("sample", action(f"{body}\nevent('e', {told})", GIVEN_AS))
    ran = world.run(world.call("sample", "go", names))
    return ran.events[0]["data"] if ran.code == "ok" else ran.code


@EXAMPLES
@given(expression=numbers(3) | booleans(3) | lists(3), names=GIVEN)
def test_expressions_give_what_python_gives(expression: str, names: dict[str, Any]) -> None:
    body = f"{HEAD}x = (\n{expression}\n)"
    found, expected = by_contract(body, "x=x", names), by_python(body, names)
    if isinstance(expected, str):
        assert found == expected
    elif fits(expected["x"]):
        assert found == {"x": expected["x"]}
        assert type(found["x"]) is type(expected["x"])
    else:
        assert found == "value.range"


def fits(value: Any) -> bool:
    """Whether a value may leave the contract."""
    if isinstance(value, list):
        return all(fits(item) for item in value)
    return -(2**63) <= value < 2**63


def indented(lines: list[str]) -> str:
    return "\n".join("    " + line for text in lines for line in text.split("\n"))


ASSIGNMENTS = st.one_of(
    st.builds("{} = {} % 1000003".format, st.sampled_from(["a", "b"]), numbers(1)),
    st.builds("a {}= {}\na %= 1000003".format, st.sampled_from("+-*"), numbers(1)),
    st.builds("{} = {}".format, st.sampled_from(["c", "d"]), booleans(1)),
    st.builds("l = [{}, {}]".format, numbers(1), numbers(1)),
    st.builds("l += [{}]".format, numbers(1)),
    st.builds("l.append({})".format, numbers(1)),
    st.builds("k = l\nl = l + [{}]\na = len(k)".format, numbers(1)),
)
STATEMENT = st.recursive(
    ASSIGNMENTS,
    lambda inner: st.one_of(
        st.builds(lambda c, t: f"if {c}:\n{indented(t)}", booleans(1), st.lists(inner, min_size=1, max_size=2)),
        st.builds(
            lambda c, t, e: f"if {c}:\n{indented(t)}\nelse:\n{indented(e)}",
            booleans(1),
            st.lists(inner, min_size=1, max_size=2),
            st.lists(inner, min_size=1, max_size=2),
        ),
        st.builds(
            lambda n, t, c: f"for i in range({n}):\n{indented(t)}\n    if {c}:\n        break",
            st.integers(0, 3),
            st.lists(inner, min_size=1, max_size=2),
            booleans(1),
        ),
        st.builds(lambda t: f"for j in [1, 2]:\n{indented(t)}\n    b = j", st.lists(inner, min_size=1, max_size=1)),
    ),
    max_leaves=5,
)


@EXAMPLES
@given(statements=st.lists(STATEMENT, min_size=1, max_size=4), names=GIVEN)
def test_programs_leave_what_python_leaves(statements: list[str], names: dict[str, Any]) -> None:
    body = HEAD + "\n".join(statements)
    found = by_contract(body, "a=a, b=b, c=c, d=d, l=l", names)
    if found in ("steps.exceeded", "value.size", "value.range", "output.events"):
        return  # a bound of the dialect; Python has none
    expected = by_python(body, names)
    assert found == (expected if isinstance(expected, str) else {name: expected[name] for name in "abcdl"})


OPERATORS = ["+", "-", "*", "//", "%", "==", "!=", "<", "<=", ">", ">=", "in"]

# Anything that the grammar allows, types mixed: the checker refuses it, or it ends in the dialect's words.
ANYTHING = st.recursive(
    st.sampled_from(["n", "c", "l", "s", "m", "g", "w", "d", "tx.member", "tx.user", "tx.time", "1", "'x'", "None"]),
    lambda part: st.one_of(
        st.builds("({} {} {})".format, part, st.sampled_from(OPERATORS), part),
        st.builds("({} {} {})".format, part, st.sampled_from(["and", "or", "not in"]), part),
        st.builds("({} is {} None)".format, part, st.sampled_from(["", "not"])),
        st.builds("(-{})".format, part),
        st.builds("(not {})".format, part),
        st.builds("({} if {} else {})".format, part, part, part),
        st.builds("[{}, {}]".format, part, part),
        st.builds("{{'a': {}}}".format, part),
        st.builds("{}[{}]".format, part, part),
        st.builds("{}[{}:]".format, part, part),
        st.builds("{}({})".format, st.sampled_from(["len", "abs", "sorted", "sum", "str", "int"]), part),
        st.builds("{}({}, {})".format, st.sampled_from(["min", "max", "Amount"]), part, part),
        st.builds("({}).{}".format, part, st.sampled_from(["minor", "currency", "year", "upper()", "keys()"])),
    ),
    max_leaves=4,
)
CODES = {code for _, code in FAULTS} | {"ok", "require.failed", "value.size", "output.events"}


@settings(max_examples=150)
@given(left=ANYTHING, right=ANYTHING)
def test_anything_is_refused_or_ends_in_the_dialects_words(left: str, right: str) -> None:
    source = action(f"x = (\n{left}\n)\ny = (\n{right}\n)\nevent('e', x=x, y=y)", PARAMETERS)
    if codes(source):
        return
    world = World()
    world.deploy("sample", source)
    assert world.run(world.call("sample", "go", ARGUMENTS), steps=5_000).code in CODES
