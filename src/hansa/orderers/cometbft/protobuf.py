"""The little of Protocol Buffers that ABCI needs: numbered fields of integers and bytes, in both directions.

Used by `abci` only. By hand, because ABCI here is nine small messages out of a tree of eleven files: generated
modules would be 2,000 lines that no type checker can read, and one library more. What is skipped (votes,
parameters) is skipped by its length and costs nothing. https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Sequence
from typing import Final

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5

_VARINT_BYTES_MAX: Final = 10
"""64 bits, seven in a byte."""


class Message:
    """A message that was read: what is not there reads as 0, or as no bytes, as the third version of the format says.

    Raises `ValueError` if `data` is no message.
    """

    def __init__(self, data: bytes | memoryview) -> None:
        self._integers: dict[int, int] = {}
        self._parts: dict[int, list[memoryview]] = {}
        self._read(memoryview(data))

    def numbers(self) -> list[int]:
        """The fields with bytes that are there, each once."""
        return list(self._parts)

    def integer(self, number: int) -> int:
        """A field of type int64: negative numbers come as 64 bits."""
        value = self._integers.get(number, 0)
        return value - (1 << 64) if value >> 63 else value

    def blob(self, number: int) -> bytes:
        """A field of type bytes or string."""
        return bytes(self._last(number))

    def blobs(self, number: int) -> list[bytes]:
        """A repeated field of type bytes."""
        return [bytes(part) for part in self._parts.get(number, ())]

    def message(self, number: int) -> "Message":
        """A message inside."""
        return Message(self._last(number))

    def _last(self, number: int) -> bytes | memoryview:
        return self._parts.get(number, (b"",))[-1]

    def _read(self, data: memoryview) -> None:
        at = 0
        while at < len(data):
            key, at = _read_varint(data, at)
            number, kind = key >> 3, key & 7
            if kind == VARINT:
                self._integers[number], at = _read_varint(data, at)
                continue
            if kind == BYTES:
                length, at = _read_varint(data, at)
            elif kind in (FIXED64, FIXED32):
                length = 8 if kind == FIXED64 else 4
            else:
                raise ValueError(f"field {number} is of a kind that is not used any more ({kind})")
            if length > len(data) - at:
                raise ValueError(f"field {number} ends behind its message")
            if kind == BYTES:
                self._parts.setdefault(number, []).append(data[at : at + length])
            at += length


def varint(value: int) -> bytes:
    """An integer of up to 64 bits, seven at a time, the least first."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def integer(number: int, value: int) -> bytes:
    """A field with an integer; nothing for 0."""
    return varint(number << 3 | VARINT) + varint(value) if value else b""


def blob(number: int, value: bytes) -> bytes:
    """A field with bytes, a string or a message, also an empty one."""
    return varint(number << 3 | BYTES) + varint(len(value)) + value


def blobs(number: int, values: Sequence[bytes]) -> bytes:
    """A repeated field."""
    return b"".join(blob(number, value) for value in values)


def _read_varint(data: memoryview, at: int) -> tuple[int, int]:
    """The value, and where the next begins."""
    value = 0
    for count in range(_VARINT_BYTES_MAX):
        if at + count >= len(data):
            raise ValueError("an integer ends behind its message")
        byte = data[at + count]
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value & (1 << 64) - 1, at + count + 1
    raise ValueError("an integer has more than 64 bits")
