"""The operations at run time: what each gives at the bounds of its values, and what it charges."""

import hashlib
from collections.abc import Callable
from decimal import Decimal, localcontext
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.contracts import guards, operations, prices
from hansa.contracts.calls import NOBODY, Call
from hansa.contracts.codecs import Amount
from hansa.contracts.faults import Fault
from hansa.contracts.frame import Frame
from hansa.contracts.guards import FRAMED, GUARDS
from hansa.wire import cbor

LIMIT = 2**255 - 1
MOST = 2**63 - 1


def framed(steps: int = 1_000_000) -> Frame:
    nobody: Any = None  # nothing here asks the host or the reader
    return Frame(Call("c", "a", {}, NOBODY, 0, 1), nobody, nobody, steps, None)


def run(guard: str, *arguments: Any, frame: Frame | None = None) -> Any:
    """What a guard gives, or the code of its fault."""
    before = [plain(argument) for argument in arguments]
    try:
        return plain(GUARDS[guard](*([frame or framed()] if guard in FRAMED else []), *arguments))
    except Fault as fault:
        return fault.code
    finally:
        assert [plain(argument) for argument in arguments] == before, "operands are never changed"


def plain(value: Any) -> Any:
    """A value that can be compared: types kept apart, an Amount as what it is made of."""
    if type(value) is list:
        return [plain(item) for item in value]
    if type(value) is dict:
        return [(name, plain(item)) for name, item in value.items()]
    return (value.minor, value.currency) if type(value) is Amount else (type(value), value)


def eur(minor: int) -> Amount:
    return Amount(minor, "EUR")


