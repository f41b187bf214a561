"""What contract files import: the names of the contract dialect, for editors and type checkers.

`hansa contract check FILE` knows more than types can say (states, what is set when, what a view may do), and decides
what a ledger takes. Operators take None on their right: what may be None is not tracked, and faults when it runs.
"""

import enum
from collections.abc import Callable, Iterator
from typing import (
    Any,
    Concatenate,
    Generic,
    Literal,
    Never,
    ParamSpec,
    Protocol,
    Self,
    TypeAlias,
    TypeVar,
    dataclass_transform,
    overload,
)

__all__ = [
    "Amount",
    "Bytes",
    "Contract",
    "Date",
    "Duration",
    "Enum",
    "Hash",
    "Instant",
    "Int",
    "Interface",
    "Party",
    "Record",
    "SignedAmount",
    "Struct",
    "Text",
    "User",
    "action",
    "become",
    "contract_version",
    "event",
    "invariant",
    "key_id",
    "library",
    "library_digest",
    "member_id",
    "migration",
    "require",
    "schedule",
    "sha256",
    "view",
]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_Class = TypeVar("_Class")
_Rounding: TypeAlias = Literal["half_even", "half_up", "half_down", "up", "down", "floor", "ceiling"]
_Key: TypeAlias = str | int | Bytes | Party | User | Date | Enum

# Types

class Text(str, Protocol):  # pyright: ignore[reportGeneralTypeIssues]  # text literals are Text, and Text is text
    """Text of `least` to `most` characters (code points): `Text[1, 80]`."""

    def __class_getitem__(cls, bounds: tuple[int, int], /) -> type[Text]: ...
    __contains__: Any  # pyright: ignore[reportIncompatibleMethodOverride]
    def __iter__(self) -> Any: ...
    def isdigit(self) -> bool:
        """Whether all characters are ASCII digits, and there is one."""

class Int(int, Protocol):  # pyright: ignore[reportGeneralTypeIssues]  # whole numbers are Int, and Int is a whole number
    """An integer from `least` to `most`: `Int[0, 9]`; `int` is any of 64 bits."""

    def __class_getitem__(cls, bounds: tuple[int, int], /) -> type[Int]: ...
    def bit_length(self) -> int: ...

class Bytes:
    """Bytes, `least` to `most` of them: `Bytes[1, 64]`. They come from arguments, records and `sha256`."""

    def __init__(self, never: Never, /) -> None: ...
    def __class_getitem__(cls, bounds: tuple[int, int], /) -> type[Bytes]: ...
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, at: slice, /) -> Bytes: ...
    @overload
    def __getitem__(self, at: int, /) -> int: ...
    def __add__(self, other: Bytes | None, /) -> Bytes: ...
    def __lt__(self, other: Bytes | None, /) -> bool: ...
    def __le__(self, other: Bytes | None, /) -> bool: ...
    def __gt__(self, other: Bytes | None, /) -> bool: ...
    def __ge__(self, other: Bytes | None, /) -> bool: ...
    def hex(self) -> str:
        """As text of lower-case hexadecimal digits."""

Hash: TypeAlias = Bytes
"""Exactly 32 bytes, as `sha256` gives them."""

class Party:
    """A member of the ledger, by name. In `Roles`: who has a role by an attribute, as a user, or as a contract."""

    @overload
    def __init__(self, *, attribute: str) -> None: ...
    @overload
    def __init__(self, *, user: str) -> None: ...
    @overload
    def __init__(self, *, contract: str) -> None: ...
    def __hash__(self) -> int: ...

class User:
    """A registered user of a member, by name."""

    def __init__(self, never: Never, /) -> None: ...
    def __hash__(self) -> int: ...

class SignedAmount:
    """Money that may be less than nothing: whole minor units and a currency. Its arithmetic checks the currency."""

    def __init__(self, minor: int, currency: str, /) -> None: ...
    @property
    def minor(self) -> int:
        """In the smallest unit of the currency, such as cents."""

    @property
    def currency(self) -> str:
        """The ISO 4217 code, three capital letters."""

    def __add__(self, other: SignedAmount | None, /) -> SignedAmount: ...
    def __sub__(self, other: SignedAmount | None, /) -> SignedAmount: ...
    def __mul__(self, other: int | None, /) -> Self: ...
    def __rmul__(self, other: int, /) -> Self: ...
    def __neg__(self) -> SignedAmount: ...
    def __lt__(self, other: SignedAmount | None, /) -> bool: ...
    def __le__(self, other: SignedAmount | None, /) -> bool: ...
    def __gt__(self, other: SignedAmount | None, /) -> bool: ...
    def __ge__(self, other: SignedAmount | None, /) -> bool: ...
    def times(self, numerator: int, divisor: int, rounding: _Rounding, /) -> Self:
        """`minor * numerator / divisor`, rounded as named."""

