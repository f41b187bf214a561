"""Names and identifiers: which text may name a member, a contract, an action; how digests are written.

Names are ASCII and short, so that they sort, print and fit in keys the same everywhere.
"""

import re
from typing import Final

from hansa.wire import limits
from hansa.wire.problems import HansaError

MEMBER: Final = rf"[a-z0-9][a-z0-9-]{{0,{limits.MEMBER_NAME_CHARS_MAX - 1}}}"
"""The pattern of a member's name, without anchors."""
USER: Final = rf"{MEMBER}/[a-z0-9][a-z0-9.-]{{0,31}}"
"""The pattern of a user's name, without anchors."""

_EVENT: Final = re.compile(r"(0|[1-9][0-9]{0,15})(?:-(0|[1-9][0-9]?))?")
_MEMBER: Final = re.compile(rf"{MEMBER}\Z")
_USER: Final = re.compile(rf"{USER}\Z")
_CONTRACT: Final = re.compile(rf"[a-z][a-z0-9_]{{0,{limits.CONTRACT_NAME_CHARS_MAX - 1}}}\Z")
_IDENTIFIER: Final = re.compile(rf"[A-Za-z][A-Za-z0-9_]{{0,{limits.ACTION_NAME_CHARS_MAX - 1}}}\Z")
_VERSION: Final = re.compile(r"(?:0|[1-9][0-9]{0,8})(?:\.(?:0|[1-9][0-9]{0,8})){2}\Z")
_ADDRESS: Final = re.compile(r"(?:[a-z0-9.-]+|\[[a-z0-9.:]+\]):([1-9][0-9]{0,4})\Z")
_URL: Final = re.compile(r"https?://")
_HEX_DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")


def is_member(text: str) -> bool:
    """Whether `text` can name a member: lower-case letters, digits and hyphens."""
    return _MEMBER.match(text) is not None


def is_user(text: str) -> bool:
    """Whether `text` can name a user: the member's name, a slash, the user's own."""
    return _USER.match(text) is not None


def is_contract(text: str) -> bool:
    """Whether `text` can name a contract: lower-case letters, digits and underscores."""
    return _CONTRACT.match(text) is not None


def is_identifier(text: str) -> bool:
    """Whether `text` can name an action, a view, a record type or a field."""
    return _IDENTIFIER.match(text) is not None


def is_version(text: str) -> bool:
    """Whether `text` is a contract version: three numbers with dots."""
    return _VERSION.match(text) is not None


def is_address(text: str) -> bool:
    """Whether `text` is HOST:PORT, of a name, an IPv4 address, or an IPv6 one in brackets; all in lower case."""
    found = _ADDRESS.match(text)
    return found is not None and int(found[1]) <= 65_535


def is_url(text: str) -> bool:
    """Whether `text` is where a node's API is reached: http://HOST:PORT or https://HOST:PORT."""
    found = _URL.match(text)
    return found is not None and is_address(text[found.end() :])


def is_digest_hex(text: str) -> bool:
    """Whether `text` is a digest as it is written: 64 lower-case hexadecimal digits."""
    return _HEX_DIGEST.match(text) is not None


def digest_from_hex(text: str, what: str) -> bytes:
    """The 32 bytes of a digest written as 64 lower-case hexadecimal digits. `what` names it in the error."""
    if not is_digest_hex(text):
        raise HansaError("request.digest", f"the {what} is not 64 lower-case hexadecimal digits", value=text[:80])
    return bytes.fromhex(text)


def event_place(id: str) -> tuple[int, int | None]:
    """Seq and index of an event's id `SEQ-N`; the index is None for `SEQ`, a whole entry. Raises `HansaError`."""
    found = _EVENT.fullmatch(id)
    if found is None:
        raise HansaError("events.id", f"{id[:40]!a} is no id of an event")
    return int(found[1]), None if found[2] is None else int(found[2])
