"""The operations at run time: what each gives for every pair of kinds, and the bounds it keeps."""

import operator
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from hansa.contracts import guards, meter, rewriter
from hansa.contracts.codecs import Amount
from hansa.contracts.guards import GUARDS
from hansa.contracts.meter import Fault, Frame
from hansa.wire import cbor

LIMIT = 2**255 - 1
VALUES: dict[str, Any] = {
    "number": 7,
    "other number": -3,
    "boolean": True,
    "text": "abc",
    "other text": "abd",
    "bytes": b"abc",
    "other bytes": b"ab",
    "nothing": None,
    "list": [1, "a"],
    "other list": [2],
    "dollars": Amount(7, "USD"),
    "more dollars": Amount(9, "USD"),
    "euros": Amount(7, "EUR"),
}


@pytest.fixture
def frame() -> Frame:
    return Frame(1_000_000, None)  # type: ignore[arg-type] - nothing here asks the host


def plain(value: Any) -> Any:
    """A value that can be compared: an Amount as what it is made of."""
    if type(value) is list:
        return [plain(item) for item in value]
    return (value.minor, value.currency) if type(value) is Amount else (type(value), value)


def arithmetic(a: Any, b: Any, symbol: str) -> Any:
    """What `a symbol b` must give: a value, or the code of a refusal."""
    on_numbers = {"+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod}
    kinds = (type(a), type(b))
    if kinds == (int, int):
        return on_numbers[symbol](a, b)
    if kinds == (Amount, Amount) and symbol in "+-":
        if a.currency != b.currency:
            return "value.currency"
        minor = on_numbers[symbol](a.minor, b.minor)
        return Amount(minor, a.currency) if minor >= 0 else "value.range"
    if symbol == "*" and kinds in ((Amount, int), (int, Amount)):
        money, factor = (a, b) if kinds[0] is Amount else (b, a)
        return Amount(money.minor * factor, money.currency) if factor >= 0 else "value.range"
    if symbol == "+" and kinds in ((str, str), (list, list)):
        return a + b
    return "value.type"


def ordering(a: Any, b: Any, symbol: str) -> Any:
    """What `a symbol b` must give for <, <=, >, >=."""
    compare = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}[symbol]
    if type(a) is not type(b) or type(a) not in (int, str, bytes, Amount):
        return "value.type"
    if type(a) is Amount:
        return compare(a.minor, b.minor) if a.currency == b.currency else "value.currency"
    return compare(a, b)


def equality(a: Any, b: Any, symbol: str) -> Any:
    """What `a symbol b` must give for == and !=: values of different kinds are not equal."""
    return (plain(a) == plain(b)) == (symbol == "==")


def membership(a: Any, b: Any, symbol: str) -> Any:
    """What `a symbol b` must give for `in` and `not in`."""
    if type(b) is not list:
        return "value.type"
    return (plain(a) in [plain(item) for item in b]) == (symbol == "in")


def indexing(a: Any, b: Any, symbol: str) -> Any:
    """What `a[b]` must give."""
    if type(a) is not list or type(b) is not int:
        return "value.type"
    return a[b] if -len(a) <= b < len(a) else "index.range"


BINARY = {
    "__add": ("+", arithmetic),
    "__subtract": ("-", arithmetic),
    "__multiply": ("*", arithmetic),
    "__divide": ("//", arithmetic),
    "__remainder": ("%", arithmetic),
    "__less": ("<", ordering),
    "__less_or_equal": ("<=", ordering),
    "__greater": (">", ordering),
    "__greater_or_equal": (">=", ordering),
    "__equal": ("==", equality),
    "__unequal": ("!=", equality),
    "__within": ("in", membership),
    "__not_within": ("not in", membership),
    "__item": ("[]", indexing),
}


@pytest.mark.parametrize(("left", "right"), list(product(VALUES, VALUES)))
@pytest.mark.parametrize("guard", BINARY)
def test_each_operator_on_each_pair_of_kinds(guard: str, left: str, right: str, frame: Frame) -> None:
    symbol, expected_of = BINARY[guard]
    a, b = VALUES[left], VALUES[right]
    expected = expected_of(a, b, symbol)
    try:
        found = GUARDS[guard](frame, a, b)
    except Fault as fault:
        found = fault.code
    assert plain(found) == plain(expected)
    assert plain(VALUES[left]) == plain(a), "operands are never changed"


