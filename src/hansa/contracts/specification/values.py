"""Numbers, text, bytes, booleans, None and lists are Python's own; a map is a dict in code point order.

Party, User, the values of enums and states are held as text, and are kinds of their own. No value is ever changed in
place: what looks like a change makes a new one and puts it in the old one's place. Only records are shared: two handles
of a record are the same record.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Values are dynamic: the static checker has seen to their kinds.

from typing import Any, Final

import msgspec

from hansa.contracts import manifest, prices
from hansa.contracts.checked import Checked
from hansa.wire import cbor
from hansa.wire.order import Key

DAY_MS: Final = 24 * 60 * 60 * 1000
_DAYS_TO_1970: Final = 719_162  # from the first day of the year 1
_MONTH_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Amount(msgspec.Struct, frozen=True):
    """Money: minor units and an ISO 4217 code. A SignedAmount is one that may be negative."""

    minor: int
    currency: str
    signed: bool = False


class Date(msgspec.Struct, frozen=True):
    """A day of the Gregorian calendar, years 1 to 9999."""

    year: int
    month: int
    day: int


class Instant(msgspec.Struct, frozen=True):
    """A point in time: milliseconds UTC since 1970."""

    milliseconds: int


class Duration(msgspec.Struct, frozen=True):
    """A length of time in milliseconds; may be negative."""

    milliseconds: int


class Struct(msgspec.Struct, frozen=True):
    """A value of a declared struct. `file` is where its declaration stands; `fields` are in declared order."""

    declaration: manifest.Struct
    file: manifest.Manifest
    fields: dict[str, Any]


class Record:
    """A record in this transaction. References to other records stand in its fields as their keys.

    `previous` is the entry that wrote it last, None for one made here.
    """

    def __init__(
        self, type: manifest.RecordType, file: Checked, contract: str, key: Key, place: bytes, previous: int | None
    ) -> None:
        self.type = type
        self.file = file
        self.contract = contract
        self.key = key
        self.place = place
        self.previous = previous
        self.fields: dict[str, Any] = {}
        self.changed = False


def ordered_map(items: dict[str, Any]) -> dict[str, Any]:
    """A map: its keys in code point order."""
    return {key: items[key] for key in sorted(items)}


def to_plain(value: Any) -> Any:
    """The plain form, in which values are stored and sent; maps in encoding order (shorter keys first, then bytewise).

    An Amount is `{"minor", "currency"}`, a Date `YYYY-MM-DD`, an Instant or Duration its milliseconds, a struct a map
    of its fields.
    """
    if isinstance(value, Amount):
        return {"minor": value.minor, "currency": value.currency}
    if isinstance(value, Date):
        return f"{value.year:04}-{value.month:02}-{value.day:02}"
    if isinstance(value, Instant | Duration):
        return value.milliseconds
    if isinstance(value, list):
        return [to_plain(item) for item in value]
    if isinstance(value, Struct):
        return to_plain(value.fields)
    if isinstance(value, dict):
        return {key: to_plain(value[key]) for key in sorted(value, key=cbor.key_order)}
    return value


def size_of(value: Any) -> int:
    """The size that making a value counts, in bytes: a text 64 and 4 a character, bytes 64 and 1 each, a list 56 and 8
    an item, a map 232 and 64 a key, a struct 232 and 64 a field; anything else nothing.

    Only where a container is weighed, an Amount in it counts 64, and a Date as the text of 10 characters that it is in
    plain form. Elsewhere what is in a container was counted when it was made.
    """
    match value:
        case str():
            return prices.TEXT_BYTES + 4 * len(value)
        case bytes():
            return prices.TEXT_BYTES + len(value)
        case list():
            return prices.LIST_BYTES + prices.LIST_ITEM_BYTES * len(value)
        case dict():
            return prices.MAP_BYTES + prices.MAP_ITEM_BYTES * len(value)
        case Struct():
            return size_of(value.fields)
        case Amount():
            return prices.TEXT_BYTES
        case Date():
            return size_of(to_plain(value))
        case _:
            return 0


def weigh(value: Any) -> int:
    """The weight of a list, map or struct that comes from outside, in a record or an argument: its own size and that of
    all in it, and of its keys or names of fields as texts.
    """
    match value:
        case list():
            parts = value
        case dict():
            parts = [*value.keys(), *value.values()]
        case Struct():
            return weigh(value.fields)
        case _:
            parts = []
    return size_of(value) + sum(weigh(part) for part in parts)


def is_container(value: Any) -> bool:
    """Whether a value is a list, map or struct."""
    return isinstance(value, list | dict | Struct)


def is_leap(year: int) -> bool:
    """Whether a year has a 29th of February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def month_days(year: int, month: int) -> int:
    """How many days a month has."""
    return 29 if month == 2 and is_leap(year) else _MONTH_DAYS[month - 1]


def is_date(year: int, month: int, day: int) -> bool:
    """Whether there is such a day in the years 1 to 9999."""
    return 1 <= year <= 9999 and 1 <= month <= 12 and 1 <= day <= month_days(year, month)


def day_number(date: Date) -> int:
    """How many days a date lies after 1970-01-01; negative before."""
    years = date.year - 1
    days = 365 * years + years // 4 - years // 100 + years // 400
    for month in range(1, date.month):
        days += month_days(date.year, month)
    return days + date.day - 1 - _DAYS_TO_1970


def date_of(day: int) -> Date | None:
    """The date of a day number; None outside the years 1 to 9999."""
    if not day_number(Date(1, 1, 1)) <= day <= day_number(Date(9999, 12, 31)):
        return None
    year = (day + _DAYS_TO_1970) // 366 + 1  # never too late
    while day >= day_number(Date(year, 12, 31)) + 1:
        year += 1
    month, rest = 1, day - day_number(Date(year, 1, 1))
    while rest >= month_days(year, month):
        rest -= month_days(year, month)
        month += 1
    return Date(year, month, rest + 1)


def date_from_text(text: str) -> Date | None:
    """The date written `YYYY-MM-DD`; None if it is none."""
    if len(text) != 10 or text[4] != "-" or text[7] != "-" or not text.isascii():
        return None
    parts = (text[:4], text[5:7], text[8:])
    if not all(part.isdigit() for part in parts):
        return None
    year, month, day = (int(part) for part in parts)
    return Date(year, month, day) if is_date(year, month, day) else None


def is_currency(text: str) -> bool:
    """Whether a text is three capital ASCII letters, the form of an ISO 4217 code."""
    return len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()
