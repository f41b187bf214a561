"""Plain arguments from what a test's author writes: times, dates, lengths of time, and amounts as text."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Values are dynamic: the contract is the one to say whether they fit.

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hansa.client import money
from hansa.client.arguments import EPOCH, MILLISECOND, moment
from hansa.contracts.manifest import (
    AmountType,
    InstantType,
    ListType,
    Manifest,
    MapType,
    OptionalType,
    StructType,
    Type,
)


def milliseconds(at: datetime | date | str) -> int:
    """A time in ms UTC since 1970; a date is its first moment, a text a date or a time of RFC 3339.

    Raises ValueError for a time without a zone, `HansaError` for another text.
    """
    if isinstance(at, str):
        return moment(at)
    if not isinstance(at, datetime):
        at = datetime(at.year, at.month, at.day, tzinfo=UTC)
    if at.tzinfo is None:
        raise ValueError(f"{at} says no time zone: give datetime(..., tzinfo=UTC)")
    return (at - EPOCH) // MILLISECOND


def plain_arguments(types: Mapping[str, Type], arguments: dict[str, Any], manifest: Manifest) -> dict[str, Any]:
    """Plain arguments. What does not fit, or is not declared, is passed on: the contract refuses it.

    Raises `HansaError` for text that is no amount or time where one is expected.
    """
    return {name: _plain(types[name], value, manifest) if name in types else value for name, value in arguments.items()}


def _plain(type_: Type, value: Any, manifest: Manifest) -> Any:
    match type_, value:
        case OptionalType(item=item), _ if value is not None:
            return _plain(item, value, manifest)
        case AmountType(signed=signed), str():
            return money.parse(value, signed=signed)
        case InstantType(), str() | date():
            return milliseconds(value)
        case _, timedelta():
            return value // MILLISECOND
        case _, date():
            return value.isoformat()
        case ListType(item=item), list():
            return [_plain(item, each, manifest) for each in value]
        case MapType(value=of), dict():
            return {key: _plain(of, each, manifest) for key, each in value.items()}
        case StructType(struct=name), dict():
            fields = manifest.structs[name].fields
            return {k: _plain(fields[k].type, each, manifest) if k in fields else each for k, each in value.items()}
        case _:
            return value