UNARY = {
    "__negate": {"number": -7, "other number": 3},
    "__call_abs": {"number": 7, "other number": 3},
    "__call_len": {
        "text": 3,
        "other text": 3,
        "bytes": 3,
        "other bytes": 2,
        "list": 2,
        "other list": 1,
    },
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("guard", UNARY)
def test_each_function_of_one_value_on_each_kind(guard: str, name: str, frame: Frame) -> None:
    if name in UNARY[guard]:
        assert plain(GUARDS[guard](frame, VALUES[name])) == plain(UNARY[guard][name])
    else:
        assert refusal(GUARDS[guard], frame, VALUES[name]) == "value.type"


@pytest.mark.parametrize("name", VALUES)
def test_a_condition_is_a_boolean(name: str) -> None:
    if name == "boolean":
        assert guards.truth(True) is True
        assert guards.truth(False) is False
    else:
        assert refusal(guards.truth, VALUES[name]) == "value.type"


@pytest.mark.parametrize("name", VALUES)
def test_a_loop_goes_through_a_list(name: str) -> None:
    if "list" in name:
        assert guards.iterate(VALUES[name]) == VALUES[name]
    else:
        assert refusal(guards.iterate, VALUES[name]) == "value.type"


@pytest.mark.parametrize("name", VALUES)
def test_only_an_amount_has_fields(name: str) -> None:
    value = VALUES[name]
    if type(value) is Amount:
        assert guards.amount_field(value, "minor") == value.minor
        assert guards.amount_field(value, "currency") == value.currency
    else:
        assert refusal(guards.amount_field, value, "minor") == "value.type"
        assert refusal(guards.amount_field, value, "currency") == "value.type"


@pytest.mark.parametrize("name", ["text", "bytes", "nothing", "list", "boolean", "dollars"])
def test_an_amount_is_made_of_a_number(name: str, frame: Frame) -> None:
    assert refusal(guards.make_amount, frame, VALUES[name], "USD") == "value.type"


@pytest.mark.parametrize(
    "currency",
    ["usd", "US", "USDX", "", "U D", "US1", "ÜSD", "\uff35\uff33\uff24", 840, None, True, b"USD", ["U", "S", "D"]],
)
def test_a_currency_is_three_capital_letters(currency: object, frame: Frame) -> None:
    assert refusal(guards.make_amount, frame, 1, currency) == "value.currency"


@pytest.mark.parametrize("minor", [0, 1, 2**63 - 1])
def test_an_amount_holds_what_it_is_made_of(minor: int, frame: Frame) -> None:
    assert plain(guards.make_amount(frame, minor, "XAU")) == (minor, "XAU")


@pytest.mark.parametrize("minor", [-1, 2**63, -(2**63), LIMIT])
def test_an_amount_is_not_negative_and_fits_64_bits(minor: int, frame: Frame) -> None:
    assert refusal(guards.make_amount, frame, minor, "USD") == "value.range"


MOST = Amount(2**63 - 1, "USD")
ONE = Amount(1, "USD")
NONE = Amount(0, "USD")
BOUNDS = [
    # Numbers: 256 bits, sign included
    ("__add", LIMIT, 0, LIMIT),
    ("__add", LIMIT, 1, "value.range"),
    ("__add", -LIMIT, -1, "value.range"),
    ("__subtract", -LIMIT, 0, -LIMIT),
    ("__subtract", -LIMIT, 1, "value.range"),
    ("__subtract", LIMIT, -1, "value.range"),
    ("__multiply", 2**254, 1, 2**254),
    ("__multiply", 2**254, 2, "value.range"),
    ("__multiply", -(2**254), 2, "value.range"),
    ("__multiply", LIMIT, -1, -LIMIT),
    ("__multiply", LIMIT, LIMIT, "value.range"),
    ("__divide", -LIMIT, 1, -LIMIT),
    ("__divide", -LIMIT, -1, LIMIT),
    ("__divide", 7, 0, "value.division"),
    ("__remainder", 7, 0, "value.division"),
    # Rounding as Python has it: down, the remainder with the sign of the divisor
    ("__divide", 7, 2, 3),
    ("__divide", -7, 2, -4),
    ("__divide", 7, -2, -4),
    ("__divide", -7, -2, 3),
    ("__remainder", 7, 3, 1),
    ("__remainder", -7, 3, 2),
    ("__remainder", 7, -3, -2),
    ("__remainder", -7, -3, -1),
    ("__remainder", -1, LIMIT, LIMIT - 1),
    # Amounts: not negative, 64 bits, one currency
    ("__add", MOST, NONE, MOST),
    ("__add", MOST, ONE, "value.range"),
    ("__subtract", ONE, ONE, NONE),
    ("__subtract", NONE, ONE, "value.range"),
    ("__multiply", ONE, 2**63 - 1, MOST),
    ("__multiply", 2**63 - 1, ONE, MOST),
    ("__multiply", ONE, 2**63, "value.range"),
    ("__multiply", ONE, -1, "value.range"),
    ("__multiply", -1, ONE, "value.range"),
    ("__multiply", NONE, -1, NONE),
    ("__multiply", MOST, LIMIT, "value.range"),
    # Sizes
    ("__add", "a" * 65_535, "b", "a" * 65_535 + "b"),
    ("__add", "a" * 65_535, "bc", "value.size"),
    ("__add", "", "é" * 65_536, "é" * 65_536),
    ("__add", "é" * 65_536, "é", "value.size"),
    ("__add", [1] * 1_023, [2], [1] * 1_023 + [2]),
    ("__add", [1] * 1_023, [2, 3], "value.size"),
    # Order: texts by code point, not by UTF-16 unit or collation
    ("__less", "Z", "a", True),
    ("__less", "a", "aa", True),
    ("__less", "\uffff", "\U00010000", True),
    ("__less", b"\x7f", b"\x80", True),
    # Equality: nested lists item by item, and never across kinds
    ("__equal", [[1], [2, [3]]], [[1], [2, [3]]], True),
    ("__equal", [[1], [2, [3]]], [[1], [2, [4]]], False),
    ("__equal", [1], [True], False),
    ("__equal", [0], [False], False),
    ("__equal", [], [], True),
    ("__equal", [ONE], [Amount(1, "USD")], True),
    ("__equal", [ONE], [Amount(1, "EUR")], False),
    ("__within", True, [1], False),
    ("__within", [1], [[1]], True),
    ("__within", ONE, [NONE, Amount(1, "USD")], True),
    ("__within", None, [None], True),
    ("__within", 1, [], False),
    # Places in a list
    ("__item", [1, 2], 0, 1),
    ("__item", [1, 2], 1, 2),
    ("__item", [1, 2], 2, "index.range"),
    ("__item", [1, 2], -1, 2),
    ("__item", [1, 2], -2, 1),
    ("__item", [1, 2], -3, "index.range"),
    ("__item", [], 0, "index.range"),
    ("__item", [1], LIMIT, "index.range"),
    ("__item", [1], -LIMIT, "index.range"),
    ("__item", [1, 2], True, "value.type"),
]


@pytest.mark.parametrize(("guard", "a", "b", "expected"), BOUNDS, ids=map(str, range(len(BOUNDS))))
def test_bounds(guard: str, a: Any, b: Any, expected: Any, frame: Frame) -> None:
    try:
        found = GUARDS[guard](frame, a, b)
    except Fault as fault:
        found = fault.code
    assert plain(found) == plain(expected)


def test_the_negative_and_the_absolute_of_every_number_fit(frame: Frame) -> None:
    assert guards.negate(frame, LIMIT) == -LIMIT
    assert guards.negate(frame, -LIMIT) == LIMIT
    assert guards.absolute(frame, -LIMIT) == LIMIT


def test_mixed_currencies_are_named(frame: Frame) -> None:
    with pytest.raises(Fault) as caught:
        guards.add(frame, Amount(1, "USD"), Amount(1, "EUR"))
    assert (caught.value.code, caught.value.values) == ("value.currency", {"first": "USD", "second": "EUR"})


def test_a_new_list_is_made_and_the_old_ones_stay(frame: Frame) -> None:
    a, b = [1], [2]
    both = guards.add(frame, a, b)
    assert (a, b, both) == ([1], [2], [1, 2])
    assert both is not a
    assert both is not b


@pytest.mark.parametrize(
    ("values", "least", "most"),
    [
        ((3, 1, 2), 1, 3),
        (("b", "a"), "a", "b"),
        ((b"b", b"a"), b"a", b"b"),
        ((1, 2, 3, 4, 5, 6, 7, 0), 0, 7),
        ((Amount(2, "USD"), Amount(1, "USD")), Amount(1, "USD"), Amount(2, "USD")),
    ],
)
def test_least_and_most(values: tuple[Any, ...], least: Any, most: Any, frame: Frame) -> None:
    assert plain(guards.smallest(frame, *values)) == plain(least)
    assert plain(guards.largest(frame, *values)) == plain(most)


@pytest.mark.parametrize("function", [guards.smallest, guards.largest])
@pytest.mark.parametrize(
    ("values", "code"),
    [
        ((1, True), "value.type"),
        ((1, "a"), "value.type"),
        (([1], [2]), "value.type"),
        ((None, None), "value.type"),
        ((True, False), "value.type"),
        ((Amount(1, "USD"), Amount(1, "EUR")), "value.currency"),
    ],
)
def test_least_and_most_compare_one_kind(
    function: Callable[..., Any], values: tuple[Any, ...], code: str, frame: Frame
) -> None:
    assert refusal(function, frame, *values) == code


def test_least_and_most_give_the_first_of_equals(frame: Frame) -> None:
    first, second = Amount(1, "USD"), Amount(1, "USD")
    assert guards.smallest(frame, first, second) is first
    assert guards.largest(frame, first, second) is first


@pytest.mark.parametrize(
    ("bounds", "items"),
    [
        ((3,), [0, 1, 2]),
        ((1, 3), [1, 2]),
        ((3, 1, -1), [3, 2]),
        ((0,), []),
        ((-5,), []),
        ((2**63 - 1, 2**63 - 1), []),
        ((1, 2, 2**63 - 1), [1]),
    ],
)
def test_ranges(bounds: tuple[int, ...], items: list[int], frame: Frame) -> None:
    assert list(guards.count(frame, *bounds)) == items


@pytest.mark.parametrize(
    ("bounds", "code"),
    [
        (("3",), "value.type"),
        ((True,), "value.type"),
        ((None, 3), "value.type"),
        ((1, 2, Amount(1, "USD")), "value.type"),
        ((1, 2, 0), "value.division"),
        ((2**63,), "value.range"),
        ((-(2**63), 0), "value.range"),
        ((0, 1, LIMIT), "value.range"),
    ],
)
def test_ranges_have_whole_numbers_of_64_bits(bounds: tuple[Any, ...], code: str, frame: Frame) -> None:
    assert refusal(guards.count, frame, *bounds) == code


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("ü", "607474ca475a9724d7360aba71a56d5df77e61350e3f724cfa1f46e857e2d85f"),
    ],
)
def test_the_digest_is_of_utf8(text: str, digest: str, frame: Frame) -> None:
    assert guards.sha256(frame, text).hex() == digest


