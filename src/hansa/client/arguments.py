"""Arguments from what people and programs write to the plain values that are signed, led by the contract's schema.

The schema is the one that the node gives for each action, with the structs and enums it names in its `$defs`. What
comes as JSON and does not fit is passed on as it is: the one check that counts is the contract's. What a person writes
is checked here too, in the contract's words, so that nothing is signed that cannot be applied.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Plain values are dynamic: their type is what this module finds out.

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeAlias

from hansa.client import money
from hansa.client.words import hint
from hansa.wire.limits import INTEGER_MAX, INTEGER_MIN, JSON_INTEGER_MAX
from hansa.wire.problems import HansaError

Schema: TypeAlias = dict[str, Any]

_DEFINED: Final = "#/$defs/"
_HEX: Final = re.compile(r"([0-9a-f]{2})*")
_INTEGER: Final = re.compile(r"-?[0-9]{1,100}")
_LONG: Final = re.compile(r"-?[0-9]{16,19}")
"""An integer that stands in JSON as text, because readers would not keep it exact as a number."""
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,3}))?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
"""A date and time of RFC 3339, exact to the millisecond."""
_LENGTH: Final = re.compile(r"-?(?:[0-9]{1,18}(?:ms|[dhms]))+")
_PART: Final = re.compile(r"([0-9]+)(ms|[dhms])")
UNIT_MS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
"""The units in which lengths of time are written, the longest first."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)


def schema_of(contract: Schema, kind: str, name: str) -> Schema:
    """The schema of the arguments of one of a contract's `actions` or `views`, with the definitions that it needs."""
    return {**contract[kind][name]["arguments"], "$defs": contract["$defs"]}


def from_json(schema: Schema, arguments: dict[str, Any]) -> dict[str, Any]:
    """Plain arguments from their JSON form: hexadecimal to bytes, long integers from text."""
    known, defined = schema.get("properties", {}), schema.get("$defs", {})
    return {
        name: value_from_json(known[name], value, defined) if name in known else value
        for name, value in arguments.items()
    }


def from_pairs(schema: Schema, pairs: list[str]) -> dict[str, Any]:
    """Plain arguments from `name=value` texts. Raises `HansaError` with every problem at once."""
    known, defined = schema.get("properties", {}), schema.get("$defs", {})
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
            problems.append(f"there is no argument {name}; {hint(name, list(known))}")
        else:
            try:
                found[name] = _from_text(known[name], text, defined)
            except HansaError as error:
                problems.append(f"{name}: {error.detail}")
            else:
                problems += [f"{name}: {wrong}" for wrong in [misfit(known[name], found[name], defined)] if wrong]
        named.add(name)
    problems += [f"{name} is missing" for name in schema.get("required", ()) if name not in named]
    if problems:
        raise HansaError("argument.value", "; ".join(problems), problems=problems)
    return found


def key_text(schema: Schema, text: str, defined: Mapping[str, Schema]) -> str:
    """A key, or a value of an indexed field, as queries take it, from what a person writes for an argument.

    Times and lengths of time are milliseconds there, bytes bare hexadecimal, and what is absent is empty. Raises
    `HansaError` `query.value`; whether all else fits is for the node to say.
    """
    kind, is_optional = resolved(schema, defined)
    if is_optional and text in ("", "null"):
        return ""
    if read := reader(kind):
        try:
            return str(read(text))
        except HansaError as error:
            raise HansaError("query.value", error.detail) from None
    return text.removeprefix("0x").lower() if kind.get("contentEncoding") == "base16" else text


def moment(text: str, *, milliseconds: bool = False) -> int:
    """Milliseconds since 1970 from a date (its first moment in UTC) or a time of RFC 3339. Raises `HansaError`.

    With `milliseconds` also from a number of them. Elsewhere that is refused: 2030 is meant for a year.
    """
    if milliseconds and _INTEGER.fullmatch(text):
        return int(text)
    try:
        if _DATE.fullmatch(text):
            return (datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC) - EPOCH) // MILLISECOND
        if found := _MOMENT.fullmatch(text):
            day, clock, fraction, zone = found.groups()
            at = datetime.fromisoformat(f"{day}T{clock}.{(fraction or '').ljust(6, '0')}{zone.upper()}")
            return (at - EPOCH) // MILLISECOND
    except ValueError:  # no such day or hour
        pass
    forms = (
        "2030-01-31T12:00:00Z, 2030-01-31, or milliseconds" if milliseconds else "2030-01-31T12:00:00Z or 2030-01-31"
    )
    raise HansaError("argument.value", f"{text[:60]!a} is not a time such as {forms}")


# What fits


