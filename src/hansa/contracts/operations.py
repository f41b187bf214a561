"""What operators, attributes, methods and functions of the dialect take and give, as tables of kinds.

The checker types expressions by them, the rewriter finds in them which guard stands for an operation. A *kind* is a
type without its bounds.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from hansa.contracts.manifest import (
    AmountType,
    BoolType,
    BytesType,
    DateType,
    DurationType,
    InstantType,
    IntType,
    ListType,
    MapType,
    OptionalType,
    StructType,
    TextType,
    Type,
)
from hansa.contracts.prices import BYTES_MAX, LIST_ITEMS_MAX, TEXT_CHARS_MAX

TEXT: Final = TextType(0, TEXT_CHARS_MAX)
INT: Final = IntType()
BOOL: Final = BoolType()
BYTES: Final = BytesType(0, BYTES_MAX)
AMOUNT: Final = AmountType()
SIGNED: Final = AmountType(signed=True)
DATE: Final = DateType()
INSTANT: Final = InstantType()
DURATION: Final = DurationType()
UNKNOWN: Final = StructType("")
"""The type of what is not known yet: the items of an empty list, the value that None stands for, a finding's value."""
NONE: Final = OptionalType(UNKNOWN)

_PLAIN: Final[Mapping[str, Type]] = {
    "text": TEXT,
    "int": INT,
    "bool": BOOL,
    "bytes": BYTES,
    "amount": AMOUNT,
    "signed": SIGNED,
    "date": DATE,
    "instant": INSTANT,
    "duration": DURATION,
}

ORDERED: Final = frozenset({"int", "date", "instant", "duration", "amount", "signed", "text", "bytes"})
SORTABLE: Final = ORDERED - {"amount", "signed"}
NATIVE_EQUAL: Final = frozenset({"int", "bool", "party", "user", "enum", "state", "date", "instant", "duration"})
"""Kinds that CPython compares as the dialect does, at no charge that depends on the value."""
NATIVE_ORDER: Final = frozenset({"int", "date", "instant", "duration"})
ROUNDINGS: Final = ("half_even", "half_up", "half_down", "up", "down", "floor", "ceiling")

BINARY: Final[Mapping[tuple[str, str, str], tuple[str, str]]] = {
    ("+", "int", "int"): ("add_int", "int"),
    ("-", "int", "int"): ("subtract_int", "int"),
    ("*", "int", "int"): ("multiply_int", "int"),
    ("//", "int", "int"): ("divide", "int"),
    ("%", "int", "int"): ("remainder", "int"),
    ("+", "text", "text"): ("add_text", "text"),
    ("+", "bytes", "bytes"): ("add_bytes", "bytes"),
    ("+", "list", "list"): ("add_list", "left"),
    ("+", "amount", "amount"): ("add_amount", "amount"),
    ("-", "amount", "amount"): ("subtract_amount", "amount"),
    ("+", "signed", "signed"): ("add_signed", "signed"),
    ("-", "signed", "signed"): ("subtract_signed", "signed"),
    ("+", "amount", "signed"): ("add_signed", "signed"),
    ("-", "amount", "signed"): ("subtract_signed", "signed"),
    ("+", "signed", "amount"): ("add_signed", "signed"),
    ("-", "signed", "amount"): ("subtract_signed", "signed"),
    ("*", "amount", "int"): ("multiply_amount", "amount"),
    ("*", "int", "amount"): ("multiply_by_amount", "amount"),
    ("*", "signed", "int"): ("multiply_signed", "signed"),
    ("*", "int", "signed"): ("multiply_by_signed", "signed"),
    ("+", "instant", "duration"): ("add_instant", "instant"),
    ("-", "instant", "duration"): ("subtract_instant", "instant"),
    ("-", "instant", "instant"): ("subtract_duration", "duration"),
    ("+", "duration", "duration"): ("add_duration", "duration"),
    ("-", "duration", "duration"): ("subtract_duration", "duration"),
    ("*", "duration", "int"): ("multiply_duration", "duration"),
    ("*", "int", "duration"): ("multiply_duration", "duration"),
}
"""Operator and kinds to guard and kind of the result; `left` is the left operand's type."""

