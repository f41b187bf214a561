"""Values as people read them where their type is known: an instant as a time, a duration in days, hours and so on.

What a node says of types is only ever used to show: JSON keeps the milliseconds, and nothing here is read back.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# Values of contracts are dynamic: their schema says what they are.

from collections.abc import Mapping
from typing import Any, Final

from hansa.client import words
from hansa.client.arguments import UNIT_MS, Schema, resolved
from hansa.wire import names
from hansa.wire.limits import INSTANT_MAX

NO_SCHEMA: Final = (KeyError, TypeError, ValueError, AttributeError, RecursionError)
"""What comes of reading by a schema that no contract has."""


def readable(schema: Schema, value: Any, defined: Mapping[str, Schema]) -> Any:
    """A plain value with the text of its instants and durations in their place, for `words.written`."""
    kind, _ = resolved(schema, defined)
    match value:
        case bool():
            return value
        case int() if kind.get("format") == "instant-ms" and 0 <= value <= INSTANT_MAX:
            return _instant(value)
        case int() if kind.get("format") == "duration-ms":
            return _duration(value)
        case list() if "items" in kind:
            return [readable(kind["items"], item, defined) for item in value]
        case dict() if kind.get("type") == "object":
            known, others = kind.get("properties", {}), kind.get("additionalProperties") or {}
            return {name: readable(known.get(name, others), item, defined) for name, item in value.items()}
        case _:
            return value


def event_data(declared: Schema | None, name: str, data: Any) -> Any:
    """What an event carries, as people read it, by what its contract declares; as it is where nothing is declared."""
    return _readable(declared, "events", name, data)


def events(declared: Mapping[str, Schema], called: str, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events of an outcome with what they carry as people read it, by what contracts declare, by their names.

    One that names no contract is of the contract `called`.
    """
    return [
        {**event, "data": event_data(declared.get(event.get("contract", called)), event["name"], event["data"])}
        for event in found
    ]


def refusal(declared: Mapping[str, Schema], called: str, result: Any) -> Any:
    """A refusal with its values as people read them, for `words.filled`, by what contracts declare, by their names.

    `called` is the contract that was.
    """
    if not has_values(result):
        return result
    of = declared.get(speaker(result, called))
    return {**result, "values": _readable(of, "refusals", str(result.get("message")), result["values"])}


def has_values(result: Any) -> bool:
    """Whether a result is a refusal with values."""
    return isinstance(result, dict) and isinstance(result.get("values"), dict)


def speaker(result: Any, called: str) -> str:
    """The contract that declares what a refusal says: where it arose, or which was `called` if that is a library."""
    if not isinstance(result, dict) or names.is_digest_hex(str(result.get("version"))):
        return called
    return str(result.get("contract", called))


def carried(declared: Schema | None, part: str, name: str) -> Schema:
    """What is declared of the `events` of a name, or the `refusals` of a text; empty where nothing is."""
    found: Any = {} if declared is None else declared.get(part)
    schema: Any = found.get(name) if isinstance(found, dict) else None
    return schema if isinstance(schema, dict) else {}


def _readable(declared: Schema | None, part: str, name: str, value: Any) -> Any:
    schema = carried(declared, part, name)
    if declared is None or not schema:
        return value
    try:
        return readable(schema, value, declared["$defs"])
    except NO_SCHEMA:
        return value


def _instant(milliseconds: int) -> str:
    rest = milliseconds % 1_000
    return words.moment(milliseconds).replace(" UTC", f".{rest:03d} UTC" if rest else " UTC")


def _duration(milliseconds: int) -> str:
    parts, left = "", abs(milliseconds)
    for unit, size in UNIT_MS.items():
        count, left = divmod(left, size)
        parts += f"{count}{unit}" if count else ""
    return ("-" if milliseconds < 0 else "") + (parts or "0s")
