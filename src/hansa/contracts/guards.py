"""The operations of the dialect at run time: each bounds its result and charges by size.

The rewriter puts a call of one of these where an operation stands. The checker made sure of the kinds of operands;
what is left to go wrong raises `Fault`. `GUARDS` maps the names the rewriter writes to functions; those in `FRAMED`
take the frame first.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyright: reportMissingTypeArgument=false, reportUnknownMemberType=false, reportUnknownLambdaType=false
# Values are dynamic here: their kinds were checked before.

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn

from hansa.contracts import calendar, messages, records
from hansa.contracts.codecs import Amount, Codec, fit, is_currency, to_plain
from hansa.contracts.frame import Frame, spent
from hansa.contracts.operations import DURATION_UNITS
from hansa.contracts.prices import (
    BYTES_MAX,
    BYTES_PER_STEP,
    COMPARED_BYTES_PER_STEP,
    DURATION_MAX,
    EVENT_STEPS,
    EVENTS_BYTES_MAX,
    EVENTS_MAX,
    HASH_STEPS,
    INSTANT_MAX,
    INTEGER_BITS_MAX,
    KEY_STEPS,
    LIST_ITEMS_MAX,
    MAP_ITEMS_MAX,
    MAP_KEY_CHARS_MAX,
    OUTPUT_BYTES_PER_STEP,
    REFUSAL_BYTES_MAX,
    TEXT_BYTES,
    TEXT_CHARS_MAX,
    search_price,
)
from hansa.contracts.values import Record, list_bytes, map_bytes, named_size, text_bytes, text_size
from hansa.wire.limits import INTEGER_MAX, INTEGER_MIN

_DIGITS_MAX: Final = 77
"""Of a text that becomes an integer: those that 256 bits always hold."""


def some(value: Any) -> Any:
    """A value where None is not enough."""
    if value is None:
        raise messages.none()
    return value


# Numbers, time, money


def bounded(number: int) -> int:
    """The result of + - * on integers."""
    if not -INTEGER_BITS_MAX <= number <= INTEGER_BITS_MAX:
        raise messages.integer_range()
    return number


def multiply_int(a: int, b: int) -> int:
    """a * b. The checker made sure that these are numbers; should it ever be wrong, nothing is repeated."""
    if type(a) is not int or type(b) is not int:
        raise TypeError
    return bounded(a * b)


def divide(a: int, b: int) -> int:
    """a // b, rounded down."""
    if b == 0:
        raise messages.division()
    return a // b


def remainder(a: int, b: int) -> int:
    """a % b, with the sign of b. Should the checker ever be wrong, nothing is formatted; see `multiply_int`."""
    if type(a) is not int or type(b) is not int:
        raise TypeError
    if b == 0:
        raise messages.division()
    return a % b


def total(frame: Frame, numbers: list[int]) -> int:
    """sum(numbers)."""
    frame.charge(len(numbers))
    found = 0
    for number in numbers:
        found = bounded(found + number)
    return found


def instant(milliseconds: int) -> int:
    """The result of + - on an Instant."""
    if not 0 <= milliseconds <= INSTANT_MAX:
        raise messages.instant_range()
    return milliseconds


def duration(milliseconds: int) -> int:
    """The result of + - * on Durations."""
    if not -DURATION_MAX <= milliseconds <= DURATION_MAX:
        raise messages.duration_range()
    return milliseconds


def make_duration(**counts: int) -> int:
    """Duration(days=..., ...)."""
    return duration(sum(count * DURATION_UNITS[unit] for unit, count in counts.items()))


def _amount(minor: int, currency: str) -> Amount:
    if minor < 0:
        raise messages.amount_negative()
    if minor > INTEGER_MAX:
        raise messages.amount_range()
    return Amount(minor, currency)


def _signed(minor: int, currency: str) -> Amount:
    if not -INTEGER_MAX <= minor <= INTEGER_MAX:
        raise messages.amount_range()
    return Amount(minor, currency)


