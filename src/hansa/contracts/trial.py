"""Tries the next version of a contract on live records: what would fail when they are touched is told before.

Asked by `node.reading` for people who are about to upgrade; nothing it finds decides about anything.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from hansa.contracts import execution, upgrade
from hansa.contracts.calls import NOBODY, Call, Found, Host
from hansa.contracts.faults import Fault
from hansa.contracts.frame import Frame
from hansa.contracts.program import Program
from hansa.contracts.records import touch
from hansa.wire import cbor


class Failure(msgspec.Struct, frozen=True):
    """A record that could not be brought up, or would break a rule of its own: why, and at which line of the file.

    `line` is None where it failed before or behind the bodies: a value that does not fit a field any more.
    """

    record: str
    key: Any
    code: str
    line: int | None
    message: str
    values: dict[str, Any]


class _Host:
    """The ledger as it would be behind the upgrade."""

    def __init__(self, host: Host[Program], contract: str, program: Program, seq: int) -> None:
        self._host = host
        self._contract = contract
        self._versions = [*host.versions(contract), (seq, program)]
        self.is_member = host.is_member
        self.is_user = host.is_user
        self.is_paused = host.is_paused
        self.contract_version = host.contract_version
        self.library_digest = host.library_digest
        self.key_id = host.key_id

    def versions(self, contract: str) -> Sequence[tuple[int, Program]]:
        """See `contracts.calls.Host`."""
        return self._versions if contract == self._contract else self._host.versions(contract)


class _One:
    """A reader that has one record, the one that is tried."""

    def __init__(self, found: Found) -> None:
        self._found = found

    def get(self, place: bytes) -> Found:
        """See `contracts.calls.Reader`."""
        return self._found

    def select(
        self,
        contract: str,
        record: str,
        field: str | None,
        least: bytes | None,
        most: bytes | None,
        rows: int,
        after: tuple[bytes, bytes] | None = None,
    ) -> list[tuple[bytes, Found]]:
        """See `contracts.calls.Reader`; migrations and invariants read no ranges."""
        return []


def problems(before: Program, program: Program) -> list[str]:
    """Why the version cannot follow at all, whatever records there are."""
    return upgrade.problems(before.manifest, program.manifest)


def attempts(
    program: Program,
    record: str,
    stored: Iterable[Found],
    host: Host[Program],
    time: int,
    seq: int,
    steps: int,
) -> Iterator[tuple[int, Failure | None]]:
    """Tries stored records of a type, each by itself within `steps`, as behind entry `seq`.

    Gives for each the steps that it took, and what failed.
    """
    contract = program.manifest.name
    trial = _Host(host, contract, program, seq)
    shape = program.shapes[record]
    for found in stored:
        failure = None
        key = cbor.decode_own(found.value)[shape.type.key]
        frame = Frame(Call(contract, "", {}, NOBODY, time, seq), trial, _One(found), steps, None)
        try:
            loaded = touch(frame, shape, key, shape.place(key))
            frame.checks = True
            for rule in shape.invariants:
                rule(frame, loaded)
        except Fault as fault:
            line, of, _ = fault.where or execution.place_of(fault.__traceback__) or (None, contract, "")
            line = line if of == contract else None
            failure = Failure(record, key, fault.code, line, fault.message, fault.values)
        yield frame.used, failure
