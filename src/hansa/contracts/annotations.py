"""Reads types as they are written in annotations."""

import ast
from collections.abc import Callable, Mapping
from typing import Final

from hansa.contracts.findings import Findings
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
    PartyType,
    ReferenceType,
    StructType,
    TextType,
    Type,
    UserType,
    is_map_key,
)
from hansa.contracts.operations import UNKNOWN
from hansa.contracts.prices import (
    BYTES_MAX,
    LIST_ITEMS_MAX,
    MAP_ITEMS_MAX,
    MAP_KEY_CHARS_MAX,
    TEXT_CHARS_MAX,
    TYPE_DEPTH_MAX,
)
from hansa.wire.limits import INTEGER_MAX, INTEGER_MIN

_PLAIN: Final[Mapping[str, Type]] = {
    "int": IntType(),
    "bool": BoolType(),
    "Party": PartyType(),
    "User": UserType(),
    "Amount": AmountType(),
    "SignedAmount": AmountType(signed=True),
    "Date": DateType(),
    "Instant": InstantType(),
    "Duration": DurationType(),
    "Hash": BytesType(32, 32),
}
_BOUNDED: Final[Mapping[str, tuple[Callable[[int, int], Type], int, int]]] = {
    "Text": (TextType, 0, TEXT_CHARS_MAX),
    "Bytes": (BytesType, 0, BYTES_MAX),
    "Int": (IntType, INTEGER_MIN, INTEGER_MAX),
}
ANY_TYPE: Final = (
    "Text[1, 80], Int[0, 9], int, bool, Bytes[1, 32], Hash, Party, User, Amount, SignedAmount, Date, Instant, "
    "Duration, list[T, n], dict[K, V, n], T | None, or a struct, enum or record declared before"
)
"""What can be a type: the hint where nothing better is known."""
_MEANT: Final[Mapping[str, tuple[Type, str]]] = {
    **dict.fromkeys(("str", "Text"), (TextType(0, MAP_KEY_CHARS_MAX), "text says its length: `Text[1, 80]`")),
    **dict.fromkeys(("bytes", "Bytes"), (BytesType(0, 32), "bytes say their length: `Bytes[1, 32]`, or `Hash`")),
    "Int": (IntType(), "`Int[0, 9]`, or `int` for any of 64 bits"),
    "list": (UNKNOWN, "a list says what it holds, and how many at most: `list[int, 10]`"),
    "dict": (UNKNOWN, "a map says what it holds, and how many at most: `dict[Text[1, 20], int, 10]`"),
    "float": (UNKNOWN, "there are whole numbers, `int`, and `Amount` for money"),
    "None": (UNKNOWN, "`T | None` is a value of type T or None"),
}
"""What is often written and is no type here: what it is read on as, so that it is told once, and what to write."""


