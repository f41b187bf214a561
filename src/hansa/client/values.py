"""Values between Python and the ledger, led by the contract's schema: what is signed, and what is given back.

| declared | taken | given back |
|---|---|---|
| `Amount` | `Amount`, text such as `USD 5.00`, a pair of number and currency, a plain amount | `Amount` |
| `Instant` | aware `datetime` (whole milliseconds count), text of RFC 3339, ms since 1970 | aware `datetime` in UTC |
| `Duration` | `timedelta`, text such as `90m`, ms | `timedelta` |
| `Date` | `date`, text | `date` |
| `Bytes` | `bytes`, hexadecimal text | `bytes` |
| enum | its text, an `enum.Enum` of it | text |
| struct | a mapping, a dataclass, a `msgspec.Struct` | `dict` by field |

A float is never taken: what it stands for is not exact. All else is taken and given as it is.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Values of contracts are dynamic: their schema says what they are.

import dataclasses
import enum
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import msgspec

from hansa.client import arguments, money
from hansa.client.arguments import EPOCH, MILLISECOND, Schema, misfit, reader, resolved, value_from_json
from hansa.client.money import Amount
from hansa.client.readable import NO_SCHEMA, carried
from hansa.client.words import hint
from hansa.wire.limits import INSTANT_MAX
from hansa.wire.problems import HansaError


def plain(schema: Schema, given: Mapping[str, Any]) -> dict[str, Any]:
    """The plain arguments that are signed. Raises `HansaError` `argument.value` with every problem at once."""
    known, defined = schema.get("properties", {}), schema.get("$defs", {})
    found: dict[str, Any] = {}
    problems: list[str] = []
    for name, value in given.items():
        if name not in known:
            problems.append(f"there is no argument {name}; {hint(name, list(known))}")
            continue
        try:
            found[name] = _plain(known[name], value, defined)
        except HansaError as error:
            problems.append(f"{name}: {error.detail}")
        else:
            problems += [f"{name}: {wrong}" for wrong in [misfit(known[name], found[name], defined)] if wrong]
    problems += [f"{name} is missing" for name in schema.get("required", ()) if name not in given]
    if problems:
        raise HansaError("argument.value", "; ".join(problems), problems=problems)
    return found


def typed(schema: Schema, value: Any, defined: Mapping[str, Schema]) -> Any:
    """A value from JSON as Python has it. What does not fit the schema, as of another version's record, stays."""
    return _typed(schema, value_from_json(schema, value, defined), defined)


def event_data(declared: Schema | None, name: str, data: Any) -> Any:
    """What an event carries, typed as its contract declares; as it is where nothing is declared, or wrongly."""
    schema = carried(declared, "events", name)
    if declared is None or not schema:
        return data
    try:
        return typed(schema, data, declared["$defs"])
    except NO_SCHEMA:
        return data


def key_text(schema: Schema, key: Any, defined: Mapping[str, Schema]) -> str:
    """A record's key, or a value of an indexed field, as queries are written. None is the absent value.

    It is taken in the forms that arguments are. Raises `HansaError` `argument.value`, or `query.value` for text.
    """
    kind, _ = resolved(schema, defined)
    form = kind.get("format")
    match key:
        case enum.Enum():
            return key_text(schema, key.value, defined)
        case None:
            return ""
        case bool():
            return "true" if key else "false"
        case datetime():
            return str(_instant(key)) if form == "instant-ms" else _no(key, "time")
        case date():
            return key.isoformat() if form == "date" else _no(key, "date")
        case timedelta():
            return str(key // MILLISECOND) if form == "duration-ms" else _no(key, "length of time")
        case bytes():
            return key.hex()
        case str() if reader(kind) is not None:
            return arguments.key_text(schema, key, defined)
        case str() | int():
            return str(key)
        case _:
            raise HansaError("argument.value", f"a {type(key).__name__} is no key")


def _plain(schema: Schema, value: Any, defined: Mapping[str, Schema]) -> Any:
    kind, _ = resolved(schema, defined)
    if isinstance(value, enum.Enum):
        return _plain(schema, value.value, defined)
    if isinstance(value, float):
        raise HansaError("argument.value", "a float is not exact; give an int, text or Decimal")
    form = kind.get("format")
    if form in ("amount", "signed-amount"):
        return _amount(value, signed=form == "signed-amount")
    match value:
        case str() if (read := reader(kind)) is not None:
            return read(value)
        case datetime():
            return _instant(value) if form == "instant-ms" else _no(value, "time")
        case date():
            return value.isoformat() if form == "date" else _no(value, "date")
        case timedelta():
            return value // MILLISECOND if form == "duration-ms" else _no(value, "length of time")
        case Decimal():
            if kind.get("type") != "integer" or value != value.to_integral_value():
                raise HansaError("argument.value", "a Decimal must be whole, and the argument a number")
            return int(value)
        case bytes() | bytearray() | memoryview():
            return bytes(value)
        case list() | tuple():
            return [_plain(kind.get("items", {}), item, defined) for item in value]
        case _:
            fields = _fields(value)
            if fields is None:
                return value_from_json(schema, value, defined)
            known, others = kind.get("properties", {}), kind.get("additionalProperties") or {}
            return {name: _plain(known.get(name, others), item, defined) for name, item in fields.items()}


def _fields(value: Any) -> Mapping[str, Any] | None:
    if isinstance(value, Mapping):
        return {str(name.value if isinstance(name, enum.Enum) else name): item for name, item in value.items()}
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.asdict(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return None


def _amount(value: Any, *, signed: bool) -> Any:
    match value:
        case Amount():
            return {"minor": value.minor, "currency": value.currency}
        case str():
            return money.parse(value, signed=signed)
        case (int() | str() | Decimal() as number, str() as currency) if not isinstance(number, bool):
            return _amount(Amount.of(number, currency), signed=signed)
        case {"minor": minor, **others}:
            whole = int(minor) if isinstance(minor, str) and minor.lstrip("-").isdecimal() else minor
            return {**cast("dict[str, Any]", others), "minor": whole}
        case _:
            return value


def _no(value: object, what: str) -> Any:
    raise HansaError("argument.value", f"a {type(value).__name__} was given where no {what} is declared")


def _instant(value: datetime) -> int:
    if value.tzinfo is None:
        raise HansaError("argument.value", "the datetime has no time zone; give it one, such as datetime.UTC")
    return (value - EPOCH) // MILLISECOND


def _typed(schema: Schema, value: Any, defined: Mapping[str, Schema]) -> Any:
    kind, _ = resolved(schema, defined)
    form = kind.get("format")
    match value:
        case bool():
            return value
        case int() if form == "instant-ms" and 0 <= value <= INSTANT_MAX:
            return EPOCH + value * MILLISECOND
        case int() if form == "duration-ms" and abs(value) <= timedelta.max // MILLISECOND:
            return value * MILLISECOND
        case str() if form == "date":
            try:
                return date.fromisoformat(value)
            except ValueError:
                return value
        case dict() if form in ("amount", "signed-amount") and money.is_amount(value):
            return Amount(int(value["minor"]), value["currency"])
        case list() if "items" in kind:
            return [_typed(kind["items"], item, defined) for item in value]
        case dict() if kind.get("type") == "object":
            known, others = kind.get("properties", {}), kind.get("additionalProperties") or {}
            return {name: _typed(known.get(name, others), item, defined) for name, item in value.items()}
        case _:
            return value