def make_amount(minor: int, currency: str) -> Amount:
    """Amount(minor, currency)."""
    if not is_currency(currency):
        raise messages.currency_form()
    return _amount(minor, currency)


def make_signed(minor: int, currency: str) -> Amount:
    """SignedAmount(minor, currency)."""
    if not is_currency(currency):
        raise messages.currency_form()
    return _signed(minor, currency)


def add_amount(a: Amount, b: Amount) -> Amount:
    """a + b."""
    currency = a.currency
    if currency != b.currency:
        raise messages.currencies(currency, b.currency)
    minor = a.minor + b.minor
    return Amount(minor, currency) if minor <= INTEGER_MAX else _amount(minor, currency)


def subtract_amount(a: Amount, b: Amount) -> Amount:
    """a - b."""
    currency = a.currency
    if currency != b.currency:
        raise messages.currencies(currency, b.currency)
    minor = a.minor - b.minor
    return Amount(minor, currency) if minor >= 0 else _amount(minor, currency)


def add_signed(a: Amount, b: Amount) -> Amount:
    """a + b, one of them signed."""
    if a.currency != b.currency:
        raise messages.currencies(a.currency, b.currency)
    return _signed(a.minor + b.minor, a.currency)


def subtract_signed(a: Amount, b: Amount) -> Amount:
    """a - b, one of them signed."""
    if a.currency != b.currency:
        raise messages.currencies(a.currency, b.currency)
    return _signed(a.minor - b.minor, a.currency)


def multiply_amount(a: Amount, b: int) -> Amount:
    """amount * number."""
    return _amount(a.minor * b, a.currency)


def multiply_by_amount(a: int, b: Amount) -> Amount:
    """number * amount."""
    return _amount(a * b.minor, b.currency)


def multiply_signed(a: Amount, b: int) -> Amount:
    """signed * number."""
    return _signed(a.minor * b, a.currency)


def multiply_by_signed(a: int, b: Amount) -> Amount:
    """number * signed."""
    return _signed(a * b.minor, b.currency)


def negate_signed(a: Amount) -> Amount:
    """-signed."""
    return Amount(-a.minor, a.currency)


def times_amount(a: Amount, numerator: int, denominator: int, rounding: str) -> Amount:
    """amount.times(numerator, denominator, rounding)."""
    return _amount(_rounded(a.minor * numerator, denominator, rounding), a.currency)


def times_signed(a: Amount, numerator: int, denominator: int, rounding: str) -> Amount:
    """signed.times(numerator, denominator, rounding)."""
    return _signed(_rounded(a.minor * numerator, denominator, rounding), a.currency)


def _rounded(numerator: int, denominator: int, rounding: str) -> int:
    """numerator / denominator to a whole number, by one of `operations.ROUNDINGS`, which mean what `decimal`'s do."""
    if denominator < 1:
        raise messages.divisor_range()
    low, left = divmod(numerator, denominator)
    if not left or rounding == "floor":
        return low
    if rounding == "ceiling":
        return low + 1
    is_negative = numerator < 0
    if rounding in ("up", "down"):
        return low + (is_negative if rounding == "down" else not is_negative)
    if 2 * left != denominator:
        return low + (2 * left > denominator)
    if rounding == "half_even":
        return low + low % 2
    return low + (is_negative if rounding == "half_down" else not is_negative)


def split_amount(frame: Frame, a: Amount, parts: int) -> list[Amount]:
    """amount.split(parts): equal but for one minor unit, the larger ones first."""
    if not 1 <= parts <= LIST_ITEMS_MAX:
        raise messages.split_parts()
    frame.make(list_bytes(parts))
    each, more = divmod(a.minor, parts)
    larger, smaller = Amount(each + 1, a.currency), Amount(each, a.currency)
    return [larger] * more + [smaller] * (parts - more)


