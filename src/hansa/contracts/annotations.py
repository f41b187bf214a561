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
from hansa.contracts.prices import BYTES_MAX, LIST_ITEMS_MAX, MAP_ITEMS_MAX, TEXT_CHARS_MAX, TYPE_DEPTH_MAX
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
_HINT: Final = (
    "Text[1, 80], Int[0, 9], int, bool, Bytes[1, 32], Hash, Party, User, Amount, SignedAmount, Date, Instant, "
    "Duration, list[T, n], dict[K, V, n], T | None, or a struct, enum or record declared before"
)


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

    def read(self, node: ast.expr) -> Type | None:
        """The type that is written at `node`; None, and a finding, if it is none."""
        found = self._read(node)
        if found is not None and self.depth(found) > TYPE_DEPTH_MAX:
            self._note(node, "type.depth", f"types in each other more than {TYPE_DEPTH_MAX} deep")
            return None
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
                return self.sizes[type_.struct]
            case _:
                return 1

    def _read(self, node: ast.expr) -> Type | None:
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
                    return None
                return None if item is None else OptionalType(item)
            case _:
                self._note(node, "type.unknown", "this is not a type of the dialect", _HINT)
                return None

    def _list(self, node: ast.expr, item: ast.expr, most: ast.expr) -> Type | None:
        found, count = self._read(item), constant(most)
        if found is None:
            return None
        if type(count) is not int or not 0 < count <= LIST_ITEMS_MAX or is_record(found):
            self._note(node, "type.list", f"a list reads `list[T, n]`, n at most {LIST_ITEMS_MAX}, T no record")
            return None
        return ListType(found, count)

    def _map(self, node: ast.expr, key: ast.expr, value: ast.expr, most: ast.expr) -> Type | None:
        keys, values, count = self._read(key), self._read(value), constant(most)
        if keys is None or values is None:
            return None
        if type(count) is not int or not 0 < count <= MAP_ITEMS_MAX or is_record(values) or not is_map_key(keys):
            form = f"a map reads `dict[K, V, n]`, n at most {MAP_ITEMS_MAX}"
            self._note(
                node, "type.map", form, "K is Text of at most 100 characters, Party, User or an enum; V no record"
            )
            return None
        return MapType(keys, values, count)

    def _bounds(self, node: ast.expr, name: str, least: object, most: object) -> Type | None:
        kind, low, high = _BOUNDED[name]
        if type(least) is not int or type(most) is not int or not low <= least <= most <= high:
            self._note(node, "type.bounds", f"the bounds of {name} lie within {low} and {high}, least first")
            return None
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
