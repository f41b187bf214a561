"""What a generated file declares: types as they are written, what bodies may name, and plain values of a type."""

import datetime
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.contracts.choices import Choices
from tests.contracts.world import MEMBERS, TIME, USERS

Kind = tuple[Any, ...]
"""A type but for its bounds: what decides which operations there are."""

INT, TEXT, BYTES, BOOL = ("int",), ("text",), ("bytes",), ("bool",)
PARTY, USER, AMOUNT, SIGNED = ("party",), ("user",), ("amount",), ("signed",)
DATE, INSTANT, DURATION = ("date",), ("instant",), ("duration",)
INTEGER_MAX = 2**63 - 1
CURRENCIES = ("EUR", "EUR", "EUR", "EUR", "EUR", "EUR", "EUR", "USD")
TEXTS = ("", "a", "b", "ab", "12", "a,b,c", "-7", "Hello", "xyz", "\u00e9t\u00e9", "\u6771", "\U0001f600!")


class Type(NamedTuple):
    """A type: its kind, how it is written in a body, and its bounds."""

    kind: Kind
    text: str
    least: int = 0
    most: int = 0
    parts: tuple["Type", ...] = ()


class Field(NamedTuple):
    """A field or parameter; `default` as it is written."""

    name: str
    type: Type
    default: str | None = None


class Function(NamedTuple):
    """A pure function, or a view of an interface (then arguments are given by name)."""

    name: str
    parameters: tuple[Field, ...]
    returns: Type
    by_name: bool = False
    depth: bool = False
    """Whether it calls itself: the first parameter is how often."""


@dataclass
class Record:
    """A record type; `name` as bodies write it."""

    name: str
    key: str
    fields: dict[str, Field]
    indexes: list[str]
    states: list[str]

    @property
    def bare(self) -> str:
        return self.name.rpartition(".")[2]


@dataclass
class Declared:
    """All that the bodies of one file may name."""

    title: str = ""
    enums: dict[str, list[str]] = field(default_factory=dict)
    structs: dict[str, list[Field]] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    functions: list[Function] = field(default_factory=list)
    constants: dict[str, Kind] = field(default_factory=dict)
    views: list[Function] = field(default_factory=list)  # of interfaces
    actions: list[Function] = field(default_factory=list)  # of interfaces
    due: list[tuple[str, str]] = field(default_factory=list)  # record, action by schedule

    def annotation(self, type: Type) -> str:
        """How a type is written in the contract class, where nested names are bare."""
        return type.text.replace(f"{self.title}.", "") if self.title else type.text


def scalar(choices: Choices, *, wide: bool = False) -> Type:
    """A type that is not made of others; `wide`: with bounds that are seldom broken."""
    at = choices.integer(0, 13)
    if at <= 2:
        if wide or choices.chance(25):
            return Type(INT, "int", -INTEGER_MAX - 1, INTEGER_MAX)
        least, most = choices.pick(((0, 100), (-10, 10), (0, 1_000_000), (1, 9)))
        return Type(INT, f"Int[{least}, {most}]", least, most)
    if at <= 4:
        least, most = (0, 4000) if wide else choices.pick(((0, 40), (1, 12), (0, 3), (2, 200)))
        return Type(TEXT, f"Text[{least}, {most}]", least, most)
    if at == 5:
        return Type(BOOL, "bool")
    if at == 6:
        return choices.pick((Type(BYTES, "Bytes[0, 64]", 0, 64), Type(BYTES, "Hash", 32, 32)))
    return choices.pick(
        (
            Type(AMOUNT, "Amount"),
            Type(PARTY, "Party"),
            Type(DATE, "Date"),
            Type(SIGNED, "SignedAmount"),
            Type(INSTANT, "Instant"),
            Type(DURATION, "Duration"),
            Type(AMOUNT, "Amount"),
            Type(USER, "User"),
        )
    )


