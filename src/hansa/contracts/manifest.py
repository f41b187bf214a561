"""What a contract or library file declares, as data: types, structs, enums, records, roles, actions, views, functions.

Made by `declarations` from a file; read by the checker, both interpreters, the JSON Schemas, the API and the CLI.
A manifest says everything about a file but what its bodies do; of these, what types their events and refusals carry.
"""

from typing import Literal, TypeAlias

import msgspec

from hansa.contracts.names import NAME_CHARS_MAX
from hansa.contracts.prices import MAP_KEY_CHARS_MAX
from hansa.wire.limits import (
    INTEGER_MAX,
    INTEGER_MIN,
    KEY_BYTES_MAX,
    MEMBER_NAME_CHARS_MAX,
    USER_NAME_CHARS_MAX,
)

DIALECT: int = 0
"""The version of the dialect; which one decides about a contract follows from the height, never the binary."""


class TextType(msgspec.Struct, frozen=True, tag="text"):
    """Text of `least` to `most` characters (code points)."""

    least: int
    most: int


class IntType(msgspec.Struct, frozen=True, tag="int"):
    """An integer from `least` to `most`."""

    least: int = INTEGER_MIN
    most: int = INTEGER_MAX


class BoolType(msgspec.Struct, frozen=True, tag="bool"):
    """True or False."""


class BytesType(msgspec.Struct, frozen=True, tag="bytes"):
    """`least` to `most` bytes."""

    least: int
    most: int


class PartyType(msgspec.Struct, frozen=True, tag="party"):
    """A member of the ledger, by name."""


class UserType(msgspec.Struct, frozen=True, tag="user"):
    """A registered user of a member, by name."""


class AmountType(msgspec.Struct, frozen=True, tag="amount"):
    """Money: integer minor units and an ISO 4217 code; negative only where `signed`."""

    signed: bool = False


class DateType(msgspec.Struct, frozen=True, tag="date"):
    """A day of the calendar, years 1 to 9999; plain form `YYYY-MM-DD`."""


class InstantType(msgspec.Struct, frozen=True, tag="instant"):
    """A point in time, ms UTC since 1970, to the end of year 9999; plain form the integer."""


class DurationType(msgspec.Struct, frozen=True, tag="duration"):
    """A length of time in ms; plain form the integer."""


class EnumType(msgspec.Struct, frozen=True, tag="enum"):
    """One of the values of a declared enum; plain form its name."""

    enum: str


class StructType(msgspec.Struct, frozen=True, tag="struct"):
    """A value of a declared struct; plain form a map of its fields."""

    struct: str


class StateType(msgspec.Struct, frozen=True, tag="state"):
    """The state of a record of a type with states; plain form its name."""

    record: str


class ListType(msgspec.Struct, frozen=True, tag="list"):
    """At most `most` items of one type."""

    item: "Type"
    most: int


class MapType(msgspec.Struct, frozen=True, tag="map"):
    """At most `most` values of one type, by keys that are Text, Party, User or enum; iterated in code point order."""

    key: "Type"
    value: "Type"
    most: int


class OptionalType(msgspec.Struct, frozen=True, tag="optional"):
    """A value or None."""

    item: "Type"


class ReferenceType(msgspec.Struct, frozen=True, tag="reference"):
    """An existing record of this contract; plain form its key."""

    record: str


Type: TypeAlias = (
    TextType
    | IntType
    | BoolType
    | BytesType
    | PartyType
    | UserType
    | AmountType
    | DateType
    | InstantType
    | DurationType
    | EnumType
    | StructType
    | StateType
    | ListType
    | MapType
    | OptionalType
    | ReferenceType
)


Constant: TypeAlias = "str | int | bool"
Default: TypeAlias = "str | int | bool | list[str] | dict[str, str] | None"
"""What a field starts with, in plain form: a constant of its type, an enum value's name, an empty list or map."""


class Field(msgspec.Struct, frozen=True):
    """A field of a record or struct. `default` counts when `required` is False."""

    name: str
    type: Type
    required: bool
    default: Default
    line: int


class Struct(msgspec.Struct, frozen=True):
    """A declared struct: an immutable value of named fields. Those of a library have its alias before their names."""

    name: str
    fields: dict[str, Field]
    doc: str
    line: int


class Enum(msgspec.Struct, frozen=True):
    """A declared enum: its values by name, with what each says."""

    name: str
    values: dict[str, str]
    line: int


class Invariant(msgspec.Struct, frozen=True):
    """A rule about a record, checked at the end on every record written. `parameter` names the record in its body."""

    name: str
    parameter: str
    line: int


class Migration(msgspec.Struct, frozen=True):
    """How a record of the version before becomes one of this: a body over the new record and a struct of the old."""

    record: str  # the names of its two parameters
    old: str
    struct: str
    line: int


class RecordType(msgspec.Struct, frozen=True):
    """A record type: its fields by name, its key, what is indexed, its states with their descriptions (empty: none).

    A record with states has a field `state` that stands in no declaration.
    """

    name: str
    key: str
    fields: dict[str, Field]
    indexes: tuple[str, ...]
    states: dict[str, str]
    invariants: tuple[Invariant, ...]
    migration: Migration | None
    doc: str
    line: int


