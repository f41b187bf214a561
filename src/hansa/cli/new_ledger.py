"""What a new ledger begins with, as `hansa up` and `hansa network new` are told it: its members and its rules."""

import ast
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from hansa.cli import output
from hansa.wire.limits import LOCK_MS_MAX, LOCK_MS_MIN
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.node.create import Founder

LOCK_S: Final = 10
"""How long changes of the constitution wait on sample ledgers: long enough to be seen, for a trial."""
_NAME_CHARS_MAX: Final = 80
"""As a genesis document takes it."""

_PAY: Final = ["may:pay"]


class New(msgspec.Struct, frozen=True):
    """What a new ledger begins with."""

    founders: "list[Founder]"
    constitution: str
    file: str | None  # that of the constitution, if it is none that comes with Hansa
    lock_ms: int


def sample_members() -> list["Founder"]:
    """Who a new ledger begins with: they have what the calendars and the patterns of the cookbook ask for."""
    from hansa.node.create import Founder

    return [
        Founder(
            "northbank",
            "North Bank",
            ["licence:bank", "role:netting"],
            ["ana", "ben"],
            deployer=True,
            user_attributes={"ana": _PAY, "ben": _PAY},
        ),
        Founder("harbourline", "Harbour Line Shipping", ["role:carrier"], ["carla"]),
        Founder("eastmutual", "East Mutual Insurance", ["licence:insurer"], ["dev"]),
        Founder(
            "tradewatch",
            "Trade Watch Authority",
            ["role:regulator", "role:registrar", "role:compliance", "role:calendar-publisher"],
            ["eve"],
        ),
    ]


def equal_members(count: int) -> list["Founder"]:
    """So many members that are all alike: none may do more than another."""
    from hansa.node.create import Founder

    return [Founder(id, name, attributes, users) for id, name, attributes, users in _EQUALS[:count]]


_EQUALS: Final[list[tuple[str, str, list[str], list[str]]]] = [
    ("northbank", "North Bank", ["licence:bank"], ["ana"]),
    ("harbourline", "Harbour Line Shipping", ["role:carrier"], ["carla"]),
    ("eastmutual", "East Mutual Insurance", ["licence:insurer"], ["dev"]),
    ("tradewatch", "Trade Watch Authority", ["role:regulator"], ["eve"]),
    ("southbank", "South Bank", ["licence:bank"], ["finn"]),
    ("grainhouse", "Grain House Trading", [], ["gil"]),
    ("coldchain", "Cold Chain Storage", ["role:warehouse"], ["hana"]),
    ("westrail", "West Rail Freight", ["role:carrier"], ["iva"]),
    ("metalworks", "Metal Works Union", [], ["jon"]),
]
MEMBERS_MAX: Final = len(_EQUALS)
"""So many sample members there are."""


def check_name(name: str) -> None:
    """Refuses early what no ledger can be called. Raises `HansaError` `argument.value`."""
    if not 1 <= len(name) <= _NAME_CHARS_MAX:
        told = f"the name of a ledger has 1 to {_NAME_CHARS_MAX} characters, not {len(name)}"
        raise HansaError("argument.value", told, remedy="Give another --name, or none.")


def new_ledger(founders: "list[Founder]", constitution: str | None, lock: str | None) -> New:
    """What these options ask for. Raises `HansaError`."""
    file = constitution if constitution is not None and _is_file(constitution) else None
    return New(founders, _constitution(constitution, founders), file, LOCK_S * 1000 if lock is None else _lock_ms(lock))


def _constitution(given: str | None, founders: "list[Founder]") -> str:
    """The text of the constitution that is asked for. Raises `HansaError`."""
    from hansa.node import shipped

    if given is None:
        return shipped.constitution("single" if len(founders) == 1 else "majority")
    if not _is_file(given):
        return shipped.constitution(given)
    try:
        return Path(given).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise HansaError("argument.file", f"{given}: {reason}") from None


def _is_file(constitution: str) -> bool:
    """Whether this is a file's path, and not the name of a constitution that comes with Hansa."""
    return "/" in constitution or constitution.endswith(".py")


def rules_of(new: New) -> list[str]:
    """What the rules are: of those that come with Hansa their summary, which is tested; a file only says so of itself.

    Both are the first line of a docstring.
    """
    told = (ast.get_docstring(ast.parse(new.constitution)) or "it does not say what it is").splitlines()[0]
    if new.file is None:
        return [told]
    return [
        f"{output.shown(new.file)} says of itself: {told!r}",
        f"what they are, tells: hansa constitution check {shlex.quote(new.file)}",
    ]


def _lock_ms(text: str) -> int:
    """A length of time as people write it, in ms. Raises `HansaError` `argument.value`."""
    found = re.fullmatch(r"([1-9][0-9]{0,8})(s|m|h|d)", text)
    ms = 0 if found is None else int(found[1]) * 1000 * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[found[2]]
    if not LOCK_MS_MIN <= ms <= LOCK_MS_MAX:
        told = f"{text[:40]!a} is no length of time from 1 second to 30 days"
        raise HansaError("argument.value", told, remedy="Write it as 90s, 15m, 2h or 7d.")
    return ms
