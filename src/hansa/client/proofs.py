"""Receipts and checkpoints, which count only once they are verified: see `trust`."""

from functools import partial
from typing import Final

import msgspec

from hansa.client import trust, verification
from hansa.client.asking import ask, persist
from hansa.client.exchange import COSE, Operation, Request, bytes_of, exchange
from hansa.client.results import Answer, Head, Receipt, Unproven
from hansa.client.session import Session
from hansa.client.verification import Proven
from hansa.merkle import receipt as receipts
from hansa.merkle.checkpoint import Checkpoint
from hansa.wire import entry, transaction
from hansa.wire.problems import HansaError

_PARTS: Final = ("entry", "envelope", "outcome")


def checkpoint(session: Session) -> Operation[Head]:
    """See `Client.checkpoint`."""

    def find(node: str, _: float) -> Operation[Checkpoint]:
        head = yield from trust.latest(session, node)
        yield from trust.follow(session, node, head)
        return head

    head = yield from persist(session, find)
    return Head(head.ledger.hex(), head.size, head.root.hex(), head.time, receipts.bare(head))


def receipt(session: Session, seq: int) -> Operation[Receipt]:
    """See `Client.receipt`."""
    parts: dict[str, bytes] = {}
    for part in _PARTS:
        parts[part] = yield from ask(session, f"/app/entries/{seq}/{part}", bytes_of)
    return (yield from _receipt(session, seq, **parts))


def prove(session: Session, answer: Answer, envelope: bytes, outcome: bytes, given: bytes | None) -> Operation[Answer]:
    """The answer with its receipt, verified. `given` is the one that came with it. Raises `Unproven`."""
    assert answer.seq is not None
    kind = entry.GOVERNANCE if transaction.read(envelope).is_governance else entry.TRANSACTION
    made = entry.make(kind, bytes.fromhex(answer.id), envelope, outcome)
    try:
        found = yield from _receipt(session, answer.seq, entry=made, envelope=envelope, outcome=outcome, given=given)
    except HansaError as error:
        raise Unproven(answer, error) from None
    return msgspec.structs.replace(answer, receipt=found)


def _receipt(
    session: Session, seq: int, *, entry: bytes, envelope: bytes, outcome: bytes, given: bytes | None = None
) -> Operation[Receipt]:
    verify = partial(_verified, session, seq, entry, envelope, outcome)

    def find(node: str, wait_s: float) -> Operation[tuple[bytes, Proven]]:
        nonlocal given
        message, given = given, None
        if message is None:
            reply = yield from exchange(
                Request("GET", node, f"/app/receipts/{seq}", headers={"accept": COSE}, wait_s=wait_s)
            )
            message = reply.body
        proven = yield from verify(node, message)
        return message, proven

    message, proven = yield from persist(session, find)
    return Receipt(message, entry, envelope, outcome, proven)


def _verified(
    session: Session, seq: int, entry: bytes, envelope: bytes, outcome: bytes, node: str, message: bytes
) -> Operation[Proven]:
    """What a receipt proves, under a head that is of one history with the one remembered."""
    try:
        head = receipts.head_of(message, entry)
    except HansaError:  # refused below, in words that name the part that is wrong
        pinned = yield from trust.pinned(session, node)
    else:
        pinned = yield from trust.knowing(session, node, head)
    proven = verification.verify(message, entry, pinned, envelope=envelope, outcome=outcome)
    if proven.seq != seq:
        raise HansaError("receipt.invalid", f"it is for entry {proven.seq}, not {seq}")
    yield from trust.follow(session, node, receipts.head_of(message, entry))
    return proven
