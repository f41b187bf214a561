"""Guarded code gives what Python gives: generated programs run both ways, and nothing is ever internal."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXAMPLES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)

PLAIN = {"__builtins__": {"abs": abs, "len": len, "max": max, "min": min, "range": range}}
OF_PYTHON = {ZeroDivisionError: "value.division", IndexError: "index.range"}

# Expressions of one type each, so that Python and the dialect mean the same. A dozen numbers of 16 bits keep within
# 256 bits whatever is done with them.
NUMBERS = st.integers(-(2**16), 2**16).map(lambda n: f"({n})" if n < 0 else str(n)) | st.sampled_from(["a", "b"])
BOOLEANS = st.sampled_from(["c", "d", "1 == 1", "a == 2"]).map(lambda text: f"({text})")
LISTS = st.sampled_from(["l", "[]", "[1, 2]"])


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
        st.builds("len({})".format, items),
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
        st.builds("({} if {} else {})".format, items, booleans(depth - 1), items),
    )


def by_python(body: str, names: dict[str, Any]) -> dict[str, Any] | str:
    """The variables after a body, or the code of what went wrong. Lists are values, so none is changed in place."""
    inside = dict(names)
    try:
        exec(body.replace("l += [", "l = l + ["), dict(PLAIN), inside)
    except (ZeroDivisionError, IndexError) as error:
        return OF_PYTHON[type(error)]
    return inside


def by_contract(body: str, names: dict[str, Any], source: str, bench: type) -> dict[str, Any] | str:
    ran = bench(source).run(arguments=names)
    if ran.code == "ok":
        return ran.events[0]["data"]
    return ran.code


SMALL = st.integers(-100, 100)
GIVEN = st.fixed_dictionaries(
    {"a0": SMALL, "b0": SMALL, "c0": st.booleans(), "d0": st.booleans(), "l0": st.lists(SMALL, max_size=5)}
)
HEAD = "a = a0\nb = b0\nc = c0\nd = d0\nl = l0\n"
PARAMETERS = "a0: int, b0: int, c0: bool, d0: bool, l0: list[int, 5]"


@EXAMPLES
@given(expression=numbers(3) | booleans(3) | lists(3), names=GIVEN)
def test_expressions_give_what_python_gives(
    expression: str, names: dict[str, Any], acting: Callable[..., str], bench: type
) -> None:
    body = f"{HEAD}x = (\n{expression}\n)"
    assert len(expression) <= 200
    found = by_contract(body, names, acting(f"{body}\nevent('e', x=x)", PARAMETERS), bench)
    expected = by_python(body, names)
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
    st.builds("{} {}= {}\n{} %= 1000003".format, st.just("a"), st.sampled_from("+-*"), numbers(1), st.just("a")),
    st.builds("{} = {}".format, st.sampled_from(["c", "d"]), booleans(1)),
    st.builds("l = [{}, {}]".format, numbers(1), numbers(1)),
    st.builds("l += [{}]".format, numbers(1)),
    st.builds("k = l\nl = l + [{}]\na = len(k)".format, numbers(1)),
)
STATEMENTS = st.recursive(
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
            lambda n, t: f"for i in range({n}):\n{indented(t)}",
            st.integers(0, 3),
            st.lists(inner, min_size=1, max_size=2),
        ),
        st.builds(lambda t: f"for i in l:\n{indented(t)}", st.lists(inner, min_size=1, max_size=1)),
        st.builds(lambda t: f"for j in [1, 2]:\n{indented(t)}\n    b = j", st.lists(inner, min_size=1, max_size=1)),
    ),
    max_leaves=5,
)


@EXAMPLES
@given(statements=st.lists(STATEMENTS, min_size=1, max_size=4), names=GIVEN)
def test_programs_leave_what_python_leaves(
    statements: list[str], names: dict[str, Any], acting: Callable[..., str], bench: type
) -> None:
    body = HEAD + "\n".join(statements)
    found = by_contract(body, names, acting(f"{body}\nevent('e', a=a, b=b, c=c, d=d, l=l)", PARAMETERS), bench)
    if found in ("steps.exceeded", "value.size", "value.range", "output.events"):
        return  # a bound of the dialect; Python has none
    expected = by_python(body, names)
    if isinstance(expected, str):
        assert found == expected
    else:
        assert found == {name: expected[name] for name in "abcdl"}


OPERATORS = ["+", "-", "*", "//", "%", "==", "!=", "<", "<=", ">", ">=", "in"]

# Anything that the grammar allows, types mixed: it may be refused or fault, but only in the dialect's words.
ANYTHING = st.recursive(
    st.sampled_from(["a", "b", "c", "l", "s", "m", "o", "tx.member", "tx.user", "tx.time", "1", "0", "'x'", "None"]),
    lambda part: st.one_of(
        st.builds("({} {} {})".format, part, st.sampled_from(OPERATORS), part),
        st.builds("({} {} {})".format, part, st.sampled_from(["and", "or", "not in"]), part),
        st.builds(
            "({} is {} None)".format, st.sampled_from(["a", "c", "l", "o", "tx.user"]), st.sampled_from(["", "not"])
        ),
        st.builds("(-{})".format, part),
        st.builds("(not {})".format, part),
        st.builds("({} if {} else {})".format, part, part, part),
        st.builds("[{}, {}]".format, part, part),
        st.builds("{}[{}]".format, part, part),
        st.builds("{}({})".format, st.sampled_from(["len", "abs"]), part),
        st.builds("{}({}, {})".format, st.sampled_from(["min", "max", "Amount"]), part, part),
        st.builds("({}).{}".format, part, st.sampled_from(["minor", "currency"])),
    ),
    max_leaves=8,
)
MIXED = "a: int, b: int, c: bool, l: list[int, 5], s: Text[0, 9], m: Amount, o: int | None"
CODES = {
    "ok",
    "require.failed",
    "value.type",
    "value.range",
    "value.division",
    "value.currency",
    "value.size",
    "index.range",
    "steps.exceeded",
}


@EXAMPLES
@given(left=ANYTHING, right=ANYTHING)
def test_anything_ends_in_the_dialects_words(left: str, right: str, acting: Callable[..., str], bench: type) -> None:
    body = f"x = (\n{left}\n)\ny = (\n{right}\n)\nz = x == y\nevent('e', x=x, y=y, z=z)\nrequire(z, 'no', x=x)"
    arguments = {
        "a": 3,
        "b": -7,
        "c": True,
        "l": [1, 2],
        "s": "ab",
        "m": {"minor": 5, "currency": "USD"},
        "o": None,
    }
    ran = bench(acting(body, MIXED)).run(arguments=arguments, steps=5_000)
    assert ran.code in CODES
    assert ran == bench(acting(body, MIXED)).run(arguments=arguments, steps=5_000), "and always in the same"
