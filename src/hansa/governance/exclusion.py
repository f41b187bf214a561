"""Whether enough members exclude a transaction, and the record that keeps their statements on the ledger.

The ledger stands still then, so nobody can vote on it: members sign statements offline, with governance keys, and the
constitution is asked what they come to, as if each were a yes to a proposal `exclude_transaction`, within the floor.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from hansa.contracts import execution
from hansa.contracts.calls import NOBODY, Call, Found
from hansa.governance.directory import Directory
from hansa.governance.genesis import CONSTITUTION, CONTRACT
from hansa.governance.sequel import TALLY_STEPS
from hansa.wire import cbor, exclusion, writes
from hansa.wire.exclusion import Statement
from hansa.wire.problems import HansaError
from hansa.wire.writes import Write

RECORD: Final = "Exclusion"
ACTION: Final = "exclude_transaction"
"""What the constitution is asked about."""
_FLOOR: Final = 2
"""Where there are so many members, no fewer exclude a transaction, whatever the constitution says."""


class _Record(msgspec.Struct, frozen=True):
    statements: list[bytes]


class _NoRecords:
    """A `contracts.calls.Reader`: a constitution has no records."""

    def get(self, place: bytes) -> None:
        """See `contracts.calls.Reader`."""

    def select(
        self,
        contract: str,
        record: str,
        field: str | None,
        least: bytes | None,
        most: bytes | None,
        rows: int,
        after: tuple[bytes, bytes] | None = None,
    ) -> Sequence[tuple[bytes, Found]]:
        """See `contracts.calls.Reader`."""
        return []


def check(statement: Statement, ledger: bytes, id: bytes, directory: Directory) -> str:
    """The member who made a statement about this id. Raises `HansaError`: it counts for nothing."""
    if statement.ledger != ledger:
        raise HansaError("exclusion.ledger")
    if statement.id != id:
        raise HansaError("exclusion.form", f"the statement is about {statement.id.hex()}")
    sender = directory.senders.get(statement.kid)
    if sender is None or sender.key.algorithm != statement.algorithm:
        raise HansaError("exclusion.signer", f"nobody here has the key {statement.kid.hex()}")
    if not sender.key.verify_exactly(statement.signature, statement.structure):
        raise HansaError("signature.invalid", f"the signature of {sender.user or sender.member} does not verify")
    if not sender.is_governor:
        raise HansaError("exclusion.signer", f"this key of {sender.user or sender.member} is for transactions")
    return sender.member


def enough(statements: Iterable[Statement], ledger: bytes, id: bytes, directory: Directory) -> list[Statement]:
    """One statement each of as many members as it takes, by name; what does not count is passed over.

    Raises `HansaError` `exclusion.minority`.
    """
    by_member: dict[str, Statement] = {}
    for statement in sorted(statements, key=lambda one: one.envelope):
        try:
            by_member.setdefault(check(statement, ledger, id, directory), statement)
        except HansaError:
            continue
    names = sorted(by_member)
    for count in range(1, len(names) + 1):
        if _is_accepted(names[:count], id, directory):
            return [by_member[name] for name in names[:count]]
    all_ = len(directory.members)
    raise HansaError("exclusion.minority", f"{len(names)} of {all_} members signed; the constitution asks for more")


def _is_accepted(members: list[str], id: bytes, directory: Directory) -> bool:
    active = len(directory.members)
    if len(members) == active:
        return True
    if len(members) < min(_FLOOR, active):
        return False
    step: dict[str, Any] = {"name": ACTION, "subject": id.hex()}
    step |= {"member": None, "attributes": [], "weight": None, "digest": None}
    votes = [{"member": name, "yes": True} for name in members]
    arguments: dict[str, Any] = {
        "proposal": {"proposer": members[0], "actions": [step], "votes": votes},
        "members": [msgspec.structs.asdict(directory.members[name]) for name in sorted(directory.members)],
    }
    call = Call(CONSTITUTION, "resolve", arguments, NOBODY, 0, 0)
    ran = execution.run(call, directory, _NoRecords(), TALLY_STEPS)
    return ran.code == execution.OK and ran.result == "Accepted"


def write(statements: Sequence[Statement]) -> Write:
    """The record of an exclusion."""
    first = statements[0]
    fields = {"id": first.id, "reason": first.reason, "statements": [one.envelope for one in statements]}
    return writes.make(CONTRACT, RECORD, first.id, cbor.encode(fields), None)


def written(found: Iterable[Write]) -> list[Statement]:
    """The statements in an entry's write set, none if it holds no such record. Raises `HansaError` for a bad one."""
    for one in found:
        if (one.contract, one.record) == (CONTRACT, RECORD):
            try:
                record = msgspec.convert(cbor.decode(one.value), _Record, builtin_types=(bytes,))
            except msgspec.ValidationError as error:
                raise HansaError("exclusion.form", str(error)) from None
            return exclusion.read_all(b"".join(record.statements))
    return []
