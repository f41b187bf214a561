"""The chain of checkpoint keys: from the pinned id of a ledger to the keys that count now, by a trust file alone.

Pure and offline. Each change of keys is believed on a receipt that a key of the set before it signed, and each of
those checkpoints must be continued by the next one, up to a head under a current key. A former key counts for the
sizes of its time alone, and there for roots only that the head continues: see `verification.check_counts`.

What it cannot do, since no file can: tell the ledger's history from one that a thief of a former key made up from
before that key was retired, to somebody who has never seen anything later. A newer checkpoint remembered, or the
head compared with what another member says, shows that. Nor that nothing was left out of the file about a node whose
key did not sign the head: that it was retired, or has another key. A file from somebody who gains nothing by that does.
"""

import contextlib
import hashlib
from collections.abc import Generator
from typing import Final

import msgspec

from hansa.client import verification
from hansa.client.verification import Owner, Pinned, Proven, Sizes
from hansa.merkle import checkpoint, receipt
from hansa.merkle.checkpoint import Checkpoint
from hansa.wire import cbor, entry, genesis, trust, writes
from hansa.wire.keys import PublicKey
from hansa.wire.problems import HansaError
from hansa.wire.trust import Change, Linked
from hansa.wire.writes import WriteSet

_CONTRACT: Final = "members"
_NODE: Final = "Node"
_RETIREMENT: Final = "Retirement"
_REGISTER_NODE: Final = "register_node"


def pin_trust(data: bytes, ledger: bytes | None = None) -> Pinned:
    """Trust in a ledger as of the head of a trust file, verified whole, with the keys of all its time.

    Raises `HansaError`: `trust.form`, `trust.version`, those of `verification.pin_genesis`, and `trust.chain` with
    the field `reason`, the code of what is wrong.
    """
    file = trust.decode(data)
    chain = _Chain(verification.pin_genesis(file.genesis, ledger), file.genesis)
    for number, change in enumerate(file.changes, 1):
        with _named(f"change {number}"):
            chain.take(change)
    with _named("the head"):
        head = chain.finish(file.head, file.consistency)
    for number, linked in enumerate(file.receipts, 1):
        with _named(f"receipt {number}"):
            chain.link(linked, head)
    return msgspec.structs.replace(
        chain.pinned, keys=chain.keys, head=head, sizes=chain.sizes, roots=chain.roots, owners=chain.owners
    )


def link(pinned: Pinned, first: Checkpoint, proof: bytes) -> Pinned:
    """The same trust, which now knows too that its head continues `first`: `proof` shows it.

    Raises `HansaError`: `receipt.span`, `checkpoint.invalid`, or what is wrong with the proof.
    """
    assert pinned.head is not None
    key, span = pinned.keys.get(first.kid), pinned.sizes.get(first.kid)
    if key is None or span is None:
        raise HansaError("receipt.key_unknown", f"signed by key {first.kid.hex()}, which is not pinned")
    if first.ledger != pinned.ledger or not checkpoint.verify(first, key):
        raise HansaError("checkpoint.invalid")
    roots = {**pinned.roots, first.size: first.root}
    verification.check_counts(msgspec.structs.replace(pinned, roots=roots), first.kid, first.size, first.root)
    _check_continues(proof, first, pinned.head, {kid: pinned.keys[kid] for kid in _current(pinned)})
    return msgspec.structs.replace(pinned, roots=roots)


def _current(pinned: Pinned) -> list[bytes]:
    return [kid for kid, span in pinned.sizes.items() if span.last is None]


def _check_continues(proof: bytes | None, first: Checkpoint, second: Checkpoint, keys: dict[bytes, PublicKey]) -> None:
    if proof is None:
        raise HansaError("receipt.inconsistent", "there is no proof that it continues the checkpoint before")
    bound = receipt.verify_consistency(proof, first, second.root, keys)
    if bound.size != second.size:
        raise HansaError("receipt.inconsistent", f"the proof is for size {bound.size}, not {second.size}")


