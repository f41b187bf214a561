"""What a contract declares holds for every value that stands there: in fields, parameters, what is returned, and a
local where it is annotated. Elsewhere in bodies only kinds count, not bounds.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Values are dynamic: the static checker has seen to their kinds.

import ast
from typing import Any

from hansa.contracts import manifest as declared
from hansa.contracts import messages, prices
from hansa.contracts.manifest import Manifest, Type
from hansa.contracts.specification.machine import Machine, ask, charge
from hansa.contracts.specification.values import (
    Amount,
    Duration,
    Instant,
    Struct,
    date_from_text,
    is_currency,
    ordered_map,
)
from hansa.wire import limits, names


def is_optional(type: Type) -> bool:
    """Whether None has a place in a type."""
    return isinstance(type, declared.OptionalType)


def fit(machine: Machine, file: Manifest, type: Type, value: Any, place: str) -> Any:
    """A value stands where a type is declared.

    Text has its length, an integer lies in its range (64 bits if none is declared), lists and maps have at most their
    size, a Party is a member, a User a user, an Amount is not negative; else `value.bounds`, which names the place.
    Where a SignedAmount is declared an Amount becomes one, and the other way round if it is not negative, in
    containers too. None where the type has none is `value.none`.
    """
    if value is None and not is_optional(type):
        raise messages.none()
    pay_for_fitting(machine, value)
    problem = misfit(machine, file, type, value)
    if problem:
        raise messages.bounds(place, problem)
    return as_declared(file, type, value)


def pay_for_fitting(machine: Machine, value: Any) -> None:
    """Fitting costs 1 for each item of a list or map and each field of a struct in the value, all the way in and before
    anything is checked; scalars cost nothing.
    """
    if isinstance(value, list):
        items = value
    elif isinstance(value, dict):
        items = list(value.values())
    elif isinstance(value, Struct):
        items = list(value.fields.values())
    else:
        return
    charge(machine, len(items))
    for item in items:
        pay_for_fitting(machine, item)


def misfit(machine: Machine, file: Manifest, type: Type, value: Any) -> str:
    """The first thing wrong with a value is what is said of it; empty if nothing is.

    Of a container first the size is checked, then its items in order: those of a map by key, each key before its
    value; those of a struct as declared.
    """
    match type:
        case declared.OptionalType(item=item):
            return "" if value is None else misfit(machine, file, item, value)
        case declared.TextType(least=least, most=most):
            return "" if least <= len(value) <= most else messages.text_bounds(least, most, len(value))
        case declared.BytesType(least=least, most=most):
            return "" if least <= len(value) <= most else messages.bytes_bounds(least, most, len(value))
        case declared.IntType(least=least, most=most):
            return "" if least <= value <= most else messages.integer_bounds(least, most)
        case declared.PartyType():
            return "" if ask(machine.host.is_member, value) else messages.unknown_party()
        case declared.UserType():
            return "" if ask(machine.host.is_user, value) else messages.unknown_user()
        case declared.AmountType(signed=signed):
            return "" if signed or value.minor >= 0 else messages.minor_form(signed=False)
        case declared.EnumType(enum=enum):
            return "" if value in file.enums[enum].values else messages.not_enum(own_name(enum))
        case declared.StateType(record=record):
            return "" if value in file.records[record].states else messages.not_state(record)
        case declared.ListType():
            return _list_misfit(machine, file, type, value)
        case declared.MapType():
            return _map_misfit(machine, file, type, value)
        case declared.StructType(struct=struct):
            return _struct_misfit(machine, file, file.structs[struct], value)
        case _:  # booleans, dates, times: their values are in range; references: their records exist
            return ""


def _list_misfit(machine: Machine, file: Manifest, type: declared.ListType, value: list[Any]) -> str:
    if len(value) > type.most:
        return messages.list_bounds(type.most, len(value))
    for number, each in enumerate(value):
        problem = misfit(machine, file, type.item, each)
        if problem:
            return messages.in_item(number, problem)
    return ""


def _struct_misfit(machine: Machine, file: Manifest, struct: declared.Struct, value: Struct) -> str:
    for name, field in struct.fields.items():
        problem = misfit(machine, file, field.type, value.fields[name])
        if problem:
            return messages.in_field(name, problem)
    return ""


def _map_misfit(machine: Machine, file: Manifest, type: declared.MapType, value: dict[str, Any]) -> str:
    if len(value) > type.most:
        return messages.map_bounds(type.most, len(value))
    for number, (key, each) in enumerate(value.items()):
        problem = misfit(machine, file, type.key, key)
        if problem:
            return messages.in_key(number, problem)
        problem = misfit(machine, file, type.value, each)
        if problem:
            return messages.in_value(number, problem)
    return ""


def as_declared(file: Manifest, type: Type, value: Any) -> Any:
    """A value that fits, as the type has it: amounts signed or not, structs as this file declares them."""
    match type:
        case _ if value is None:
            return None
        case declared.OptionalType(item=item):
            return as_declared(file, item, value)
        case declared.AmountType(signed=signed):
            return Amount(value.minor, value.currency, signed)
        case declared.ListType(item=item):
            return [as_declared(file, item, each) for each in value]
        case declared.MapType(value=of):
            return {key: as_declared(file, of, each) for key, each in value.items()}
        case declared.StructType(struct=name):
            struct = file.structs[name]
            fields = {
                each.name: as_declared(file, each.type, value.fields[each.name]) for each in struct.fields.values()
            }
            return Struct(struct, file, fields)
        case _:
            return value


def plain_misfit(machine: Machine, file: Manifest, type: Type, plain: Any) -> str:
    """A plain value, as in an argument, has the kind that is declared, and then fits as any other. The first thing
    wrong is what is said of it. This costs nothing.

    Fields of a struct that have defaults may be absent; others may not, and unknown ones may not be there.
    """
    match type:
        case declared.OptionalType(item=item):
            return "" if plain is None else plain_misfit(machine, file, item, plain)
        case declared.ReferenceType(record=record):
            of = file.records[record]
            return plain_misfit(machine, file, of.fields[of.key].type, plain)
        case declared.ListType(item=item, most=most):
            if not isinstance(plain, list):
                return messages.not_list()
            if len(plain) > most:
                return messages.list_bounds(most, len(plain))
            for number, each in enumerate(plain):
                problem = plain_misfit(machine, file, item, each)
                if problem:
                    return messages.in_item(number, problem)
            return ""
        case declared.MapType():
            return _plain_map_misfit(machine, file, type, plain)
        case declared.StructType(struct=struct):
            return _plain_struct_misfit(machine, file, file.structs[struct], plain)
        case _:
            return _plain_scalar_misfit(machine, file, type, plain)


def _plain_map_misfit(machine: Machine, file: Manifest, type: declared.MapType, plain: Any) -> str:
    if not isinstance(plain, dict):
        return messages.not_map()
    if len(plain) > type.most:
        return messages.map_bounds(type.most, len(plain))
    for number, key in enumerate(sorted(plain)):
        problem = plain_misfit(machine, file, type.key, key)
        if problem:
            return messages.in_key(number, problem)
        problem = plain_misfit(machine, file, type.value, plain[key])
        if problem:
            return messages.in_value(number, problem)
    return ""


def _plain_struct_misfit(machine: Machine, file: Manifest, struct: declared.Struct, plain: Any) -> str:
    if not isinstance(plain, dict):
        return messages.not_struct()
    for field in struct.fields.values():
        if field.name in plain:
            problem = plain_misfit(machine, file, field.type, plain[field.name])
            if problem:
                return messages.in_field(field.name, problem)
        elif field.required:
            return messages.field_missing(field.name)
    return "" if plain.keys() <= struct.fields.keys() else messages.field_unknown()


def _plain_scalar_misfit(machine: Machine, file: Manifest, type: Type, plain: Any) -> str:
    whole = isinstance(plain, int) and not isinstance(plain, bool)
    match type:
        case declared.BytesType():
            return misfit(machine, file, type, plain) if isinstance(plain, bytes) else messages.not_bytes()
        case declared.IntType():
            return misfit(machine, file, type, plain) if whole else messages.not_integer()
        case declared.BoolType():
            return "" if isinstance(plain, bool) else messages.not_bool()
        case declared.AmountType(signed=signed):
            return _plain_amount_misfit(plain, signed)
        case declared.DateType():
            return "" if isinstance(plain, str) and date_from_text(plain) else messages.not_date()
        case declared.InstantType():
            return "" if whole and 0 <= plain <= prices.INSTANT_MAX else messages.not_instant()
        case declared.DurationType():
            return "" if whole and abs(plain) <= prices.DURATION_MAX else messages.not_duration()
        case declared.TextType():
            return misfit(machine, file, type, plain) if isinstance(plain, str) else messages.not_text()
        case declared.PartyType():
            good = isinstance(plain, str) and names.is_member(plain)
            return misfit(machine, file, type, plain) if good else messages.not_party()
        case declared.UserType():
            good = isinstance(plain, str) and names.is_user(plain)
            return misfit(machine, file, type, plain) if good else messages.not_user()
        case declared.EnumType(enum=enum):
            good = isinstance(plain, str)
            return misfit(machine, file, type, plain) if good else messages.not_enum(own_name(enum))
        case declared.StateType(record=record):
            good = isinstance(plain, str)
            return misfit(machine, file, type, plain) if good else messages.not_state(record)
        case _:
            raise AssertionError(f"{type} is no scalar")


def _plain_amount_misfit(plain: Any, signed: bool) -> str:
    if not isinstance(plain, dict) or plain.keys() != {"minor", "currency"}:
        return messages.not_amount()
    minor, currency = plain["minor"], plain["currency"]
    if not isinstance(minor, int) or isinstance(minor, bool) or (minor < 0 and not signed):
        return messages.minor_form(signed)
    if abs(minor) > limits.INTEGER_MAX:
        return messages.minor_bounds()
    return "" if isinstance(currency, str) and is_currency(currency) else messages.not_currency()


def from_plain(file: Manifest, type: Type, plain: Any) -> Any:
    """The value of a plain value that fits. A reference stays a key; absent fields of a struct get their defaults."""
    match type:
        case _ if plain is None:
            return None
        case declared.OptionalType(item=item):
            return from_plain(file, item, plain)
        case declared.AmountType(signed=signed):
            return Amount(plain["minor"], plain["currency"], signed)
        case declared.DateType():
            return date_from_text(plain)
        case declared.InstantType():
            return Instant(plain)
        case declared.DurationType():
            return Duration(plain)
        case declared.ListType(item=item):
            return [from_plain(file, item, each) for each in plain]
        case declared.MapType(value=of):
            return ordered_map({key: from_plain(file, of, each) for key, each in plain.items()})
        case declared.StructType(struct=name):
            struct = file.structs[name]
            fields = {
                field.name: from_plain(file, field.type, plain.get(field.name, field.default))
                for field in struct.fields.values()
            }
            return Struct(struct, file, fields)
        case _:
            return plain


def default_of(file: Manifest, field: declared.Field) -> Any:
    """What a field that is not required starts with."""
    return from_plain(file, field.type, field.default)


def own_name(name: str) -> str:
    """The name of a declaration in its own file: without the alias under which a library is used."""
    return name.rpartition(".")[2]


def annotated_type(file: Manifest, node: ast.expr) -> Type:
    """The type that the annotation of a local names."""
    match node:
        case ast.BinOp(left=left, op=ast.BitOr()):
            return declared.OptionalType(annotated_type(file, left))
        case ast.Subscript(value=ast.Name(id="list"), slice=ast.Tuple(elts=[item, most])):
            return declared.ListType(annotated_type(file, item), _bound(file, most))
        case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[key, value, most])):
            return declared.MapType(annotated_type(file, key), annotated_type(file, value), _bound(file, most))
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Tuple(elts=[least, most])):
            of = {"Text": declared.TextType, "Int": declared.IntType, "Bytes": declared.BytesType}[name]
            return of(_bound(file, least), _bound(file, most))
        case ast.Name(id=name):
            return _named_type(file, name)
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return _named_type(file, name if owner == file.title else f"{owner}.{name}")
        case _:
            raise AssertionError(f"no type: {ast.unparse(node)}")


def _named_type(file: Manifest, name: str) -> Type:
    simple: dict[str, Type] = {
        "int": declared.IntType(),
        "bool": declared.BoolType(),
        "Hash": declared.BytesType(32, 32),
        "Party": declared.PartyType(),
        "User": declared.UserType(),
        "Amount": declared.AmountType(),
        "SignedAmount": declared.AmountType(signed=True),
        "Date": declared.DateType(),
        "Instant": declared.InstantType(),
        "Duration": declared.DurationType(),
    }
    if name in file.enums:
        return declared.EnumType(name)
    if name in file.structs:
        return declared.StructType(name)
    if name in file.records:
        return declared.ReferenceType(name)
    return simple[name]


def _bound(file: Manifest, node: ast.expr) -> int:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_bound(file, operand)
        case ast.Name(id=name):
            value = file.constants[name]
            assert isinstance(value, int)
            return value
        case _:
            raise AssertionError(f"no bound: {ast.unparse(node)}")
