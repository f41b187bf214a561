"""Whether enough deployers exclude a transaction, and the record that keeps their statements on the ledger.

More than half of them must have signed. All would be too many: one lost key would leave a ledger stopped for ever.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from hansa.governance.directory import Directory
from hansa.governance.genesis import CONTRACT, DEPLOYER
from hansa.wire import cbor, exclusion, writes
from hansa.wire.exclusion import Statement
from hansa.wire.problems import HansaError
from hansa.wire.writes import Write

RECORD: Final = "Exclusion"


class _Record(msgspec.Struct, frozen=True):
    statements: list[bytes]


def check(statement: Statement, ledger: bytes, id: bytes, directory: Directory) -> str:
    """The deployer who made a statement about this id. Raises `HansaError`: it counts for nothing."""
    if statement.ledger != ledger:
        raise HansaError("exclusion.ledger")
    if statement.id != id:
        raise HansaError("exclusion.form", f"the statement is about {statement.id.hex()}")
    sender = directory.senders.get(statement.kid)
    if sender is None or sender.key.algorithm != statement.algorithm:
        raise HansaError("exclusion.signer", f"nobody here has the key {statement.kid.hex()}")
    if not sender.key.verify_exactly(statement.signature, statement.structure):
        raise HansaError("signature.invalid", f"the signature of {sender.user or sender.member} does not verify")
    if DEPLOYER not in directory.attributes[sender.member]:
        raise HansaError("exclusion.signer", f"{sender.member} is no deployer")
    return sender.member


def enough(statements: Iterable[Statement], ledger: bytes, id: bytes, directory: Directory) -> list[Statement]:
    """One statement each of as many deployers as it takes, by name; what does not count is passed over.

    Raises `HansaError` `exclusion.minority`.
    """
    by_member: dict[str, Statement] = {}
    for statement in sorted(statements, key=lambda one: one.envelope):
        try:
            by_member.setdefault(check(statement, ledger, id, directory), statement)
        except HansaError:
            continue
    deployers = sum(DEPLOYER in found for found in directory.attributes.values())
    needed = deployers // 2 + 1
    if len(by_member) < needed:
        raise HansaError("exclusion.minority", f"{len(by_member)} of {deployers} deployers signed; it takes {needed}")
    return [by_member[name] for name in sorted(by_member)][:needed]


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
