"""The JSON face of wire values: bytes as hexadecimal, integers beyond 2^53-1 as strings.

JSON readers round large numbers silently; an amount or a seq must never be rounded, so beyond the safe range
it travels as text. The CBOR form stays the one that is signed and hashed.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Plain values are dynamic: their type is what this module finds out.

from typing import Any

import msgspec

from hansa.wire.limits import JSON_INTEGER_MAX


def plain(value: Any) -> Any:
    """`value` with everything JSON cannot carry replaced by its JSON form."""
    kind = type(value)
    if kind is int:
        return value if -JSON_INTEGER_MAX <= value <= JSON_INTEGER_MAX else str(value)
    if kind is bytes:
        return value.hex()
    if kind is dict:
        return {key: plain(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [plain(item) for item in value]
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    return value


def dumps(value: Any) -> bytes:
    """The JSON text of `value`."""
    return msgspec.json.encode(plain(value))
