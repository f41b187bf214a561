"""Arguments from what people and programs write to the plain values that are signed, led by the contract's schema.

The schema is the one that the node gives for each action. What does not fit is passed on as it is: the one check
that counts is the contract's, and it names every problem.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Plain values are dynamic: their type is what this module finds out.

import json
import re
from typing import Any, Final, TypeAlias

from hansa.client import money
from hansa.wire.problems import HansaError

Schema: TypeAlias = dict[str, Any]

_HEX: Final = re.compile(r"([0-9a-f]{2})*")
_INTEGER: Final = re.compile(r"-?[0-9]{1,19}")


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
        named.add(name)
    problems += [f"{name} is missing" for name in schema.get("required", ()) if name not in named]
    if problems:
        raise HansaError("argument.value", "; ".join(problems), problems=problems)
    return found


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
    return _value(schema, text)


def _value(schema: Schema, value: Any) -> Any:
    for kind in _alternatives(schema):
        match kind.get("type"):
            case "string" if kind.get("contentEncoding") == "base16" and isinstance(value, str):
                return bytes.fromhex(value) if _HEX.fullmatch(value) else value
            case "integer" if isinstance(value, str) and _INTEGER.fullmatch(value):
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
