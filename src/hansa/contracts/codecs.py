"""The way of a declared type between the plain values of messages and what a contract sees, and whether values fit it.

Text, integers, booleans, bytes, dates, instants and None are the same on both sides. An Amount is a map outside and an
immutable value inside; a struct is a map of its fields in encoding order; a map is in code point order inside. Each
type's checks are worked out once, because every argument of every transaction passes here.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Plain values are dynamic: their type is what this module finds out.

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeAlias

import msgspec

from hansa.contracts import calendar, messages
from hansa.contracts.frame import Frame
from hansa.contracts.manifest import (
    AmountType,
    BoolType,
    BytesType,
    DateType,
    DurationType,
    EnumType,
    InstantType,
    IntType,
    ListType,
    Manifest,
    MapType,
    OptionalType,
    PartyType,
    ReferenceType,
    StateType,
    StructType,
    TextType,
    Type,
    UserType,
)
from hansa.contracts.prices import DURATION_MAX, INSTANT_MAX
from hansa.wire import cbor, names
from hansa.wire.limits import INTEGER_MAX, KEY_BYTES_MAX, USER_NAME_CHARS_MAX

CURRENCY_LETTERS: Final = 3
_HEAD_BYTES_MAX: Final = 9
"""Before a value in CBOR: its type, and a number or length."""


class Amount:
    """Money: minor units and a currency. Compared and calculated by the guards, which check the currency."""

    __slots__ = ("currency", "minor")

    def __init__(self, minor: int, currency: str) -> None:
        self.minor = minor
        self.currency = currency


class Registry(Protocol):
    """Who there is on a ledger."""

    def is_member(self, name: str) -> bool:
        """Whether a member of this name is registered."""
        ...

    def is_user(self, name: str) -> bool:
        """Whether a user of this name is registered."""
        ...


Problem: TypeAlias = Callable[[Any, Registry], str]


Pay: TypeAlias = Callable[[Frame, Any], None]


class Codec(msgspec.Struct, frozen=True):
    """How values of one type are checked and converted.

    `problem`: what is wrong with a value, plain or as a contract has it, empty if nothing. `from_plain`: None where the
    plain value is the value. `pay`: charges for fitting a value, as it goes through it, since a value may hold the same
    list many times over; None where it costs nothing.
    """

    problem: Problem
    from_plain: Callable[[Any], Any] | None = None
    pay: Pay | None = None


class Codecs:
    """The codecs of the types of a file, each made once."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self._made: dict[Type, Codec] = {}
        self._sizes: dict[Type, int] = {}

    def of(self, type_: Type) -> Codec:
        """The codec of a type."""
        found = self._made.get(type_)
        if found is None:
            found = self._made[type_] = _codec(type_, self)
        return found

    def bytes_most(self, type_: Type) -> int:
        """The longest encoding of a value of a type, or a little more."""
        found = self._sizes.get(type_)
        if found is None:
            found = self._sizes[type_] = _bytes_most(type_, self)
        return found

    def fields_bytes_most(self, types: Mapping[str, Type]) -> int:
        """The same of a map of fields."""
        return _HEAD_BYTES_MAX + sum(len(name) + 2 + self.bytes_most(type_) for name, type_ in types.items())


def fit(frame: Frame, value: Any, codec: Codec, place: str) -> Any:
    """A value that fits its declared type; `place` says where it stands. Raises `Fault` `value.bounds`."""
    if codec.pay is not None:
        codec.pay(frame, value)
    wrong = codec.problem(value, frame.host)
    if wrong:
        raise messages.bounds(place, wrong)
    return value


