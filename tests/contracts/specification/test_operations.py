"""Operations: what they give, what they charge by size, and how they fault."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from tests.contracts.specification import ledger

from hansa.contracts import prices
from hansa.contracts.faults import Fault
from hansa.contracts.manifest import Manifest
from hansa.contracts.specification import operations as o
from hansa.contracts.specification.machine import Machine
from hansa.contracts.specification.values import Amount, Date, Duration, Instant, Struct

BIG = 2**255 - 1
MOST = 2**63 - 1


def eur(minor: int, *, signed: bool = False) -> Amount:
    return Amount(minor, "EUR", signed)


def terms(**fields: Any) -> Struct:
    types: dict[str, Any] = dict.fromkeys(fields, ledger.INT)
    declared = ledger.declared.Struct("Terms", {n: ledger.field(n, t) for n, t in types.items()}, "", 1)
    file: Manifest = ledger.manifest(structs=[declared])
    return Struct(declared, file, fields)


def charged(operation: Callable[[Machine], Any]) -> tuple[Any, int]:
    machine = ledger.machine()
    value = operation(machine)
    return value, machine.limit - machine.left


def fault(operation: Callable[[Machine], Any]) -> str:
    with pytest.raises(Fault) as caught:
        operation(ledger.machine())
    return caught.value.code


ARITHMETIC = {
    "integers": (lambda m: o.add(m, 2, 3), 5, 0),
    "amounts": (lambda m: o.add(m, eur(2), eur(3)), eur(5), 0),
    "a signed amount signs the sum": (lambda m: o.add(m, eur(2), eur(-3, signed=True)), eur(-1, signed=True), 0),
    "time and length": (lambda m: o.add(m, Instant(5), Duration(-3)), Instant(2), 0),
    "lengths": (lambda m: o.add(m, Duration(5), Duration(-8)), Duration(-3), 0),
    "text: 64 + 4 x 48 is two times 128": (lambda m: o.add(m, "a" * 40, "b" * 8), "a" * 40 + "b" * 8, 2),
    "bytes: 64 + 64 is 128": (lambda m: o.add(m, b"a" * 60, b"bbbb"), b"a" * 60 + b"bbbb", 1),
    "lists: 56 + 9 x 8 is 128": (lambda m: o.add(m, [1] * 4, [2] * 5), [1] * 4 + [2] * 5, 1),
    "difference of integers": (lambda _: o.subtract(2, 3), -1, 0),
    "difference of amounts": (lambda _: o.subtract(eur(3), eur(3)), eur(0), 0),
    "difference of times": (lambda _: o.subtract(Instant(5), Instant(8)), Duration(-3), 0),
    "difference of lengths": (lambda _: o.subtract(Duration(5), Duration(8)), Duration(-3), 0),
    "time less length": (lambda _: o.subtract(Instant(5), Duration(5)), Instant(0), 0),
    "product": (lambda _: o.multiply(-2, 3), -6, 0),
    "amount times number": (lambda _: o.multiply(eur(2), 3), eur(6), 0),
    "number times amount": (lambda _: o.multiply(-3, eur(2, signed=True)), eur(-6, signed=True), 0),
    "length times number": (lambda _: o.multiply(Duration(2), -3), Duration(-6), 0),
    "number times length": (lambda _: o.multiply(3, Duration(2)), Duration(6), 0),
    "division rounds down": (lambda _: o.floor_divide(-7, 2), -4, 0),
    "the remainder has the divisor's sign": (lambda _: o.remainder(-7, 2), 1, 0),
    "minus a number": (lambda _: o.negate(BIG), -BIG, 0),
    "minus a signed amount": (lambda _: o.negate(eur(3, signed=True)), eur(-3, signed=True), 0),
    "minus a length": (lambda _: o.negate(Duration(3)), Duration(-3), 0),
}


@pytest.mark.parametrize(("operation", "value", "steps"), ARITHMETIC.values(), ids=ARITHMETIC)
def test_arithmetic(operation: Any, value: Any, steps: int) -> None:
    assert charged(operation) == (value, steps)


FAULTS = {
    "a number beyond 256 bits": (lambda m: o.add(m, BIG, 1), "value.range"),
    "a number below 256 bits": (lambda _: o.subtract(-BIG, 1), "value.range"),
    "a product beyond 256 bits": (lambda _: o.multiply(BIG, BIG), "value.range"),
    "an amount below zero": (lambda _: o.subtract(eur(2), eur(3)), "value.range"),
    "an amount beyond 64 bits": (lambda m: o.add(m, eur(MOST), eur(1)), "value.range"),
    "a signed amount beyond 64 bits": (lambda _: o.multiply(eur(MOST, signed=True), -2), "value.range"),
    "other money": (lambda m: o.add(m, eur(MOST), Amount(1, "USD")), "value.currency"),
    "comparing other money": (lambda m: o.less(m, eur(1), Amount(1, "USD")), "value.currency"),
    "before 1970": (lambda _: o.subtract(Instant(2), Duration(3)), "value.range"),
    "after 9999": (lambda m: o.add(m, Instant(prices.INSTANT_MAX), Duration(1)), "value.range"),
    "too long a time": (lambda _: o.multiply(Duration(prices.DURATION_MAX), 2), "value.range"),
    "too long a text": (lambda m: o.add(m, "a" * 65_536, "b"), "value.size"),
    "too many bytes": (lambda m: o.add(m, b"a" * 65_536, b"b"), "value.size"),
    "too long a list": (lambda m: o.add(m, [1] * 1_024, [1]), "value.size"),
    "division by zero": (lambda _: o.floor_divide(1, 0), "value.division"),
    "remainder of zero": (lambda _: o.remainder(1, 0), "value.division"),
    "no such item": (lambda m: o.item(m, [1, 2], 2), "index.range"),
    "no such item from the end": (lambda m: o.item(m, "ab", -3), "index.range"),
    "no such item to replace": (lambda m: o.replace_item(m, [], 0, 1), "index.range"),
    "no such item to take out": (lambda m: o.pop(m, [1], 1), "index.range"),
    "no such key": (lambda m: o.item(m, {"a": 1}, "b"), "key.missing"),
    "no such key to take out": (lambda m: o.pop(m, {}, "b"), "key.missing"),
    "too many keys": (lambda m: o.replace_item(m, {f"{n:04}": 1 for n in range(1_024)}, "a", 1), "value.size"),
    "one item too many": (lambda m: o.append(m, [1] * 1_024, 1), "value.size"),
    "one item too many within": (lambda m: o.insert(m, [1] * 1_024, 3, 1), "value.size"),
    "a partial sum beyond 256 bits": (lambda m: o.total(m, [BIG, 1, -5]), "value.range"),
    "split at nothing": (lambda m: o.method(m, "abc", "split", [""]), "value.form"),
    "split in too many": (lambda m: o.method(m, "," * 1_024, "split", [","]), "value.size"),
    "joined too long": (lambda m: o.method(m, "a" * 65_536, "join", [["", "", ""]]), "value.size"),
    "digits too many": (lambda m: o.method(m, bytes(32_769), "hex", []), "value.size"),
    "a number of no digits": (lambda m: o.to_integer(m, "-"), "value.form"),
    "a number with a blank": (lambda m: o.to_integer(m, "1\n"), "value.form"),
    "digits of another script": (lambda m: o.to_integer(m, "\u0663"), "value.form"),
    "a number of 78 digits": (lambda m: o.to_integer(m, "0" * 78), "value.form"),
    "77 digits beyond 256 bits": (lambda m: o.to_integer(m, "9" * 77), "value.range"),
    "no currency": (lambda _: o.make_amount(-1, "eur", signed=False), "value.currency"),
    "an amount made negative": (lambda _: o.make_amount(-1, "EUR", signed=False), "value.range"),
    "no such day": (lambda _: o.make_date(2023, 2, 29), "value.range"),
    "beyond year 9999": (lambda m: o.method(m, Date(9999, 12, 31), "add_days", [1]), "value.range"),
    "far beyond year 9999": (lambda m: o.method(m, Date(1, 1, 1), "add_days", [BIG]), "value.range"),
    "before year 1": (lambda m: o.method(m, Date(1, 1, 31), "add_months", [-1]), "value.range"),
    "a day before 1970 has no instant": (lambda m: o.method(m, Date(1969, 12, 31), "start", []), "value.range"),
    "a divisor of 0": (lambda m: o.method(m, eur(1), "times", [1, 0, "up"]), "value.range"),
    "a negative part": (lambda m: o.method(m, eur(1), "times", [-1, 1, "up"]), "value.range"),
    "split in none": (lambda m: o.method(m, eur(1), "split", [0]), "value.range"),
    "split in 1,025": (lambda m: o.method(m, eur(1), "split", [1_025]), "value.range"),
    "no weights": (lambda m: o.method(m, eur(1), "split_by", [[]]), "value.range"),
    "weights of nothing": (lambda m: o.method(m, eur(1), "split_by", [[0, 0]]), "value.range"),
    "a negative weight": (lambda m: o.method(m, eur(1), "split_by", [[2, -1]]), "value.range"),
}


@pytest.mark.parametrize(("operation", "code"), FAULTS.values(), ids=FAULTS)
def test_faults(operation: Any, code: str) -> None:
    assert fault(operation) == code


COMPARISON = {
    "less": (lambda m: o.less(m, 1, 2), True, 0),
    "text by code point": (lambda m: o.less(m, "Z", "a"), True, 0),
    "bytes, by the shorter": (lambda m: o.less(m, bytes(128), bytes(300)), True, 1),
    "dates": (lambda m: o.less(m, Date(2023, 12, 31), Date(2024, 1, 1)), True, 0),
    "instants": (lambda m: o.less(m, Instant(2), Instant(2)), False, 0),
    "amounts, signed or not": (lambda m: o.less(m, eur(-1, signed=True), eur(0)), True, 0),
    "None is None": (lambda m: o.equal(m, None, None), True, 0),
    "None is nothing else": (lambda m: o.equal(m, "a" * 500, None), False, 0),
    "text, by the shorter": (lambda m: o.equal(m, "a" * 256, "a" * 300), False, 2),
    "an amount and a signed one": (lambda m: o.equal(m, eur(1), eur(1, signed=True)), True, 0),
    "other money is not equal": (lambda m: o.equal(m, eur(1), Amount(1, "USD")), False, 0),
    "lists of other lengths": (lambda m: o.equal(m, [1, 2, 3], [1, 2]), False, 2),
    "lists up to where they differ": (lambda m: o.equal(m, ["b", "a" * 128], ["c", "a" * 128]), False, 2),
    "lists of lists": (lambda m: o.equal(m, [[1, 2], [3]], [[1, 2], [3]]), True, 5),
    "maps": (lambda m: o.equal(m, {"a": 1, "b": 2}, {"a": 1, "b": 2}), True, 2),
    "maps of other keys": (lambda m: o.equal(m, {"a": 1, "b": 2}, {"a": 1, "c": 2}), False, 2),
    "structs": (lambda m: o.equal(m, terms(days=1, port=2), terms(days=1, port=2)), True, 2),
    "structs in encoding order of names": (
        lambda m: o.equal(m, terms(long="a" * 128, b="x"), terms(long="a" * 128, b="y")),
        False,
        2,
    ),
    "in a list": (lambda m: o.contains(m, 2, [1, 2, 3]), True, 3),
    "in a list until found": (lambda m: o.contains(m, "a" * 128, ["a" * 128, "a" * 128]), True, 3),
    "None in a list": (lambda m: o.contains(m, None, [1, None]), True, 2),
    "a key in a map": (lambda m: o.contains(m, "k" * 128, {"a": 1}), False, 1),
    "text in text": (lambda m: o.contains(m, "ab", "xx" * 60 + "ab" + "x" * 6), True, 1),
}


@pytest.mark.parametrize(("operation", "value", "steps"), COMPARISON.values(), ids=COMPARISON)
def test_comparison(operation: Any, value: Any, steps: int) -> None:
    assert charged(operation) == (value, steps)


ITEMS = {
    "from the end": (lambda m: o.item(m, [1, 2], -1), 2, 0),
    "a character": (lambda m: o.item(m, "abc", 1), "b", 0),
    "a byte": (lambda m: o.item(m, b"abc", 1), 98, 0),
    "a value by key": (lambda m: o.item(m, {"k" * 128: 7}, "k" * 128), 7, 1),
    "a part": (lambda m: o.part(m, "abcdef", 1, -1), "bcde", 0),
    "a part beyond the ends": (lambda m: o.part(m, [1] * 9, -BIG, BIG), [1] * 9, 1),
    "replaced": (lambda m: o.replace_item(m, [1, 2], -1, 5), [1, 5], 0),
    "a key added: 232 + 64 is over 2 x 128": (lambda m: o.replace_item(m, {}, "a", 5), {"a": 5}, 2),
    "appended": (lambda m: o.append(m, [1], 2), [1, 2], 0),
    "inserted": (lambda m: o.insert(m, [1, 2], 1, 5), [1, 5, 2], 0),
    "inserted from the end": (lambda m: o.insert(m, [1, 2], -1, 5), [1, 5, 2], 0),
    "inserted far behind": (lambda m: o.insert(m, [1, 2], BIG, 5), [1, 2, 5], 0),
    "inserted far before": (lambda m: o.insert(m, [1, 2], -BIG, 5), [5, 1, 2], 0),
    "taken out": (lambda m: o.pop(m, [1, 2, 3], -2), [1, 3], 0),
    "a key taken out": (lambda m: o.pop(m, {"a": 1, "b": 2}, "a"), {"b": 2}, 2),
}


@pytest.mark.parametrize(("operation", "value", "steps"), ITEMS.values(), ids=ITEMS)
def test_items(operation: Any, value: Any, steps: int) -> None:
    assert charged(operation) == (value, steps)


def test_a_changed_map_has_its_keys_in_code_point_order() -> None:
    assert list(o.replace_item(ledger.machine(), {"a": 1, "c": 2}, "b", 3)) == ["a", "b", "c"]


@pytest.mark.parametrize("change", [o.append, lambda m, a, v: o.replace_item(m, a, 0, v)])
def test_what_is_changed_is_another_value(change: Any) -> None:
    before = [1, 2]
    change(ledger.machine(), before, 3)
    assert before == [1, 2]


FUNCTIONS = {
    "the first of equals is least": (lambda m: o.smallest(m, [eur(1), eur(1, signed=True)]), eur(1), 0),
    "the first of equals is greatest": (lambda m: o.largest(m, [eur(1), eur(1, signed=True), eur(0)]), eur(1), 0),
    "least of texts": (lambda m: o.smallest(m, ["b" * 128, "a" * 128, "c" * 128]), "a" * 128, 2),
    "sum": (lambda m: o.total(m, [1, 2, 3]), 6, 3),
    "sorted: 3 x 2 bits": (lambda m: o.in_order(m, [3, 1, 2]), [1, 2, 3], 6),
    "sorted texts: looked through too": (lambda m: o.in_order(m, ["b" * 32, "a"]), ["a", "b" * 32], 2 * 2 + 1 * 2),
    "sorted dates": (lambda m: o.in_order(m, [Date(2024, 1, 1), Date(2023, 12, 31)])[0], Date(2023, 12, 31), 4),
    "sorted of nothing": (lambda m: o.in_order(m, []), [], 0),
    "reversed": (lambda m: o.backwards(m, list(range(9))), list(range(8, -1, -1)), 1),
    "a number as text": (lambda m: o.to_text(m, -12), "-12", 0),
    "a long number as text: 64 + 4 x 77": (lambda m: len(o.to_text(m, BIG)), 77, 2),
    "a text as number": (lambda m: o.to_integer(m, "-" + "0" * 62 + "12"), -12, 2),
    "a digest of text": (
        lambda m: o.sha256(m, "\u00e4" * 16).hex()[:8],
        hashlib.sha256(bytes.fromhex("c3a4" * 16)).hexdigest()[:8],
        6,
    ),
    "a digest of bytes": (lambda m: o.sha256(m, b"").hex()[:8], "e3b0c442", 5),
    "a contract's version": (lambda m: o.contract_version(m, "c", "x" * 100), "1.0.0", 6_000),
    "a library's digest": (lambda m: o.library_digest(m, "l", "x"), bytes(32), 60),
    "a key's id": (lambda m: o.key_id(m, b"x"), bytes(32), 2_000),
    "length": (lambda _: o.length({"a": 1}), 1, 0),
    "a length of time": (
        lambda _: o.make_duration({"days": 1, "hours": -24, "minutes": 1, "seconds": 1, "milliseconds": 1}),
        Duration(61_001),
        0,
    ),
}


@pytest.mark.parametrize(("operation", "value", "steps"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_functions(operation: Any, value: Any, steps: int) -> None:
    assert charged(operation) == (value, steps)


METHODS = {
    "only ASCII letters are raised": (lambda m: o.method(m, "aß\u00e4Z", "upper", []), "Aß\u00e4Z", 0),
    "lowered, made": (lambda m: o.method(m, "A" * 16, "lower", []), "a" * 16, 1),
    "begins": (lambda m: o.method(m, "abc", "startswith", ["a" * 32]), False, 1),
    "ends": (lambda m: o.method(m, "abc", "endswith", ["bc"]), True, 0),
    "digits": (lambda m: o.method(m, "1" * 32, "isdigit", []), True, 1),
    "no digits": (lambda m: o.method(m, "", "isdigit", []), False, 0),
    "digits of another script": (lambda m: o.method(m, "\u0663", "isdigit", []), False, 0),
    "split: 56 + 24, then 64 + 4 thrice": (lambda m: o.method(m, "a,b,c", "split", [","]), ["a", "b", "c"], 1),
    "joined: 2 items, 64 + 4 x 16": (
        lambda m: o.method(m, "--", "join", [["a" * 7, "b" * 7]]),
        "a" * 7 + "--" + "b" * 7,
        3,
    ),
    "joined of nothing": (lambda m: o.method(m, "--", "join", [[]]), "", 0),
    "hexadecimal": (lambda m: o.method(m, b"\x00\xff", "hex", []), "00ff", 0),
    "got": (lambda m: o.method(m, {"a": 1}, "get", ["a", None]), 1, 0),
    "not got": (lambda m: o.method(m, {}, "get", ["k" * 128, None]), None, 1),
    "keys": (lambda m: o.method(m, {"a": 1, "b": 2}, "keys", []), ["a", "b"], 0),
    "values": (lambda m: o.method(m, {str(n): n for n in range(9)}, "values", []), list(range(9)), 1),
    "signed": (lambda m: o.method(m, eur(1), "signed", []), eur(1, signed=True), 0),
    "split evenly": (lambda m: o.method(m, eur(11), "split", [3]), [eur(4), eur(4), eur(3)], 0),
    "split by weights": (
        lambda m: o.method(m, eur(10), "split_by", [[1, 0, 1, 1]]),
        [eur(4), eur(0), eur(3), eur(3)],
        4 * 3 + (56 + 4 * 72) // 128,
    ),
    "the largest remainders first": (lambda m: o.method(m, eur(10), "split_by", [[1, 5]]), [eur(2), eur(8)], 2 * 2 + 1),
    "days on": (lambda m: o.method(m, Date(2024, 2, 28), "add_days", [2]), Date(2024, 3, 1), 0),
    "months on": (lambda m: o.method(m, Date(2024, 1, 31), "add_months", [13]), Date(2025, 2, 28), 0),
    "months back": (lambda m: o.method(m, Date(2024, 3, 31), "add_months", [-13]), Date(2023, 2, 28), 0),
    "days until": (lambda m: o.method(m, Date(2024, 3, 1), "days_until", [Date(2024, 2, 28)]), -2, 0),
    "the start of a day": (lambda m: o.method(m, Date(1970, 1, 2), "start", []), Instant(86_400_000), 0),
}


@pytest.mark.parametrize(("operation", "value", "steps"), METHODS.values(), ids=METHODS)
def test_methods(operation: Any, value: Any, steps: int) -> None:
    assert charged(operation) == (value, steps)


@pytest.mark.parametrize(
    ("rounding", "of_5", "of_minus_5", "of_7"),
    [
        ("floor", 1, -2, 1),
        ("ceiling", 2, -1, 2),
        ("down", 1, -1, 1),
        ("up", 2, -2, 2),
        ("half_even", 1, -1, 2),
        ("half_up", 1, -1, 2),
        ("half_down", 1, -1, 2),
    ],
)
def test_quarters_are_rounded_as_named(rounding: str, of_5: int, of_minus_5: int, of_7: int) -> None:
    assert [o.rounded(n, 4, rounding) for n in (5, -5, 7)] == [of_5, of_minus_5, of_7]


@pytest.mark.parametrize(
    ("rounding", "halves"),
    [("half_even", [0, 2, 2, 0, -2, -2]), ("half_up", [1, 2, 3, -1, -2, -3]), ("half_down", [0, 1, 2, 0, -1, -2])],
)
def test_halves_are_rounded_as_named(rounding: str, halves: list[int]) -> None:
    assert [o.rounded(n, 2, rounding) for n in (1, 3, 5, -1, -3, -5)] == halves


def test_attributes() -> None:
    assert [o.attribute(Date(2024, 2, 29), each) for each in ("year", "month", "day", "weekday")] == [2024, 2, 29, 4]
    assert o.attribute(Instant(86_400_000), "date") == Date(1970, 1, 2)
    assert [o.attribute(Duration(-1), each) for each in ("days", "milliseconds")] == [-1, -1]
    assert [o.attribute(eur(3), each) for each in ("minor", "currency")] == [3, "EUR"]


def test_all_that_is_made_is_bounded() -> None:
    machine = ledger.machine(steps=10**9)
    text = "a" * 65_536
    with pytest.raises(Fault) as caught:
        for _ in range(65):
            o.part(machine, text, None, None)
    assert caught.value.code == "value.made"
    assert machine.made > prices.MADE_BYTES_MAX