@pytest.mark.parametrize("value", [b"abc", 1, None, ["a"]])
def test_the_digest_is_of_text(value: object, frame: Frame) -> None:
    assert refusal(guards.sha256, frame, value) == "value.type"
    assert refusal(guards.contract_version, frame, value, "source") == "value.type"
    assert refusal(guards.contract_version, frame, "name", value) == "value.type"


@pytest.mark.parametrize(
    ("guard", "arguments", "steps"),
    [
        ("__add", ("a" * 31, ""), 0),
        ("__add", ("a" * 32, ""), 1),
        ("__add", ("a" * 32_768, "b" * 32_768), 2_048),
        ("__add", ([1] * 7, [2] * 3), 10),
        ("__add", (1, 2), 0),
        ("__equal", ("a" * 64, "a" * 64), 2),
        ("__equal", ("a" * 64, "a" * 31), 0),
        ("__equal", (b"a" * 64, b"a" * 64), 2),
        ("__equal", ([1] * 9, [1] * 5), 5),
        ("__equal", ([["a" * 64]], [["a" * 64]]), 4),
        ("__equal", (1, "a"), 0),
        ("__unequal", ([1] * 9, [1] * 9), 9),
        ("__less", ("a" * 64, "b" * 64), 2),
        ("__within", (1, [2] * 9), 9),
        ("__within", (1, [1] * 9), 9),
        ("__within", ("a" * 32, ["a" * 32]), 2),
        ("__call_sha256", ("a" * 64,), 2),
        ("__call_min", ("a" * 64, "a" * 64), 2),
        ("__call_len", ([1] * 9,), 0),
        ("__item", ([1] * 9, 3), 0),
    ],
)
def test_what_is_long_is_charged_by_its_length(guard: str, arguments: tuple[Any, ...], steps: int) -> None:
    enough, short = Frame(steps, None), Frame(steps - 1, None)  # type: ignore[arg-type]
    GUARDS[guard](enough, *arguments)
    assert enough.left == 0
    if steps:
        assert refusal(GUARDS[guard], short, *arguments) == "steps.exceeded"
        assert short.left == 0


