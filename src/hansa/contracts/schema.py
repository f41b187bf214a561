"""JSON Schemas (2020-12) of what a contract declares: arguments, records, what views return, events and refusals carry.

The JSON face of values: bytes as hexadecimal, integers beyond 2^53-1 as strings. Forms, the API description and the
CLI are made from these. `format` says which type of the dialect a value has, where JSON has none of its own for it.
Structs and enums stand once, in `$defs`, so that a schema is never much larger than the file that it is of.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from hansa.contracts.manifest import (
    STATE_FIELD,
    Action,
    AmountType,
    BoolType,
    BytesType,
    Carried,
    DateType,
    DurationType,
    EnumType,
    Field,
    Function,
    InstantType,
    Interface,
    IntType,
    ListType,
    Manifest,
    MapType,
    OptionalType,
    Parameter,
    PartyType,
    RecordType,
    ReferenceType,
    Said,
    StateType,
    StructType,
    TextType,
    Type,
    UserType,
    taken,
)
from hansa.contracts.prices import DURATION_MAX, INSTANT_MAX
from hansa.wire import jsonform, names
from hansa.wire.limits import INTEGER_MAX, JSON_INTEGER_MAX

LOCAL: Final = "#/$defs/"
"""Where structs and enums stand in a document that has its own."""

_SCALARS: Final[dict[type[Type], dict[str, Any]]] = {
    BoolType: {"type": "boolean"},
    PartyType: {"type": "string", "pattern": f"^{names.MEMBER}$", "format": "member", "title": "member"},
    UserType: {"type": "string", "pattern": f"^{names.USER}$", "format": "user", "title": "user"},
    DateType: {
        "type": "string",
        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",  # many validators do not look at formats
        "format": "date",
        "title": "date",
        "description": "A day of the years 0001 to 9999.",
    },
    InstantType: {
        "type": "integer",
        "minimum": 0,
        "maximum": INSTANT_MAX,
        "format": "instant-ms",
        "title": "time",
        "description": "A point in time, in milliseconds UTC since 1970-01-01.",
    },
    DurationType: {
        "type": "integer",
        "minimum": -DURATION_MAX,
        "maximum": DURATION_MAX,
        "format": "duration-ms",
        "title": "length of time",
        "description": "A length of time in milliseconds.",
    },
}


def type_schema(type_: Type, manifest: Manifest, at: str = LOCAL) -> dict[str, Any]:
    """The schema of one type; the structs and enums that it names stand `at` a place."""
    match type_:
        case TextType():
            return {"type": "string", "minLength": type_.least, "maxLength": type_.most}
        case IntType():
            return _integer(type_.least, type_.most)
        case BytesType():
            return {
                "type": "string",
                "pattern": "^([0-9a-f]{2})*$",  # engines of linear time bound how often a pattern may repeat
                "minLength": 2 * type_.least,
                "maxLength": 2 * type_.most,
                "contentEncoding": "base16",
            }
        case AmountType():
            return _amount(type_.signed)
        case EnumType():
            return {"$ref": at + _definition(type_.enum)}
        case StructType():
            return {"$ref": at + _definition(type_.struct)}
        case StateType():
            return {"title": "state", **_one_of(manifest.records[type_.record].states)}
        case ListType():
            return {"type": "array", "items": type_schema(type_.item, manifest, at), "maxItems": type_.most}
        case MapType():
            return {
                "type": "object",
                "propertyNames": type_schema(type_.key, manifest, at),
                "additionalProperties": type_schema(type_.value, manifest, at),
                "maxProperties": type_.most,
            }
        case OptionalType():
            return {"anyOf": [type_schema(type_.item, manifest, at), {"type": "null"}]}
        case ReferenceType():
            record = manifest.records[type_.record]
            key = type_schema(record.fields[record.key].type, manifest, at)
            return {**key, "title": f"key of {'an' if record.name[0] in 'AEIOU' else 'a'} {record.name}"}
        case BoolType() | PartyType() | UserType() | DateType() | InstantType() | DurationType():
            return dict(_SCALARS[type(type_)])


def definitions(manifest: Manifest, at: str = LOCAL) -> dict[str, Any]:
    """The schemas of all structs and enums by name; a struct's fields with a default may be left out."""
    enums = {_definition(enum.name): {"title": enum.name, **_one_of(enum.values)} for enum in manifest.enums.values()}
    structs = {
        _definition(struct.name): {
            "type": "object",
            "title": struct.name,
            "description": struct.doc,
            "properties": {field.name: _field(field, manifest, at) for field in struct.fields.values()},
            "required": [field.name for field in struct.fields.values() if field.required],
            "additionalProperties": False,
        }
        for struct in manifest.structs.values()
    }
    return enums | structs


