"""The size of what leaves is known before it is encoded.

A list can hold one long text a thousand times at the price of a pointer, so what leaves is measured first. The walk
goes in encoding order and stops at the first byte too many.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Values are dynamic: the static checker has seen to their kinds.

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from hansa.contracts import messages
from hansa.contracts.faults import Fault
from hansa.contracts.specification.values import Amount, Date, Duration, Instant, Struct
from hansa.wire import cbor
from hansa.wire.limits import INTEGER_MAX, INTEGER_MIN

_AMOUNT_BYTES: Final = len(cbor.encode({"minor": 0, "currency": "EUR"})) - 1  # but for the number
_DATE_BYTES: Final = 11


@dataclass
class Room:
    """How many bytes there may be, how many there are, and the fault when they do not fit."""

    most: int
    fault: Callable[[], Fault]
    taken: int = 0


def take(room: Room, size: int) -> None:
    """So many bytes more. The fault comes at once when there are too many."""
    room.taken += size
    if room.taken > room.most:
        raise room.fault()


def measure_text(room: Room, text: str) -> None:
    """A text: its head, and its bytes in UTF-8."""
    if len(text) > room.most - room.taken:
        raise room.fault()
    size = len(text.encode())
    take(room, head_size(size) + size)


def measure(room: Room, value: Any) -> None:
    """A value is measured depth first. Measuring costs nothing.

    Integers that leave a contract fit 64 bits, else `value.range`.
    """
    if isinstance(value, str):
        measure_text(room, value)
    elif value is None or isinstance(value, bool):
        take(room, 1)
    elif isinstance(value, int):
        if not INTEGER_MIN <= value <= INTEGER_MAX:
            raise messages.leaving_range()
        take(room, integer_size(value))
    elif isinstance(value, bytes):
        take(room, head_size(len(value)) + len(value))
    elif isinstance(value, Amount):
        take(room, _AMOUNT_BYTES + integer_size(value.minor))
    elif isinstance(value, Date):
        take(room, _DATE_BYTES)
    elif isinstance(value, Instant | Duration):
        take(room, integer_size(value.milliseconds))
    elif isinstance(value, list):
        take(room, head_size(len(value)))
        for item in value:
            measure(room, item)
    else:
        fields = value.fields if isinstance(value, Struct) else value
        measure_fields(room, fields)


def measure_fields(room: Room, fields: dict[str, Any]) -> None:
    """Named values, as in an event, are measured as a map: its head, then each name and its value in encoding order."""
    take(room, head_size(len(fields)))
    for name in sorted(fields, key=cbor.key_order):
        measure_text(room, name)
        measure(room, fields[name])


def integer_size(number: int) -> int:
    """The bytes of an integer: 1, 2, 3, 5 or 9."""
    return head_size(number if number >= 0 else ~number)


def head_size(argument: int) -> int:
    """The bytes that say a kind and a number or length."""
    if argument < 24:
        return 1
    if argument < 1 << 8:
        return 2
    if argument < 1 << 16:
        return 3
    return 5 if argument < 1 << 32 else 9
