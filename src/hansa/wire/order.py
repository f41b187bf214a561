"""Encodings of keys and indexed values that sort as the values do, so that a store's byte order is theirs.

Text sorts by code point (UTF-8 keeps that order), integers by value, bytes bytewise, absent before present.
A table holds keys of one type, so no type stands in the encoding. Bounds are proved from the declared types
when a contract is deployed; the check here is the last line.
"""

from functools import lru_cache
from typing import TypeAlias, TypeGuard

from hansa.wire.limits import KEY_BYTES_MAX
from hansa.wire.problems import HansaError

Key: TypeAlias = "int | str | bytes"
"""A record's key as it stands in messages."""

Sortable: TypeAlias = "int | str | bytes | bool | None"

_SIGN: int = 1 << 63


def has_key_type(value: object) -> TypeGuard[Key]:
    """Whether a decoded value has one of the types a record's key can have."""
    return type(value) in (int, str, bytes)


def key_bytes(value: Key) -> bytes:
    """The encoding of a record's key."""
    if isinstance(value, str):
        encoded = value.encode()
    elif isinstance(value, bytes):
        encoded = value
    else:
        encoded = (value + _SIGN).to_bytes(8, "big")
    if len(encoded) > KEY_BYTES_MAX:
        raise HansaError("key.too_long", f"{len(encoded)} bytes; at most {KEY_BYTES_MAX}")
    return encoded


def integer_key(encoded: bytes) -> int:
    """The whole number that a key's encoding stands for."""
    return int.from_bytes(encoded, "big") - _SIGN


def is_key(value: object) -> TypeGuard[Key]:
    """Whether a value from outside can be a key: it has the type of one and fits once encoded."""
    if not has_key_type(value):
        return False
    try:
        key_bytes(value)
    except (HansaError, UnicodeEncodeError, OverflowError):
        return False
    return True


def indexed_bytes(value: Sortable) -> bytes:
    """The encoding of an indexed value; None sorts first."""
    if value is None:
        return b"\x00"
    if isinstance(value, bool):
        return b"\x01\x01" if value else b"\x01\x00"
    return b"\x01" + key_bytes(value)


@lru_cache(1024)
def table(contract: str, record: str) -> bytes:
    """What all keys of one record type begin with. Names are ASCII without NUL, so tables cannot overlap."""
    return f"{contract}\0{record}\0".encode()


def place(contract: str, record: str, key: Key) -> bytes:
    """Where a record stands among all records: its table and its key."""
    return table(contract, record) + key_bytes(key)