def misfit(schema: Schema, value: Any, defined: Mapping[str, Schema]) -> str:
    """What is wrong with a plain value, empty if nothing that a schema can say."""
    kind, is_optional = resolved(schema, defined)
    if value is None and is_optional:
        return ""
    match kind:
        case {"format": "amount" | "signed-amount"}:
            return _amount_misfit(kind["format"] == "signed-amount", value)
        case {"format": "date"}:
            return "" if isinstance(value, str) and _is_date(value) else "must be a date, written YYYY-MM-DD"
        case {"format": "member" | "user" as format}:
            fits = isinstance(value, str) and re.fullmatch(kind["pattern"][1:-1], value)
            return "" if fits else f"must be the name of a {format}"
        case {"enum": values}:
            return "" if isinstance(value, str) and value in values else f"must be one of {', '.join(values)}"
        case {"type": "string"}:
            return _text_misfit(kind, value)
        case {"type": "integer"}:
            return _number_misfit(kind, value)
        case {"type": "boolean"}:
            return "" if isinstance(value, bool) else "must be true or false"
        case {"type": "array"}:
            return _list_misfit(kind, value, defined)
        case {"type": "object", "properties": known}:
            return _struct_misfit(known, kind["required"], value, defined)
        case {"type": "object"}:
            return _map_misfit(kind, value, defined)
        case _:
            return ""


def _amount_misfit(is_signed: bool, value: Any) -> str:
    if not isinstance(value, dict) or value.keys() != {"minor", "currency"}:
        return "must have `minor` (whole minor units) and `currency`, nothing else"
    minor, currency = value["minor"], value["currency"]
    if type(minor) is not int or (minor < 0 and not is_signed):
        return "`minor` must be a whole number" + ("" if is_signed else ", not negative")
    if abs(minor) > INTEGER_MAX:
        return "`minor` must fit 64 bits"
    is_code = isinstance(currency, str) and re.fullmatch("[A-Z]{3}", currency)
    return "" if is_code else "`currency` must be three capital letters"


