"""A ledger in memory for tests of contracts: what is deployed, who belongs to it, its records, and calls on them.

Used by the differential tests, the golden corpus and the attacks. It is the host and the reader of both
implementations, so what they are given is the same; it never looks into either.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, Literal

import msgspec

from hansa.contracts import execution, program
from hansa.contracts.calls import NOBODY, Call, Caller, Execution
from hansa.contracts.checked import Checked
from hansa.contracts.diagnostics import ContractInvalid
from hansa.contracts.faults import Fault
from hansa.contracts.program import Program
from hansa.contracts.specification import transaction
from hansa.contracts.values import Cache
from hansa.wire import cbor, order, writes

Implementation = Literal["fast", "specification"]
FAST: Final = "fast"
SPECIFICATION: Final = "specification"

TIME: Final = 1_700_000_000_000
"""Ledger time at the start, ms: 2023-11-14, 22:13:20 UTC."""
STEPS: Final = 100_000
MEMBERS: Final = ("alice", "bob", "carol")
USERS: Final = ("alice/ann", "bob/ben")


_CACHED_MOST = 4  # so few that some are forgotten
_PROGRAMS_KEPT = 600  # more than golden programs have files: several tests run each of them
_COMPARED = ("code", "steps", "result", "events", "writes", "version")


def transaction_id(seq: int) -> bytes:
    """The id of what is signed as this entry, as if it stood in an envelope."""
    return hashlib.sha256(f"entry {seq}".encode()).digest()


class Stored(msgspec.Struct, frozen=True, gc=False):
    """A record's bytes, and the entry that wrote them."""

    seq: int
    value: bytes


@lru_cache(_PROGRAMS_KEPT)
def _first(source: str, name: str) -> Program:
    """A first version that uses no library, as worlds share it: tests deploy the same files over and over."""
    return program.load(source, name)