def any_type(choices: Choices, declared: Declared, depth: int = 2, *, wide: bool = False) -> Type:
    """A type for a field, a parameter or a local."""
    at = choices.integer(0, 19)
    if at < 9 or depth == 0:
        return scalar(choices, wide=wide)
    if at == 9 and declared.enums:
        return enum(choices.pick(sorted(declared.enums)))
    if at < 12 and declared.structs:
        name = choices.pick(sorted(declared.structs))
        return Type(("struct", name), name)
    if at < 15:
        return list_of(any_type(choices, declared, depth - 1, wide=wide), choices.pick((5, 20, 1024)))
    if at < 18:
        return map_of(key_of_map(choices, declared), any_type(choices, declared, depth - 1, wide=wide), 20)
    return optional(scalar(choices, wide=wide))


def enum(name: str) -> Type:
    return Type(("enum", name), name)


def optional(item: Type) -> Type:
    return Type(("opt", item.kind), f"{item.text} | None", parts=(item,))


def list_of(item: Type, most: int) -> Type:
    return Type(("list", item.kind), f"list[{item.text}, {most}]", 0, most, (item,))


def map_of(key: Type, value: Type, most: int) -> Type:
    return Type(("map", key.kind, value.kind), f"dict[{key.text}, {value.text}, {most}]", 0, most, (key, value))


def key_of_map(choices: Choices, declared: Declared) -> Type:
    options = [Type(TEXT, "Text[0, 20]", 0, 20), Type(PARTY, "Party"), *map(enum, sorted(declared.enums))]
    return choices.pick(options)


def plain(choices: Choices, declared: Declared, type: Type, keys: dict[str, list[Any]]) -> Any:
    """A value of a type as a message has it, within its bounds. `keys` of records, by their type's name."""
    head = type.kind[0]
    match head:
        case "int":
            return min(
                max(choices.pick((0, 1, 2, 3, 7, 100, -1, -5, 2**40, type.most, type.least)), type.least), type.most
            )
        case "text":
            return (choices.pick(TEXTS) + "a" * type.least)[: type.most]
        case "bytes":
            return bytes(range(choices.integer(type.least, min(type.most, 40))))
        case "bool":
            return choices.chance(50)
        case "party":
            return choices.pick(MEMBERS[:2])
        case "user":
            return choices.pick(USERS)
        case "amount" | "signed":
            minor = choices.pick((0, 1, 5, 100, 250, 12_345, 2**50))
            return {
                "minor": -minor if head == "signed" and choices.chance(50) else minor,
                "currency": choices.pick(CURRENCIES),
            }
        case "date":
            return choices.pick(("2024-02-29", "2023-12-31", "2023-11-14", "1970-01-01", "9999-12-31", "0001-01-01"))
        case "instant":
            return choices.pick((TIME, TIME + 5000, TIME + 86_400_000, 0, 253_402_300_799_999))
        case "duration":
            return choices.pick((0, 1000, 86_400_000, -5000, 315_576_000_000_000))
        case "enum":
            return choices.pick(declared.enums[type.kind[1]])
        case "struct":
            return {f.name: plain(choices, declared, f.type, keys) for f in declared.structs[type.kind[1]]}
        case "list":
            return [plain(choices, declared, type.parts[0], keys) for _ in range(choices.integer(0, min(4, type.most)))]
        case "map":
            count = choices.integer(0, min(4, type.most))
            return {
                plain(choices, declared, type.parts[0], keys): plain(choices, declared, type.parts[1], keys)
                for _ in range(count)
            }
        case "opt":
            return None if choices.chance(30) else plain(choices, declared, type.parts[0], keys)
        case "record":
            return choices.pick(keys[type.kind[1]])
    raise AssertionError(type)


def key_pool(choices: Choices, declared: Declared, type: Type) -> list[Any]:
    """A few keys of a record type, so that calls meet."""
    match type.kind[0]:
        case "int":
            return [1, 2, 3]
        case "text":
            return ["a", "b", "a,b"]
        case "bytes":
            return [bytes(range(32)), bytes(32)]
        case "date":
            return ["2024-02-29", datetime.date(2025, 1, 31).isoformat()]
        case "enum":
            return list(declared.enums[type.kind[1]])
        case "user":
            return list(USERS)
    return list(MEMBERS)