def split_amount_by(frame: Frame, a: Amount, weights: list[int]) -> list[Amount]:
    """amount.split_by(weights): by largest remainder, ties to the earlier."""
    whole = sum(weights)
    if whole <= 0 or any(weight < 0 for weight in weights):
        raise messages.split_weights()
    count = len(weights)
    frame.charge(count * count.bit_length())
    frame.make(list_bytes(count) + TEXT_BYTES * count)
    shares = [divmod(a.minor * weight, whole) for weight in weights]
    left = a.minor - sum(share for share, _ in shares)
    nearest = sorted(range(len(weights)), key=lambda i: -shares[i][1])[:left]
    minors = [share for share, _ in shares]
    for i in nearest:
        minors[i] += 1
    return [Amount(minor, a.currency) for minor in minors]


# Dates


def make_date(year: int, month: int, day: int) -> str:
    """Date(year, month, day)."""
    if not calendar.is_day(year, month, day):
        raise messages.date_unknown()
    return calendar.written(year, month, day)


def add_days(date: str, days: int) -> str:
    """date.add_days(days)."""
    return calendar.date_of(calendar.count(date) + days)


# Texts, bytes, lists


def _text(frame: Frame, text: str) -> str:
    if len(text) > TEXT_CHARS_MAX:
        raise messages.text_size()
    frame.make(text_bytes(len(text)))
    return text


def add_text(frame: Frame, a: str, b: str) -> str:
    """a + b on texts."""
    if len(a) + len(b) > TEXT_CHARS_MAX:
        raise messages.text_size()
    frame.make(text_bytes(len(a) + len(b)))
    return a + b


def add_bytes(frame: Frame, a: bytes, b: bytes) -> bytes:
    """a + b on bytes."""
    if len(a) + len(b) > BYTES_MAX:
        raise messages.bytes_size()
    frame.make(TEXT_BYTES + len(a) + len(b))
    return a + b


def add_list(frame: Frame, a: list, b: list) -> list:
    """a + b on lists."""
    count = len(a) + len(b)
    if count > LIST_ITEMS_MAX:
        raise messages.list_size()
    frame.make(list_bytes(count))
    return a + b


def make_list(frame: Frame, items: list) -> list:
    """[a, b, ...]."""
    frame.make(list_bytes(len(items)))
    return items


