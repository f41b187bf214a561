"""What goes into running a contract and what comes out: the same for the specification and for the fast path."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from hansa.wire.writes import WriteSet

P_co = TypeVar("P_co", covariant=True)


class Caller(msgspec.Struct, frozen=True, gc=False):
    """Who signed: a member, the user who acted for it (None if the member's own key signed), their attributes.

    All None and empty when ledger time runs an action.
    """

    member: str | None
    user: str | None
    attributes: frozenset[str]
    user_attributes: frozenset[str]


NOBODY = Caller(None, None, frozenset(), frozenset())


class Call(msgspec.Struct, frozen=True, gc=False):
    """One action or view to run. `arguments` are plain values; `time` is ledger time in ms, `seq` the entry's number.

    Without a member in `caller` it is ledger time that runs it. `id` is the transaction's, 32 bytes; empty where nobody
    signed one: in what ledger time runs, and in a view asked for by itself. Then `tx.id` is a fault, never a value.
    """

    contract: str
    action: str
    arguments: dict[str, Any]
    caller: Caller
    time: int
    seq: int
    id: bytes = b""


class Execution(msgspec.Struct, frozen=True, gc=False):
    """What came of it. `version` of the contract that ran, empty if none did.

    `error` is the unexpected exception behind `contract.internal`, to be logged loudly. `asserted` names the user for
    whom a member's node signed, if it did: whoever runs it knows, the contract does not.
    """

    code: str
    result: Any
    events: list[dict[str, Any]]
    writes: WriteSet
    steps: int
    version: str
    error: Exception | None = None
    asserted: str = ""


class Found(Protocol):
    """A record as the reader gives it."""

    @property
    def seq(self) -> int:
        """The entry that wrote it last."""
        ...

    @property
    def value(self) -> bytes:
        """Its bytes."""
        ...


class Reader(Protocol):
    """Where records come from: the state as it is just before this transaction."""

    def get(self, place: bytes) -> Found | None:
        """The record at a place (`wire.order.place`); None if there is none."""
        ...

    def select(
        self,
        contract: str,
        record: str,
        field: str | None,
        least: bytes | None,
        most: bytes | None,
        rows: int,
        after: tuple[bytes, bytes] | None = None,
    ) -> "Sequence[tuple[bytes, Found]]":
        """Records in order of an indexed field's encoding, then key; or of key, if no field is named.

        With their encoded keys, up to `rows` of them, between the bounds (encoded, inclusive), behind the encoded field
        (anything if by key) and key `after`.
        """
        ...


class Host(Protocol[P_co]):
    """What a contract may ask its ledger. Answers are the same on every node."""

    def is_member(self, name: str) -> bool:
        """Whether a member of this name is registered."""
        ...

    def is_user(self, name: str) -> bool:
        """Whether a user of this name is registered."""
        ...

    def is_paused(self, contract: str) -> bool:
        """Whether no action of this contract is taken until further notice."""
        ...

    def versions(self, contract: str) -> "Sequence[tuple[int, P_co]]":
        """The versions of a contract, oldest first, each with the first seq it decides about; none for no contract."""
        ...

    def contract_version(self, name: str, source: str) -> str:
        """Checks a contract file for deployment under `name`; its version. Raises `Fault` if it cannot be."""
        ...

    def library_digest(self, name: str, source: str) -> bytes:
        """Checks a library file for deployment under `name`; its digest. Raises `Fault` if it cannot be."""
        ...

    def key_id(self, spki: bytes) -> bytes:
        """Checks a public key for registration; its id. Raises `Fault` if it cannot be registered."""
        ...
