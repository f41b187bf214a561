"""JSON Schemas (2020-12) of what a contract declares: arguments, records, what views return.

The JSON face of values: bytes as hexadecimal, integers beyond 2^53-1 as strings. Forms, the API description and the
CLI are made from these.
"""

from typing import Any

from hansa.contracts.manifest import (
    Action,
    AmountType,
    BoolType,
    BytesType,
    IntType,
    ListType,
    Manifest,
    OptionalType,
    PartyType,
    RecordType,
    ReferenceType,
    TextType,
    Type,
)
from hansa.wire.limits import JSON_INTEGER_MAX

_MEMBER_PATTERN = "^[a-z0-9][a-z0-9-]{0,31}$"


def type_schema(type_: Type, manifest: Manifest) -> dict[str, Any]:
    """The schema of one type."""
    match type_:
        case TextType():
            return {"type": "string", "minLength": type_.least, "maxLength": type_.most}
        case IntType():
            return _integer(type_.least, type_.most)
        case BoolType():
            return {"type": "boolean"}
        case BytesType():
            return {
                "type": "string",
                "pattern": "^([0-9a-f]{2})*$",  # engines of linear time bound how often a pattern may repeat
                "minLength": 2 * type_.least,
                "maxLength": 2 * type_.most,
                "contentEncoding": "base16",
            }
        case PartyType():
            return {"type": "string", "pattern": _MEMBER_PATTERN, "title": "member"}
        case AmountType():
            properties = {"minor": _integer(0, 2**63 - 1), "currency": {"type": "string", "pattern": "^[A-Z]{3}$"}}
            return {
                "type": "object",
                "properties": properties,
                "required": ["minor", "currency"],
                "additionalProperties": False,
                "title": "amount",
            }
        case ListType():
            return {"type": "array", "items": type_schema(type_.item, manifest), "maxItems": type_.most}
        case OptionalType():
            return {"anyOf": [type_schema(type_.item, manifest), {"type": "null"}]}
        case ReferenceType():
            record = manifest.records[type_.record]
            key = type_schema(record.fields[record.key].type, manifest)
            return {**key, "title": f"key of a {record.name}"}


def arguments_schema(action: Action, manifest: Manifest) -> dict[str, Any]:
    """The schema of an action's or view's arguments; a record that the action makes is not among them."""
    subject = action.subject if action.creates is not None else None
    given = [p for p in action.parameters if p is not subject]
    return {
        "type": "object",
        "description": action.doc,
        "properties": {p.name: type_schema(p.type, manifest) for p in given},
        "required": [p.name for p in given if not isinstance(p.type, OptionalType)],
        "additionalProperties": False,
    }


def record_schema(record: RecordType, manifest: Manifest) -> dict[str, Any]:
    """The schema of a record's value."""
    return {
        "type": "object",
        "description": record.doc,
        "properties": {f.name: type_schema(f.type, manifest) for f in record.fields.values()},
        "required": sorted(record.fields),
        "additionalProperties": False,
    }


def contract_schema(manifest: Manifest) -> dict[str, Any]:
    """Everything: `hansa contract schema` and the API give this."""
    return {
        "contract": manifest.name,
        "version": manifest.version,
        "description": manifest.doc,
        "roles": {role.name: {"attribute": role.attribute} for role in manifest.roles.values()},
        "records": {
            r.name: {"key": r.key, "index": list(r.indexes), "schema": record_schema(r, manifest)}
            for r in manifest.records.values()
        },
        "actions": {
            a.name: {"by": a.role, "creates": a.creates, "line": a.line, "arguments": arguments_schema(a, manifest)}
            for a in manifest.actions.values()
        },
        "views": {
            v.name: {
                "line": v.line,
                "arguments": arguments_schema(v, manifest),
                "returns": {} if v.returns is None else type_schema(v.returns, manifest),
            }
            for v in manifest.views.values()
        },
    }


def _integer(least: int, most: int) -> dict[str, Any]:
    """A number, or text beyond what JSON readers keep exact."""
    number = {"type": "integer", "minimum": max(least, -JSON_INTEGER_MAX), "maximum": min(most, JSON_INTEGER_MAX)}
    if least >= -JSON_INTEGER_MAX and most <= JSON_INTEGER_MAX:
        return number
    sign = "" if least >= -JSON_INTEGER_MAX else "-" if most <= JSON_INTEGER_MAX else "-?"
    return {"anyOf": [number, {"type": "string", "pattern": f"^{sign}[0-9]{{16,19}}$"}]}