def looked_up(frame: Frame, pair: tuple[str, Any]) -> tuple[str, Any]:
    """One pair of a map that is written out, charged by its key: what hashing and comparing that takes."""
    frame.charge(len(pair[0]) // COMPARED_BYTES_PER_STEP)
    if len(pair[0]) > MAP_KEY_CHARS_MAX:
        raise messages.map_key_size()
    return pair


def make_map(frame: Frame, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """{key: value, ...}; of equal keys the last counts."""
    made = dict(pairs)
    frame.make(map_bytes(len(made)))
    return {key: made[key] for key in sorted(made)}


def make_struct(
    frame: Frame, codecs: Sequence[tuple[str, Codec, str]], defaults: Mapping[str, Any], given: dict[str, Any]
) -> dict[str, Any]:
    """Struct(field=value, ...).

    `codecs` in declared order with the places of their fields, `defaults` in encoding order, all fields among them.
    """
    for name, codec, place in codecs:
        if name in given:
            fit(frame, given[name], codec, place)
    frame.make(map_bytes(len(defaults)))
    return {**defaults, **given}


def item(a: Any, index: int) -> Any:
    """a[index] of a list or of bytes; from the end if negative."""
    if not -len(a) <= index < len(a):
        raise messages.index_range()
    return a[index]


def character(frame: Frame, a: str, index: int) -> str:
    """a[index] of a text."""
    found: str = item(a, index)
    frame.make(text_bytes(1))
    return found


def value_at(frame: Frame, a: dict, key: str) -> Any:
    """a[key] of a map."""
    frame.charge(len(key) // COMPARED_BYTES_PER_STEP)
    if key not in a:
        raise messages.key_missing()
    return a[key]


def get(frame: Frame, a: dict, key: str, default: Any) -> Any:
    """a.get(key, default) of a map."""
    frame.charge(len(key) // COMPARED_BYTES_PER_STEP)
    return a.get(key, default)


def slice_text(frame: Frame, a: str, begin: int | None, end: int | None) -> str:
    """a[begin:end] of a text."""
    return _text(frame, a[begin:end])


def slice_bytes(frame: Frame, a: bytes, begin: int | None, end: int | None) -> bytes:
    """a[begin:end] of bytes."""
    found = a[begin:end]
    frame.make(TEXT_BYTES + len(found))
    return found


def slice_list(frame: Frame, a: list, begin: int | None, end: int | None) -> list:
    """a[begin:end] of a list."""
    found = a[begin:end]
    frame.make(list_bytes(len(found)))
    return found


def keys(frame: Frame, a: dict) -> list:
    """a.keys() of a map."""
    frame.make(list_bytes(len(a)))
    return list(a)


def values(frame: Frame, a: dict) -> list:
    """a.values() of a map."""
    frame.make(list_bytes(len(a)))
    return list(a.values())


def upper(frame: Frame, a: str) -> str:
    """a.upper(), ASCII letters alone: bytes know no others, and UTF-8 has these nowhere else."""
    return _text(frame, a.upper() if a.isascii() else a.encode().upper().decode())


def lower(frame: Frame, a: str) -> str:
    """a.lower(), ASCII letters alone."""
    return _text(frame, a.lower() if a.isascii() else a.encode().lower().decode())


def startswith(frame: Frame, a: str, b: str) -> bool:
    """a.startswith(b)."""
    frame.charge(len(b) // BYTES_PER_STEP)
    return a.startswith(b)


def endswith(frame: Frame, a: str, b: str) -> bool:
    """a.endswith(b)."""
    frame.charge(len(b) // BYTES_PER_STEP)
    return a.endswith(b)


def isdigit(frame: Frame, a: str) -> bool:
    """a.isdigit(): ASCII digits, one at least."""
    frame.charge(len(a) // BYTES_PER_STEP)
    return a.isascii() and a.isdigit()


def split_text(frame: Frame, a: str, separator: str) -> list[str]:
    """a.split(separator)."""
    if not separator:
        raise messages.split_separator()
    frame.charge(search_price(a, separator))
    parts = a.split(separator, LIST_ITEMS_MAX)
    if len(parts) > LIST_ITEMS_MAX:
        raise messages.list_size()
    frame.make(list_bytes(len(parts)))
    frame.make(sum(text_bytes(len(part)) for part in parts))
    return parts


def join(frame: Frame, separator: str, parts: list[str]) -> str:
    """separator.join(parts)."""
    size = sum(map(len, parts)) + len(separator) * max(len(parts) - 1, 0)
    if size > TEXT_CHARS_MAX:
        raise messages.text_size()
    frame.charge(len(parts))
    frame.make(text_bytes(size))
    return separator.join(parts)


def hexadecimal(frame: Frame, a: bytes) -> str:
    """a.hex()."""
    return _text(frame, a.hex())


def decimal(frame: Frame, a: int) -> str:
    """str(a)."""
    return _text(frame, str(a))


def parsed(frame: Frame, a: str) -> int:
    """int(a)."""
    frame.charge(len(a) // BYTES_PER_STEP)
    digits = a.removeprefix("-")
    if not (len(digits) <= _DIGITS_MAX and digits.isascii() and digits.isdigit()):
        raise messages.integer_form()
    return bounded(int(a))


def sha256_text(frame: Frame, text: str) -> bytes:
    """sha256(text): of its UTF-8."""
    encoded = text.encode()
    frame.charge(HASH_STEPS + len(encoded) // BYTES_PER_STEP)
    return hashlib.sha256(encoded).digest()


def sha256_bytes(frame: Frame, data: bytes) -> bytes:
    """sha256(data)."""
    frame.charge(HASH_STEPS + len(data) // BYTES_PER_STEP)
    return hashlib.sha256(data).digest()


def ordered(frame: Frame, a: list) -> list:
    """sorted(a) of numbers, dates and times."""
    frame.charge(len(a) * len(a).bit_length())
    frame.make(list_bytes(len(a)))
    return sorted(a)


def ordered_texts(frame: Frame, a: list) -> list:
    """sorted(a) of texts or bytes, by code point."""
    rounds = len(a).bit_length()
    frame.charge(len(a) * rounds)
    frame.charge(sum(map(len, a)) // BYTES_PER_STEP * rounds)
    frame.make(list_bytes(len(a)))
    return sorted(a)


def backwards(frame: Frame, a: list) -> list:
    """reversed(a)."""
    frame.make(list_bytes(len(a)))
    return a[::-1]


# Comparing


def equal(frame: Frame, a: Any, b: Any) -> bool:
    """a == b of one kind: lists, maps and structs item by item, each charged."""
    kind = type(a)
    if kind is not type(b):
        return False
    if kind is str or kind is bytes:
        frame.charge(min(len(a), len(b)) // COMPARED_BYTES_PER_STEP)
        return a == b
    if kind is Amount:
        return a.minor == b.minor and a.currency == b.currency
    if kind is list:
        frame.charge(min(len(a), len(b)))
        return len(a) == len(b) and all(equal(frame, x, y) for x, y in zip(a, b, strict=True))
    if kind is dict:
        frame.charge(min(len(a), len(b)))
        if len(a) != len(b):
            return False
        return all(key in b and equal(frame, value, b[key]) for key, value in a.items())
    if kind is Record:
        return a.place == b.place
    return a == b


def unequal(frame: Frame, a: Any, b: Any) -> bool:
    """a != b."""
    return not equal(frame, a, b)


def less(frame: Frame, a: Any, b: Any) -> bool:
    """a < b on texts and bytes, by code point."""
    frame.charge(min(len(a), len(b)) // COMPARED_BYTES_PER_STEP)
    return a < b


def greater(frame: Frame, a: Any, b: Any) -> bool:
    """a > b on texts and bytes, by code point."""
    frame.charge(min(len(a), len(b)) // COMPARED_BYTES_PER_STEP)
    return a > b


def less_amount(a: Amount, b: Amount) -> bool:
    """a < b on amounts of one currency."""
    if a.currency != b.currency:
        raise messages.currencies(a.currency, b.currency)
    return a.minor < b.minor


def greater_amount(a: Amount, b: Amount) -> bool:
    """a > b on amounts of one currency."""
    if a.currency != b.currency:
        raise messages.currencies(a.currency, b.currency)
    return a.minor > b.minor


def least_of(frame: Frame, *found: Any) -> Any:
    """min(a, b, ...), the first of equals."""
    best = found[0]
    for value in found[1:]:
        if _less(frame, value, best):
            best = value
    return best


def most_of(frame: Frame, *found: Any) -> Any:
    """max(a, b, ...), the first of equals."""
    best = found[0]
    for value in found[1:]:
        if _less(frame, best, value):
            best = value
    return best


def _less(frame: Frame, a: Any, b: Any) -> bool:
    kind = type(a)
    if kind is Amount:
        return less_amount(a, b)
    return less(frame, a, b) if kind is str or kind is bytes else a < b


def within_list(frame: Frame, a: Any, b: list) -> bool:
    """a in b, b a list."""
    frame.charge(len(b))
    return any(equal(frame, a, each) for each in b)


def within_map(frame: Frame, a: str, b: dict) -> bool:
    """a in b, b a map."""
    frame.charge(len(a) // COMPARED_BYTES_PER_STEP)
    return a in b


def within_text(frame: Frame, a: str, b: str) -> bool:
    """a in b on texts."""
    frame.charge(search_price(b, a))
    return a in b


# Changing places: each gives the new value of the whole


def with_field(frame: Frame, a: dict, name: str, value: Any, codec: Codec, place: str) -> dict:
    """The struct `a` with another value of a field."""
    fit(frame, value, codec, place)
    frame.make(map_bytes(len(a)))
    return {**a, name: value}


def with_item(frame: Frame, a: list, index: int, value: Any) -> list:
    """The list `a` with another item."""
    if not -len(a) <= index < len(a):
        raise messages.index_range()
    frame.make(list_bytes(len(a)))
    made = a.copy()
    made[index] = value
    return made


def with_value(frame: Frame, a: dict, key: str, value: Any) -> dict:
    """The map `a` with a value for a key."""
    frame.charge(len(key) // COMPARED_BYTES_PER_STEP)
    if len(key) > MAP_KEY_CHARS_MAX:
        raise messages.map_key_size()
    if key in a:
        frame.make(map_bytes(len(a)))
        return {**a, key: value}
    if len(a) >= MAP_ITEMS_MAX:
        raise messages.map_size()
    frame.make(map_bytes(len(a) + 1))
    made = {**a, key: value}
    return {name: made[name] for name in sorted(made)}


def append(frame: Frame, a: list, value: Any) -> list:
    """The list `a` with one more item."""
    if len(a) >= LIST_ITEMS_MAX:
        raise messages.list_size()
    frame.make(list_bytes(len(a) + 1))
    return [*a, value]


def insert(frame: Frame, a: list, index: int, value: Any) -> list:
    """The list `a` with one more item before `index`."""
    if len(a) >= LIST_ITEMS_MAX:
        raise messages.list_size()
    frame.make(list_bytes(len(a) + 1))
    return [*a[:index], value, *a[index:]]


def pop_item(frame: Frame, a: list, index: int) -> list:
    """The list `a` without an item."""
    if not -len(a) <= index < len(a):
        raise messages.index_range()
    frame.make(list_bytes(len(a) - 1))
    made = a.copy()
    del made[index]
    return made


def pop_key(frame: Frame, a: dict, key: str) -> dict:
    """The map `a` without a key."""
    frame.charge(len(key) // COMPARED_BYTES_PER_STEP)
    if key not in a:
        raise messages.key_missing()
    frame.make(map_bytes(len(a) - 1))
    return {name: value for name, value in a.items() if name != key}


def set_field(frame: Frame, record: Record, name: str, value: Any) -> None:
    """record.name = value, checked against the field's type."""
    shape = record.shape
    codec = shape.codecs[name]
    if codec.pay is not None:
        codec.pay(frame, value)
    wrong = codec.problem(value, frame.host)
    if wrong:
        raise messages.bounds(messages.place_field(shape.name, name), wrong)
    record.values[name] = value
    record.changed = True


def set_reference(record: Record, name: str, value: Record | None) -> None:
    """record.name = another record."""
    record.values[name] = None if value is None else value.key
    record.changed = True


def become(record: Record, state: str) -> None:
    """Gives a record its next state."""
    record.values["state"] = state
    record.changed = True


# Loops and calls


def count(*bounds: int) -> range:
    """range(...) in the head of a loop; each pass is charged by the loop's body."""
    if any(not INTEGER_MIN <= bound <= INTEGER_MAX for bound in bounds):
        raise messages.range_bounds()
    if len(bounds) == 3 and bounds[2] == 0:
        raise messages.division()
    return range(*bounds)


def numbered(a: Any) -> Iterator[tuple[int, Any]]:
    """enumerate(a) in the head of a loop."""
    return enumerate(a)


def paired(a: Any, b: Any) -> Iterator[tuple[Any, Any]]:
    """zip(a, b) in the head of a loop."""
    return zip(a, b, strict=False)


def apply(frame: Frame, function: Callable[..., Any], fits: Sequence[tuple[Codec, str]], *arguments: Any) -> Any:
    """A call of a function of the file or of a library; its arguments in declared order."""
    records.deeper(frame)
    for (codec, place), argument in zip(fits, arguments, strict=True):
        fit(frame, argument, codec, place)
    found = function(frame, *arguments)
    frame.depth -= 1
    return found


def apply_named(
    frame: Frame, function: Callable[..., Any], fits: Sequence[tuple[Codec, str]], order: Sequence[str], given: dict
) -> Any:
    """A call of a function whose arguments are not in declared order; `order` is that."""
    return apply(frame, function, fits, *(given[name] for name in order))


# What leaves the contract


def refuse(frame: Frame, message: str, order: Sequence[str], found: dict[str, Any]) -> NoReturn:
    """A `require` that does not hold; `order`: the names in encoding order."""
    room = REFUSAL_BYTES_MAX - text_size(message, REFUSAL_BYTES_MAX)
    if room < 0 or named_size(found, order, room) > room:
        raise messages.refusal_size()
    raise messages.refused(message, {name: to_plain(found[name]) for name in order}, frame.checks)


def emit(frame: Frame, name: str, order: Sequence[str], found: dict[str, Any]) -> None:
    """event(name, field=value, ...); `order`: the names in encoding order.

    An event of a contract that was called names it, so that nobody can take it for the calling one's, or the reverse.
    """
    if len(frame.events) == EVENTS_MAX:
        raise messages.events_count()
    room = EVENTS_BYTES_MAX - frame.emitted
    size = text_size(name, room)
    if size <= room:
        size += named_size(found, order, room - size)
    if size > room:
        raise messages.events_size()
    frame.charge(EVENT_STEPS + size // OUTPUT_BYTES_PER_STEP)
    frame.emitted += size
    event: dict[str, Any] = {"data": {key: to_plain(found[key]) for key in order}, "name": name}
    if len(frame.stack) > 1:
        event["contract"] = frame.stack[-1]
    frame.events.append(event)


def contract_version(frame: Frame, name: str, source: str) -> str:
    """Checks a contract file for deployment and gives its version."""
    records.charge_check(frame, source)
    return frame.host.contract_version(name, source)


def library_digest(frame: Frame, name: str, source: str) -> bytes:
    """Checks a library file for deployment and gives its digest."""
    records.charge_check(frame, source)
    return frame.host.library_digest(name, source)


def key_id(frame: Frame, spki: bytes) -> bytes:
    """Checks a public key for registration and gives its id."""
    frame.charge(KEY_STEPS)
    return frame.host.key_id(spki)


def member_id(member: str) -> str:
    """The name of a member as text."""
    return member


GUARDS: Final[Mapping[str, Callable[..., Any]]] = {
    "spent": spent,
    "some": some,
    "fit": fit,
    "negate_int": lambda a: bounded(-a),
    "bounded": bounded,
    "multiply_int": multiply_int,
    "divide": divide,
    "remainder": remainder,
    "absolute": abs,
    "total": total,
    "add_instant": lambda a, b: instant(a + b),
    "subtract_instant": lambda a, b: instant(a - b),
    "add_duration": lambda a, b: duration(a + b),
    "subtract_duration": lambda a, b: duration(a - b),
    "multiply_duration": lambda a, b: duration(a * b),
    "negate_duration": lambda a: -a,
    "make_duration": make_duration,
    "make_amount": make_amount,
    "make_signed": make_signed,
    "add_amount": add_amount,
    "subtract_amount": subtract_amount,
    "add_signed": add_signed,
    "subtract_signed": subtract_signed,
    "multiply_amount": multiply_amount,
    "multiply_by_amount": multiply_by_amount,
    "multiply_signed": multiply_signed,
    "multiply_by_signed": multiply_by_signed,
    "negate_signed": negate_signed,
    "times_amount": times_amount,
    "times_signed": times_signed,
    "split_amount": split_amount,
    "split_amount_by": split_amount_by,
    "signed": lambda a: a,
    "minor": lambda a: a.minor,
    "currency": lambda a: a.currency,
    "make_date": make_date,
    "year": lambda a: int(a[:4]),
    "month": lambda a: int(a[5:7]),
    "day": lambda a: int(a[8:]),
    "weekday": lambda a: (calendar.count(a) + 3) % 7 + 1,
    "add_days": add_days,
    "add_months": calendar.add_months,
    "days_until": lambda a, b: calendar.count(b) - calendar.count(a),
    "start": calendar.instant_of,
    "date_of": calendar.date_at,
    "milliseconds": lambda a: a,
    "days": lambda a: a // DURATION_UNITS["days"],
    "add_text": add_text,
    "add_bytes": add_bytes,
    "add_list": add_list,
    "make_list": make_list,
    "looked_up": looked_up,
    "key_of": records.key_of,
    "make_map": make_map,
    "make_struct": make_struct,
    "item": item,
    "character": character,
    "value_at": value_at,
    "get": get,
    "slice_text": slice_text,
    "slice_bytes": slice_bytes,
    "slice_list": slice_list,
    "keys": keys,
    "values": values,
    "length": len,
    "upper": upper,
    "lower": lower,
    "startswith": startswith,
    "endswith": endswith,
    "isdigit": isdigit,
    "split_text": split_text,
    "join": join,
    "hexadecimal": hexadecimal,
    "decimal": decimal,
    "parsed": parsed,
    "sha256_text": sha256_text,
    "sha256_bytes": sha256_bytes,
    "ordered": ordered,
    "ordered_texts": ordered_texts,
    "backwards": backwards,
    "equal": equal,
    "unequal": unequal,
    "less": less,
    "greater": greater,
    "less_amount": less_amount,
    "greater_amount": greater_amount,
    "least_of": least_of,
    "most_of": most_of,
    "within_list": within_list,
    "within_map": within_map,
    "within_text": within_text,
    "with_field": with_field,
    "with_item": with_item,
    "with_value": with_value,
    "append": append,
    "insert": insert,
    "pop_item": pop_item,
    "pop_key": pop_key,
    "set_field": set_field,
    "set_reference": set_reference,
    "become": become,
    "count": count,
    "numbered": numbered,
    "paired": paired,
    "apply": apply,
    "apply_named": apply_named,
    "refuse": refuse,
    "emit": emit,
    "contract_version": contract_version,
    "library_digest": library_digest,
    "key_id": key_id,
    "member_id": member_id,
    "follow": records.follow,
    "get_record": records.get,
    "find_record": records.find,
    "has_record": records.exists,
    "create_record": records.create,
    "select_records": records.select,
    "schedule": records.schedule,
    "call_action": records.call_action,
    "call_view": records.call_view,
}
"""By the name that `operations` and the rewriter use."""

_UNFRAMED: Final = frozenset(
    """
    some multiply_int negate_int bounded divide remainder absolute add_instant
    subtract_instant add_duration subtract_duration multiply_duration negate_duration make_duration make_amount
    make_signed add_amount subtract_amount add_signed subtract_signed multiply_amount multiply_by_amount
    multiply_signed multiply_by_signed negate_signed times_amount times_signed signed minor currency make_date
    year month day weekday add_days add_months days_until start date_of milliseconds days item length
    less_amount greater_amount set_reference become count key_of numbered paired member_id
    """.split()  # noqa: SIM905 - a list of words reads better so
)
FRAMED: Final = frozenset(GUARDS) - _UNFRAMED
"""Guards that charge, or touch records."""
