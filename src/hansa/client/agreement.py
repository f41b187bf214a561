"""What members' nodes have signed together: receipts for one entry, of which so many members' must agree.

Pure and offline, as `verification`, through which each receipt goes alone. Whose node signed follows from the keys of
the ledger's genesis document or a trust file, never from a receipt. Members are counted, not nodes or keys. Receipts
agree where they are under one size, root and time. A member that was removed from the ledger is not known here: who
must sign can be named.
"""

from collections.abc import Collection, Sequence

import msgspec

from hansa.client import verification
from hansa.client.verification import Owner, Pinned, Proven
from hansa.merkle import receipt
from hansa.wire.problems import HansaError


class Signature(msgspec.Struct, frozen=True):
    """A receipt that counts: whose node signed it, and with which key."""

    member: str
    node: str
    kid: bytes


class Passed(msgspec.Struct, frozen=True):
    """A receipt that does not count: its place among those given, from 0, and why."""

    place: int
    code: str
    detail: str


class Agreement(msgspec.Struct, frozen=True):
    """What was proven and by whom: `members` in order of their names, and the receipts that do not count.

    `receipt` is the first that counts, `proven` what it proves: under the size, root and time that most members signed.
    """

    receipt: bytes
    proven: Proven
    members: list[str]
    signatures: list[Signature]
    passed: list[Passed]


class _Good(msgspec.Struct, frozen=True):
    """A receipt that was verified; `head` is the size, root and time that are signed."""

    place: int
    message: bytes
    head: tuple[int, bytes, int]
    kid: bytes
    owner: Owner


def default_k(members: Collection[str]) -> int:
    """f + 1 of the members that have nodes: one of so many is honest where at most f, less than a third, are not."""
    return (len(members) - 1) // 3 + 1


def able(pinned: Pinned) -> set[str]:
    """The members that have nodes."""
    return {owner.member for owner in pinned.owners.values()}


def verify(
    receipts: Sequence[bytes],
    entry: bytes,
    pinned: Pinned,
    k: int,
    members: Collection[str] | None = None,
    *,
    envelope: bytes | None = None,
    outcome: bytes | None = None,
) -> Agreement:
    """Checks that `k` members have signed the same head with this entry in it; only these members count, if named.

    Raises `HansaError`: `receipt.members` with fewer, `argument.value` where that can never be, and as `count`.
    """
    having = able(pinned)
    named = having if members is None else set(members)
    if not pinned.owners:
        told = "a key alone does not say which member's it is"
        raise HansaError("argument.value", told, remedy="Pin the ledger's genesis document, or a trust file.")
    if strangers := sorted(named - having):
        told = f"{', '.join(strangers)[:200]!a}: no such member has a node; {', '.join(sorted(having))} have"
        raise HansaError("argument.value", told, remedy="Name members that have nodes.")
    if not 0 < k <= len(named):
        told = f"k is {k}, of {len(named)} members"
        raise HansaError("argument.value", told, remedy=f"Give 1 to {len(named)}.")
    found = count(receipts, entry, pinned, named, envelope=envelope, outcome=outcome)
    if len(found.members) < k:
        passed = "".join(f"; receipt {one.place + 1} does not count: {one.detail}" for one in found.passed)
        told = f"{k} members must have signed, and {', '.join(found.members) or 'none'} did{passed}"
        raise HansaError("receipt.members", told, members=found.members, k=k)
    return found


def count(
    receipts: Sequence[bytes],
    entry: bytes,
    pinned: Pinned,
    members: Collection[str] | None = None,
    *,
    envelope: bytes | None = None,
    outcome: bytes | None = None,
) -> Agreement:
    """Which members have signed the same head with this entry in it, the head being that which most of them signed.

    What is wrong with a receipt makes that one count for nothing, as anybody can put a bad one beside good ones. Raises
    `HansaError`: what is wrong with the first if none is good; what is wrong with the entry and its bodies; and
    `receipt.split` where two good ones are under different roots of one size, whoever signed them.
    """
    good: list[_Good] = []
    passed: list[Passed] = []
    errors: list[HansaError] = []
    for place, message in enumerate(receipts):
        try:
            good.append(_read(place, message, entry, pinned))
        except HansaError as error:
            if error.fields.get("part") != "receipt":
                raise
            errors.append(error)
            passed.append(Passed(place, error.code, error.detail))
    if not good:
        raise errors[0] if errors else HansaError("receipt.form", "there is no receipt")
    _check_one_history(good, pinned)
    counting = [one for one in good if members is None or one.owner.member in members]
    signers: dict[tuple[int, bytes, int], set[str]] = {}
    for one in counting:
        signers.setdefault(one.head, set()).add(one.owner.member)
    best = max(signers, key=lambda head: (len(signers[head]), head), default=None)
    signed = [one for one in counting if one.head == best]
    for one in good:
        if one not in signed:
            told = "signed another size or time" if one in counting else "is none of the members that count"
            passed.append(Passed(one.place, "receipt.members", f"{one.owner.member} {told}"))
    chosen = (signed or good)[0]
    return Agreement(
        chosen.message,
        verification.verify(chosen.message, entry, pinned, envelope=envelope, outcome=outcome),
        sorted({one.owner.member for one in signed}),
        [Signature(one.owner.member, one.owner.node, one.kid) for one in signed],
        sorted(passed, key=lambda one: one.place),
    )


def _read(place: int, message: bytes, entry: bytes, pinned: Pinned) -> _Good:
    """A receipt, verified. One under a key that counts now whose root is not the trusted one is good too: a split."""
    try:
        verification.verify(message, entry, pinned)
    except HansaError as error:
        if error.code != "receipt.unlinked" or not _is_current(message, entry, pinned):
            raise
    found = receipt.verify_inclusion(message, entry, pinned.keys)
    return _Good(place, message, (found.size, found.root, found.time), found.kid, pinned.owners[found.kid])


def _is_current(message: bytes, entry: bytes, pinned: Pinned) -> bool:
    return pinned.sizes[receipt.head_of(message, entry).kid].last is None


def _check_one_history(good: list[_Good], pinned: Pinned) -> None:
    """Raises `HansaError` `receipt.split`, with all who signed for a size of which there are two roots."""
    roots: dict[int, dict[bytes, list[Owner]]] = {size: {root: []} for size, root in pinned.roots.items()}
    for one in good:
        size, root, _ = one.head
        roots.setdefault(size, {}).setdefault(root, []).append(one.owner)
    for size, found in sorted(roots.items()):
        if len(found) > 1:
            told = "; ".join(f"{root.hex()} by {_named(owners)}" for root, owners in found.items())
            signers = [
                {"member": owner.member, "node": owner.node, "root": root}
                for root, owners in found.items()
                for owner in owners
            ]
            raise HansaError("receipt.split", f"{size} entries with the root {told}", size=size, signers=signers)


def _named(owners: list[Owner]) -> str:
    return ", ".join(f"{owner.member} ({owner.node})" for owner in owners) or "those who signed the trust file"
