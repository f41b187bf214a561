"""Receipts and checkpoints, which count only once they are verified: see `trust`."""

from collections.abc import Sequence
from functools import partial
from typing import Final, Literal

import msgspec

from hansa.client import agreement, trust, verification
from hansa.client.asking import ask, persist
from hansa.client.exchange import COSE, Operation, Request, bytes_of, exchange
from hansa.client.results import Answer, Cosigned, Head, Receipt, Several, Unproven
from hansa.client.session import Session
from hansa.client.verification import Pinned, Proven
from hansa.merkle import receipt as receipts
from hansa.merkle import receipts as several
from hansa.merkle.checkpoint import Checkpoint
from hansa.merkle.checkpoint import verify as verify_checkpoint
from hansa.wire import entry, transaction
from hansa.wire.problems import HansaError

_PARTS: Final = ("entry", "envelope", "outcome")


class Given(msgspec.Struct, frozen=True):
    """What came with an answer, not verified yet: the node's receipt, or those by several members.

    Those in `split` have signed another history, as the node says.
    """

    receipt: bytes | None = None
    several: bytes | None = None
    split: Sequence[str] = ()


NOTHING: Final = Given()


def checkpoint(session: Session) -> Operation[Head]:
    """See `Client.checkpoint`."""

    def find(node: str, _: float) -> Operation[Checkpoint]:
        head = yield from trust.latest(session, node)
        yield from trust.follow(session, node, head)
        return head

    head = yield from persist(session, find)
    return Head(head.ledger.hex(), head.size, head.root.hex(), head.time, receipts.bare(head))


def receipt(session: Session, seq: int, k: Several = None, least: int | None = None) -> Operation[Receipt]:
    """See `Client.receipt`."""
    parts: list[bytes] = []
    for part in _PARTS:
        parts.append((yield from ask(session, f"/app/entries/{seq}/{part}", bytes_of)))
    entry, envelope, outcome = parts
    if k is None:
        return (yield from _receipt(session, seq, entry=entry, envelope=envelope, outcome=outcome))
    return (yield from _cosigned(session, seq, k, least, entry=entry, envelope=envelope, outcome=outcome))


def prove(
    session: Session,
    answer: Answer,
    envelope: bytes,
    outcome: bytes,
    given: Given = NOTHING,
    k: Several = None,
    least: int | None = None,
) -> Operation[Answer]:
    """The answer with its receipt, verified; with `k`, by so many members, as `receipt` has it. Raises `Unproven`."""
    assert answer.seq is not None
    kind = entry.GOVERNANCE if transaction.read(envelope).is_governance else entry.TRANSACTION
    seq, made = answer.seq, entry.make(kind, bytes.fromhex(answer.id), envelope, outcome)
    try:
        if k is None:
            found = yield from _receipt(session, seq, given.receipt, entry=made, envelope=envelope, outcome=outcome)
        else:
            found = yield from _cosigned(session, seq, k, least, given, entry=made, envelope=envelope, outcome=outcome)
    except HansaError as error:
        raise Unproven(answer, error) from None
    return msgspec.structs.replace(answer, receipt=found)


def _receipt(
    session: Session, seq: int, given: bytes | None = None, *, entry: bytes, envelope: bytes, outcome: bytes
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


def _cosigned(
    session: Session,
    seq: int,
    k: int | Literal["default"],
    least: int | None,
    given: Given = NOTHING,
    *,
    entry: bytes,
    envelope: bytes,
    outcome: bytes,
) -> Operation[Receipt]:
    """Receipts by k members, or by `least`, which the node that is asked has from the others, or has given already."""

    def find(node: str, wait_s: float) -> Operation[Receipt]:
        nonlocal given
        pinned = yield from trust.pinned(session, node)
        wanted = agreement.default_k(agreement.able(pinned)) if k == "default" else k
        message, split, given = given.several, given.split, NOTHING
        if message is None:
            reply = yield from exchange(Request("GET", node, f"/app/receipts/{seq}", {"k": wanted}, wait_s=wait_s))
            message = reply.body
            split = [name.strip() for name in reply.headers.get("hansa-split", "").split(",") if name]
        messages = several.decode(message)
        pinned = yield from _knowing(session, node, messages, entry)
        needed = wanted if least is None else min(least, wanted)
        try:
            found = agreement.verify(messages, entry, pinned, needed, envelope=envelope, outcome=outcome)
        except HansaError as error:
            if error.code != "receipt.members" or not split:
                raise
            told = f"{error.detail}; the node says that {', '.join(split)} signed another history"
            raise HansaError(error.code, told, remedy=error.remedy, **error.fields, split=split) from None
        if found.proven.seq != seq:
            raise HansaError("receipt.invalid", f"it is for entry {found.proven.seq}, not {seq}")
        yield from trust.follow(session, node, receipts.head_of(found.receipt, entry))
        cosigned = Cosigned(message, wanted, found.members, split)
        return Receipt(found.receipt, entry, envelope, outcome, found.proven, cosigned)

    return (yield from persist(session, find))


def _knowing(session: Session, node: str, messages: list[bytes], entry: bytes) -> Operation[Pinned]:
    """What is known of the keys once what can be learnt of those behind these receipts is.

    Keys that are in no chain are asked about once, so that bad receipts set off no requests.
    """
    pinned, has_learnt = (yield from trust.pinned(session, node)), False
    for message in messages:
        try:
            head = receipts.head_of(message, entry)
        except HansaError:
            continue  # it counts for nothing: see `agreement`
        if head.kid not in pinned.keys and not has_learnt:
            pinned, has_learnt = (yield from trust.knowing(session, node, head)), True
        key = pinned.keys.get(head.kid)
        if key is not None and verify_checkpoint(head, key):
            pinned = yield from trust.knowing(session, node, head)
    return pinned


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