def test_events_are_charged_and_bounded_in_number(frame: Frame) -> None:
    for number in range(meter.EVENTS_MAX):
        guards.emit(frame, "e", {"n": number})
    assert len(frame.events) == 64
    assert refusal(guards.emit, frame, "e", {}) == "output.events"
    assert frame.events[1] == {"data": {"n": 1}, "name": "e"}
    assert list(frame.events[1]) == ["data", "name"]


@pytest.mark.parametrize("unit", ["a", "é", b"a"])
def test_events_are_bounded_in_size(unit: str | bytes, frame: Frame) -> None:
    most = meter.EVENTS_BYTES_MAX - len(cbor.encode("e")) - len(cbor.encode({"a": "x" * 60_000})) + 60_000
    most //= len(unit.encode() if isinstance(unit, str) else unit)
    assert refusal(guards.emit, frame, "e", {"a": unit * (most + 1)}) == "output.events"
    assert refusal(guards.emit, frame, "e", {"a": [unit * 40_000], "b": unit * 40_000}) == "output.events"
    guards.emit(frame, "e", {"a": unit * most})
    assert len(frame.events) == 1


def test_the_events_of_an_action_are_bounded_together(frame: Frame) -> None:
    guards.emit(frame, "e", {"a": "x" * 40_000})
    assert refusal(guards.emit, frame, "e", {"a": "x" * 40_000}) == "output.events"
    guards.emit(frame, "e", {"a": "x" * 20_000})
    assert len(frame.events) == 2


