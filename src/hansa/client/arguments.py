"""Arguments from what people and programs write to the plain values that are signed, led by the contract's schema.

The schema is the one that the node gives for each action. What comes as JSON and does not fit is passed on as it is:
the one check that counts is the contract's. What a person writes is checked here too, in the contract's words, so that
nothing is signed that cannot be applied.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Plain values are dynamic: their type is what this module finds out.

import json
import re
from typing import Any, Final, TypeAlias

from hansa.client import money
from hansa.wire.limits import INTEGER_MAX, INTEGER_MIN, JSON_INTEGER_MAX
from hansa.wire.problems import HansaError

Schema: TypeAlias = dict[str, Any]

_HEX: Final = re.compile(r"([0-9a-f]{2})*")
_INTEGER: Final = re.compile(r"-?[0-9]{1,100}")
_LONG: Final = re.compile(r"-?[0-9]{16,19}")
"""An integer that stands in JSON as text, because readers would not keep it exact as a number."""


def from_json(schema: Schema, arguments: dict[str, Any]) -> dict[str, Any]:
    """Plain arguments from their JSON form: hexadecimal to bytes, long integers from text."""
    known = schema.get("properties", {})
    return {name: _value(known[name], value) if name in known else value for name, value in arguments.items()}


def from_pairs(schema: Schema, pairs: list[str]) -> dict[str, Any]:
    """Plain arguments from `name=value` texts. Raises `HansaError` with every problem at once."""
    known = schema.get("properties", {})
    found: dict[str, Any] = {}
    named: set[str] = set()
    problems: list[str] = []
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            problems.append(f"{pair[:60]!a} is not name=value")
        elif name in named:
            problems.append(f"{name} is given twice")
        elif name not in known:
            problems.append(f"there is no argument {name}; there is {', '.join(sorted(known)) or 'none'}")
        else:
            try:
                found[name] = _from_text(known[name], text)
            except HansaError as error:
                problems.append(f"{name}: {error.detail}")
            else:
                problems += [f"{name}: {wrong}" for wrong in [misfit(known[name], found[name])] if wrong]
        named.add(name)
    problems += [f"{name} is missing" for name in schema.get("required", ()) if name not in named]
    if problems:
        raise HansaError("argument.value", "; ".join(problems), problems=problems)
    return found


def misfit(schema: Schema, value: Any) -> str:
    """What is wrong with a plain value, empty if nothing that a schema can say."""
    kinds = _alternatives(schema)
    if value is None and {"type": "null"} in kinds:
        return ""
    kind = kinds[0]
    match kind.get("type"):
        case "string" if kind.get("contentEncoding") == "base16":
            if not isinstance(value, bytes):
                return "must be hexadecimal, such as 00ff"
            return _length(kind["minLength"] // 2, kind["maxLength"] // 2, "bytes", value)
        case "string" if "pattern" in kind:
            is_member = isinstance(value, str) and re.fullmatch(kind["pattern"], value)
            return "" if is_member else "must be the name of a member"
        case "string":
            if not isinstance(value, str):
                return "must be text"
            return _length(kind["minLength"], kind["maxLength"], "characters", value)
        case "integer":
            least, most = _bounds(kind)
            if type(value) is not int:
                return "must be a whole number"
            return "" if least <= value <= most else f"must lie within {least} and {most}"
        case "boolean":
            return "" if isinstance(value, bool) else "must be true or false"
        case "array":
            if not isinstance(value, list):
                return "must be a list"
            if len(value) > kind["maxItems"]:
                return f"must have at most {kind['maxItems']} items, not {len(value)}"
            return next((f"item {i}: {p}" for i, item in enumerate(value) if (p := misfit(kind["items"], item))), "")
        case "object":
            return _object_misfit(kind, value)
        case _:
            return ""


def described(schema: Schema) -> str:
    """What a schema takes, in a few words."""
    kinds = _alternatives(schema)
    kind, optional = kinds[0], ", or null" if {"type": "null"} in kinds else ""
    title = str(kind.get("title", ""))
    match kind.get("type"):
        case _ if title:
            words = f"{title}, such as `USD 500.00`" if title == "amount" else title
        case "string":
            shrink, unit = (2, "bytes, hexadecimal") if kind.get("contentEncoding") == "base16" else (1, "characters")
            words = f"{_range(kind['minLength'] // shrink, kind['maxLength'] // shrink)} {unit}"
        case "integer":
            least, most = _bounds(kind)
            words = "whole number" if (least, most) == (INTEGER_MIN, INTEGER_MAX) else f"{least} to {most}"
        case "boolean":
            words = "true or false"
        case "array":
            words = f"list of at most {kind['maxItems']}: {described(kind['items'])}"
        case _:
            words = "any"
    return words + optional


def _range(least: int, most: int) -> str:
    return str(least) if least == most else f"{least} to {most}"


def _bounds(kind: Schema) -> tuple[int, int]:
    """The bounds of an integer: those of its JSON number, and beyond what JSON keeps exact all that fits 64 bits."""
    least, most = kind["minimum"], kind["maximum"]
    return INTEGER_MIN if least == -JSON_INTEGER_MAX else least, INTEGER_MAX if most == JSON_INTEGER_MAX else most


def _length(least: int, most: int, units: str, value: str | bytes) -> str:
    return "" if least <= len(value) <= most else f"must have {_range(least, most)} {units}, not {len(value)}"


def _object_misfit(kind: Schema, value: Any) -> str:
    known = kind["properties"]
    if not isinstance(value, dict) or set(value) != set(known):
        return "must have " + " and ".join(f"`{name}`" for name in known) + ", nothing else"
    return next((f"{name}: {wrong}" for name, item in value.items() if (wrong := misfit(known[name], item))), "")


def _from_text(schema: Schema, text: str) -> Any:
    kinds = _alternatives(schema)
    if text == "null" and {"type": "null"} in kinds:
        return None
    if schema.get("title") == "amount" or any(kind.get("title") == "amount" for kind in kinds):
        return _value(schema, _json(text)) if text.startswith("{") else money.parse(text)
    types = {kind.get("type") for kind in kinds}
    if "integer" in types:
        if not _INTEGER.fullmatch(text):
            raise HansaError("argument.value", f"{text[:60]!a} is not a whole number")
        return int(text)
    if "boolean" in types:
        if text not in ("true", "false"):
            raise HansaError("argument.value", "give true or false")
        return text == "true"
    if "array" in types or "object" in types:
        return _value(schema, _json(text))
    if any(kind.get("contentEncoding") == "base16" for kind in kinds):
        return _value(schema, text.removeprefix("0x").lower())
    return text


def _value(schema: Schema, value: Any) -> Any:
    for kind in _alternatives(schema):
        match kind.get("type"):
            case "string" if kind.get("contentEncoding") == "base16" and isinstance(value, str):
                return bytes.fromhex(value) if _HEX.fullmatch(value) else value
            case "integer" if isinstance(value, str) and _LONG.fullmatch(value):
                return int(value)
            case "array" if isinstance(value, list):
                return [_value(kind.get("items", {}), item) for item in value]
            case "object" if isinstance(value, dict):
                known = kind.get("properties", {})
                return {name: _value(known.get(name, {}), item) for name, item in value.items()}
            case _:
                pass
    return value


def _alternatives(schema: Schema) -> list[Schema]:
    return [inner for kind in schema.get("anyOf", [schema]) for inner in kind.get("anyOf", [kind])]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # the latter for what is nested deeper than any argument
        raise HansaError("argument.value", f"{text[:60]!a} is not JSON") from None