def _text_misfit(kind: Schema, value: Any) -> str:
    if kind.get("contentEncoding") == "base16":
        if not isinstance(value, bytes):
            return "must be hexadecimal, such as 00ff"
        return _length(kind["minLength"] // 2, kind["maxLength"] // 2, "bytes", value)
    if not isinstance(value, str):
        return "must be text"
    return _length(kind["minLength"], kind["maxLength"], "characters", value)


def _number_misfit(kind: Schema, value: Any) -> str:
    least, most = _bounds(kind)
    is_number = type(value) is int
    if is_number and least <= value <= most:
        return ""
    match kind.get("format"):
        case "instant-ms":
            return "must be a time in milliseconds since 1970, before the year 10000"
        case "duration-ms":
            return "must be a length of time in milliseconds, at most ten thousand years"
        case _:
            return f"must lie within {least} and {most}" if is_number else "must be a whole number"


def _list_misfit(kind: Schema, value: Any, defined: Mapping[str, Schema]) -> str:
    if not isinstance(value, list):
        return "must be a list"
    if len(value) > kind["maxItems"]:
        return f"must have at most {kind['maxItems']} items, not {len(value)}"
    wrong = (f"item {i}: {p}" for i, item in enumerate(value) if (p := misfit(kind["items"], item, defined)))
    return next(wrong, "")


def _map_misfit(kind: Schema, value: Any, defined: Mapping[str, Schema]) -> str:
    if not isinstance(value, dict):
        return "must be a map"
    if len(value) > kind["maxProperties"]:
        return f"must have at most {kind['maxProperties']} keys, not {len(value)}"
    for number, name in enumerate(sorted(value)):
        if wrong := misfit(kind["propertyNames"], name, defined):
            return f"key {number}: {wrong}"
        if wrong := misfit(kind["additionalProperties"], value[name], defined):
            return f"value {number}: {wrong}"
    return ""


def _struct_misfit(known: Schema, required: list[str], value: Any, defined: Mapping[str, Schema]) -> str:
    if not isinstance(value, dict):
        return "must be a map of fields"
    for name, kind in known.items():
        if name in value:
            if wrong := misfit(kind, value[name], defined):
                return f"`{name}`: {wrong}"
        elif name in required:
            return f"lacks `{name}`"
    return "" if value.keys() <= known.keys() else "has fields that are not declared"


def _is_date(text: str) -> bool:
    try:
        return _DATE.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _length(least: int, most: int, units: str, value: str | bytes) -> str:
    return "" if least <= len(value) <= most else f"must have {_range(least, most)} {units}, not {len(value)}"


def _range(least: int, most: int) -> str:
    return str(least) if least == most else f"{least} to {most}"


def _bounds(kind: Schema) -> tuple[int, int]:
    """The bounds of an integer: those of its JSON number, and beyond what JSON keeps exact all that fits 64 bits."""
    least, most = kind["minimum"], kind["maximum"]
    return INTEGER_MIN if least == -JSON_INTEGER_MAX else least, INTEGER_MAX if most == JSON_INTEGER_MAX else most


# What a schema takes, for people


def described(schema: Schema, defined: Mapping[str, Schema]) -> str:
    """What a schema takes, in a few words."""
    kind, is_optional = resolved(schema, defined)
    return _words(kind, defined) + (", or null" if is_optional else "")


def _words(kind: Schema, defined: Mapping[str, Schema]) -> str:
    match kind:
        case {"title": title} if title.startswith("key of"):
            return str(title)
        case {"format": "amount"}:
            return "amount, such as `USD 500.00`"
        case {"format": "signed-amount"}:
            return "amount, such as `USD -12.50`"
        case {"format": "date"}:
            return "date, such as 2030-01-31"
        case {"format": "instant-ms"}:
            return "time, such as 2030-01-31T12:00:00Z"
        case {"format": "duration-ms"}:
            return "length of time, such as 3d, 90m or 500ms"
        case {"enum": values}:
            return f"one of {', '.join(values)}"
        case {"format": format}:
            return str(format)
        case {"contentEncoding": "base16"}:
            return f"{_range(kind['minLength'] // 2, kind['maxLength'] // 2)} bytes, hexadecimal"
        case {"type": "string"}:
            return f"{_range(kind['minLength'], kind['maxLength'])} characters"
        case {"type": "integer"}:
            least, most = _bounds(kind)
            return "whole number" if (least, most) == (INTEGER_MIN, INTEGER_MAX) else f"{least} to {most}"
        case {"type": "boolean"}:
            return "true or false"
        case {"type": "array"}:
            return f"list of at most {kind['maxItems']}: {described(kind['items'], defined)}"
        case {"type": "object", "properties": known}:
            return f"{kind['title']} as JSON: {', '.join(known)}"
        case {"type": "object"}:
            names, values = (described(kind[word], defined) for word in ("propertyNames", "additionalProperties"))
            return f"map of at most {kind['maxProperties']} as JSON: {names} to {values}"
        case _:
            return "any"


# How it is written


def _from_text(schema: Schema, text: str, defined: Mapping[str, Schema]) -> Any:
    kind, is_optional = resolved(schema, defined)
    if text == "null" and is_optional:
        return None
    if kind.get("format") in ("amount", "signed-amount") and text.startswith("{"):
        return value_from_json(kind, _json(text), defined)
    if read := reader(kind):
        return read(text)
    match kind.get("type"):
        case "integer":
            return _integer(text)
        case "boolean":
            if text not in ("true", "false"):
                raise HansaError("argument.value", "give true or false")
            return text == "true"
        case "array" | "object":
            return value_from_json(kind, _json(text), defined, by_person=True)
        case _ if kind.get("contentEncoding") == "base16":
            return value_from_json(kind, text.removeprefix("0x").lower(), defined)
        case _:
            return text


def reader(kind: Schema) -> Callable[[str], Any] | None:
    """How the text is read that people write for a value that has another form in JSON; None if there is none."""
    match kind.get("format"):
        case "amount":
            return money.parse
        case "signed-amount":
            return lambda text: money.parse(text, signed=True)
        case "instant-ms":
            return lambda text: moment(text, milliseconds=True)
        case "duration-ms":
            return duration
        case _:
            return None


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise HansaError("argument.value", f"{text[:60]!a} is not a whole number")
    return int(text)


def duration(text: str) -> int:
    """Milliseconds from a length of time such as 3d or 1h30m, or a number of them. Raises `HansaError`."""
    if _INTEGER.fullmatch(text):
        return int(text)
    if not _LENGTH.fullmatch(text):
        raise HansaError(
            "argument.value", f"{text[:60]!a} is not a length of time such as 3d, 1h30m, 500ms, or milliseconds"
        )
    length = sum(int(number) * UNIT_MS[unit] for number, unit in _PART.findall(text))
    return -length if text.startswith("-") else length


def value_from_json(schema: Schema, value: Any, defined: Mapping[str, Schema], *, by_person: bool = False) -> Any:
    """The plain value for a JSON value; `by_person`: amounts and times in it may be text as people write it."""
    kind, _ = resolved(schema, defined)
    read = reader(kind) if by_person else None
    match value:
        case str() if read is not None:
            return read(value)
        case str() if kind.get("contentEncoding") == "base16":
            return bytes.fromhex(value) if _HEX.fullmatch(value) else value
        case str() if kind.get("type") == "integer" and _LONG.fullmatch(value):
            return int(value)
        case list() if kind.get("type") == "array":
            return [value_from_json(kind["items"], item, defined, by_person=by_person) for item in value]
        case dict() if kind.get("type") == "object":
            known, others = kind.get("properties", {}), kind.get("additionalProperties") or {}
            return {n: value_from_json(known.get(n, others), v, defined, by_person=by_person) for n, v in value.items()}
        case _:
            return value


def resolved(schema: Schema, defined: Mapping[str, Schema]) -> tuple[Schema, bool]:
    """What a schema says of values that are not null, with what it refers to in place; and whether null fits too.

    Of a long integer, which may be text in JSON, it is the number.
    """
    if "anyOf" in schema:
        kind, other = schema["anyOf"]
        title = {"title": schema["title"]} if "title" in schema else {}
        return {**resolved(kind, defined)[0], **title}, other == {"type": "null"}
    if "$ref" in schema:
        return {**defined[schema["$ref"].removeprefix(_DEFINED)], **schema}, False
    return schema, False


def _json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):  # the latter for what is nested deeper than any argument
        raise HansaError("argument.value", f"{text[:60]!a} is not JSON") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; a name that stands in it twice is refused, as nobody could say what is meant."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise HansaError("argument.value", "a name stands twice in a JSON object")
    return found