BOUNDS: list[tuple[str, tuple[Any, ...], Any]] = [
    # Numbers: 256 bits, sign included
    ("bounded", (LIMIT,), LIMIT),
    ("bounded", (-LIMIT,), -LIMIT),
    ("bounded", (-LIMIT - 1,), "value.range"),
    ("negate_int", (-LIMIT,), LIMIT),
    ("absolute", (-LIMIT,), LIMIT),
    ("bounded", (LIMIT + 1,), "value.range"),
    # Rounding as Python has it: down, the remainder with the sign of the divisor
    *(("divide", pair, pair[0] // pair[1]) for pair in product((7, -7, LIMIT, -LIMIT), (2, -2, 1, -1))),
    *(("remainder", pair, pair[0] % pair[1]) for pair in product((7, -7, LIMIT, -LIMIT), (3, -3, 1, -1))),
    ("divide", (7, 0), "value.division"),
    ("remainder", (7, 0), "value.division"),
    ("total", ([LIMIT, -1, 1],), LIMIT),
    ("total", ([LIMIT, 1, -1],), "value.range"),
    ("total", ([],), 0),
    # Amounts: 64 bits, one currency, negative only where signed
    ("make_amount", (0, "XAU"), Amount(0, "XAU")),
    ("make_amount", (MOST, "EUR"), eur(MOST)),
    ("make_amount", (MOST + 1, "EUR"), "value.range"),
    ("make_amount", (-1, "EUR"), "value.range"),
    *(
        ("make_amount", (1, text), "value.currency")
        for text in ("usd", "US", "USDX", "", "US1", "ÜSD", "\uff35SD", "ǅAB")
    ),
    ("make_signed", (-MOST, "EUR"), eur(-MOST)),
    ("make_signed", (-MOST - 1, "EUR"), "value.range"),
    ("make_signed", (-1, "eur"), "value.currency"),
    ("add_amount", (eur(MOST), eur(0)), eur(MOST)),
    ("add_amount", (eur(MOST), eur(1)), "value.range"),
    ("add_amount", (eur(1), Amount(1, "USD")), "value.currency"),
    ("subtract_amount", (eur(1), eur(1)), eur(0)),
    ("subtract_amount", (eur(0), eur(1)), "value.range"),
    ("subtract_amount", (eur(0), Amount(1, "USD")), "value.currency"),
    ("add_signed", (eur(-MOST), eur(-1)), "value.range"),
    ("add_signed", (eur(-MOST), eur(MOST)), eur(0)),
    ("subtract_signed", (eur(0), eur(MOST)), eur(-MOST)),
    ("subtract_signed", (eur(-1), eur(MOST)), "value.range"),
    ("multiply_amount", (eur(1), MOST), eur(MOST)),
    ("multiply_amount", (eur(1), MOST + 1), "value.range"),
    ("multiply_amount", (eur(1), -1), "value.range"),
    ("multiply_amount", (eur(0), -1), eur(0)),
    ("multiply_by_amount", (-1, eur(1)), "value.range"),
    ("multiply_by_amount", (3, eur(2)), eur(6)),
    ("multiply_signed", (eur(MOST), -1), eur(-MOST)),
    ("multiply_by_signed", (2, eur(-MOST)), "value.range"),
    ("negate_signed", (eur(-MOST),), eur(MOST)),
    ("less_amount", (eur(1), Amount(2, "USD")), "value.currency"),
    ("greater_amount", (eur(2), eur(1)), True),
    # Time
    ("add_instant", (prices.INSTANT_MAX, 0), prices.INSTANT_MAX),
    ("add_instant", (prices.INSTANT_MAX, 1), "value.range"),
    ("subtract_instant", (0, 1), "value.range"),
    ("add_duration", (prices.DURATION_MAX, 1), "value.range"),
    ("subtract_duration", (-prices.DURATION_MAX, 1), "value.range"),
    ("multiply_duration", (prices.DURATION_MAX, -1), -prices.DURATION_MAX),
    ("multiply_duration", (2, prices.DURATION_MAX), "value.range"),
    ("negate_duration", (prices.DURATION_MAX,), -prices.DURATION_MAX),
    ("make_date", (2024, 2, 29), "2024-02-29"),
    ("make_date", (2023, 2, 29), "value.range"),
    ("make_date", (LIMIT, 1, 1), "value.range"),
    ("make_date", (1, LIMIT, -LIMIT), "value.range"),
    ("add_days", ("9999-12-31", 1), "value.range"),
    ("add_days", ("0001-01-01", -1), "value.range"),
    ("add_days", ("2024-02-28", LIMIT), "value.range"),
    ("days_until", ("0001-01-01", "9999-12-31"), 3_652_058),
    ("weekday", ("1970-01-01",), 4),
    ("days", (-1,), -1),
    # Sizes
    ("add_text", ("a" * 65_535, "b"), "a" * 65_535 + "b"),
    ("add_text", ("é" * 65_536, "é"), "value.size"),
    ("add_bytes", (bytes(65_535), b"a"), bytes(65_535) + b"a"),
    ("add_bytes", (bytes(65_535), b"ab"), "value.size"),
    ("add_list", ([1] * 1_023, [2]), [1] * 1_023 + [2]),
    ("add_list", ([1] * 1_023, [2, 3]), "value.size"),
    ("append", ([1] * 1_023, 2), [1] * 1_023 + [2]),
    ("append", ([1] * 1_024, 2), "value.size"),
    ("insert", ([1] * 1_024, 0, 2), "value.size"),
    ("insert", ([1, 2], 1, 9), [1, 9, 2]),
    ("insert", ([1, 2], -1, 9), [1, 9, 2]),
    ("insert", ([1, 2], LIMIT, 9), [1, 2, 9]),
    ("insert", ([1, 2], -LIMIT, 9), [9, 1, 2]),
    ("pop_item", ([1, 2, 3], -3), [2, 3]),
    ("pop_item", ([1, 2, 3], 3), "index.range"),
    ("pop_item", ([], 0), "index.range"),
    ("with_item", ([1, 2], -1, 9), [1, 9]),
    ("with_item", ([1, 2], 2, 9), "index.range"),
    ("with_item", ([1, 2], -3, 9), "index.range"),
    ("with_value", ({"b": 1}, "a", 2), {"a": 2, "b": 1}),
    ("with_value", ({"b": 1, "c": 3}, "b", 2), {"b": 2, "c": 3}),
    ("with_value", ({f"k{n:04}": n for n in range(1_024)}, "a", 2), "value.size"),
    ("with_value", ({}, "k" * 100, 2), {"k" * 100: 2}),
    ("with_value", ({}, "k" * 101, 2), "value.size"),
    ("pop_key", ({"a": 1, "b": 2}, "a"), {"b": 2}),
    ("pop_key", ({"a": 1}, "b"), "key.missing"),
    ("value_at", ({"a": 1}, "a"), 1),
    ("value_at", ({"a": 1}, "b"), "key.missing"),
    ("get", ({"a": 1}, "b", None), None),
    ("make_map", ([("b", 1), ("\U00010000", 4), ("\uffff", 3), ("b", 2)],), {"b": 2, "\uffff": 3, "\U00010000": 4}),
    # Items and slices
    *(("item", ([1, 2], index), [1, 2][index]) for index in (0, 1, -1, -2)),
    *(("item", ([1, 2], index), "index.range") for index in (2, -3, LIMIT, -LIMIT)),
    ("item", (b"ab", -1), 98),
    ("character", ("a💡", 1), "💡"),
    ("character", ("", 0), "index.range"),
    ("slice_text", ("a💡c", 1, None), "💡c"),
    ("slice_text", ("abc", -LIMIT, LIMIT), "abc"),
    ("slice_bytes", (b"abc", None, -1), b"ab"),
    ("slice_list", ([1, 2, 3], 2, 1), []),
    # Texts
    ("upper", ("aßéz\u0131",), "AßéZ\u0131"),
    ("lower", ("AÄZ\u0130",), "aÄz\u0130"),
    ("startswith", ("abc", ""), True),
    ("endswith", ("abc", "bc"), True),
    *(
        ("isdigit", (text,), want)
        for text, want in (("0123456789", True), ("", False), ("1a", False), ("\u0661", False), ("²", False))
    ),
    ("split_text", ("a--b-", "-"), ["a", "", "b", ""]),
    ("split_text", ("", ","), [""]),
    ("split_text", ("a", ""), "value.form"),
    ("split_text", ("," * 1_023, ","), [""] * 1_024),
    ("split_text", ("," * 1_024, ","), "value.size"),
    ("join", ("", []), ""),
    ("join", ("-", ["a"]), "a"),
    ("join", ("-", ["a", "b"]), "a-b"),
    ("join", ("x" * 32_768, ["", "", ""]), "x" * 65_536),
    ("join", ("x" * 32_768, ["", "", "a"]), "value.size"),
    ("hexadecimal", (b"\x00\xff",), "00ff"),
    ("hexadecimal", (bytes(32_768),), "00" * 32_768),
    ("hexadecimal", (bytes(32_769),), "value.size"),
    ("decimal", (-LIMIT,), str(-LIMIT)),
    ("parsed", ("-0",), 0),
    ("parsed", ("0" * 77,), 0),
    ("parsed", ("0" * 78,), "value.form"),
    ("parsed", (str(LIMIT),), LIMIT),
    ("parsed", (str(-LIMIT),), -LIMIT),
    ("parsed", ("9" * 77,), "value.range"),
    *(
        ("parsed", (text,), "value.form")
        for text in ("", "-", "+1", " 1", "1 ", "1_0", "--1", "0x1", "\u0661", "1.0", "1\n")
    ),
    ("sha256_text", ("ü",), hashlib.sha256("ü".encode()).digest()),
    ("sha256_bytes", (b"",), hashlib.sha256(b"").digest()),
    # Lists
    ("ordered", ([3, -1, 2],), [-1, 2, 3]),
    ("ordered_texts", (["b", "", "\U00010000", "\uffff", "a"],), ["", "a", "b", "\uffff", "\U00010000"]),
    ("backwards", ([3, 1],), [1, 3]),
    ("keys", ({"a": 1, "b": 2},), ["a", "b"]),
    ("values", ({"a": 1, "b": 2},), [1, 2]),
    # Order: texts by code point, not by UTF-16 unit or collation
    ("less", ("Z", "a"), True),
    ("less", ("\uffff", "\U00010000"), True),
    ("less", (b"\x7f", b"\x80"), True),
    ("greater", ("aa", "a"), True),
    ("least_of", (3, 1, 2), 1),
    ("most_of", ("b", "a", "bb"), "bb"),
    ("most_of", (eur(1), Amount(2, "USD")), "value.currency"),
    # Equality: item by item, and never across kinds
    ("equal", ([[1], [2, [3]]], [[1], [2, [3]]]), True),
    ("equal", ([[1], [2, [3]]], [[1], [2, [4]]]), False),
    ("equal", ([1], [True]), False),
    ("equal", ([], []), True),
    ("equal", ([eur(1)], [eur(1)]), True),
    ("equal", ([eur(1)], [Amount(1, "USD")]), False),
    ("equal", ({"a": [1]}, {"a": [1]}), True),
    ("equal", ({"a": 1}, {"b": 1}), False),
    ("equal", ({"a": 1}, {"a": 1, "b": 2}), False),
    ("equal", (None, None), True),
    ("equal", (None, ""), False),
    ("unequal", ("a", "b"), True),
    ("within_list", (None, [1, None]), True),
    ("within_list", (eur(1), [eur(0), eur(1)]), True),
    ("within_list", (1, []), False),
    ("within_map", ("a", {"a": None}), True),
    ("within_text", ("", "abc"), True),
    ("within_text", ("bc", "abc"), True),
    # Ranges
    *(("count", bounds, range(*bounds)) for bounds in ((3,), (1, 3), (3, 1, -1), (-5,), (MOST, MOST), (0, 5, MOST))),
    ("count", (1, 2, 0), "value.division"),
    ("count", (2**63,), "value.range"),
    ("count", (0, 1, -(2**63) - 1), "value.range"),
    ("some", (0,), 0),
    ("some", (None,), "value.none"),
    # Splitting
    ("split_amount", (eur(10), 3), [eur(4), eur(3), eur(3)]),
    ("split_amount", (eur(2), 1_024), [eur(1)] * 2 + [eur(0)] * 1_022),
    ("split_amount", (eur(2), 0), "value.range"),
    ("split_amount", (eur(2), 1_025), "value.range"),
    ("split_amount_by", (eur(10), [1, 1, 1]), [eur(4), eur(3), eur(3)]),
    ("split_amount_by", (eur(1), [0, 1]), [eur(0), eur(1)]),
    ("split_amount_by", (eur(1), [0, 0]), "value.range"),
    ("split_amount_by", (eur(1), [2, -1]), "value.range"),
    ("split_amount_by", (eur(1), []), "value.range"),
    ("times_amount", (eur(MOST), 2, 1, "up"), "value.range"),
    ("times_amount", (eur(1), -1, 2, "down"), eur(0)),
    ("times_amount", (eur(1), -1, 2, "floor"), "value.range"),
    ("times_amount", (eur(1), 1, 0, "up"), "value.range"),
    ("times_signed", (eur(1), 1, -1, "up"), "value.range"),
    ("times_signed", (eur(MOST), -1, 1, "up"), eur(-MOST)),
]


@pytest.mark.parametrize(
    ("guard", "arguments", "expected"), BOUNDS, ids=[f"{n}-{g}" for n, (g, *_) in enumerate(BOUNDS)]
)
def test_what_a_guard_gives(guard: str, arguments: tuple[Any, ...], expected: Any) -> None:
    found = run(guard, *arguments)
    is_code = isinstance(expected, str) and isinstance(found, str)
    assert found == (expected if is_code else plain(expected))


def test_mixed_currencies_are_named_from_the_left() -> None:
    for guard in ("add_amount", "subtract_signed", "less_amount", "greater_amount"):
        with pytest.raises(Fault) as caught:
            GUARDS[guard](eur(1), Amount(1, "USD"))
        assert caught.value.values == {"first": "EUR", "second": "USD"}


def test_the_first_of_equals_is_the_least_and_the_most() -> None:
    first, second = eur(1), eur(1)
    assert guards.least_of(framed(), first, second) is first
    assert guards.most_of(framed(), first, second) is first


@given(
    minor=st.integers(-MOST, MOST),
    numerator=st.integers(-(10**6), 10**6),
    denominator=st.integers(1, 10**6),
    rounding=st.sampled_from(operations.ROUNDINGS),
)
def test_rounding_is_as_decimal_has_it(minor: int, numerator: int, denominator: int, rounding: str) -> None:
    _rounds_as_decimal(minor, numerator, denominator, rounding)


@pytest.mark.parametrize("rounding", operations.ROUNDINGS)
def test_rounding_of_halves_and_their_neighbours(rounding: str) -> None:
    for minor, denominator in product(range(-12, 13), (1, 2, 3, 4, 8)):
        _rounds_as_decimal(minor, 1, denominator, rounding)


def _rounds_as_decimal(minor: int, numerator: int, denominator: int, rounding: str) -> None:
    with localcontext(prec=100):
        ratio = Decimal(minor) * numerator / denominator
        expected = int(ratio.to_integral_value(f"ROUND_{rounding.upper()}"))
    found = run("times_signed", eur(minor), numerator, denominator, rounding)
    assert found == ((expected, "EUR") if abs(expected) <= MOST else "value.range")


@given(minor=st.integers(0, MOST), weights=st.lists(st.integers(0, 2**80), min_size=1, max_size=20))
def test_a_split_by_weights_loses_nothing_and_is_as_near_as_can_be(minor: int, weights: list[int]) -> None:
    whole = sum(weights)
    found = run("split_amount_by", eur(minor), weights)
    if not whole:
        assert found == "value.range"
        return
    minors = [part for part, _ in found]
    assert sum(minors) == minor
    exact = [divmod(minor * weight, whole) for weight in weights]
    assert all(floor <= part <= floor + (left > 0) for part, (floor, left) in zip(minors, exact, strict=True))
    given_more = [(left, -i) for i, (part, (floor, left)) in enumerate(zip(minors, exact, strict=True)) if part > floor]
    not_given = [(left, -i) for i, (part, (floor, left)) in enumerate(zip(minors, exact, strict=True)) if part == floor]
    assert not given_more or not not_given or min(given_more) > max(not_given), "largest remainder, ties to the earlier"


@given(minor=st.integers(0, MOST), parts=st.integers(1, 1_024))
def test_a_split_loses_nothing(minor: int, parts: int) -> None:
    minors = [part for part, _ in run("split_amount", eur(minor), parts)]
    assert (sum(minors), len(minors)) == (minor, parts)
    assert minors == sorted(minors, reverse=True)
    assert max(minors) - min(minors) <= 1


def made(size: int) -> int:
    return size // prices.MADE_BYTES_PER_STEP


@pytest.mark.parametrize(
    ("guard", "arguments", "steps", "size"),
    [
        ("add_text", ("a" * 100, "b" * 28), 0, 64 + 4 * 128),
        ("add_bytes", (bytes(100), bytes(92)), 0, 64 + 192),
        ("add_list", ([1] * 7, [2] * 3), 0, 56 + 80),
        ("make_list", ([1] * 9,), 0, 56 + 72),
        ("make_map", ([("a", 1), ("a", 2), ("b", 3)],), 0, 232 + 128),
        ("append", ([1] * 8, 1), 0, 56 + 72),
        ("pop_item", ([1] * 10, 1), 0, 56 + 72),
        ("with_value", ({"a": 1}, "b", 1), 0, 232 + 128),
        ("pop_key", ({"a": 1, "b": 2}, "b"), 0, 232 + 64),
        ("slice_text", ("a" * 100, 0, 50), 0, 64 + 200),
        ("slice_list", ([1] * 10, 1, None), 0, 56 + 72),
        ("character", ("abc", 0), 0, 68),
        ("upper", ("a" * 100,), 0, 464),
        ("hexadecimal", (bytes(50),), 0, 464),
        ("split_text", ("ab,c", ","), 0, 56 + 16 + 64 + 8 + 64 + 4),
        ("join", ("-", ["a"] * 50), 50, 64 + 4 * 99),
        ("decimal", (10**9,), 0, 64 + 40),
        ("parsed", ("0" * 64,), 2, 0),
        ("sha256_text", ("é" * 32,), 5 + 2, 0),
        ("sha256_bytes", (bytes(31),), 5, 0),
        ("startswith", ("a" * 99, "a" * 64), 2, 0),
        ("isdigit", ("1" * 64,), 2, 0),
        ("within_text", ("a" * 10, "b" * 64), 2, 0),
        ("within_text", ("a" * 1_000, "b" * 64), 32, 0),
        ("split_text", ("b" * 640, "a" * 10), 25, 2_688),
        ("within_list", (1, [2] * 9), 9, 0),
        ("within_list", (1, [1] * 9), 9, 0),
        ("within_list", ("a" * 128, ["a" * 128] * 3), 4, 0),
        ("within_map", ("a" * 256, {}), 2, 0),
        ("value_at", ({"a" * 128: 1}, "a" * 128), 1, 0),
        ("equal", ("a" * 256, "a" * 256), 2, 0),
        ("equal", ("a" * 256, "a" * 127), 0, 0),
        ("equal", ([1] * 9, [1] * 5), 5, 0),
        ("equal", ([["a" * 128]], [["a" * 128]]), 3, 0),
        ("equal", ({"a": 1, "b": 2}, {"a": 1, "b": 2}), 2, 0),
        ("less", (b"a" * 256, b"b" * 256), 2, 0),
        ("least_of", ("a" * 128, "a" * 128, "a" * 128), 2, 0),
        ("total", ([1] * 9,), 9, 0),
        ("ordered", ([1] * 9,), 9 * 4, 56 + 72),
        ("ordered_texts", (["a" * 16] * 4,), 4 * 3 + 2 * 3, 56 + 32),
        ("backwards", ([1] * 9,), 0, 56 + 72),
        ("split_amount", (eur(1), 9), 0, 56 + 72),
        ("split_amount_by", (eur(1), [1] * 9), 9 * 4, 56 + 72 + 9 * 64),
        ("keys", ({"a": 1},), 0, 64),
        ("item", ([1] * 9, 3), 0, 0),
    ],
)
def test_what_is_long_is_charged_by_its_length(guard: str, arguments: tuple[Any, ...], steps: int, size: int) -> None:
    frame = framed()
    GUARDS[guard](frame, *arguments) if guard in FRAMED else GUARDS[guard](*arguments)
    price = steps + (made(56 + 16) + made(size - 72) if guard == "split_text" else made(size))
    assert (frame.used, frame.made) == (price, size)
    if price:
        short = framed(price - 1)
        assert run(guard, *arguments, frame=short) == "steps.exceeded"
        assert short.left == 0


def test_every_guard_that_the_tables_name_is_there() -> None:
    named = {
        *({guard for guard, _ in operations.BINARY.values()} - {"add_int", "subtract_int", "multiply_int"}),
        *(guard for guard, _ in operations.ATTRIBUTES.values()),
        *(method.guard for method in operations.METHODS.values()),
        *(guard for guard, _ in operations.MUTATORS.values()),
        *(guard for guard, _ in operations.FUNCTIONS.values()),
        *operations.NEGATIVE.values(),
    }
    assert named <= set(GUARDS), "but for what Python does itself within `bounded`"
    assert not any(name.startswith("_") for name in GUARDS)


# What leaves the contract


def emit(frame: Frame, name: str, values: dict[str, Any]) -> str:
    return _leave(lambda: guards.emit(frame, name, tuple(sorted(values, key=cbor.key_order)), values))


def refuse(message: str, values: dict[str, Any]) -> str:
    return _leave(lambda: guards.refuse(framed(), message, tuple(sorted(values, key=cbor.key_order)), values))


def _leave(act: Callable[[], object]) -> str:
    try:
        act()
    except Fault as fault:
        return fault.code
    return "ok"


def test_events_are_bounded_in_number() -> None:
    frame = framed()
    for number in range(prices.EVENTS_MAX):
        assert emit(frame, "e", {"n": number}) == "ok"
    assert emit(frame, "e", {}) == "output.events"
    assert (len(frame.events), frame.events[1]) == (64, {"data": {"n": 1}, "name": "e"})
    assert list(frame.events[1]) == ["data", "name"]


@pytest.mark.parametrize("unit", ["a", "é", b"a"])
def test_events_are_bounded_in_size(unit: str | bytes) -> None:
    room = prices.EVENTS_BYTES_MAX - len(cbor.encode("e")) - len(cbor.encode({"a": "x" * 60_000})) + 60_000
    room //= len(unit.encode() if isinstance(unit, str) else unit)
    assert emit(framed(), "e", {"a": unit * (room + 1)}) == "output.events"
    assert emit(framed(), "e", {"a": unit * room}) == "ok"
    assert emit(framed(), "e", {"a": [unit * 40_000], "b": unit * 40_000}) == "output.events"
    assert emit(framed(), "e" * 60_000, {"a": "x" * 60_000}) == "output.events"


def test_the_events_of_a_transaction_are_bounded_together() -> None:
    frame = framed()
    assert [emit(frame, "e", {"a": "x" * size}) for size in (40_000, 40_000, 20_000)] == ["ok", "output.events", "ok"]
    assert len(frame.events) == 2


def test_an_event_is_charged_by_its_size() -> None:
    frame = framed(1_000)
    emit(frame, "e", {})
    assert frame.used == prices.EVENT_STEPS
    emit(frame, "e", {"a": "x" * 312})
    assert frame.used == 2 * prices.EVENT_STEPS + 40
    short = framed(prices.EVENT_STEPS + 39)
    assert emit(short, "e", {"a": "x" * 312}) == "steps.exceeded"
    assert short.events == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (MOST, MOST),
        (-(2**63), -(2**63)),
        (2**63, None),
        (-(2**63) - 1, None),
        ([[2**63]], None),
        ({"k": 2**63}, None),
        (eur(5), {"minor": 5, "currency": "EUR"}),
        ([eur(5)], [{"minor": 5, "currency": "EUR"}]),
        ({"bb": 1, "a": 2}, {"a": 2, "bb": 1}),
        *((value, value) for value in ("text", b"bytes", None, True)),
    ],
)
def test_what_leaves_is_plain_and_its_numbers_fit_64_bits(value: Any, expected: Any) -> None:
    frame = framed()
    if expected is None and value is not None:
        assert (emit(frame, "e", {"a": value}), refuse("r", {"a": value})) == ("value.range", "value.range")
        assert frame.events == []
        return
    assert (emit(frame, "e", {"a": value}), refuse("r", {"a": value})) == ("ok", "require.failed")
    assert plain(frame.events[0]["data"]) == plain({"a": expected})


def test_a_refusal_is_bounded() -> None:
    room = prices.REFUSAL_BYTES_MAX - len(cbor.encode("x")) - len(cbor.encode({"a": "y" * 4_000})) + 4_000
    assert refuse("x", {"a": "y" * room}) == "require.failed"
    assert refuse("x", {"a": "y" * (room + 1)}) == "value.size"
    assert refuse("x" * 5_000, {}) == "value.size"
    shared: list[Any] = [0] * 16
    for _ in range(6):
        shared = [shared] * 16
    assert refuse("x", {"a": shared}) == "value.size"


def test_a_refusal_within_an_invariant_says_so() -> None:
    frame = framed()
    frame.checks = True
    assert _leave(lambda: guards.refuse(frame, "x", (), {})) == "invariant.failed"
