"""Deterministic CBOR: the one encoding of a value, and the scan that refuses every other.

The profile is RFC 8949 section 4.2.1 narrowed to integers, text, bytes, booleans, null, arrays and maps with
text keys, at most `CBOR_DEPTH_MAX` deep. `decode` scans before it decodes, because a lenient decoder would
let two byte strings mean the same message, and then a hash would no longer name one thing.
Called wherever bytes come from outside; never trusts a length it has not compared with the bytes at hand.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Plain values are dynamic: their type is what this module finds out.

from typing import Any, Final, TypeAlias

import cbor2

from hansa.wire.limits import CBOR_DEPTH_MAX, INTEGER_MAX, INTEGER_MIN
from hansa.wire.problems import HansaError

Value: TypeAlias = "int | str | bytes | bool | list[Value] | dict[str, Value] | None"

_UINT, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)  # RFC 8949 section 3.1, major types
_INDEFINITE: Final = 31
_SIMPLE_ALLOWED: Final = (20, 21, 22)  # false, true, null


def decode(data: bytes) -> Any:
    """The value that `data` encodes.

    Arrays come as lists, maps as dicts. Raises `HansaError` with a `cbor.*` code for anything that is not
    exactly one item in the profile.
    """
    scan(data)
    try:
        return cbor2.loads(data)
    except cbor2.CBORDecodeError:
        # The scan leaves one thing to the decoder: whether text is UTF-8.
        raise HansaError("cbor.text") from None


def decode_own(data: bytes) -> Any:
    """The value of bytes that this ledger encoded itself and whose checksum has been compared; not scanned."""
    return cbor2.loads(data)


def encode(value: Any) -> bytes:
    """The deterministic encoding of `value`. Raises `HansaError` for a value outside the profile."""
    try:
        return cbor2.dumps(_ordered(value, CBOR_DEPTH_MAX))
    except UnicodeEncodeError:
        raise HansaError("cbor.text") from None


def encode_ordered(value: Any) -> bytes:
    """The encoding of a value that is in the profile and whose maps are in order already.

    For messages whose shape is fixed in the code, where checking again would cost more than encoding.
    """
    return cbor2.dumps(value)


def key_order(key: str) -> tuple[int, bytes]:
    """Sorts text keys as their encodings sort bytewise: the length stands in the head, so shorter first."""
    encoded = key.encode()
    return len(encoded), encoded


def byte_string(data: bytes) -> bytes:
    """`data` as one CBOR byte string."""
    return _head(_BYTES, len(data)) + data


def unsigned(number: int) -> bytes:
    """`number`, not negative and within 64 bits, as one CBOR integer."""
    return _head(_UINT, number)


def array_head(count: int) -> bytes:
    """The head of an array of `count` items."""
    return _head(_ARRAY, count)


def _head(major: int, argument: int) -> bytes:
    major <<= 5
    if argument < 24:
        return bytes((major | argument,))
    if argument < 1 << 8:
        return bytes((major | 24, argument))
    if argument < 1 << 16:
        return bytes((major | 25,)) + argument.to_bytes(2, "big")
    if argument < 1 << 32:
        return bytes((major | 26,)) + argument.to_bytes(4, "big")
    return bytes((major | 27,)) + argument.to_bytes(8, "big")


def byte_string_span(data: bytes, position: int) -> tuple[int, int]:
    """Where the contents of the byte string at `position` begin and end. Raises `HansaError` if it is none."""
    try:
        head = data[position]
        if head == 0x58 and data[position + 1] >= 24:  # most of them
            length, start = data[position + 1], position + 2
        elif head >> 5 == _BYTES:
            length, start = _argument(data, position, head & 31)
        else:
            raise HansaError("cbor.type", f"a byte string is expected at byte {position}")
    except IndexError:
        raise HansaError("cbor.truncated") from None
    end = start + length
    if end > len(data):
        raise HansaError("cbor.truncated")
    return start, end


def read_byte_string(data: bytes, position: int) -> tuple[bytes, int]:
    """The byte string at `position`, and the position behind it."""
    start, end = byte_string_span(data, position)
    return data[start:end], end


def item_end(data: bytes, position: int, depth: int = CBOR_DEPTH_MAX) -> int:
    """The position behind the item at `position`: how a CBOR sequence (RFC 8742) is split."""
    try:
        end = _item(data, position, len(data), depth)
    except IndexError:
        raise HansaError("cbor.truncated") from None
    if end > len(data):
        raise HansaError("cbor.truncated")
    return end


def scan(data: bytes) -> None:
    """Passes over one item and raises unless it is in the profile and fills `data` exactly."""
    end = item_end(data, 0)
    if end < len(data):
        raise HansaError("cbor.trailing", f"the item ends at byte {end} of {len(data)}")


def _argument(data: bytes, position: int, info: int) -> tuple[int, int]:
    """The argument of the head at `position` and the position behind it; only the shortest form passes."""
    if info < 24:
        return info, position + 1
    if info == 24:
        argument, end, least = data[position + 1], position + 2, 24
    elif info == 25:
        argument, end, least = int.from_bytes(data[position + 1 : position + 3], "big"), position + 3, 1 << 8
    elif info == 26:
        argument, end, least = int.from_bytes(data[position + 1 : position + 5], "big"), position + 5, 1 << 16
    elif info == 27:
        argument, end, least = int.from_bytes(data[position + 1 : position + 9], "big"), position + 9, 1 << 32
    elif info == _INDEFINITE:
        raise HansaError("cbor.form", f"indefinite length at byte {position}")
    else:
        raise HansaError("cbor.form", f"reserved head at byte {position}")
    if end > len(data):
        raise IndexError
    if argument < least:
        raise HansaError("cbor.form", f"the number at byte {position} is not in its shortest form")
    return argument, end


def _item(data: bytes, position: int, end: int, depth: int) -> int:
    """The position behind the item at `position`; may lie beyond `end`, which the caller compares.

    Raises IndexError where a head is cut off. Small items inside containers are passed over by a table: they are
    most of every message, and a call for each would double the cost of a scan.
    """
    head = data[position]
    major, info = head >> 5, head & 31
    if major == _SIMPLE:
        if info in _SIMPLE_ALLOWED:
            return position + 1
        raise HansaError("cbor.type", f"a float or an unknown simple value at byte {position}")
    if major == _TAG:
        raise HansaError("cbor.type", f"a tag at byte {position}")
    if info < 24:
        argument, position = info, position + 1
    else:
        argument, position = _argument(data, position, info)
    if major in (_BYTES, _TEXT):
        position += argument
        if position > end:
            raise IndexError
        return position
    if major < _BYTES:
        if argument > INTEGER_MAX:
            raise HansaError("cbor.integer", f"an integer beyond 64 bits before byte {position}")
        return position
    if depth == 0:
        raise HansaError("cbor.depth", f"more than {CBOR_DEPTH_MAX} nested containers at byte {position}")
    depth -= 1
    small = _SMALL
    if major == _ARRAY:
        while argument:
            argument -= 1
            step = small[data[position]]
            position = position + step if step else _item(data, position, end, depth)
        return position
    last = b""
    while argument:
        argument -= 1
        head, start = data[position], position
        if head >> 5 != _TEXT:
            raise HansaError("cbor.key", f"a map key that is not text at byte {position}")
        step = small[head]
        position = position + step if step else _item(data, position, end, 0)
        if position > end:
            raise IndexError
        key = data[start:position]
        if key <= last:
            kind = "twice" if key == last else "out of order"
            raise HansaError("cbor.form", f"a map key {kind} at byte {start}")
        last = key
        step = small[data[position]]
        position = position + step if step else _item(data, position, end, depth)
    return position


def _small_length(head: int) -> int:
    """The length of the whole item behind a head byte that says it all: small integers, short strings, constants."""
    major, info = head >> 5, head & 31
    if major in (_UINT, _NEGATIVE) and info < 24:
        return 1
    if major in (_BYTES, _TEXT) and info < 24:
        return 1 + info
    return 1 if major == _SIMPLE and info in _SIMPLE_ALLOWED else 0


_SMALL: Final = tuple(_small_length(head) for head in range(256))
"""0 where the item needs a closer look."""


def _ordered(value: Any, depth: int) -> Any:
    """`value` with its maps in encoding order, checked to be in the profile."""
    kind = type(value)
    if kind is int:
        if not INTEGER_MIN <= value <= INTEGER_MAX:
            raise HansaError("cbor.integer", f"{value} does not fit 64 bits")
        return value
    if kind is str or kind is bytes or kind is bool or value is None:
        return value
    if kind is not list and kind is not tuple and kind is not dict:
        raise HansaError("cbor.type", f"a {kind.__name__} has no encoding here")
    if depth == 0:
        raise HansaError("cbor.depth")
    if kind is dict:
        if not all(type(key) is str for key in value):
            raise HansaError("cbor.key")
        return {key: _ordered(value[key], depth - 1) for key in sorted(value, key=key_order)}
    return [_ordered(item, depth - 1) for item in value]