def arguments_schema(action: Action, manifest: Manifest, at: str | None = None) -> dict[str, Any]:
    """The schema of an action's or view's arguments; a record that the action makes is not among them.

    Complete with its definitions, unless these stand `at` a place.
    """
    if at is None:
        return {**arguments_schema(action, manifest, LOCAL), "$defs": definitions(manifest)}
    subject = action.subject if action.creates is not None else None
    return _arguments([p for p in action.parameters if p is not subject], action.doc, manifest, at)


def record_schema(record: RecordType, manifest: Manifest, at: str | None = None) -> dict[str, Any]:
    """The schema of a record's value. Complete with its definitions, unless these stand `at` a place."""
    if at is None:
        return {**record_schema(record, manifest, LOCAL), "$defs": definitions(manifest)}
    properties = {f.name: type_schema(f.type, manifest, at) for f in record.fields.values()}
    if record.states:
        properties[STATE_FIELD] = type_schema(StateType(record.name), manifest, at)
    return {
        "type": "object",
        "description": record.doc,
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


def event_schemas(manifest: Manifest, at: str = LOCAL) -> dict[str, Any]:
    """The schemas of what the events of each name carry; what they refer to stands `at` a place."""
    return {name: _carried(carried, manifest, at) for name, carried in manifest.said.events.items()}


def refusal_schemas(manifest: Manifest) -> dict[str, Any]:
    """The schemas of the values in the refusals of each text that has some, those of its libraries too.

    Where one text stands in several files, its values have the schemas that all of these give them.
    """
    found: dict[str, Any] = {}
    for text, carried in _refusals(manifest.said):
        schema = _carried(carried, manifest, LOCAL)
        if text in found:
            schema = _of_both(found[text], schema)
        found[text] = schema
    return found


def contract_schema(manifest: Manifest) -> dict[str, Any]:
    """Everything: `hansa contract schema` and the API give this."""
    return {
        "contract": manifest.name,
        "version": manifest.version,
        "description": manifest.doc,
        "roles": {
            role.name: {"attribute": role.attribute, "user": role.user, "contract": role.contract}
            for role in manifest.roles.values()
        },
        "records": {
            r.name: {
                "key": r.key,
                "index": list(r.indexes),
                "states": r.states,
                "line": r.line,
                "schema": record_schema(r, manifest, LOCAL),
            }
            for r in manifest.records.values()
        },
        "actions": {
            a.name: {
                "by": list(a.by),
                "subject": None if a.subject is None else a.subject.name,
                "creates": a.creates,
                "on": list(a.on),
                "to": list(a.to),
                "line": a.line,
                "arguments": arguments_schema(a, manifest, LOCAL),
            }
            for a in manifest.actions.values()
        },
        "views": {
            v.name: {
                "line": v.line,
                "arguments": arguments_schema(v, manifest, LOCAL),
                "returns": {} if v.returns is None else type_schema(v.returns, manifest),
            }
            for v in manifest.views.values()
        },
        "events": event_schemas(manifest),
        "refusals": refusal_schemas(manifest),
        "interfaces": {i.name: _interface(i, manifest) for i in manifest.interfaces.values()},
        "libraries": {alias: {"name": p.name, "digest": p.digest.hex()} for alias, p in manifest.libraries.items()},
        "enums": {e.name: e.values for e in manifest.enums.values()},
        "$defs": definitions(manifest),
    }


def _refusals(said: Said) -> Iterator[tuple[str, Carried]]:
    """What a file and its libraries refuse with, types named as the file does."""
    yield from said.refusals.items()
    for alias, library in said.libraries.items():
        for text, carried in _refusals(library):
            fields = {n: None if t is None else taken(alias, t) for n, t in carried.fields.items()}
            yield text, Carried(fields, carried.always)


def _carried(carried: Carried, manifest: Manifest, at: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {n: {} if t is None else type_schema(t, manifest, at) for n, t in carried.fields.items()},
        "required": list(carried.always),
        "additionalProperties": False,
    }


def _of_both(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    before, other = first["properties"], second["properties"]
    return {
        **first,
        "properties": {n: s if before.get(n, s) == s == other.get(n, s) else {} for n, s in (other | before).items()},
        "required": [name for name in first["required"] if name in second["required"]],
    }


def _interface(interface: Interface, manifest: Manifest) -> dict[str, Any]:
    def view(declared: Function) -> dict[str, Any]:
        arguments = _arguments(declared.parameters, declared.doc, manifest, LOCAL)
        return {"arguments": arguments, "returns": type_schema(declared.returns, manifest)}

    return {
        "contract": interface.contract,
        "actions": {n: {"arguments": _arguments(p, "", manifest, LOCAL)} for n, p in interface.actions.items()},
        "views": {name: view(declared) for name, declared in interface.views.items()},
    }


def _arguments(given: Iterable[Parameter], doc: str, manifest: Manifest, at: str) -> dict[str, Any]:
    parameters = list(given)
    return {
        "type": "object",
        "description": doc,
        "properties": {p.name: type_schema(p.type, manifest, at) for p in parameters},
        "required": [p.name for p in parameters if not isinstance(p.type, OptionalType)],
        "additionalProperties": False,
    }


def _definition(name: str) -> str:
    """The name of a struct or enum among the definitions: what comes from a library has its alias and `-` before it."""
    return name.replace(".", "-")


def _field(field: Field, manifest: Manifest, at: str) -> dict[str, Any]:
    found = type_schema(field.type, manifest, at)
    return found if field.required else {**found, "default": jsonform.plain(field.default)}


def _one_of(values: dict[str, str]) -> dict[str, Any]:
    described = "\n".join(f"{name}: {says}" for name, says in values.items())
    return {"type": "string", "enum": list(values), "description": described}


def _amount(signed: bool) -> dict[str, Any]:
    minor = _integer(-INTEGER_MAX if signed else 0, INTEGER_MAX)
    return {
        "type": "object",
        "properties": {"minor": minor, "currency": {"type": "string", "pattern": "^[A-Z]{3}$"}},
        "required": ["minor", "currency"],
        "additionalProperties": False,
        "format": "signed-amount" if signed else "amount",
        "title": "amount, negative too" if signed else "amount",
    }


def _integer(least: int, most: int) -> dict[str, Any]:
    """A number, or text beyond what JSON readers keep exact."""
    number = {"type": "integer", "minimum": max(least, -JSON_INTEGER_MAX), "maximum": min(most, JSON_INTEGER_MAX)}
    if least >= -JSON_INTEGER_MAX and most <= JSON_INTEGER_MAX:
        return number
    sign = "" if least >= -JSON_INTEGER_MAX else "-" if most <= JSON_INTEGER_MAX else "-?"
    return {"anyOf": [number, {"type": "string", "pattern": f"^{sign}[0-9]{{16,19}}$"}]}
