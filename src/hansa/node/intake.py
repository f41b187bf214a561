"""Intake: what a node checks before a transaction is ordered, cheapest first. A refusal here leaves no entry.

The checks that must be the same on every node are made again at apply; here they only spare everyone the work.
Intake alters nothing: what it lets through are the bytes that came.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from hansa.governance.directory import Directory, Sender
from hansa.governance.genesis import CONTRACT
from hansa.wire import es256, keys, transaction
from hansa.wire.limits import QUEUE_BYTES_MAX, QUEUE_TRANSACTIONS_MAX
from hansa.wire.problems import HansaError
from hansa.wire.transaction import Signed

RETRY_AFTER_S: Final = 1
"""When a sender that was refused for lack of room is told to come back."""
ASKERS_MAX: Final = 64
"""How many may wait for the answer to one transaction, sent again and again."""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What came of a transaction: its entry. `duplicate` if the same id had been answered before."""

    id: bytes
    seq: int
    outcome: bytes
    duplicate: bool


Listener = Callable[["Answer | HansaError"], None]
"""Told once: the answer, or why there will be no entry."""


Accepted = Callable[[bytes], None]
"""Told the id of a transaction when it waits for its block."""


class Pending:
    """A transaction between intake and its block. `accepted` is called once when it has been handed to the orderer."""

    __slots__ = ("accepted", "listeners", "sender", "signed")

    def __init__(self, signed: Signed, sender: Sender, listener: Listener, accepted: Accepted | None = None) -> None:
        self.signed = signed
        self.sender = sender
        self.listeners = [listener]
        self.accepted = accepted


class _Share:
    """What one member has waiting."""

    __slots__ = ("bytes", "transactions")

    def __init__(self) -> None:
        self.transactions = 0
        self.bytes = 0


class Queue:
    """What is between intake and its block, bounded in number and bytes, and shared between members.

    Before its signature is verified a transaction is nobody's: it counts in total only, or a forger could use up the
    share of the member it names. Afterwards a member may hold as much as is still free: a flood of one fills half of
    the room at most, and the next member finds the other half. A member whose share is used up is refused before
    anything is verified, so that its flood does not fill the wait for verification either.
    """

    def __init__(self) -> None:
        self.by_id: dict[bytes, Pending] = {}
        self._bytes = 0
        self._unverified = 0
        self._unverified_bytes = 0
        self._members: dict[str, _Share] = {}

    def __len__(self) -> int:
        return len(self.by_id)

    @property
    def is_full(self) -> bool:
        """Whether nobody finds room."""
        return len(self.by_id) >= QUEUE_TRANSACTIONS_MAX or self._bytes >= QUEUE_BYTES_MAX

    def await_verification(self, member: str, size: int) -> None:
        """Counts one whose signature is to be verified. Raises `HansaError` as `check_room` does."""
        self.check_room(member, size)
        if self._unverified >= QUEUE_TRANSACTIONS_MAX or self._unverified_bytes + size > QUEUE_BYTES_MAX:
            raise HansaError("queue.full", retry_after=RETRY_AFTER_S)
        self._unverified += 1
        self._unverified_bytes += size

    def verified(self, size: int) -> None:
        """Counts it no more, whatever the verdict."""
        self._unverified -= 1
        self._unverified_bytes -= size

    def check_room(self, member: str, size: int) -> None:
        """Raises `HansaError` `queue.full` or `queue.share`, with when to come back."""
        free = QUEUE_TRANSACTIONS_MAX - len(self.by_id)
        free_bytes = QUEUE_BYTES_MAX - self._bytes
        if free <= 0 or size > free_bytes:
            raise HansaError("queue.full", retry_after=RETRY_AFTER_S)
        held = self._members.get(member)
        if held is not None and (held.transactions >= free or held.bytes >= free_bytes):
            detail = f"{member} has {held.transactions} transactions, {held.bytes} bytes waiting"
            raise HansaError("queue.share", detail, retry_after=RETRY_AFTER_S)

    def add(self, pending: Pending) -> None:
        """Takes one in."""
        signed, member = pending.signed, pending.sender.member
        size = len(signed.envelope)
        self.by_id[signed.id] = pending
        self._bytes += size
        share = self._members.get(member)
        if share is None:
            share = self._members[member] = _Share()
        share.transactions += 1
        share.bytes += size

    def attach(self, same: Pending, listener: Listener) -> None:
        """Has one more asker told what becomes of a transaction that waits. Raises `HansaError` `queue.full`."""
        if len(same.listeners) >= ASKERS_MAX:
            raise HansaError("queue.full", "too many wait for this transaction", retry_after=RETRY_AFTER_S)
        same.listeners.append(listener)

    def remove(self, id: bytes) -> Pending | None:
        """Lets one go: it has its entry, or will never have one."""
        pending = self.by_id.pop(id, None)
        if pending is not None:
            size = len(pending.signed.envelope)
            self._bytes -= size
            member = pending.sender.member
            share = self._members[member]
            share.transactions -= 1
            share.bytes -= size
            if not share.transactions:
                del self._members[member]
        return pending


def read(envelope: bytes, ledger: bytes, directory: Directory) -> tuple[Signed, Sender]:
    """The transaction and its sender, everything checked but times, the signature, duplicates and room.

    Raises `HansaError`.
    """
    signed = transaction.read(envelope)
    body = signed.transaction
    if body.ledger != ledger:
        raise HansaError("transaction.ledger", f"signed for ledger {body.ledger.hex()}")
    sender = directory.senders.get(signed.kid)
    if sender is None:
        raise HansaError(directory.refusal(signed.kid), directory.why_not(signed.kid))
    if sender.key.algorithm != signed.algorithm:
        raise HansaError("sender.algorithm")
    if not sender.may_sign(signed):
        raise HansaError("sender.purpose")
    if not signed.is_governance and len(envelope) > directory.limits.transaction_bytes:
        limit = directory.limits.transaction_bytes
        raise HansaError("envelope.oversized", f"{len(envelope)} bytes; this ledger takes {limit}")
    if sender.asserted and body.contract == CONTRACT:
        raise HansaError("sender.asserted")
    limit = directory.steps_most(sender, body.contract)
    if body.steps_max > limit:
        raise HansaError("steps.limit", f"steps_max is {body.steps_max}; this ledger allows {limit}")
    return signed, sender


def check_time(signed: Signed, sender: Sender, time: int) -> None:
    """Raises `HansaError` `transaction.expired`, `transaction.too_far` or `sender.expired`.

    `time` is the later of ledger time and the node's clock, so this only refuses early what apply would skip.
    """
    not_after = signed.transaction.not_after
    if not_after < time:
        raise HansaError("transaction.expired", f"not_after passed {time - not_after} ms ago")
    if not_after > time + signed.validity_ms:
        raise HansaError("transaction.too_far", f"not_after lies {not_after - time} ms ahead")
    if sender.until is not None and sender.until <= time:
        raise HansaError("sender.expired", f"it ended {time - sender.until} ms ago")


def signature_refusal(signed: Signed) -> HansaError:
    """Why a signature that the library refused does not count."""
    if signed.algorithm == keys.ES256 and es256.is_high_s(signed.signature):
        return HansaError("signature.high_s")
    return HansaError("signature.invalid")
