"""Whether signed heads of one ledger contradict each other, and the check of a file that says so, offline.

Two heads of one ledger cannot both be true if they have the same size and differ in root or time; if the larger one
has the earlier time; or if the larger tree does not begin with the smaller one. The last is shown by a receipt under
the larger head for the first entry that the smaller one does not cover: its path holds the root of everything before.
No other form is needed, and nothing that a node merely does not answer proves anything.

Whose keys they are is said by the genesis document that the ledger's id pins, and by a trust file that the verifier
holds itself: one that came from whoever accuses could name anybody.
"""

from typing import Final

import msgspec

from hansa.client import verification
from hansa.client.verification import Pinned
from hansa.merkle import checkpoint, receipt
from hansa.merkle.checkpoint import Checkpoint
from hansa.wire import genesis, split_view
from hansa.wire.keys import PublicKey
from hansa.wire.problems import HansaError
from hansa.wire.split_view import Contradiction

ROOT: Final = "root"
TIME: Final = "time"
HISTORY: Final = "history"


class Signer(msgspec.Struct, frozen=True):
    """Whose registered checkpoint key it is: the node and its member, each empty if the verifier's sources name none.

    `is_former`: the key was replaced since, so that whoever has got hold of it could have signed.
    """

    kid: bytes
    node: str
    member: str
    is_former: bool

    def __str__(self) -> str:
        return f"{self.node} of {self.member}" if self.member else self.node or f"key {self.kid.hex()}"


class Signed(msgspec.Struct, frozen=True):
    """A head as it was signed, the signature verified."""

    signer: Signer
    size: int
    time: int  # ms
    root: bytes


class Contradicting(msgspec.Struct, frozen=True):
    """Two verified heads that cannot both be true.

    `how`: `root` or `time` for those that differ in these, `history` where the larger tree does not begin with the
    smaller: `before` is the root that the second one gives to as many entries as the first has.
    """

    how: str
    first: Signed
    second: Signed
    before: bytes | None

    @property
    def is_one_key(self) -> bool:
        """Whether the same key signed both: then it is certain whose signature is false."""
        return self.first.signer.kid == self.second.signer.kid


class SplitView(msgspec.Struct, frozen=True):
    """What a file proves of a ledger."""

    ledger: bytes
    contradictions: list[Contradicting]

    @property
    def equivocated(self) -> list[Signer]:
        """Whose key has signed both of two heads that cannot both be true. May be empty: else it is open whose did."""
        found = {pair.first.signer.kid: pair.first.signer for pair in self.contradictions if pair.is_one_key}
        return list(found.values())

    @property
    def signers(self) -> list[Signer]:
        """All that signed, in the order of the file."""
        pairs = [signed.signer for pair in self.contradictions for signed in (pair.first, pair.second)]
        return list({signer.kid: signer for signer in pairs}.values())


def differs(first: Checkpoint, second: Checkpoint) -> str | None:
    """How two heads of one ledger contradict each other by themselves: `ROOT`, `TIME`, or None if they do not."""
    if first.size == second.size and first.root != second.root:
        return ROOT
    first, second = sorted((first, second), key=lambda head: head.size)
    is_early = second.time < first.time or (first.size == second.size and first.time != second.time)
    return TIME if is_early else None


def contradiction(first: Checkpoint, second: Checkpoint) -> Contradiction | None:
    """The pair as it stands in a file, if the two heads contradict each other by themselves."""
    if differs(first, second) is None:
        return None
    first, second = sorted((first, second), key=lambda head: head.size)
    return Contradiction(receipt.bare(first), receipt.bare(second), None)