NEGATIVE: Final[Mapping[str, str]] = {"int": "negate_int", "signed": "negate_signed", "duration": "negate_duration"}

ATTRIBUTES: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("amount", "minor"): ("minor", "int"),
    ("amount", "currency"): ("currency", "text"),
    ("signed", "minor"): ("minor", "int"),
    ("signed", "currency"): ("currency", "text"),
    ("date", "year"): ("year", "int"),
    ("date", "month"): ("month", "int"),
    ("date", "day"): ("day", "int"),
    ("date", "weekday"): ("weekday", "int"),
    ("instant", "date"): ("date_of", "date"),
    ("instant", "milliseconds"): ("milliseconds", "int"),
    ("duration", "milliseconds"): ("milliseconds", "int"),
    ("duration", "days"): ("days", "int"),
}


class Method(msgspec.Struct, frozen=True):
    """A method: its guard, the kinds it takes, and what it gives, as words that `result` knows.

    A `rounding` is one of the constants.
    """

    guard: str
    takes: tuple[str, ...]
    gives: str


METHODS: Final[Mapping[tuple[str, str], Method]] = {
    ("text", "upper"): Method("upper", (), "text"),
    ("text", "lower"): Method("lower", (), "text"),
    ("text", "startswith"): Method("startswith", ("text",), "bool"),
    ("text", "endswith"): Method("endswith", ("text",), "bool"),
    ("text", "isdigit"): Method("isdigit", (), "bool"),
    ("text", "split"): Method("split_text", ("text",), "texts"),
    ("text", "join"): Method("join", ("texts",), "text"),
    ("bytes", "hex"): Method("hexadecimal", (), "text"),
    ("amount", "times"): Method("times_amount", ("int", "int", "rounding"), "amount"),
    ("signed", "times"): Method("times_signed", ("int", "int", "rounding"), "signed"),
    ("amount", "split"): Method("split_amount", ("int",), "amounts"),
    ("amount", "split_by"): Method("split_amount_by", ("ints",), "amounts"),
    ("amount", "signed"): Method("signed", (), "signed"),
    ("date", "add_days"): Method("add_days", ("int",), "date"),
    ("date", "add_months"): Method("add_months", ("int",), "date"),
    ("date", "days_until"): Method("days_until", ("date",), "int"),
    ("date", "start"): Method("start", (), "instant"),
    ("map", "get"): Method("get", ("key", "value"), "value"),
    ("map", "keys"): Method("keys", (), "keys"),
    ("map", "values"): Method("values", (), "values"),
}

MUTATORS: Final[Mapping[tuple[str, str], tuple[str, tuple[str, ...]]]] = {
    ("list", "append"): ("append", ("item",)),
    ("list", "insert"): ("insert", ("int", "item")),
    ("list", "pop"): ("pop_item", ("int",)),
    ("map", "pop"): ("pop_key", ("key",)),
}
"""Methods that stand on a line of their own and change the path they are called on."""

FUNCTIONS: Final[Mapping[tuple[str, tuple[str, ...]], tuple[str, str]]] = {
    ("len", ("text",)): ("length", "int"),
    ("len", ("bytes",)): ("length", "int"),
    ("len", ("list",)): ("length", "int"),
    ("len", ("map",)): ("length", "int"),
    ("abs", ("int",)): ("absolute", "int"),
    ("sum", ("ints",)): ("total", "int"),
    ("str", ("int",)): ("decimal", "text"),
    ("int", ("text",)): ("parsed", "int"),
    ("sha256", ("text",)): ("sha256_text", "hash"),
    ("sha256", ("bytes",)): ("sha256_bytes", "hash"),
    ("Amount", ("int", "text")): ("make_amount", "amount"),
    ("SignedAmount", ("int", "text")): ("make_signed", "signed"),
    ("Date", ("int", "int", "int")): ("make_date", "date"),
    ("contract_version", ("text", "text")): ("contract_version", "text"),
    ("library_digest", ("text", "text")): ("library_digest", "hash"),
    ("key_id", ("bytes",)): ("key_id", "hash"),
    ("member_id", ("party",)): ("member_id", "text"),
}
"""Functions of fixed kinds to guard and result; `min max sorted reversed Duration` are the checker's own cases."""