class _Chain:
    """The keys after each change, and the heads seen so far."""

    def __init__(self, pinned: Pinned, document: bytes) -> None:
        self.pinned = pinned
        self.keys = dict(pinned.keys)
        self.owners = dict(pinned.owners)
        self.roots: dict[int, bytes] = {}
        self._current = {node.id: PublicKey(node.checkpoint_key) for node in genesis.decode(document).nodes}
        self.sizes = {key.kid: Sizes(node, 1, None) for node, key in self._current.items()}
        self._before = self._set()
        self._last: Checkpoint | None = None
        self._seq = 0

    def take(self, change: Change) -> None:
        """Verifies the next change, and has the keys be what it makes of them."""
        head = receipt.head_of(change.receipt, change.entry)
        is_same = self._last is not None and (head.size, head.root) == (self._last.size, self._last.root)
        if not is_same:  # the changes of one block are under one checkpoint, which the set before them all signed
            self._before = self._set()
        trusted = msgspec.structs.replace(self.pinned, keys=self._before)
        proven = verification.verify(
            change.receipt, change.entry, trusted, envelope=change.envelope, outcome=change.outcome
        )
        if proven.seq <= self._seq:
            raise HansaError("trust.chain", f"entry {proven.seq} comes behind entry {self._seq}")
        if self._last is not None and not is_same:
            _check_continues(change.consistency, self._last, head, self._before)
        outcome, digest = proven.outcome, hashlib.sha256(change.writes).digest()
        if outcome is None or (outcome.status, outcome.writes) != (entry.APPLIED, digest):
            raise HansaError("trust.chain", "its write set is not the one that its outcome commits to")
        written = writes.decode(change.writes)
        retired = _retired(written)
        if retired:
            for node in retired:
                self._end(node, head.size)
        else:
            self._begin(proven, written, head.size)
        self.roots[head.size] = head.root
        self._last, self._seq = head, proven.seq

    def _begin(self, proven: Proven, written: WriteSet, size: int) -> None:
        """A key that a member registered for its node, by itself or with the node: it takes the place of one before."""
        node, key = _registered(written)
        if proven.kind != entry.GOVERNANCE or proven.signed is None:
            raise HansaError("trust.chain", "it is no change of a node's keys that its member signed")
        body = proven.signed.transaction
        said = body.arguments
        if body.action == _REGISTER_NODE:
            owner, asked = _owner(written, node), (said.get("id"), said.get("checkpoint_key"))
        else:
            owner, asked = self._owner(node), (said.get("owner"), said.get("spki"))
        if (body.contract, *asked) != (_CONTRACT, node, key.spki):
            raise HansaError("trust.chain", "what its member signed is not what it wrote")
        if key.kid in self.keys:
            raise HansaError("trust.chain", f"the key {key.kid.hex()} was registered before")
        if node in self._current:
            self._end(node, size)
        self.sizes[key.kid] = Sizes(node, proven.seq + 2, None)  # it signs from the block behind its entry's on
        self.keys[key.kid] = self._current[node] = key
        self.owners[key.kid] = owner

    def _owner(self, node: str) -> Owner:
        """Whose the node is that has a key."""
        if node not in self._current:
            raise HansaError("trust.chain", f"{node[:60]!a} is no node with a key that counts")
        return self.owners[self._current[node].kid]

    def _end(self, node: str, size: int) -> None:
        """The key of a node signs for the size of the change, and for none behind it."""
        self._owner(node)
        former = self._current.pop(node).kid
        self.sizes[former] = msgspec.structs.replace(self.sizes[former], last=size)

    def finish(self, message: bytes, consistency: bytes | None) -> Checkpoint:
        """Verifies the head: signed by a current key, and the continuation of the last change's checkpoint."""
        head, keys = receipt.read_bare(message), self._set()
        key = keys.get(head.kid)
        if key is None:
            raise HansaError("receipt.key_unknown", f"it is signed by key {head.kid.hex()}, which is not a current one")
        if head.ledger != self.pinned.ledger or head.told != self.pinned.told or not checkpoint.verify(head, key):
            raise HansaError("checkpoint.invalid")
        if head.size < self.sizes[head.kid].first:
            raise HansaError("receipt.span", f"its key does not count at size {head.size} yet")
        if self._last is not None:
            _check_continues(consistency, self._last, head, keys)
        self.roots[head.size] = head.root
        return head

    def link(self, linked: Linked, head: Checkpoint) -> None:
        """Verifies that the head continues the checkpoint of a receipt."""
        known = msgspec.structs.replace(self.pinned, keys=self.keys, head=head, sizes=self.sizes, roots=self.roots)
        self.roots = dict(link(known, receipt.read_bare(linked.checkpoint), linked.consistency).roots)

    def _set(self) -> dict[bytes, PublicKey]:
        return {key.kid: key for key in self._current.values()}


def _registered(written: WriteSet) -> tuple[str, PublicKey]:
    """The checkpoint key that a write set registers, and its node."""
    found = {write.record: cbor.decode(write.value) for write in written if write.contract == _CONTRACT}
    try:
        node, kid = found["CheckpointKey"]["node"], found["CheckpointKey"]["kid"]
        values = [cbor.decode(write.value) for write in written if (write.record, write.key) == ("Key", kid)]
        key = PublicKey(values[0]["spki"])
        said = key.kid, values[0]["owner"], values[0]["purpose"]
        if not isinstance(node, str) or said != (kid, node, "checkpoint"):
            raise ValueError
    except (KeyError, IndexError, TypeError, ValueError):
        raise HansaError("trust.chain", "its write set registers no checkpoint key") from None
    return node, key


def _owner(written: WriteSet, node: str) -> Owner:
    """Whose a node is that a write set registers."""
    records = [cbor.decode(one.value) for one in written if (one.contract, one.record) == (_CONTRACT, _NODE)]
    match records:
        case [{"id": id, "member": str(member)}] if id == node:
            return Owner(node, member)
        case _:
            raise HansaError("trust.chain", "its write set registers no such node")


def _retired(written: WriteSet) -> list[str]:
    """The nodes that a write set retires."""
    return [str(one.key) for one in written if (one.contract, one.record) == (_CONTRACT, _RETIREMENT)]


@contextlib.contextmanager
def _named(part: str) -> Generator[None, None, None]:
    """Says which part of the file it is that is wrong."""
    try:
        yield
    except HansaError as error:
        raise HansaError("trust.chain", f"{part}: {error.detail}", reason=error.code) from None
