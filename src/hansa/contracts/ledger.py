"""A ledger in memory: which contracts are deployed, who belongs to it, and its records.

The host and the reader of both interpreters, for trying contracts: `hansa contract run` and tests. Nothing here is
signed, ordered or kept; who calls gives the time, and takes in what a run wrote.
"""

from collections.abc import Container, Iterator, Sequence
from typing import Any

import msgspec

from hansa.contracts import program
from hansa.contracts.calls import Execution
from hansa.contracts.checked import Checked
from hansa.contracts.diagnostics import ContractInvalid
from hansa.contracts.faults import Fault
from hansa.contracts.program import Program
from hansa.wire import cbor, keys, names, order


class Stored(msgspec.Struct, frozen=True, gc=False):
    """A record's bytes, and the entry that wrote them."""

    seq: int
    value: bytes


class Ledger:
    """One ledger. Names of members and users that have their form are known, unless `members` or `users` say which."""

    def __init__(self, *, members: Container[str] | None = None, users: Container[str] | None = None) -> None:
        self._members = members
        self._users = users
        self.records: dict[bytes, Stored] = {}
        self.programs: dict[str, list[tuple[int, Program]]] = {}
        """The versions of contracts by name, oldest first, each with the first entry it decides about."""
        self.libraries: dict[bytes, Checked] = {}
        self.paused: set[str] = set()
        """The contracts that are paused."""
        self.seq = 1
        """The number of the next entry."""

    def add_library(self, name: str, source: str) -> bytes:
        """Makes a library known to contracts deployed from now on; its digest. Raises `ContractInvalid`."""
        checked = program.check(source, name, self.libraries)
        self.libraries[checked.digest] = checked
        return checked.digest

    def deploy(self, name: str, source: str) -> Program:
        """The first or the next version of a contract: it decides about the next entry. Raises `ContractInvalid`."""
        versions = self.programs.get(name, [])
        checked = program.check(source, name, self.libraries)
        loaded = program.compiled(checked, versions[-1][1].checked if versions else None)
        self.programs[name] = [*versions, (self.seq, loaded)]
        return loaded

    def apply(self, ran: Execution) -> None:
        """Takes in what a run wrote, and goes on to the next entry."""
        for write in ran.writes:
            self.records[write.place] = Stored(self.seq, write.value)
        self.seq += 1

    def values(self, contract: str, record: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """The records of a type in the order of their keys: the entry that wrote each, and its plain value."""
        table = order.table(contract, record)
        for place in sorted(place for place in self.records if place.startswith(table)):
            stored = self.records[place]
            yield stored.seq, cbor.decode(stored.value)

    # hansa.contracts.calls.Host

    def is_member(self, name: str) -> bool:
        """See `Host`."""
        return names.is_member(name) if self._members is None else name in self._members

    def is_user(self, name: str) -> bool:
        """See `Host`."""
        return names.is_user(name) if self._users is None else name in self._users

    def is_paused(self, contract: str) -> bool:
        """See `Host`."""
        return contract in self.paused

    def versions(self, contract: str) -> Sequence[tuple[int, Program]]:
        """See `Host`."""
        return self.programs.get(contract, [])

    def contract_version(self, name: str, source: str) -> str:
        """See `Host`."""
        if name in self.programs:
            raise Fault("contract.name", "`{name}` is taken", {"name": name})
        try:
            return program.load(source, name, self.libraries).manifest.version
        except ContractInvalid:
            raise Fault("contract.invalid", "the contract file has findings; check it to see them") from None

    def library_digest(self, name: str, source: str) -> bytes:
        """See `Host`."""
        try:
            return program.check(source, name, self.libraries).digest
        except ContractInvalid:
            raise Fault("contract.invalid", "the library file has findings; check it to see them") from None

    def key_id(self, spki: bytes) -> bytes:
        """See `Host`."""
        return keys.kid_of(spki)

    # hansa.contracts.calls.Reader

    def get(self, place: bytes) -> Stored | None:
        """See `Reader`."""
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
        """See `Reader`."""
        table = order.table(contract, record)
        found: list[tuple[bytes, bytes, Stored]] = []
        for place, stored in self.records.items():
            if place.startswith(table):
                key = place[len(table) :]
                indexed = key if field is None else self._indexed(contract, record, field, stored)
                is_behind = after is None or (indexed if field else b"", key) > (after[0] if field else b"", after[1])
                if (least is None or least <= indexed) and (most is None or indexed <= most) and is_behind:
                    found.append((indexed, key, stored))
        return [(key, stored) for _, key, stored in sorted(found, key=lambda row: row[:2])[:rows]]

    def _indexed(self, contract: str, record: str, field: str, stored: Stored) -> bytes:
        """The place of a record in an index; a field that the version which stored it lacks has what it starts with."""
        declared = self.programs[contract][-1][1].manifest.records[record].fields[field]
        return order.indexed_bytes(cbor.decode(stored.value).get(field, declared.default))
