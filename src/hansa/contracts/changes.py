"""What the next version of a contract declares otherwise than the one before, in words, for people to decide about.

Whether it may follow at all is for `upgrade` to say; what the bodies do otherwise, for the difference of the texts.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from hansa.contracts.manifest import (
    Action,
    AmountType,
    BoolType,
    BytesType,
    DateType,
    DurationType,
    EnumType,
    Field,
    InstantType,
    IntType,
    ListType,
    Manifest,
    MapType,
    OptionalType,
    PartyType,
    RecordType,
    ReferenceType,
    Role,
    StateType,
    StructType,
    TextType,
    Type,
    UserType,
)

_Declared = TypeVar("_Declared")


def changes(before: Manifest | None, now: Manifest) -> list[str]:
    """What is new, gone or another, each in a line; everything is new if there was no version before."""
    old = before or Manifest("contract", now.name, "", "", "", {}, {}, {}, {}, {}, {}, {}, {}, {}, {})
    found = _compared("role", old.roles, now.roles, _role)
    found += _compared("record", old.records, now.records, _record)
    for name in sorted(now.records):
        was = old.records.get(name)
        found += _compared(f"field {name}.", {} if was is None else was.fields, now.records[name].fields, _field)
        found += _compared(f"state {name}.", {} if was is None else was.states, now.records[name].states, str)
    found += _compared("struct", old.structs, now.structs, lambda one: _fields(one.fields))
    found += _compared("enum", old.enums, now.enums, lambda one: ", ".join(one.values))
    found += _compared("action", old.actions, now.actions, _action)
    found += _compared("view", old.views, now.views, _action)
    found += _compared("function", old.functions, now.functions, lambda one: ", ".join(p.name for p in one.parameters))
    found += _compared("interface", old.interfaces, now.interfaces, lambda one: f"to {one.contract}")
    return found + _compared("library", old.libraries, now.libraries, lambda one: f"{one.name} {one.digest.hex()[:16]}")


def _compared(
    what: str, old: Mapping[str, _Declared], new: Mapping[str, _Declared], told: Callable[[_Declared], str]
) -> list[str]:
    head = what if what.endswith(".") else f"{what} "
    found: list[str] = []
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            found.append(f"- {head}{name}")
        elif name not in old:
            found.append(f"+ {head}{name}: {told(new[name])}")
        elif told(old[name]) != told(new[name]):
            found.append(f"~ {head}{name}: {told(old[name])} -> {told(new[name])}")
    return found


def _role(role: Role) -> str:
    if role.contract is not None:
        return f"the contract {role.contract}"
    if role.user is not None:
        return f"users with {role.user}"
    return "named in a record" if role.attribute is None else f"members with {role.attribute}"


def _type(type_: Type) -> str:
    """A type as the dialect writes it, bounds included."""
    match type_:
        case TextType():
            return f"Text[{type_.least}, {type_.most}]"
        case IntType():
            return "int" if type_ == IntType() else f"Int[{type_.least}, {type_.most}]"
        case BytesType():
            return f"Bytes[{type_.least}, {type_.most}]"
        case AmountType():
            return "SignedAmount" if type_.signed else "Amount"
        case ListType():
            return f"list[{_type(type_.item)}, {type_.most}]"
        case MapType():
            return f"dict[{_type(type_.key)}, {_type(type_.value)}, {type_.most}]"
        case OptionalType():
            return f"{_type(type_.item)} | None"
        case EnumType():
            return type_.enum
        case StructType():
            return type_.struct
        case ReferenceType() | StateType():
            return type_.record
        case BoolType():
            return "bool"
        case PartyType() | UserType() | DateType() | InstantType() | DurationType():
            return type(type_).__name__.removesuffix("Type")


def _record(record: RecordType) -> str:
    index = f", index {', '.join(record.indexes)}" if record.indexes else ""
    rules = f", rules {', '.join(rule.name for rule in record.invariants)}" if record.invariants else ""
    return f"key {record.key}{index}{rules}"


def _field(field: Field) -> str:
    return _type(field.type) + ("" if field.required else f" = {field.default!r}")


def _fields(fields: Mapping[str, Field]) -> str:
    return ", ".join(f"{name}: {_field(field)}" for name, field in fields.items())


def _action(action: Action) -> str:
    parts = [f"({', '.join(f'{p.name}: {_type(p.type)}' for p in action.parameters)})"]
    parts += [f"by {', '.join(action.by)}"] if action.by else []
    parts += [f"on {', '.join(action.on)}"] if action.on else []
    parts += [f"to {', '.join(action.to)}"] if action.to else []
    return " ".join(parts) + (f" returns {_type(action.returns)}" if action.returns is not None else "")