DURATION_UNITS: Final[Mapping[str, int]] = {
    "days": 86_400_000,
    "hours": 3_600_000,
    "minutes": 60_000,
    "seconds": 1_000,
    "milliseconds": 1,
}


def kind(type_: Type) -> str:
    """The kind of a type."""
    if isinstance(type_, AmountType):
        return "signed" if type_.signed else "amount"
    return type_.__struct_config__.tag or ""  # pyright: ignore[reportReturnType]


def plain(type_: Type) -> Type:
    """A type without what makes it optional."""
    return type_.item if isinstance(type_, OptionalType) else type_


def is_empty(type_: Type) -> bool:
    """Whether it is the type of a list or map that nothing was put into yet: whatever it becomes, it is that too."""
    match type_:
        case ListType(item=held) | MapType(value=held):
            return held == UNKNOWN
        case _:
            return False


def result(word: str, base: Type) -> Type:
    """The type that a table's word says, of an operation on `base`."""
    match word:
        case "left":
            return base
        case "hash":
            return BytesType(32, 32)
        case "texts":
            return ListType(TEXT, LIST_ITEMS_MAX)
        case "ints":
            return ListType(INT, LIST_ITEMS_MAX)
        case "amounts":
            return ListType(AMOUNT, LIST_ITEMS_MAX)
        case "item" if isinstance(base, ListType):
            return base.item
        case "key" if isinstance(base, MapType):
            return base.key
        case "value" if isinstance(base, MapType):
            return base.value
        case "keys" if isinstance(base, MapType):
            return ListType(base.key, base.most)
        case "values" if isinstance(base, MapType):
            return ListType(base.value, base.most)
        case _:
            return _PLAIN[word]


def accepts(want: Type, have: Type, *, fitted: bool = False) -> bool:
    """Whether a value of type `have` may stand where `want` is; None is looked at when it runs.

    `fitted`: the value's bounds are checked there, so signed and unsigned amounts may stand for each other.
    """
    have, bare = plain(have), plain(want)
    if UNKNOWN in (have, bare):
        return True
    return _is_same(bare, have, fitted)


def _is_same(want: Type, have: Type, fitted: bool) -> bool:
    """Whether two types are of one kind, whatever their bounds, all the way in."""
    if UNKNOWN in (have, want):
        return True
    if isinstance(want, OptionalType):
        return _is_same(want.item, plain(have), fitted)
    match want, have:
        case ListType(), ListType():
            return _is_same(want.item, have.item, fitted)
        case MapType(), MapType():
            return _is_same(want.key, have.key, fitted) and _is_same(want.value, have.value, fitted)
        case AmountType(), AmountType():
            return fitted or want.signed == have.signed
        case (IntType(), IntType()) | (TextType(), TextType()) | (BytesType(), BytesType()):
            return True
        case _:
            return want == have


def words(type_: Type) -> str:
    """A type in words, for findings."""
    match type_:
        case OptionalType():
            return "None" if type_.item == UNKNOWN else f"{words(type_.item)} or None"
        case ListType():
            return f"a list of ({words(type_.item)})"
        case MapType():
            return f"a map of ({words(type_.value)})"
        case StructType():
            return f"a `{type_.struct}`" if type_.struct else "something unknown"
        case _:
            return _WORDS.get(kind(type_)) or f"a `{getattr(type_, kind(type_), '')}`"


_WORDS: Final[Mapping[str, str]] = {
    "text": "text",
    "int": "a number",
    "bool": "a boolean",
    "bytes": "bytes",
    "party": "a Party",
    "user": "a User",
    "amount": "an Amount",
    "signed": "a SignedAmount",
    "date": "a Date",
    "instant": "an Instant",
    "duration": "a Duration",
    "state": "a state",
    "reference": "a record",
}