def verify(data: bytes, ledger: bytes | None = None, trusted: Pinned | None = None) -> SplitView:
    """Checks a file by the ledger's id, or by what a trust file of the verifier's own says, or by both.

    Without either, whoever made the file could have made the ledger too.

    Raises `HansaError`: `split.form`, `split.version`, `split.none` where two heads can both be true, those of
    `verification.pin_genesis`, `receipt.key_unknown`, `checkpoint.invalid`, `verify.ledger`, `verify.clock`,
    `receipt.span`, and what is wrong with a receipt.
    """
    file = split_view.decode(data)
    by_genesis = verification.pin_genesis(file.genesis, ledger)
    if trusted is not None and trusted.ledger != by_genesis.ledger:
        raise HansaError("verify.ledger", f"it is for ledger {genesis.ledger_id(file.genesis).hex()}")
    judge = Judge(trusted or by_genesis, file.genesis)
    found: list[Contradicting] = []
    for number, pair in enumerate(file.contradictions, 1):
        try:
            found.append(judge.judge(pair))
        except HansaError as error:
            told = f"pair {number}: {error.detail}"
            raise HansaError(error.code, told, remedy=error.remedy, **error.fields) from None
    return SplitView(genesis.ledger_id(file.genesis), found)


class Judge:
    """Verifies pairs of heads by the keys that are pinned. `document` is the ledger's genesis document."""

    def __init__(self, pinned: Pinned, document: bytes) -> None:
        self._pinned = pinned
        nodes = genesis.decode(document).nodes
        self._members = {node.id: node.member for node in nodes}
        self._members |= {owner.node: owner.member for owner in pinned.owners.values()}
        self._nodes = {PublicKey(node.checkpoint_key).kid: node.id for node in nodes}
        self._nodes |= {kid: sizes.node for kid, sizes in pinned.sizes.items()}

    def signer(self, kid: bytes) -> Signer:
        """Whose key it is."""
        node, sizes = self._nodes.get(kid, ""), self._pinned.sizes.get(kid)
        return Signer(kid, node, self._members.get(node, ""), sizes is not None and sizes.last is not None)

    def judge(self, pair: Contradiction) -> Contradicting:
        """What a pair proves. Raises `HansaError`, `split.none` if it proves nothing."""
        first = receipt.read_bare(pair.first)
        self.check(first)
        if pair.entry is None:
            second = receipt.read_bare(pair.second)
            self.check(second)
            how = differs(first, second)
            if how is None:
                raise HansaError("split.none")
            return self._found(how, first, second, None)
        proven = receipt.verify_inclusion(pair.second, pair.entry, self._pinned.keys)
        second = receipt.head_of(pair.second, pair.entry)
        self.check(second)
        if not proven.seq or proven.seq != first.size:
            told = f"the receipt is for entry {proven.seq}, the first head covers {first.size} entries"
            raise HansaError("split.none", told)
        before = receipt.root_before(pair.second)
        if before == first.root:
            raise HansaError("split.none")
        return self._found(HISTORY, first, second, before)

    def check(self, head: Checkpoint) -> None:
        """Checks that a head was signed for this ledger by a key that counts at its size. Raises `HansaError`."""
        pinned = self._pinned
        key = pinned.keys.get(head.kid)
        if key is None:
            raise HansaError("receipt.key_unknown", f"signed by key {head.kid.hex()}, which is not pinned")
        if head.ledger != pinned.ledger:
            raise HansaError("verify.ledger", f"a head is for ledger {head.ledger.hex()}")
        if pinned.told not in (None, head.told):
            raise HansaError("verify.clock")
        if not checkpoint.verify(head, key):
            raise HansaError("checkpoint.invalid")
        sizes = pinned.sizes.get(head.kid)
        if sizes is not None and not sizes.first <= head.size <= (sizes.last or head.size):
            until = "now" if sizes.last is None else str(sizes.last)
            told = f"key {head.kid.hex()} signs for the sizes {sizes.first} to {until}, not for {head.size}"
            raise HansaError("receipt.span", told)

    def _found(self, how: str, first: Checkpoint, second: Checkpoint, before: bytes | None) -> Contradicting:
        return Contradicting(how, self._signed(first), self._signed(second), before)

    def _signed(self, head: Checkpoint) -> Signed:
        return Signed(self.signer(head.kid), head.size, head.time, head.root)