def constant(node: ast.expr) -> object:
    """The value of a constant, a negative integer included; NotImplemented for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | bool | None):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = constant(node.operand)
        if type(value) is int:
            return -value
    return NotImplemented


class Annotations:
    """Reads annotations of one file. `named` has the declared types so far, by the name they are written with."""

    def __init__(self, findings: Findings) -> None:
        self._note = findings.note
        self.named: dict[str, Type] = {}
        self.depths: dict[str, int] = {}
        """How deep each struct holds others."""
        self.sizes: dict[str, int] = {}
        """How many fields each struct has, those in it counted."""

    def read(self, node: ast.expr) -> Type:
        """The type that is written at `node`; with a finding what was meant, UNKNOWN where that cannot be told."""
        found = self._read(node)
        if self.depth(found) > TYPE_DEPTH_MAX:
            self._note(node, "type.depth", f"types in each other more than {TYPE_DEPTH_MAX} deep")
            return UNKNOWN
        return found

    def depth(self, type_: Type) -> int:
        """How deep a type holds others, itself included."""
        match type_:
            case OptionalType() | ListType():
                return 1 + self.depth(type_.item)
            case MapType():
                return 1 + self.depth(type_.value)
            case StructType():
                return self.depths.get(type_.struct, 1)  # what is not known yet counts as one
            case _:
                return 1

    def size(self, type_: Type) -> int:
        """How many fields a type has, those of all structs in it counted."""
        match type_:
            case OptionalType() | ListType():
                return self.size(type_.item)
            case MapType():
                return self.size(type_.value)
            case StructType():
                return self.sizes.get(type_.struct, 1)  # what is unknown counts as one
            case _:
                return 1

    def _read(self, node: ast.expr) -> Type:
        name = dotted(node)
        if name.count(".") > 1:  # what a library's libraries declare is that library's own
            name = ""
        if name and (found := self.named.get(name) or _PLAIN.get(name)) is not None:
            return found
        match node:
            case ast.Subscript(value=ast.Name(id="list"), slice=ast.Tuple(elts=[item, most])):
                return self._list(node, item, most)
            case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[key, value, most])):
                return self._map(node, key, value, most)
            case ast.Subscript(value=ast.Name(id=bounded), slice=ast.Tuple(elts=[least, most])) if bounded in _BOUNDED:
                return self._bounds(node, bounded, constant(least), constant(most))
            case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
                item = self._read(left)
                if isinstance(item, OptionalType):
                    self._note(node, "type.optional", "`| None` stands once")
                    return item
                return item if item == UNKNOWN else OptionalType(item)
            case _:
                meant, hint = self._meant(node, name)
                self._note(node, "type.unknown", "this is not a type of the dialect", hint)
                return meant

    def _meant(self, node: ast.expr, name: str) -> tuple[Type, str]:
        """What was meant by what is no type, and what to write."""
        match node:
            case ast.Subscript(value=ast.Name(id="list"), slice=ast.Name() | ast.Subscript() as item):
                return ListType(self._read(item), LIST_ITEMS_MAX), _MEANT["list"][1]
            case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[key, ast.Name() as value])):
                return MapType(self._read(key), self._read(value), MAP_ITEMS_MAX), _MEANT["dict"][1]
            case ast.Subscript(value=ast.Name(id="Optional"), slice=ast.Name() | ast.Subscript() as item):
                found = self._read(item)
                is_plain = found != UNKNOWN and not isinstance(found, OptionalType)
                return OptionalType(found) if is_plain else found, "what may be None is `T | None`"
            case ast.Subscript(value=ast.Name(id="list" | "dict" as word)):
                return _MEANT[word]
            case _:
                full = next((full for full in self.named if full.endswith(f".{name}")), "") if name else ""
                return (self.named[full], f"write `{full}`") if full else _MEANT.get(name, (UNKNOWN, ANY_TYPE))

    def _list(self, node: ast.expr, item: ast.expr, most: ast.expr) -> Type:
        found, count = self._read(item), constant(most)
        if type(count) is not int or not 0 < count <= LIST_ITEMS_MAX or is_record(found):
            self._note(node, "type.list", f"a list reads `list[T, n]`, n at most {LIST_ITEMS_MAX}, T no record")
            return UNKNOWN if is_record(found) else ListType(found, LIST_ITEMS_MAX)
        return ListType(found, count)

    def _map(self, node: ast.expr, key: ast.expr, value: ast.expr, most: ast.expr) -> Type:
        keys, values, count = self._read(key), self._read(value), constant(most)
        is_key = keys == UNKNOWN or is_map_key(keys)
        if type(count) is not int or not 0 < count <= MAP_ITEMS_MAX or is_record(values) or not is_key:
            form = f"a map reads `dict[K, V, n]`, n at most {MAP_ITEMS_MAX}"
            self._note(
                node, "type.map", form, "K is Text of at most 100 characters, Party, User or an enum; V no record"
            )
            return UNKNOWN
        return MapType(keys, values, count)

    def _bounds(self, node: ast.expr, name: str, least: object, most: object) -> Type:
        kind, low, high = _BOUNDED[name]
        if type(least) is not int or type(most) is not int or not low <= least <= most <= high:
            self._note(node, "type.bounds", f"the bounds of {name} lie within {low} and {high}, least first")
            return _MEANT[name][0]
        return kind(least, most)


def dotted(node: ast.expr) -> str:
    """The name that `node` writes, dots included; empty if it is anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            before = dotted(value)
            return f"{before}.{attr}" if before else ""
        case _:
            return ""


def is_record(type_: Type) -> bool:
    """Whether values of this type are records, or None."""
    return isinstance(type_.item if isinstance(type_, OptionalType) else type_, ReferenceType)