class Amount(SignedAmount):
    """Money: whole minor units, not negative, and a currency. Its arithmetic checks the currency."""

    @overload
    def __add__(self, other: Amount | None, /) -> Amount: ...
    @overload
    def __add__(self, other: SignedAmount | None, /) -> SignedAmount: ...
    @overload
    def __sub__(self, other: Amount | None, /) -> Amount: ...
    @overload
    def __sub__(self, other: SignedAmount | None, /) -> SignedAmount: ...
    __neg__: None  # pyright: ignore[reportIncompatibleMethodOverride]
    def split(self, parts: int, /) -> list[Amount]:
        """So many parts, as equal as can be, the first ones 1 larger; they sum up exactly."""

    def split_by(self, weights: list[int], /) -> list[Amount]:
        """A part for each weight, in proportion; they sum up exactly."""

    def signed(self) -> SignedAmount:
        """The same as a SignedAmount."""

class Date:
    """A day of the calendar, years 1 to 9999."""

    def __init__(self, year: int, month: int, day: int, /) -> None: ...
    @property
    def year(self) -> int:
        """1 to 9999."""

    @property
    def month(self) -> int:
        """1 to 12."""

    @property
    def day(self) -> int:
        """Of the month, from 1."""

    @property
    def weekday(self) -> int:
        """Monday 1 to Sunday 7."""

    def __lt__(self, other: Date | None, /) -> bool: ...
    def __le__(self, other: Date | None, /) -> bool: ...
    def __gt__(self, other: Date | None, /) -> bool: ...
    def __ge__(self, other: Date | None, /) -> bool: ...
    def add_days(self, days: int, /) -> Date:
        """So many days later; earlier if negative."""

    def add_months(self, months: int, /) -> Date:
        """The same day so many months later; the last day of a month that is too short."""

    def days_until(self, day: Date, /) -> int:
        """How many days until another; negative if it is before."""

    def start(self) -> Instant:
        """The Instant at 00:00 UTC."""

class Instant:
    """A point in time, ms UTC since 1970."""

    def __init__(self, never: Never, /) -> None: ...
    @property
    def date(self) -> Date:
        """Its day in UTC."""

    @property
    def milliseconds(self) -> int:
        """Since 1970-01-01 00:00 UTC."""

    def __add__(self, other: Duration | None, /) -> Instant: ...
    @overload
    def __sub__(self, other: Duration, /) -> Instant: ...
    @overload
    def __sub__(self, other: Instant | None, /) -> Duration: ...
    def __lt__(self, other: Instant | None, /) -> bool: ...
    def __le__(self, other: Instant | None, /) -> bool: ...
    def __gt__(self, other: Instant | None, /) -> bool: ...
    def __ge__(self, other: Instant | None, /) -> bool: ...

class Duration:
    """A length of time in ms: `Duration(days=7)`."""

    def __init__(
        self, *, days: int = 0, hours: int = 0, minutes: int = 0, seconds: int = 0, milliseconds: int = 0
    ) -> None: ...
    @property
    def milliseconds(self) -> int:
        """All of it."""

    @property
    def days(self) -> int:
        """Whole days, rounded down."""

    def __add__(self, other: Duration | None, /) -> Duration: ...
    def __sub__(self, other: Duration | None, /) -> Duration: ...
    def __mul__(self, other: int | None, /) -> Duration: ...
    def __rmul__(self, other: int, /) -> Duration: ...
    def __neg__(self) -> Duration: ...
    def __lt__(self, other: Duration | None, /) -> bool: ...
    def __le__(self, other: Duration | None, /) -> bool: ...
    def __gt__(self, other: Duration | None, /) -> bool: ...
    def __ge__(self, other: Duration | None, /) -> bool: ...

# Declarations

class Contract:
    """The one class of a contract file: `class Name(Contract, version="1.0.0")`. `tx` is what stands here."""

    def __init_subclass__(cls, *, version: str) -> None: ...
    @property
    def member(self) -> Party:
        """The member that signed. Faults with `tx.unsigned` where ledger time takes the action."""

    @property
    def user(self) -> User:
        """The user that signed for the member; None if the member's own key signed."""

    @property
    def id(self) -> Hash:
        """The id of this transaction, no other's. Faults with `tx.unsigned` where nobody signed one."""

    @property
    def caller(self) -> str:
        """The contract that called this one; None if none did."""

    @property
    def time(self) -> Instant:
        """Ledger time: the time of the block."""

    @property
    def date(self) -> Date:
        """The day of ledger time, in UTC."""