def test_an_event_of_many_small_values_is_bounded_too(frame: Frame) -> None:
    guards.emit(frame, "e", {"a": [None] * 1_024})
    assert refusal(guards.emit, frame, "e", {"a": [[None] * 1_024] * 64, "b": 1}) == "output.events"


def test_an_event_is_charged_by_its_size() -> None:
    frame = Frame(1_000, None)  # type: ignore[arg-type]
    guards.emit(frame, "e", {})
    assert frame.left == 1_000 - meter.EVENT_STEPS
    guards.emit(frame, "e", {"a": "x" * 312})
    assert frame.left == 1_000 - 2 * meter.EVENT_STEPS - 40
    guards.emit(frame, "e", {"a": [True] * 12})
    assert frame.left == 1_000 - 3 * meter.EVENT_STEPS - 40 - 12 - 2, "each item, and the size"
    short = Frame(meter.EVENT_STEPS + 39, None)  # type: ignore[arg-type]
    assert refusal(guards.emit, short, "e", {"a": "x" * 312}) == "steps.exceeded"
    assert short.events == []


LEAVING = [
    (0, 0),
    (2**63 - 1, 2**63 - 1),
    (-(2**63), -(2**63)),
    (2**63, "value.range"),
    (-(2**63) - 1, "value.range"),
    ([2**63 - 1], [2**63 - 1]),
    ([[2**63]], "value.range"),
    (Amount(5, "USD"), {"minor": 5, "currency": "USD"}),
    ([Amount(5, "USD")], [{"minor": 5, "currency": "USD"}]),
    ("text", "text"),
    (b"bytes", b"bytes"),
    (None, None),
    (True, True),
]


