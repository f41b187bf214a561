"""Witnesses: what has seen a ledger at some size, held against the tree that its journal gives.

The ledger's own checkpoints are witnesses, and receipts, checkpoints and states that somebody kept elsewhere: only
those can show that a tail was cut off, or that the whole folder is an older copy.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from hansa.governance.directory import Directory
from hansa.merkle import checkpoint, receipt
from hansa.merkle.checkpoint import Bound
from hansa.merkle.tree import HASH_BYTES
from hansa.node.statecheck import read_applied
from hansa.node.workers import Lost, Worker
from hansa.store.checkpoints import Checkpoints
from hansa.store.files import Files, read_whole
from hansa.wire import cose
from hansa.wire.block import Header
from hansa.wire.keys import ALGORITHM_NAMES, PublicKey
from hansa.wire.problems import HansaError

Find = Callable[[str, str, str], None]
"""Told of a finding: code, where, detail."""


class Witness(msgspec.Struct, frozen=True):
    """A tree head that something saw. A receipt does not say the root; a state does not sign."""

    source: str
    bound: Bound
    root: bytes | None
    signature: bytes | None


def stored(checkpoints: Checkpoints, find: Find) -> Iterator[Witness]:
    """The ledger's own checkpoints in their order; told of those that are damaged."""
    last = 0
    for number in range(checkpoints.count):
        source = f"checkpoint record {number}"
        head = checkpoints.get(number)
        if head is None or head.algorithm not in ALGORITHM_NAMES:
            find("checkpoint.damaged", source, "its checksum or form is wrong")
        elif head.size <= last:
            find("checkpoint.damaged", source, f"it is of size {head.size}, the one before of {last}")
        else:
            last = head.size
            yield Witness(source, checkpoint.bound(head), head.root, head.signature)


def outside(files: Files, path: Path, reader: Worker) -> Witness:
    """The witness that somebody kept: a receipt, a checkpoint, or a state's folder. Raises `HansaError`."""
    try:
        return (
            _state(path, reader) if path.is_dir() else Witness(str(path), *receipt.signed_head(read_whole(files, path)))
        )
    except OSError as error:
        raise HansaError("argument.file", f"{path}: {error.strerror}") from None
    except HansaError as error:
        raise HansaError(error.code, f"{path}: {error.detail}") from None


def _state(folder: Path, reader: Worker) -> Witness:
    try:
        applied = reader.call(read_applied, folder)
    except Lost as lost:
        raise HansaError("state.unreadable", str(lost)) from None
    if applied is None:
        raise HansaError("state.unreadable", "it has seen nothing")
    return Witness(str(folder), Bound(0, b"", applied.ledger, applied.size, applied.time), applied.root, None)


class Witnesses:
    """Witnesses by size, each checked when the pass over the journal reaches its size, by the keys as of there.

    `directory` is that of the pass: it knows the checkpoint keys up to where the pass is.
    """

    def __init__(
        self,
        ledger: bytes,
        directory: Directory,
        stored: Iterator[Witness],
        outside: list[Witness],
        find: Find,
        *,
        told: bool,
    ) -> None:
        self._ledger = ledger
        self._told = told
        self._directory = directory
        self._stored = stored
        self._next = next(stored, None)
        self._outside = sorted(outside, key=lambda witness: witness.bound.size)
        self._find = find
        self.reached = 0
        """How many of the ledger's own the pass has come to."""

    def reach(self, header: Header) -> None:
        """A block ends here: every witness up to its size must have seen exactly this."""
        size = header.seq + header.count
        while self._next is not None and self._next.bound.size <= size:
            self._check(self._next, header)
            self.reached += 1
            self._next = next(self._stored, None)
        while self._outside and self._outside[0].bound.size <= size:
            self._check(self._outside.pop(0), header)

    def finish(self, size: int) -> None:
        """The journal ends here: a witness of a larger size has seen more than is left."""
        beyond = [] if self._next is None else [self._next, *self._stored]
        for witness in [*beyond, *self._outside]:
            found = self._foreign(witness) or ("journal.lost_tail", lost(witness.bound.size, size))
            self._find(found[0], witness.source, found[1])

    def _check(self, witness: Witness, header: Header) -> None:
        found = self._foreign(witness) or self._differing(witness, header)
        if found is not None:
            self._find(found[0], witness.source, found[1])

    def _foreign(self, witness: Witness) -> tuple[str, str] | None:
        """Why a witness says nothing about this ledger, as code and words; None if it does."""
        bound, key = witness.bound, self._key(witness)
        if bound.ledger != self._ledger:
            return "verify.ledger", f"it is for ledger {bound.ledger.hex()}"
        if witness.signature is None:
            return None
        if key is None or key.algorithm != bound.algorithm:
            return "receipt.key_unknown", "it is signed by no checkpoint key of this ledger"
        if bound.told != self._told:
            return "verify.clock", f"it says that time is {'told' if bound.told else 'real'}, the genesis document not"
        if witness.root is not None and not self._is_signed(witness, witness.root):
            return "receipt.invalid", "its signature does not even cover what it says itself"
        return None

    def _key(self, witness: Witness) -> PublicKey | None:
        span = self._directory.checkpoint_spans.get(witness.bound.kid)
        return None if span is None else span.key

    def _differing(self, witness: Witness, header: Header) -> tuple[str, str] | None:
        """How what was seen differs from this history, as code and words; None if it does not."""
        bound, size, time, root = witness.bound, header.seq + header.count, header.time, header.root
        if bound.size != size:
            return "journal.diverged", f"no block of this ledger ends at {bound.size} entries"
        if witness.root is None and not self._is_signed(witness, root):
            return "journal.diverged", f"it was not signed over this history of {size} entries"
        if witness.root is not None and witness.root != root:
            return "journal.diverged", f"it has seen another history of {size} entries"
        if bound.time != time:
            return "journal.diverged", f"it says {bound.time} ms for the time of {size} entries, the journal {time}"
        span = self._directory.checkpoint_spans.get(bound.kid)
        if span is not None and not span.signs_from(header.seq):
            return "receipt.span", f"it is signed by key {bound.kid.hex()}, which does not count at {size} entries"
        return None

    def _is_signed(self, witness: Witness, root: bytes) -> bool:
        assert witness.signature is not None and len(root) == HASH_BYTES
        key, structure = self._key(witness), cose.signature_structure(checkpoint.header(witness.bound), root)
        return key is not None and key.verify_exactly(witness.signature, structure)


def lost(seen: int, left: int) -> str:
    """The words for a witness that has seen more than there is."""
    return f"it has seen {seen} entries, the journal holds {left}"
