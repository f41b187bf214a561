"""Operations on values. Each costs 1 step where it stands in the source, and what is said here besides.

The checker has seen that the kinds of the operands go together; what can be wrong is their values. Text and bytes
count as sizes by characters and bytes.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# Values are dynamic: the static checker has seen to their kinds.

import hashlib
import re
from typing import Any, Final

from hansa.contracts import messages, prices
from hansa.contracts.specification.machine import Machine, ask, charge, look, make, match_text
from hansa.contracts.specification.values import (
    DAY_MS,
    Amount,
    Date,
    Duration,
    Instant,
    Record,
    Struct,
    date_of,
    day_number,
    is_currency,
    is_date,
    month_days,
    size_of,
    weigh,
)
from hansa.wire import cbor
from hansa.wire.limits import CHECK_STEPS_PER_BYTE, INTEGER_MAX

_WHOLE: Final = re.compile(r"-?[0-9]{1,77}")
_UPPER: Final = {lower: lower - 32 for lower in range(ord("a"), ord("z") + 1)}
_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


# Ranges


def integer(number: int) -> int:
    """An integer has at most 256 bits with its sign, that is -(2^255-1) to 2^255-1; else `value.range`."""
    if abs(number) > prices.INTEGER_BITS_MAX:
        raise messages.integer_range()
    return number


def amount(minor: int, currency: str, signed: bool) -> Amount:
    """An Amount is 0 to 2^63-1 minor units, a SignedAmount -(2^63-1) to 2^63-1; else `value.range`."""
    if minor < 0 and not signed:
        raise messages.amount_negative()
    if abs(minor) > INTEGER_MAX:
        raise messages.amount_range()
    return Amount(minor, currency, signed)


def instant(milliseconds: int) -> Instant:
    """An Instant lies in the years 1970 to 9999, else `value.range`."""
    if not 0 <= milliseconds <= prices.INSTANT_MAX:
        raise messages.instant_range()
    return Instant(milliseconds)


def duration(milliseconds: int) -> Duration:
    """A Duration is at most ten thousand years, forth or back, else `value.range`."""
    if abs(milliseconds) > prices.DURATION_MAX:
        raise messages.duration_range()
    return Duration(milliseconds)


def made(machine: Machine, value: Any) -> Any:
    """A value that an operation makes: text of at most 65,536 characters, as many bytes, lists and maps of at most
    1,024 items, else `value.size`; then its making is charged.
    """
    if isinstance(value, str) and len(value) > prices.TEXT_CHARS_MAX:
        raise messages.text_size()
    if isinstance(value, bytes) and len(value) > prices.BYTES_MAX:
        raise messages.bytes_size()
    if isinstance(value, list) and len(value) > prices.LIST_ITEMS_MAX:
        raise messages.list_size()
    if isinstance(value, dict) and len(value) > prices.MAP_ITEMS_MAX:
        raise messages.map_size()
    make(machine, size_of(value))
    return value


def one_currency(a: Amount, b: Amount) -> None:
    """Amounts meet only in one currency, else `value.currency`."""
    if a.currency != b.currency:
        raise messages.currencies(a.currency, b.currency)


# Arithmetic


def add(machine: Machine, a: Any, b: Any) -> Any:
    """`a + b`: integers; Amounts, signed if either is; Instant and Duration; Durations; text, bytes and lists, which
    make a new one.
    """
    match a, b:
        case Amount(), Amount():
            one_currency(a, b)
            return amount(a.minor + b.minor, a.currency, a.signed or b.signed)
        case Instant(), Duration():
            return instant(a.milliseconds + b.milliseconds)
        case Duration(), Duration():
            return duration(a.milliseconds + b.milliseconds)
        case int(), int():
            return integer(a + b)
        case _:
            return made(machine, a + b)


def subtract(a: Any, b: Any) -> Any:
    """`a - b`: integers; Amounts, signed if either is; Instant and Duration; Instants, which gives a Duration;
    Durations.
    """
    match a, b:
        case Amount(), Amount():
            one_currency(a, b)
            return amount(a.minor - b.minor, a.currency, a.signed or b.signed)
        case Instant(), Duration():
            return instant(a.milliseconds - b.milliseconds)
        case Instant() | Duration(), Instant() | Duration():
            return duration(a.milliseconds - b.milliseconds)
        case _:
            return integer(a - b)


def multiply(a: Any, b: Any) -> Any:
    """`a * b`: integers; an Amount or a Duration and an integer, in either order."""
    match a, b:
        case Amount(), _:
            return amount(a.minor * b, a.currency, a.signed)
        case _, Amount():
            return amount(a * b.minor, b.currency, b.signed)
        case Duration(), _:
            return duration(a.milliseconds * b)
        case _, Duration():
            return duration(a * b.milliseconds)
        case _:
            return integer(a * b)


def floor_divide(a: int, b: int) -> int:
    """`a // b` of integers, rounded down. By 0: `value.division`."""
    if b == 0:
        raise messages.division()
    return integer(a // b)


def remainder(a: int, b: int) -> int:
    """`a % b` of integers: what `a // b` leaves, with the sign of b. By 0: `value.division`."""
    if b == 0:
        raise messages.division()
    return a % b


def negate(a: Any) -> Any:
    """`-a`: an integer, a SignedAmount, a Duration."""
    match a:
        case Amount():
            return amount(-a.minor, a.currency, a.signed)
        case Duration():
            return Duration(-a.milliseconds)
        case _:
            return integer(-a)


# Comparison


def less(machine: Machine, a: Any, b: Any) -> bool:
    """`a < b`, and so `<=`, `>`, `>=`: integers, Dates, Instants, Durations; Amounts of one currency; text by code
    point and bytes, which costs matching the shorter.
    """
    match a:
        case Amount():
            one_currency(a, b)
            return a.minor < b.minor
        case Date():
            return day_number(a) < day_number(b)
        case Instant() | Duration():
            return a.milliseconds < b.milliseconds
        case str() | bytes():
            match_text(machine, min(len(a), len(b)))
            return a < b
        case _:
            return a < b


def equal(machine: Machine, a: Any, b: Any) -> bool:
    """`a == b`. None equals only None. Text and bytes cost matching the shorter.

    Amounts are equal if minor units and currency are, signed or not. Lists and maps cost 1 step for each item of the
    smaller, a struct 1 for each field; then, if their lengths are equal, items are compared in order until two differ:
    a map's by the keys of the left, a struct's in encoding order of their names. Records are equal if they are the
    same record.
    """
    if a is None or b is None:
        return a is b
    match a:
        case Amount():
            return a.minor == b.minor and a.currency == b.currency
        case Record():
            return a.place == b.place
        case str() | bytes():
            match_text(machine, min(len(a), len(b)))
            return a == b
        case list():
            charge(machine, min(len(a), len(b)))
            if len(a) != len(b):
                return False
            for mine, other in zip(a, b, strict=True):
                if not equal(machine, mine, other):
                    return False
            return True
        case dict():
            charge(machine, min(len(a), len(b)))
            if len(a) != len(b):
                return False
            for key, mine in a.items():
                if key not in b or not equal(machine, mine, b[key]):
                    return False
            return True
        case Struct():
            charge(machine, len(a.fields))
            for name in sorted(a.fields, key=cbor.key_order):
                if not equal(machine, a.fields[name], b.fields[name]):
                    return False
            return True
        case _:
            return a == b


def contains(machine: Machine, a: Any, b: Any) -> bool:
    """`a in b`. A list costs 1 step for each item, and items are compared by `==` until one is equal. A key in a map
    costs looking it up. A text in a text costs searching: 1 step for every 256 of the product of the searched text's
    characters and the sought one's, of which 128 count at most.
    """
    if isinstance(b, list):
        charge(machine, len(b))
        for item in b:
            if equal(machine, a, item):
                return True
        return False
    if isinstance(b, dict):
        match_text(machine, len(a))
        return a in b
    charge(machine, prices.search_price(b, a))
    return a in b


# Items


def item(machine: Machine, a: Any, index: Any) -> Any:
    """`a[i]`: an item of a list, a character of a text (which is made), a byte as an integer; from the end if negative,
    `index.range` if there is none. `m[k]` of a map costs looking the key up; `key.missing` if there is none.
    """
    if isinstance(a, dict):
        match_text(machine, len(index))
        if index not in a:
            raise messages.key_missing()
        return a[index]
    if not -len(a) <= index < len(a):
        raise messages.index_range()
    return made(machine, a[index]) if isinstance(a, str) else a[index]


def part(machine: Machine, a: Any, start: int | None, end: int | None) -> Any:
    """`a[i:j]` of a text, bytes or a list: made anew. Bounds beyond the ends stand for the ends."""
    return made(machine, a[start:end])


def check_key(key: str) -> None:
    """A key that is put into a map has at most 100 characters, else `value.size`."""
    if len(key) > prices.MAP_KEY_CHARS_MAX:
        raise messages.map_key_size()


def replace_item(machine: Machine, a: Any, index: Any, value: Any) -> Any:
    """`a[i] = e`: a list is made anew, `index.range` if there is no such item. `m[k] = e` costs looking the key up,
    and the map is made anew, the key added or its value replaced.
    """
    if isinstance(a, dict):
        match_text(machine, len(index))
        check_key(index)
        added = {**a, index: value}
        return made(machine, {key: added[key] for key in sorted(added)})
    if not -len(a) <= index < len(a):
        raise messages.index_range()
    changed = list(a)
    changed[index] = value
    return made(machine, changed)


def append(machine: Machine, a: list[Any], value: Any) -> list[Any]:
    """`p.append(e)`: the list made anew, one longer."""
    return made(machine, [*a, value])


def insert(machine: Machine, a: list[Any], index: int, value: Any) -> list[Any]:
    """`p.insert(i, e)`: the list made anew, e before item i; a place beyond the ends stands for the end."""
    position = max(0, len(a) + index) if index < 0 else min(index, len(a))
    return made(machine, [*a[:position], value, *a[position:]])


def pop(machine: Machine, a: Any, index: Any) -> Any:
    """`p.pop(i)`: the list made anew without item i, `index.range` if there is none. `m.pop(k)` costs looking the
    key up; the map is made anew without it, `key.missing` if there is none.
    """
    if isinstance(a, dict):
        match_text(machine, len(index))
        if index not in a:
            raise messages.key_missing()
        return made(machine, {key: value for key, value in a.items() if key != index})
    if not -len(a) <= index < len(a):
        raise messages.index_range()
    changed = list(a)
    del changed[index]
    return made(machine, changed)


# Functions


def length(a: Any) -> int:
    """`len(a)`: characters of a text, bytes, items of a list, keys of a map."""
    return len(a)


def absolute(number: int) -> int:
    """`abs(n)` of an integer."""
    return abs(number)


def smallest(machine: Machine, values: list[Any]) -> Any:
    """`min(a, b, ...)` of 2 to 8 values of one kind that has an order: the first of equals; compared in order as by
    `<`, each with the least so far.
    """
    best = values[0]
    for value in values[1:]:
        if less(machine, value, best):
            best = value
    return best


def largest(machine: Machine, values: list[Any]) -> Any:
    """`max(a, b, ...)`: as `min`, the first of the greatest."""
    best = values[0]
    for value in values[1:]:
        if less(machine, best, value):
            best = value
    return best


def total(machine: Machine, numbers: list[int]) -> int:
    """`sum(l)` of integers: 1 step for each; every partial sum is an integer in range."""
    charge(machine, len(numbers))
    result = 0
    for number in numbers:
        result = integer(result + number)
    return result


def in_order(machine: Machine, items: list[Any]) -> list[Any]:
    """`sorted(l)` of any kind that has an order but Amount: equals stay as they were.

    Costs the length of the list times the bits of that length; for text and bytes besides a look through all of them,
    times the same bits. Makes a list.
    """
    bits = len(items).bit_length()
    charge(machine, len(items) * bits)
    if items and isinstance(items[0], str | bytes):
        charge(machine, sum(len(each) for each in items) // prices.BYTES_PER_STEP * bits)
    return made(machine, sorted(items, key=_rank))


def _rank(value: Any) -> Any:
    match value:
        case Date():
            return day_number(value)
        case Instant() | Duration():
            return value.milliseconds
        case _:
            return value


def backwards(machine: Machine, items: list[Any]) -> list[Any]:
    """`reversed(l)`: makes a list."""
    return made(machine, items[::-1])


def to_text(machine: Machine, number: int) -> str:
    """`str(n)`: an integer in decimal; makes a text."""
    return made(machine, str(number))


def to_integer(machine: Machine, text: str) -> int:
    """`int(t)`: a look through the text, which is 1 to 77 decimal digits, a minus before them or not; else
    `value.form`. The integer is in range.
    """
    look(machine, len(text))
    if _WHOLE.fullmatch(text) is None:
        raise messages.integer_form()
    return integer(int(text))


def sha256(machine: Machine, data: str | bytes) -> bytes:
    """`sha256(t)`: the SHA-256 of bytes, or of a text in UTF-8. Costs 5 and a look through the bytes."""
    encoded = data.encode() if isinstance(data, str) else data
    charge(machine, prices.HASH_STEPS)
    look(machine, len(encoded))
    return hashlib.sha256(encoded).digest()


def contract_version(machine: Machine, name: str, source: str) -> str:
    """`contract_version(name, source)`, for the contract of genesis alone: checks a file for deployment and gives its
    version. Costs `CHECK_STEPS_PER_BYTE` for each character.
    """
    charge(machine, CHECK_STEPS_PER_BYTE * len(source))
    return ask(machine.host.contract_version, name, source)


def library_digest(machine: Machine, name: str, source: str) -> bytes:
    """`library_digest(name, source)`, for the contract of genesis alone: checks a library file for deployment and gives
    its digest. Costs the same.
    """
    charge(machine, CHECK_STEPS_PER_BYTE * len(source))
    return ask(machine.host.library_digest, name, source)


def key_id(machine: Machine, spki: bytes) -> bytes:
    """`key_id(spki)`, for the contract of genesis alone: checks a public key for registration and gives its id, the
    SHA-256 of its SubjectPublicKeyInfo. Costs 2,000.
    """
    charge(machine, prices.KEY_STEPS)
    return ask(machine.host.key_id, spki)


def member_id(member: str) -> str:
    """`member_id(party)`, for the contract of genesis alone: the name of a member as text."""
    return member


def make_amount(minor: int, currency: str, signed: bool) -> Amount:
    """`Amount(minor, currency)` and `SignedAmount(minor, currency)`: a currency is three capital letters, else
    `value.currency`.
    """
    if not is_currency(currency):
        raise messages.currency_form()
    return amount(minor, currency, signed)


def make_date(year: int, month: int, day: int) -> Date:
    """`Date(year, month, day)`: a day there is, in the years 1 to 9999; else `value.range`."""
    if not is_date(year, month, day):
        raise messages.date_unknown()
    return Date(year, month, day)


def make_duration(parts: dict[str, int]) -> Duration:
    """`Duration(days=, hours=, minutes=, seconds=, milliseconds=)`: the sum of what is given, in range."""
    worth = {"days": DAY_MS, "hours": 3_600_000, "minutes": 60_000, "seconds": 1_000, "milliseconds": 1}
    return duration(sum(worth[name] * count for name, count in parts.items()))


# Attributes


def attribute(a: Any, name: str) -> Any:
    """`a.name` of a value: `minor` and `currency` of an Amount; `year`, `month`, `day` and `weekday` (Monday 1 to
    Sunday 7) of a Date; `date` (UTC) and `milliseconds` of an Instant; `milliseconds` and `days` (whole, rounded down)
    of a Duration; the fields of a struct.
    """
    match a, name:
        case Struct(), _:
            return a.fields[name]
        case Date(), "weekday":
            return (day_number(a) + 3) % 7 + 1  # 1970-01-01 was a Thursday
        case Instant(), "date":
            return date_of(a.milliseconds // DAY_MS)
        case Duration(), "days":
            return a.milliseconds // DAY_MS
        case (Amount(), "minor" | "currency") | (Date(), "year" | "month" | "day") | (Instant() | Duration(), _):
            return getattr(a, name)
        case _:
            raise AssertionError(f"no attribute `{name}`")


# Methods


def method(machine: Machine, a: Any, name: str, arguments: list[Any]) -> Any:
    """`a.name(...)` of a value: one of the methods below, by the kind of a."""
    match a:
        case str():
            return text_method(machine, a, name, arguments)
        case bytes():
            assert name == "hex"
            return hexadecimal(machine, a)
        case dict():
            return map_method(machine, a, name, arguments)
        case Amount():
            return amount_method(machine, a, name, arguments)
        case Date():
            return date_method(a, name, arguments)
        case _:
            raise AssertionError(f"no method `{name}`")


def text_method(machine: Machine, text: str, name: str, arguments: list[Any]) -> Any:
    """Text: `upper()` and `lower()` change ASCII letters and make a text. `startswith(t)` and `endswith(t)` cost a look
    through t. `isdigit()`, whether all are ASCII digits and there is one, a look through the text.

    `split(t)` at every t from the left, which is not empty (`value.form`), makes a list of at most 1,024 parts
    (`value.size`), and then its parts. `t.join(l)`: at most 65,536 characters (`value.size`), 1 step for
    each item, makes a text.
    """
    match name, arguments:
        case "upper", []:
            return made(machine, text.translate(_UPPER))
        case "lower", []:
            return made(machine, text.translate(_LOWER))
        case "startswith", [start]:
            look(machine, len(start))
            return text.startswith(start)
        case "endswith", [end]:
            look(machine, len(end))
            return text.endswith(end)
        case "isdigit", []:
            look(machine, len(text))
            return text.isascii() and text.isdigit()
        case "split", [separator]:
            if not separator:
                raise messages.split_separator()
            charge(machine, prices.search_price(text, separator))
            parts = made(machine, text.split(separator))
            make(machine, sum(size_of(each) for each in parts))
            return parts
        case "join", [items]:
            if sum(len(each) for each in items) + len(text) * max(len(items) - 1, 0) > prices.TEXT_CHARS_MAX:
                raise messages.text_size()
            charge(machine, len(items))
            return made(machine, text.join(items))
        case _:
            raise AssertionError(f"no method `{name}` of text")


def hexadecimal(machine: Machine, data: bytes) -> str:
    """Bytes: `hex()` makes a text of lower-case digits, at most 65,536 of them (`value.size`)."""
    return made(machine, data.hex())


def map_method(machine: Machine, a: dict[str, Any], name: str, arguments: list[Any]) -> Any:
    """Map: `get(k, default)` costs looking the key up. `keys()` and `values()` make a list, in the order of the
    keys by code point.
    """
    match name, arguments:
        case "get", [key, default]:
            match_text(machine, len(key))
            return a.get(key, default)
        case "keys", []:
            return made(machine, list(a.keys()))
        case "values", []:
            return made(machine, list(a.values()))
        case _:
            raise AssertionError(f"no method `{name}` of a map")


def amount_method(machine: Machine, a: Amount, name: str, arguments: list[Any]) -> Any:
    """Amount: `signed()` is it as a SignedAmount. `times(n, d, rounding)` is `minor * n / d` rounded as named.

    `split(n)` makes a list of n parts as equal as can be, the first ones 1 larger; n is 1 to 1,024, else
    `value.range`. `split_by(weights)` makes a list of parts in proportion to integers, see there. The parts sum up
    exactly.
    """
    match name, arguments:
        case "signed", []:
            return Amount(a.minor, a.currency, signed=True)
        case "times", [numerator, divisor, rounding]:
            if divisor < 1:
                raise messages.divisor_range()
            return amount(rounded(a.minor * numerator, divisor, rounding), a.currency, a.signed)
        case "split", [count]:
            if not 1 <= count <= prices.LIST_ITEMS_MAX:
                raise messages.split_parts()
            share, rest = divmod(a.minor, count)
            return made(machine, [Amount(share + (n < rest), a.currency, a.signed) for n in range(count)])
        case "split_by", [weights]:
            return split_by_weights(machine, a, weights)
        case _:
            raise AssertionError(f"no method `{name}` of an Amount")


def rounded(number: int, divisor: int, rounding: str) -> int:
    """`number / divisor`, as whole: `floor` down, `ceiling` up, `down` towards 0, `up` away from it; to the nearest,
    ties `half_even` to the even one, `half_down` towards 0, `half_up` away from it.
    """
    below, rest = divmod(number, divisor)
    if rest == 0:
        return below
    nearest = 2 * rest - divisor  # negative: the lower one is nearer
    match rounding:
        case "floor":
            up = False
        case "ceiling":
            up = True
        case "down":
            up = number < 0
        case "up":
            up = number > 0
        case "half_even":
            up = nearest > 0 or (nearest == 0 and below % 2 == 1)
        case "half_down":
            up = nearest > 0 or (nearest == 0 and number < 0)
        case "half_up":
            up = nearest > 0 or (nearest == 0 and number > 0)
        case _:
            raise AssertionError(f"no rounding `{rounding}`")
    return below + up


def split_by_weights(machine: Machine, a: Amount, weights: list[int]) -> list[Amount]:
    """Weights are not negative and not all 0, else `value.range`. Each part is first rounded down; what is left goes,
    1 each, to the parts with the largest remainders, of equal ones to the earlier. Costs the number of weights times
    the bits of that number, and makes a list and its Amounts.
    """
    if any(weight < 0 for weight in weights) or sum(weights) == 0:
        raise messages.split_weights()
    count = len(weights)
    charge(machine, count * count.bit_length())
    whole = sum(weights)
    shares = [a.minor * weight // whole for weight in weights]
    remainders = [a.minor * weight % whole for weight in weights]
    left = a.minor - sum(shares)
    for number in sorted(range(len(weights)), key=lambda number: -remainders[number])[:left]:
        shares[number] += 1
    parts = [Amount(share, a.currency, a.signed) for share in shares]
    make(machine, weigh(parts))
    return parts


def date_method(a: Date, name: str, arguments: list[Any]) -> Any:
    """Date: `add_days(n)`; `add_months(n)`, the last day of a month that is too short; both `value.range` beyond the
    years 1 to 9999. `days_until(d)`, negative if d is before. `start()`: the Instant at 00:00 UTC, from 1970 on.
    """
    match name, arguments:
        case "add_days", [days]:
            found = date_of(day_number(a) + days)
            if found is None:
                raise messages.date_range()
            return found
        case "add_months", [months]:
            year, month = divmod(12 * a.year + a.month - 1 + months, 12)
            if not 1 <= year <= 9999:
                raise messages.date_range()
            return Date(year, month + 1, min(a.day, month_days(year, month + 1)))
        case "days_until", [other]:
            return day_number(other) - day_number(a)
        case "start", []:
            return instant(day_number(a) * DAY_MS)
        case _:
            raise AssertionError(f"no method `{name}` of a Date")