@pytest.mark.parametrize(("value", "expected"), LEAVING)
def test_numbers_that_leave_fit_64_bits(value: Any, expected: Any, frame: Frame) -> None:
    refused = expected if expected == "value.range" else "require.failed"
    with pytest.raises(Fault) as caught:
        guards.refuse(frame, "text {a}", {"a": value})
    assert caught.value.code == refused
    if refused == "require.failed":
        assert (caught.value.message, caught.value.values) == ("text {a}", {"a": expected})
        guards.emit(frame, "e", {"a": value})
        assert frame.events[0]["data"] == {"a": expected}
        assert list(frame.events[0]["data"]) == ["a"]
    else:
        assert refusal(guards.emit, frame, "e", {"a": value}) == "value.range"
        assert frame.events == []


def test_an_amount_that_leaves_has_its_fields_in_encoding_order(frame: Frame) -> None:
    guards.emit(frame, "e", {"a": Amount(5, "USD")})
    assert list(frame.events[0]["data"]["a"]) == ["minor", "currency"]


def test_every_name_that_the_rewriter_writes_has_a_guard() -> None:
    written = {*rewriter._BINARY.values(), *rewriter._COMPARE.values()}
    assert written <= set(GUARDS)
    assert all(name.startswith("__") for name in GUARDS)
    assert rewriter.FRAME not in GUARDS


@pytest.mark.parametrize(
    "use",
    [
        lambda frame, deep: guards.equal(frame, deep, deep),
        lambda frame, deep: guards.within(frame, deep, [deep]),
        lambda frame, deep: guards.emit(frame, "e", {"a": deep}),
        lambda frame, deep: guards.refuse(frame, "x", {"a": deep}),
    ],
    ids=["equal", "in", "event", "require"],
)
def test_deeply_nested_lists_are_refused(use: Callable[[Frame, list[Any]], object], frame: Frame) -> None:
    deep: list[Any] = []
    for _ in range(2_000):
        deep = [deep]
    assert refusal(use, frame, deep) == "value.size"


def test_the_values_of_a_refusal_are_bounded(frame: Frame) -> None:
    shared: list[Any] = [0] * 16
    for _ in range(4):
        shared = [shared] * 16  # 16 steps each to make, sixteen times the size each
    assert refusal(guards.refuse, frame, "x", {"a": shared}) == "value.size"
    room = meter.REFUSAL_BYTES_MAX - len(cbor.encode("x")) - len(cbor.encode({"a": "y" * 4_000})) + 4_000
    assert refusal(guards.refuse, frame, "x", {"a": "y" * room}) == "require.failed"
    assert refusal(guards.refuse, frame, "x", {"a": "y" * (room + 1)}) == "value.size"
    assert refusal(guards.refuse, frame, "x" * 5_000, {}) == "value.size"


def test_each_item_of_a_list_in_a_refusal_is_charged() -> None:
    frame = Frame(100, None)  # type: ignore[arg-type]
    assert refusal(guards.refuse, frame, "x", {"a": [True] * 60}) == "require.failed"
    assert frame.left == 40
    assert refusal(guards.refuse, frame, "x", {"a": [True] * 60}) == "steps.exceeded"


def test_the_names_of_an_event_are_bounded_and_charged(frame: Frame) -> None:
    assert refusal(guards.emit, frame, "e" * 60_000, {"a": "x" * 60_000}) == "output.events"


def refusal(function: Callable[..., Any], *arguments: Any) -> str:
    """The code for which a call is refused."""
    with pytest.raises(Fault) as caught:
        function(*arguments)
    return caught.value.code
