"""Values as people read them where their type is known: an instant as a time, a duration in days, hours and so on.

JSON keeps the milliseconds; nothing here is read back.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Values of contracts are dynamic: their schema says what they are.

from collections.abc import Mapping
from typing import Any

from hansa.cli import output
from hansa.client.arguments import UNIT_MS, Schema, resolved
from hansa.wire.limits import INSTANT_MAX


def readable(schema: Schema, value: Any, defined: Mapping[str, Schema]) -> Any:
    """A plain value with the text of its instants and durations in their place, for `output.written`."""
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


def _instant(milliseconds: int) -> str:
    rest = milliseconds % 1_000
    return output.moment(milliseconds).replace(" UTC", f".{rest:03d} UTC" if rest else " UTC")


def _duration(milliseconds: int) -> str:
    parts, left = "", abs(milliseconds)
    for unit, size in UNIT_MS.items():
        count, left = divmod(left, size)
        parts += f"{count}{unit}" if count else ""
    return ("-" if milliseconds < 0 else "") + (parts or "0s")