class Enum(enum.Enum):
    """Values by name, with what each says: `Sight = "payable at sight"`; used as `Kind.Sight`."""

@dataclass_transform(kw_only_default=True)
class Struct:
    """A value of named fields, with defaults or without: `days: Int[0, 365] = 30`; made by `Terms(port="Kiel")`."""

class _RecordType(type):
    @property
    def create(cls: type[_Class]) -> type[_Class]:
        """Makes a record from its fields by name, and its first `state` if it has states."""

@dataclass_transform(kw_only_default=True)
class _Fields(metaclass=_RecordType): ...

class Record(_Fields):
    """A record type: `class LC(Record, key="id", index=["expiry"])`, with fields as `amount: Amount`."""

    state: Any = ...
    """The state of a record that has states: read here, changed by `become`."""

    def __init_subclass__(cls, *, key: str, index: list[str] = ...) -> None: ...
    @classmethod
    def get(cls, key: _Key, /) -> Self:
        """The record of this key; faults with `record.missing` if there is none."""

    @classmethod
    def find(cls, key: _Key, /) -> Self | None:
        """The record of this key, None if there is none."""

    @classmethod
    def exists(cls, key: _Key, /) -> bool:
        """Whether there is a record of this key."""

    @classmethod
    def select(
        cls, *, by: str = ..., equal: object = ..., least: object = ..., most: object = ..., limit: int
    ) -> Iterator[Self]:
        """Records in order of an indexed field, or of the key; in the head of a `for`, `limit` at most 1,024."""

class Interface:
    """What a file calls of another contract: `class Accounts(Interface, contract="accounts")`, bodies `...`."""

    def __init_subclass__(cls, *, contract: str) -> None: ...

class _Called(Generic[_P, _R]):
    def __call__(self, *arguments: _P.args, **named: _P.kwargs) -> _R: ...

@overload
def action(taken: Callable[Concatenate[Any, _P], None], /) -> _Called[_P, None]:
    """In an interface: an action of the other contract."""

@overload
def action(
    *, by: str | list[str], creates: str = ..., on: str | list[str] = ..., to: str | list[str] = ...
) -> Callable[[Callable[Concatenate[Any, _P], None]], _Called[_P, None]]:
    """What changes records.

    `by`: the roles of which any may take it; `"member"` is any member that signs itself, `"schedule"` ledger time.
    `creates`: the record type of the subject that it makes. `on`: the states it is taken in. `to`: the states it leads
    to; where there are several, each way to the end calls `become`.
    """

def view(reads: Callable[Concatenate[Any, _P], _R], /) -> _Called[_P, _R]:
    """What reads only, and returns a value."""

def invariant(holds: Callable[[Any], None], /) -> Callable[[Any], None]:
    """In a record: what always holds of it, checked at the end of each transaction that changes it."""

def migration(makes: Callable[[Any, Any], None], /) -> Callable[[Any, Any], None]:
    """In a record: how one of the version before, given as a struct, becomes one of this."""

def library(name: str, digest: str, /) -> Any:
    """A library by its name and the SHA-256 of its source in hexadecimal; what it declares is known to check alone."""

# Statements

def require(condition: bool, text: str, /, **values: object) -> None:
    """Refuses the transaction if the condition is False; `values` fill the holes of the text."""

def event(name: str, /, **values: object) -> None:
    """Emits an event."""

def become(record: Record, state: str, /) -> None:
    """Puts a record in this state from now on."""

def schedule(record: Record, action: str, at: Instant, /) -> None:
    """Has ledger time take an action `by="schedule"` on the record when it reaches the Instant."""

# Functions

def sha256(value: str | Bytes, /) -> Hash:
    """The SHA-256 of bytes, or of a text in UTF-8."""

def contract_version(name: str, source: str, /) -> str:
    """For the contract of genesis alone: checks a file for deployment and gives its version."""

def library_digest(name: str, source: str, /) -> Hash:
    """For the contract of genesis alone: checks a library file for deployment and gives its digest."""

def key_id(spki: Bytes, /) -> Hash:
    """For the contract of genesis alone: checks a public key (SPKI) for registration and gives its id."""

def member_id(member: Party, /) -> str:
    """For the contract of genesis alone: the name of a member as text."""