def _codec(type_: Type, codecs: Codecs) -> Codec:  # noqa: C901 - a list of cases
    manifest = codecs.manifest
    match type_:
        case TextType():
            return Codec(_sized(str, messages.not_text(), messages.text_bounds, type_.least, type_.most))
        case BytesType():
            return Codec(_sized(bytes, messages.not_bytes(), messages.bytes_bounds, type_.least, type_.most))
        case IntType():
            bounds = messages.integer_bounds(type_.least, type_.most)
            return Codec(_integer(type_.least, type_.most, messages.not_integer(), bounds))
        case InstantType():
            return Codec(_integer(0, INSTANT_MAX, messages.not_instant(), messages.not_instant()))
        case DurationType():
            return Codec(_integer(-DURATION_MAX, DURATION_MAX, messages.not_duration(), messages.not_duration()))
        case BoolType():
            return Codec(lambda value, _: "" if type(value) is bool else messages.not_bool())
        case PartyType():
            return Codec(_party_problem)
        case UserType():
            return Codec(_user_problem)
        case DateType():
            return Codec(_date_problem)
        case EnumType():
            return Codec(
                _one_of(frozenset(manifest.enums[type_.enum].values), messages.not_enum(type_.enum.rpartition(".")[2]))
            )
        case StateType():
            states = manifest.records[type_.record].states
            return Codec(_one_of(frozenset(states), messages.not_state(type_.record)))
        case AmountType():
            return Codec(_amount(type_.signed), lambda value: Amount(value["minor"], value["currency"]))
        case StructType():
            return _struct_codec(type_, codecs)
        case ListType():
            return _list_codec(codecs.of(type_.item), type_.most)
        case MapType():
            return _map_codec(codecs.of(type_.key), codecs.of(type_.value), type_.most)
        case OptionalType():
            return _optional_codec(codecs.of(type_.item))
        case ReferenceType():
            record = manifest.records[type_.record]
            return Codec(codecs.of(record.fields[record.key].type).problem)


def is_currency(text: object) -> bool:
    """Whether `text` has the form of an ISO 4217 alphabetic code."""
    return type(text) is str and len(text) == CURRENCY_LETTERS and text.isascii() and text.isalpha() and text.isupper()


def _sized(kind: type, wrong: str, bounds: Callable[[int, int, int], str], least: int, most: int) -> Problem:
    def problem(value: Any, _: Registry) -> str:
        if type(value) is not kind:
            return wrong
        return "" if least <= len(value) <= most else bounds(least, most, len(value))

    return problem


def _integer(least: int, most: int, wrong: str, bounds: str) -> Problem:
    def problem(value: Any, _: Registry) -> str:
        if type(value) is not int:
            return wrong
        return "" if least <= value <= most else bounds

    return problem


def _one_of(values: frozenset[str], wrong: str) -> Problem:
    return lambda value, _: "" if type(value) is str and value in values else wrong


def _party_problem(value: Any, registry: Registry) -> str:
    if type(value) is not str or not names.is_member(value):
        return messages.not_party()
    return "" if registry.is_member(value) else messages.unknown_party()


def _user_problem(value: Any, registry: Registry) -> str:
    if type(value) is not str or not names.is_user(value):
        return messages.not_user()
    return "" if registry.is_user(value) else messages.unknown_user()


def _date_problem(value: Any, _: Registry) -> str:
    return "" if type(value) is str and calendar.is_date(value) else messages.not_date()


def _amount(signed: bool) -> Problem:
    least = -INTEGER_MAX if signed else 0

    def problem(value: Any, _: Registry) -> str:
        if type(value) is Amount:
            return "" if value.minor >= least else messages.minor_form(signed)
        if type(value) is not dict or len(value) != 2 or "minor" not in value or "currency" not in value:
            return messages.not_amount()
        minor: Any = value["minor"]
        if type(minor) is not int or (minor < 0 and not signed):
            return messages.minor_form(signed)
        if not least <= minor <= INTEGER_MAX:
            return messages.minor_bounds()
        return "" if is_currency(value["currency"]) else messages.not_currency()

    return problem