class World:
    """One ledger. Every `take` is the next entry; `run` alone leaves no trace.

    `afresh`: it shares no loaded program with other worlds.
    """

    def __init__(self, *, members: Iterable[str] = MEMBERS, users: Iterable[str] = USERS, afresh: bool = False) -> None:
        self._afresh = afresh
        self.members = set(members)
        self.users = set(users)
        self.attributes: dict[str, frozenset[str]] = {}
        """Of members and of users, by name; none if absent."""
        self.records: dict[bytes, Stored] = {}
        self.time = TIME
        self.seq = 1
        self.programs: dict[str, list[tuple[int, Program]]] = {}
        self.libraries: dict[bytes, Checked] = {}
        self.paused: set[str] = set()
        self.cache = Cache(_CACHED_MOST)
        """Of the fast path, for those who want one."""
        self._hosts = {
            FAST: _Host(self, lambda loaded: loaded),
            SPECIFICATION: _Host(self, lambda loaded: loaded.checked),
        }

    def add_library(self, name: str, source: str) -> str:
        """Makes a library known to contracts deployed from now on; its digest as `library(...)` names it."""
        self.libraries[hashlib.sha256(source.encode()).digest()] = program.check(source, name, self.libraries)
        return hashlib.sha256(source.encode()).hexdigest()

    def deploy(self, name: str, source: str) -> Program:
        """The first or the next version of a contract: it decides about the next entry. Raises `ContractInvalid`."""
        versions = self.programs.setdefault(name, [])
        if versions or self.libraries or self._afresh:
            loaded = program.load(source, name, self.libraries, versions[-1][1].checked if versions else None)
        else:
            loaded = _first(source, name)
        versions.append((self.seq, loaded))
        return loaded

    def call(
        self,
        contract: str,
        action: str,
        arguments: dict[str, Any] | None = None,
        *,
        by: str | None = "alice",
        user: str | None = None,
    ) -> Call:
        """A call by a member, by a `user` for it, or by ledger time (`by=None`), as the next entry."""
        caller, id = NOBODY, b""
        if by is not None:
            id = transaction_id(self.seq)
            of_user = frozenset[str]() if user is None else self.attributes.get(user, frozenset())
            caller = Caller(by, user, self.attributes.get(by, frozenset()), of_user)
        return Call(contract, action, arguments or {}, caller, self.time, self.seq, id)

    def run(
        self, call: Call, *, on: Implementation = FAST, steps: int = STEPS, cache: Cache | None = None
    ) -> Execution:
        """What a call gives, with the checks that hold of every run; nothing is written. `cache`: of the fast path."""
        if on == FAST:
            ran = execution.run(call, self._hosts[on], self, steps, cache)
        else:
            ran = transaction.run(call, self._hosts[on], self, steps)
        assert ran.code != "contract.internal", f"{on}: {ran.error!r}"
        assert 0 <= ran.steps <= steps
        assert ran.code == "ok" or (ran.writes, ran.events) == ([], []), "what is refused leaves no trace"
        assert cbor.encode(ran.result) == cbor.encode_ordered(ran.result), "maps come in encoding order"
        assert cbor.encode(ran.events) == cbor.encode_ordered(ran.events), "maps come in encoding order"
        return ran

    def agree(self, call: Call, *, steps: int = STEPS) -> Execution:
        """What a call gives, which must be the same on both implementations, with a cache or without; nothing is
        written.
        """
        expected = self.run(call, on=SPECIFICATION, steps=steps)
        for name, cache in (("the fast path", None), ("the fast path with its cache", self.cache)):
            ran = self.run(call, on=FAST, steps=steps, cache=cache)
            differing = [field for field in _COMPARED if _bytes(ran, field) != _bytes(expected, field)]
            assert not differing, f"{', '.join(differing)}\n{name}: {ran}\nthe specification: {expected}"
        return expected

    def apply(self, ran: Execution) -> None:
        """Takes in what a call wrote and goes on to the next entry."""
        for write in ran.writes:
            self.records[write.place] = Stored(self.seq, write.value)
        self.seq += 1

    def take(self, call: Call, *, on: Implementation = FAST, steps: int = STEPS) -> Execution:
        """Runs an action that must be applied, and applies it."""
        ran = self.run(call, on=on, steps=steps)
        assert ran.code == "ok", ran
        self.apply(ran)
        return ran

    def values(self, contract: str, record: str) -> list[dict[str, Any]]:
        """The values of all records of a type, in the order of their keys."""
        table = order.table(contract, record)
        return [cbor.decode(found.value) for place, found in sorted(self.records.items()) if place.startswith(table)]

    # hansa.contracts.calls.Reader

    def get(self, place: bytes) -> Stored | None:
        return self.records.get(place)

    def select(
        self,
        contract: str,
        record: str,
        field: str | None,
        least: bytes | None,
        most: bytes | None,
        rows: int,
        after: tuple[bytes, bytes] | None = None,
    ) -> Sequence[tuple[bytes, Stored]]:
        table = order.table(contract, record)
        found: list[tuple[bytes, bytes, Stored]] = []
        for place, stored in self.records.items():
            if place.startswith(table):
                key = place[len(table) :]
                indexed = key if field is None else order.indexed_bytes(self._indexed(contract, record, field, stored))
                is_behind = after is None or (indexed if field else b"", key) > (after[0] if field else b"", after[1])
                if (least is None or least <= indexed) and (most is None or indexed <= most) and is_behind:
                    found.append((indexed, key, stored))
        return [(key, stored) for _, key, stored in sorted(found, key=lambda row: row[:2])[:rows]]

    def _indexed(self, contract: str, record: str, field: str, stored: Stored) -> Any:
        """The indexed value of a record; of one that an older version stored, what a new field starts with."""
        value = cbor.decode(stored.value)
        declared = self.programs[contract][-1][1].manifest.records[record].fields[field]
        return value.get(field, declared.default)


def _bytes(ran: Execution, field: str) -> bytes:
    """A part of what a call gave, as bytes: True and 1 are equal, and are not the same."""
    value = getattr(ran, field)
    return writes.encode(value) if field == "writes" else cbor.encode(value)


class _Host:
    """The world as one implementation asks it: a contract's versions come in the form that it runs."""

    def __init__(self, world: World, form: Any) -> None:
        self._world = world
        self._form = form

    def is_member(self, name: str) -> bool:
        return name in self._world.members

    def is_user(self, name: str) -> bool:
        return name in self._world.users

    def is_paused(self, contract: str) -> bool:
        return contract in self._world.paused

    def versions(self, contract: str) -> Sequence[tuple[int, Any]]:
        return [(since, self._form(loaded)) for since, loaded in self._world.programs.get(contract, [])]

    def contract_version(self, name: str, source: str) -> str:
        if name in self._world.programs:
            raise Fault("contract.name", "`{name}` is taken", {"name": name})
        try:
            return program.load(source, name, self._world.libraries).manifest.version
        except ContractInvalid:
            raise Fault("contract.invalid", "the contract file has findings; check it to see them") from None
