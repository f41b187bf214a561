"""The operations of the dialect at run time: each checks its operands and bounds its result.

The rewriter replaces every operator, comparison, index, assignment to a record and call in a body by a call of
one of these. They never raise anything but `Fault`. `GUARDS` maps the names the rewriter writes to functions.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Plain values are dynamic: their type is what this module finds out.

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from hansa.contracts import meter
from hansa.contracts.codecs import Amount, is_currency, misfit
from hansa.contracts.meter import BYTES_PER_STEP, OUTPUT_BYTES_PER_STEP, Fault, Frame
from hansa.contracts.values import Record, named_size, text_size, to_plain
from hansa.wire.limits import INTEGER_MAX, INTEGER_MIN

_LIMIT: Final = meter.INTEGER_MAX
_WORDS: Final[Mapping[type, str]] = {
    int: "a number",
    str: "text",
    bool: "a boolean",
    bytes: "bytes",
    list: "a list",
    Amount: "an Amount",
}


def _type_fault(operation: str, *operands: object) -> NoReturn:
    kinds = " and ".join(_kind(operand) for operand in operands)
    raise Fault("value.type", f"`{operation}` does not take {kinds}")


def _kind(value: object) -> str:
    """What a value is, in the dialect's words."""
    return "None" if value is None else _WORDS.get(type(value), "this value")


def _too_deep() -> NoReturn:
    raise Fault("value.size", f"lists are nested more than {meter.NESTING_MAX} deep")


def _bounded(number: int) -> int:
    if not -_LIMIT <= number <= _LIMIT:
        raise Fault("value.range", "a number left 256 bits")
    return number


def _amount(minor: int, currency: str) -> Amount:
    if minor < 0:
        raise Fault("value.range", "an Amount would be negative")
    if minor > INTEGER_MAX:
        raise Fault("value.range", "an Amount left 64 bits")
    return Amount(minor, currency)


def _mixed(a: Amount, b: Amount) -> NoReturn:
    raise Fault("value.currency", "{first} and {second} do not mix", {"first": a.currency, "second": b.currency})


def truth(value: object) -> bool:
    """A condition: a boolean and nothing else."""
    if value is True or value is False:
        return value
    raise Fault("value.type", f"a condition is a boolean, not {_kind(value)}")