def _struct_codec(type_: StructType, all_codecs: Codecs) -> Codec:
    fields = all_codecs.manifest.structs[type_.struct].fields
    codecs = {name: all_codecs.of(field.type) for name, field in fields.items()}
    required = {name for name, field in fields.items() if field.required}
    defaults = {name: field.default for name, field in fields.items() if not field.required}
    ordered = sorted(fields, key=cbor.key_order)

    def problem(value: Any, registry: Registry) -> str:
        if type(value) is not dict:
            return messages.not_struct()
        for name, found in codecs.items():
            if name in value:
                if wrong := found.problem(value[name], registry):
                    return messages.in_field(name, wrong)
            elif name in required:
                return messages.field_missing(name)
        return "" if value.keys() <= codecs.keys() else messages.field_unknown()

    def from_plain(value: Any) -> Any:
        made: dict[str, Any] = {}
        for name in ordered:
            found, given = codecs[name], value[name] if name in value else defaults[name]
            made[name] = given if found.from_plain is None else found.from_plain(given)
        return made

    nested = [(name, found.pay) for name, found in codecs.items() if found.pay is not None]

    def pay(frame: Frame, value: Any) -> None:
        frame.charge(len(codecs))
        for name, found in nested:
            found(frame, value[name])

    return Codec(problem, from_plain, pay)


def _list_codec(item: Codec, most: int) -> Codec:
    find, convert, each_pay = item.problem, item.from_plain, item.pay

    def problem(value: Any, registry: Registry) -> str:
        if type(value) is not list:
            return messages.not_list()
        if len(value) > most:
            return messages.list_bounds(most, len(value))
        for number, each in enumerate(value):
            if wrong := find(each, registry):
                return messages.in_item(number, wrong)
        return ""

    def pay(frame: Frame, value: Any) -> None:
        frame.charge(len(value))
        if each_pay is not None:
            for each in value:
                each_pay(frame, each)

    return Codec(problem, None if convert is None else lambda value: [convert(each) for each in value], pay)


def _map_codec(key: Codec, item: Codec, most: int) -> Codec:
    find, convert, each_pay = item.problem, item.from_plain, item.pay

    def problem(value: Any, registry: Registry) -> str:
        if type(value) is not dict:
            return messages.not_map()
        if len(value) > most:
            return messages.map_bounds(most, len(value))
        for number, name in enumerate(sorted(value)):
            if wrong := key.problem(name, registry):
                return messages.in_key(number, wrong)
            each = value[name]
            if wrong := find(each, registry):
                return messages.in_value(number, wrong)
        return ""

    def from_plain(value: Any) -> Any:
        if convert is None:
            return {name: value[name] for name in sorted(value)}
        return {name: convert(value[name]) for name in sorted(value)}

    def pay(frame: Frame, value: Any) -> None:
        frame.charge(len(value))
        if each_pay is not None:
            for each in value.values():
                each_pay(frame, each)

    return Codec(problem, from_plain, pay)


def _optional_codec(item: Codec) -> Codec:
    find, convert, pay = item.problem, item.from_plain, item.pay
    return Codec(
        lambda value, registry: "" if value is None else find(value, registry),
        None if convert is None else lambda value: None if value is None else convert(value),
        None if pay is None else lambda frame, value: None if value is None else pay(frame, value),
    )


def _bytes_most(type_: Type, codecs: Codecs) -> int:
    match type_:
        case TextType():
            return _HEAD_BYTES_MAX + 4 * type_.most
        case BytesType():
            return _HEAD_BYTES_MAX + type_.most
        case OptionalType():
            return codecs.bytes_most(type_.item)
        case ListType():
            return _HEAD_BYTES_MAX + type_.most * codecs.bytes_most(type_.item)
        case MapType():
            return _HEAD_BYTES_MAX + type_.most * (codecs.bytes_most(type_.key) + codecs.bytes_most(type_.value))
        case StructType():
            fields = codecs.manifest.structs[type_.struct].fields
            return codecs.fields_bytes_most({name: field.type for name, field in fields.items()})
        case ReferenceType():
            return _HEAD_BYTES_MAX + KEY_BYTES_MAX
        case _:
            return _HEAD_BYTES_MAX + USER_NAME_CHARS_MAX  # names, numbers, dates, an Amount's 29


def to_plain(value: Any) -> Any:
    """The plain form of a value: maps in encoding order."""
    kind = type(value)
    if kind is Amount:
        return {"minor": value.minor, "currency": value.currency}
    if kind is list:
        return [to_plain(item) for item in value]
    if kind is dict:
        return {name: to_plain(value[name]) for name in sorted(value, key=cbor.key_order)}
    return value