class Role(msgspec.Struct, frozen=True):
    """A role: an `attribute` of the member, one of the `user`, or a calling `contract` decide.

    Without these, a field of the role's name in the subject record says which member holds it.
    """

    name: str
    attribute: str | None
    user: str | None
    contract: str | None
    line: int


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of an action, view or function, `tx` left out."""

    name: str
    type: Type
    line: int


class Action(msgspec.Struct, frozen=True):
    """An action; a view if `by` is empty.

    `by` names who may take it, any one of them; `creates` the record type its subject is made of; `on` the states its
    subject must be in (empty: any); `to` those it may come to (empty: it stays).
    """

    name: str
    by: tuple[str, ...]
    creates: str | None
    on: tuple[str, ...]
    to: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    returns: Type | None
    doc: str
    line: int

    @property
    def is_view(self) -> bool:
        """Whether it only reads."""
        return not self.by

    @property
    def subject(self) -> Parameter | None:
        """The first parameter that is a record: what roles bound per record and states refer to."""
        return next((p for p in self.parameters if isinstance(p.type, ReferenceType)), None)


class Function(msgspec.Struct, frozen=True):
    """A pure function."""

    name: str
    parameters: tuple[Parameter, ...]
    returns: Type
    doc: str
    line: int


class Interface(msgspec.Struct, frozen=True):
    """What a file expects of another contract on the ledger: parameters by action or view, and what views return."""

    name: str
    contract: str
    actions: dict[str, tuple[Parameter, ...]]
    views: dict[str, Function]
    line: int


class Pin(msgspec.Struct, frozen=True):
    """A library that a file uses: its name, and the SHA-256 of its source."""

    name: str
    digest: bytes
    line: int


class Carried(msgspec.Struct, frozen=True):
    """What the events of one name, or the refusals of one text, carry: the type of each value by its name.

    None where that is not known, or not the same wherever it is said; bounds mean nothing. `always`: the names that are
    given everywhere.
    """

    fields: dict[str, Type | None]
    always: tuple[str, ...]


class Said(msgspec.Struct, frozen=True):
    """What bodies tell those outside: events by name, refusals of `require` by their text, if they carry values.

    `libraries`, by alias, have what the functions of these refuse with; their types are as the library names them.
    """

    events: dict[str, Carried] = {}
    refusals: dict[str, Carried] = {}
    libraries: dict[str, "Said"] = {}


class Manifest(msgspec.Struct, frozen=True):
    """All a file declares. A library has structs, enums, constants and functions alone, and version `0.0.0`.

    What it uses of libraries is among its structs, enums and functions, as `alias.Name`. What is `said` follows from
    the bodies.
    """

    kind: Literal["contract", "library"]
    name: str
    version: str
    doc: str
    title: str  # the name of the contract's class, empty for a library
    roles: dict[str, Role]
    structs: dict[str, Struct]
    enums: dict[str, Enum]
    records: dict[str, RecordType]
    actions: dict[str, Action]
    views: dict[str, Action]
    functions: dict[str, Function]
    interfaces: dict[str, Interface]
    libraries: dict[str, Pin]
    constants: dict[str, Constant]
    said: Said = Said()


ANY_MEMBER: str = "member"
"""The role that every member has when it signs; it needs no declaration."""
SCHEDULE: str = "schedule"
"""The role that ledger time has: who may take an action is nobody, it comes due."""
STATE_FIELD: str = "state"


def key_bytes_most(type: Type) -> int | None:
    """The longest encoding of a key or indexed value of this type; None if the type cannot be one."""
    match type:
        case TextType():
            return 4 * type.most
        case BytesType():
            return type.most
        case PartyType():
            return MEMBER_NAME_CHARS_MAX
        case UserType():
            return USER_NAME_CHARS_MAX
        case EnumType() | StateType():
            return NAME_CHARS_MAX
        case DateType():
            return 10
        case IntType() | InstantType() | DurationType():
            return 8
        case BoolType():
            return 1
        case OptionalType():
            return key_bytes_most(type.item)
        case _:
            return None


def is_key_type(type: Type) -> bool:
    """Whether a value of this type can be a record's key."""
    most = key_bytes_most(type)
    return most is not None and most <= KEY_BYTES_MAX and not isinstance(type, OptionalType | BoolType)


def is_index_type(type: Type) -> bool:
    """Whether a field of this type can be indexed; a reference is by its key, which fits."""
    item = type.item if isinstance(type, OptionalType) else type
    most = key_bytes_most(item)
    return isinstance(item, ReferenceType) or (most is not None and most <= KEY_BYTES_MAX)


def is_map_key(type: Type) -> bool:
    """Whether a map can have keys of this type."""
    return isinstance(type, PartyType | UserType | EnumType) or (
        isinstance(type, TextType) and type.most <= MAP_KEY_CHARS_MAX
    )


def taken(alias: str, type: Type) -> Type:
    """A type of a library as the file that uses it names it."""
    match type:
        case EnumType():
            return EnumType(f"{alias}.{type.enum}")
        case StructType():
            return StructType(f"{alias}.{type.struct}")
        case ListType():
            return ListType(taken(alias, type.item), type.most)
        case OptionalType():
            return OptionalType(taken(alias, type.item))
        case MapType():
            return MapType(taken(alias, type.key), taken(alias, type.value), type.most)
        case _:
            return type


def stored_type(manifest: Manifest, type: Type) -> Type:
    """A field's type as it is stored: a reference as the key that it holds."""
    bare = type.item if isinstance(type, OptionalType) else type
    if not isinstance(bare, ReferenceType):
        return type
    record = manifest.records[bare.record]
    key = record.fields[record.key].type
    return OptionalType(key) if isinstance(type, OptionalType) else key
