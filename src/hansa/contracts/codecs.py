"""The way of a declared type between the plain values of messages and what a contract sees.

Text, integers, booleans, bytes and None are the same on both sides; an Amount is a map outside and an immutable
value inside. Each type's checks are worked out once, because every argument of every transaction passes here.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Plain values are dynamic: their type is what this module finds out.

from collections.abc import Callable
from typing import Any, Final

import msgspec

from hansa.contracts.manifest import (
    AmountType,
    BoolType,
    BytesType,
    IntType,
    ListType,
    OptionalType,
    PartyType,
    ReferenceType,
    TextType,
    Type,
)
from hansa.wire import names
from hansa.wire.limits import INTEGER_MAX

CURRENCY_LETTERS: Final = 3


class Amount:
    """Money: minor units and a currency. Compared and calculated by the guards, which check the currency."""

    __slots__ = ("currency", "minor")

    def __init__(self, minor: int, currency: str) -> None:
        self.minor = minor
        self.currency = currency


class Codec(msgspec.Struct, frozen=True):
    """How values of one type are checked and converted.

    `problem`: what is wrong with a value, plain or as a contract has it, empty if nothing; it looks no deeper than
    the type goes. `from_plain`: None where the plain value is the value. `parties`: whether it is made of members.
    """

    problem: Callable[[Any], str]
    from_plain: Callable[[Any], Any] | None
    parties: bool = False


def codec(type_: Type) -> Codec:
    """The codec of a type."""
    match type_:
        case TextType():
            return Codec(_sized(str, "text", "characters", type_.least, type_.most), None)
        case BytesType():
            return Codec(_sized(bytes, "bytes", "bytes", type_.least, type_.most), None)
        case IntType():
            return Codec(_integer(type_.least, type_.most), None)
        case BoolType():
            return Codec(lambda value: "" if type(value) is bool else "must be true or false", None)
        case PartyType():
            return Codec(_party_problem, None, parties=True)
        case AmountType():
            return Codec(_amount_problem, lambda value: Amount(value["minor"], value["currency"]))
        case ListType():
            return _list_codec(codec(type_.item), type_.most)
        case OptionalType():
            return _optional_codec(codec(type_.item))
        case ReferenceType():
            return Codec(lambda _: f"a {type_.record} is not a value", None)


def misfit(expected: Codec, value: Any, is_member: Callable[[str], bool]) -> str:
    """What is wrong with a value on a ledger with these members, empty if nothing."""
    wrong = expected.problem(value)
    if not wrong and expected.parties and not _are_members(value, is_member):
        return "is not a member of this ledger" if type(value) is str else "names others than members of this ledger"
    return wrong


def _are_members(value: Any, is_member: Callable[[str], bool]) -> bool:
    if type(value) is list:
        return all(_are_members(each, is_member) for each in value)
    return value is None or is_member(value)


def is_currency(text: object) -> bool:
    """Whether `text` has the form of an ISO 4217 alphabetic code."""
    return type(text) is str and len(text) == CURRENCY_LETTERS and text.isascii() and text.isalpha() and text.isupper()


def _sized(kind: type, what: str, units: str, least: int, most: int) -> Callable[[Any], str]:
    def problem(value: Any) -> str:
        if type(value) is not kind:
            return f"must be {what}"
        if not least <= len(value) <= most:
            return f"must have {least} to {most} {units}, not {len(value)}"
        return ""

    return problem


def _integer(least: int, most: int) -> Callable[[Any], str]:
    def problem(value: Any) -> str:
        if type(value) is not int:
            return "must be a whole number"
        return "" if least <= value <= most else f"must lie within {least} and {most}"

    return problem


def _party_problem(value: Any) -> str:
    return "" if type(value) is str and names.is_member(value) else "must be the name of a member"


def _amount_problem(value: Any) -> str:
    if type(value) is Amount:
        return ""
    if type(value) is not dict or len(value) != 2 or "minor" not in value or "currency" not in value:
        return "must have `minor` (whole minor units) and `currency`, nothing else"
    minor: Any = value["minor"]
    if type(minor) is not int or minor < 0:
        return "`minor` must be a whole number, not negative"
    if minor > INTEGER_MAX:
        return "`minor` must fit 64 bits"
    return "" if is_currency(value["currency"]) else "`currency` must be three capital letters"


def _list_codec(item: Codec, most: int) -> Codec:
    def problem(value: Any) -> str:
        if type(value) is not list:
            return "must be a list"
        items: list[Any] = value
        if len(items) > most:
            return f"must have at most {most} items, not {len(items)}"
        return next((f"item {i}: {p}" for i, each in enumerate(items) if (p := item.problem(each))), "")

    convert = item.from_plain
    from_plain: Callable[[Any], Any] | None = (
        None if convert is None else lambda value: [convert(each) for each in value]
    )
    return Codec(problem, from_plain, item.parties)


def _optional_codec(item: Codec) -> Codec:
    convert = item.from_plain
    from_plain: Callable[[Any], Any] | None = (
        None if convert is None else lambda value: None if value is None else convert(value)
    )
    return Codec(lambda value: "" if value is None else item.problem(value), from_plain, item.parties)
