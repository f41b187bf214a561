"""What a contract declares, as data: types, records, roles, actions and views.

Made by `declarations` from a contract file; read by the execution, the JSON Schemas, the API and the CLI. A
manifest says everything about a contract but what its bodies do.
"""

from typing import TypeAlias

import msgspec

from hansa.wire.limits import INTEGER_MAX, INTEGER_MIN, KEY_BYTES_MAX, MEMBER_NAME_CHARS_MAX

DIALECT: int = 0
"""The version of the dialect; which one decides about a contract follows from the height, never the binary."""

TEXT_CHARS_MAX: int = 65_536
BYTES_MAX: int = 65_536
LIST_ITEMS_MAX: int = 1_024
_HEAD_BYTES_MAX: int = 5  # before a text, bytes or a list of such lengths


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


class AmountType(msgspec.Struct, frozen=True, tag="amount"):
    """Money: integer minor units, not negative, and an ISO 4217 code."""


class ListType(msgspec.Struct, frozen=True, tag="list"):
    """At most `most` items of one type."""

    item: "Type"
    most: int


class OptionalType(msgspec.Struct, frozen=True, tag="optional"):
    """A value or None."""

    item: "Type"


class ReferenceType(msgspec.Struct, frozen=True, tag="reference"):
    """An existing record of this contract, by key."""

    record: str


Type: TypeAlias = (
    TextType | IntType | BoolType | BytesType | PartyType | AmountType | ListType | OptionalType | ReferenceType
)


Default: TypeAlias = "str | int | bool | list[str] | None"
"""What a field starts with: a constant of its type, or an empty list."""


class Field(msgspec.Struct, frozen=True):
    """A field of a record. `default` counts when `required` is False."""

    name: str
    type: Type
    required: bool
    default: Default
    line: int


class RecordType(msgspec.Struct, frozen=True):
    """A record type: its fields by name, the field that is its key, the fields that are indexed."""

    name: str
    key: str
    fields: dict[str, Field]
    indexes: tuple[str, ...]
    doc: str
    line: int


class Role(msgspec.Struct, frozen=True):
    """A role. With an attribute, the member must have it; else a field of the same name binds it per record."""

    name: str
    attribute: str | None
    line: int


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of an action or view, `tx` left out."""

    name: str
    type: Type
    line: int


class Action(msgspec.Struct, frozen=True):
    """An action, or a view if `role` is None. `creates` names the record type its first record is made of."""

    name: str
    role: str | None
    creates: str | None
    parameters: tuple[Parameter, ...]
    returns: Type | None
    doc: str
    line: int

    @property
    def subject(self) -> Parameter | None:
        """The first parameter that is a record: what roles bound per record refer to."""
        return next((p for p in self.parameters if isinstance(p.type, ReferenceType)), None)


class Manifest(msgspec.Struct, frozen=True):
    """All a contract declares."""

    name: str
    version: str
    doc: str
    roles: dict[str, Role]
    records: dict[str, RecordType]
    actions: dict[str, Action]
    views: dict[str, Action]


ANY_MEMBER: str = "member"
"""The role that every member has; it needs no declaration."""


def key_bytes_most(type: Type) -> int | None:
    """The longest encoding of a key or indexed value of this type; None if the type cannot be one."""
    match type:
        case TextType():
            return 4 * type.most
        case BytesType():
            return type.most
        case PartyType():
            return 32
        case IntType():
            return 8
        case BoolType():
            return 1
        case OptionalType():
            return key_bytes_most(type.item)
        case _:
            return None


def encoded_bytes_most(type: Type) -> int:
    """The longest encoding of a value of this type."""
    match type:
        case TextType():
            return _HEAD_BYTES_MAX + 4 * type.most
        case BytesType():
            return _HEAD_BYTES_MAX + type.most
        case PartyType():
            return _HEAD_BYTES_MAX + MEMBER_NAME_CHARS_MAX
        case ListType():
            return _HEAD_BYTES_MAX + type.most * encoded_bytes_most(type.item)
        case OptionalType():
            return encoded_bytes_most(type.item)
        case AmountType():
            return 29  # a map of `minor`, `currency` and a code of three letters
        case ReferenceType():
            return _HEAD_BYTES_MAX + KEY_BYTES_MAX
        case IntType() | BoolType():
            return 9


def is_key_type(type: Type) -> bool:
    """Whether a value of this type can be a record's key."""
    most = key_bytes_most(type)
    return most is not None and most <= KEY_BYTES_MAX and not isinstance(type, OptionalType | BoolType)


def is_index_type(type: Type) -> bool:
    """Whether a field of this type can be indexed."""
    most = key_bytes_most(type)
    return most is not None and most <= KEY_BYTES_MAX