def add(frame: Frame, a: Any, b: Any) -> Any:
    """a + b: numbers, Amounts of one currency, texts, lists."""
    kind = type(a)
    if kind is type(b):
        if kind is int:
            return _bounded(a + b)
        if kind is Amount:
            if a.currency != b.currency:
                _mixed(a, b)
            return _amount(a.minor + b.minor, a.currency)
        if kind is str or kind is list:
            size = len(a) + len(b)
            if size > (meter.TEXT_MAX if kind is str else meter.LIST_MAX):
                raise Fault("value.size", "the result of `+` is too large")
            frame.charge(size // BYTES_PER_STEP if kind is str else size)
            return a + b
    _type_fault("+", a, b)


def subtract(frame: Frame, a: Any, b: Any) -> Any:
    """a - b: numbers, Amounts of one currency."""
    kind = type(a)
    if kind is type(b):
        if kind is int:
            return _bounded(a - b)
        if kind is Amount:
            if a.currency != b.currency:
                _mixed(a, b)
            return _amount(a.minor - b.minor, a.currency)
    _type_fault("-", a, b)


def multiply(frame: Frame, a: Any, b: Any) -> Any:
    """a * b: numbers, or an Amount and a number."""
    if type(a) is int and type(b) is int:
        return _bounded(a * b)
    if type(a) is Amount and type(b) is int:
        return _amount(a.minor * b, a.currency)
    if type(a) is int and type(b) is Amount:
        return _amount(a * b.minor, b.currency)
    _type_fault("*", a, b)


def divide(frame: Frame, a: Any, b: Any) -> Any:
    """a // b on numbers, rounded down."""
    if type(a) is not int or type(b) is not int:
        _type_fault("//", a, b)
    if b == 0:
        raise Fault("value.division", "division by zero")
    return _bounded(a // b)


def remainder(frame: Frame, a: Any, b: Any) -> Any:
    """a % b on numbers, with the sign of b."""
    if type(a) is not int or type(b) is not int:
        _type_fault("%", a, b)
    if b == 0:
        raise Fault("value.division", "division by zero")
    return a % b


def negate(frame: Frame, a: Any) -> Any:
    """-a on numbers."""
    if type(a) is not int:
        _type_fault("-", a)
    return _bounded(-a)


def equal(frame: Frame, a: Any, b: Any, depth: int = meter.NESTING_MAX) -> bool:
    """a == b: values of different types are not equal; lists item by item, each item charged, `depth` in each other."""
    kind = type(a)
    if kind is not type(b):
        return False
    if kind is Amount:
        return a.minor == b.minor and a.currency == b.currency
    if kind is list:
        if depth == 0:
            _too_deep()
        frame.charge(min(len(a), len(b)))
        return len(a) == len(b) and all(equal(frame, x, y, depth - 1) for x, y in zip(a, b, strict=True))
    if kind is str or kind is bytes:
        frame.charge(min(len(a), len(b)) // BYTES_PER_STEP)
    return a == b


def unequal(frame: Frame, a: Any, b: Any) -> bool:
    """a != b."""
    return not equal(frame, a, b)


def less(frame: Frame, a: Any, b: Any) -> bool:
    """a < b: numbers, texts by code point, bytes, Amounts of one currency."""
    kind = type(a)
    if kind is type(b):
        if kind is int:
            return a < b
        if kind is Amount:
            if a.currency != b.currency:
                _mixed(a, b)
            return a.minor < b.minor
        if kind is str or kind is bytes:
            frame.charge(min(len(a), len(b)) // BYTES_PER_STEP)
            return a < b
    _type_fault("<", a, b)


def less_or_equal(frame: Frame, a: Any, b: Any) -> bool:
    """a <= b."""
    return not less(frame, b, a)


def greater(frame: Frame, a: Any, b: Any) -> bool:
    """a > b."""
    return less(frame, b, a)


def greater_or_equal(frame: Frame, a: Any, b: Any) -> bool:
    """a >= b."""
    return not less(frame, a, b)


def within(frame: Frame, a: Any, b: Any) -> bool:
    """a in b, b a list; each item looked at is charged."""
    if type(b) is not list:
        _type_fault("in", b)
    items: list[Any] = b
    frame.charge(len(items))
    return any(equal(frame, a, item) for item in items)


def not_within(frame: Frame, a: Any, b: Any) -> bool:
    """a not in b."""
    return not within(frame, a, b)


def item(frame: Frame, a: Any, index: Any) -> Any:
    """a[index] of a list; from the end if negative."""
    if type(a) is not list or type(index) is not int:
        _type_fault("[]", a, index)
    items: list[Any] = a
    if not -len(items) <= index < len(items):
        raise Fault("index.range", "the list has no item at this place")
    return items[index]


def amount_field(a: Any, field: str) -> Any:
    """a.minor and a.currency."""
    if type(a) is not Amount:
        raise Fault("value.type", f"{_kind(a)} has no `{field}`")
    return a.minor if field == "minor" else a.currency


def set_field(frame: Frame, record: Record, field: str, value: Any) -> None:
    """record.field = value, checked against the field's type; each item of a list is charged."""
    if type(value) is list:
        frame.charge(len(value))
    wrong = misfit(record.shape.codecs[field], value, frame.host.is_member)
    if wrong:
        raise Fault("value.bounds", f"`{record.shape.type.name}.{field}` {wrong}")
    record.values[field] = value
    record.changed = True


def length(frame: Frame, a: Any) -> int:
    """len(a) of text, bytes or a list."""
    if type(a) not in (str, bytes, list):
        _type_fault("len", a)
    return len(a)


def absolute(frame: Frame, a: Any) -> int:
    """abs(a) of a number."""
    if type(a) is not int:
        _type_fault("abs", a)
    return abs(a)


def smallest(frame: Frame, *values: Any) -> Any:
    """min(a, b, ...), the first of equals."""
    best = values[0]
    for value in values[1:]:
        if less(frame, value, best):
            best = value
    return best


def largest(frame: Frame, *values: Any) -> Any:
    """max(a, b, ...), the first of equals."""
    best = values[0]
    for value in values[1:]:
        if less(frame, best, value):
            best = value
    return best


def count(frame: Frame, *bounds: Any) -> range:
    """range(...) in the head of a loop; each pass is charged by the loop's body."""
    if not all(type(bound) is int for bound in bounds):
        _type_fault("range", *bounds)
    if len(bounds) == 3 and bounds[2] == 0:
        raise Fault("value.division", "range with a step of zero")
    if any(abs(bound) > INTEGER_MAX for bound in bounds):
        raise Fault("value.range", "the bounds of a range fit 64 bits")
    return range(*bounds)


def iterate(a: Any) -> list[Any]:
    """The list a loop goes through."""
    if type(a) is not list:
        raise Fault("value.type", f"a loop goes through a list or a range, not {_kind(a)}")
    return a


def make_amount(frame: Frame, minor: Any, currency: Any) -> Amount:
    """Amount(minor, currency)."""
    if type(minor) is not int:
        _type_fault("Amount", minor, currency)
    if not is_currency(currency):
        raise Fault("value.currency", "a currency is three capital letters")
    return _amount(minor, currency)


def refuse(frame: Frame, message: str, values: dict[str, Any]) -> NoReturn:
    """A `require` that does not hold. `values` come in encoding order; each item of a list is charged."""
    room = meter.REFUSAL_BYTES_MAX - text_size(message, meter.REFUSAL_BYTES_MAX)
    if named_size(frame, values, room) > room:
        raise Fault("value.size", f"a refusal says at most {meter.REFUSAL_BYTES_MAX} bytes")
    raise Fault("require.failed", message, {name: _leaving(value) for name, value in values.items()})


def emit(frame: Frame, name: str, values: dict[str, Any]) -> None:
    """event(name, field=value, ...). `values` come in encoding order; each item of a list is charged."""
    if len(frame.events) == meter.EVENTS_MAX:
        raise Fault("output.events", f"an action emits at most {meter.EVENTS_MAX} events")
    room = meter.EVENTS_BYTES_MAX - frame.emitted
    size = text_size(name, room)
    size += named_size(frame, values, room - size)
    frame.charge(meter.EVENT_STEPS + size // OUTPUT_BYTES_PER_STEP)
    if size > room:
        raise Fault("output.events", f"the events of an action have at most {meter.EVENTS_BYTES_MAX} bytes")
    frame.emitted += size
    frame.events.append({"data": {key: _leaving(value) for key, value in values.items()}, "name": name})


def sha256(frame: Frame, text: Any) -> bytes:
    """The SHA-256 of a text's UTF-8."""
    if type(text) is not str:
        _type_fault("sha256", text)
    frame.charge(len(text) // BYTES_PER_STEP)
    return hashlib.sha256(text.encode()).digest()


def contract_version(frame: Frame, name: Any, source: Any) -> str:
    """Checks a contract file for deployment and gives its version."""
    if type(name) is not str or type(source) is not str:
        _type_fault("contract_version", name, source)
    frame.charge(meter.CHECK_STEPS_PER_BYTE * len(source))
    return frame.host.contract_version(name, source)


def _leaving(value: Any) -> Any:
    """The plain form of a value that leaves the contract: integers fit 64 bits there."""
    kind = type(value)
    if kind is int and not INTEGER_MIN <= value <= INTEGER_MAX:
        raise Fault("value.range", "a number that leaves the contract fits 64 bits")
    if kind is list:
        return [_leaving(each) for each in value]
    return to_plain(value)


GUARDS: Final[Mapping[str, Callable[..., Any]]] = {
    "__spent": meter.spent,
    "__truth": truth,
    "__add": add,
    "__subtract": subtract,
    "__multiply": multiply,
    "__divide": divide,
    "__remainder": remainder,
    "__negate": negate,
    "__equal": equal,
    "__unequal": unequal,
    "__less": less,
    "__less_or_equal": less_or_equal,
    "__greater": greater,
    "__greater_or_equal": greater_or_equal,
    "__within": within,
    "__not_within": not_within,
    "__item": item,
    "__amount_field": amount_field,
    "__set_field": set_field,
    "__iterate": iterate,
    "__refuse": refuse,
    "__emit": emit,
    "__call_len": length,
    "__call_abs": absolute,
    "__call_min": smallest,
    "__call_max": largest,
    "__call_range": count,
    "__call_Amount": make_amount,
    "__call_sha256": sha256,
    "__call_contract_version": contract_version,
}
