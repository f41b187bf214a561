"""Receipts by several members: asks the other members' nodes to sign the head that this node has, and checks it.

Outside the order and behind it: what is signed is durable here, a node that is asked signs what it has itself, and who
does not answer delays nobody but the one who asked. Called by `api`, on the node's event loop. It believes no peer: a
signature counts if it is good for the very head that this node has, under a key that the ledger's records name for a
node of an active member at that size. It never asks on its own, and keeps what it got in memory alone.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec
import structlog

from hansa.client import agreement
from hansa.client.exchange import COSE, Reply, Request, address, refusal
from hansa.governance.genesis import PENDING
from hansa.merkle import checkpoint, receipt
from hansa.merkle.checkpoint import Checkpoint
from hansa.node.node import Node
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.client.connections import AsyncConnections
    from hansa.client.transport import AsyncTransport
    from hansa.node.tls import Credentials

log = structlog.get_logger()

WAIT_S: Final = 5.0
"""How long an answer waits for other members' nodes; then it has what there is."""
HEADS_MAX: Final = 64
"""Heads of which other members' signatures are kept."""
ASKED_MAX: Final = 256
"""Requests to peers at once; beyond it nobody is asked, and answers have what there is."""


class Cosigned(msgspec.Struct, frozen=True):
    """Receipts for one entry under one head, each valid alone, this node's own first.

    `k` members were asked for; `members` signed, in the order of the receipts; `missing` have nodes that count, and no
    signature came. `split` signed another root for the same size: they show another history, or this node does.
    """

    receipts: list[bytes]
    k: int
    members: list[str]
    missing: list[str]
    split: list[str]


Told: TypeAlias = Callable[[list[Cosigned] | None], None]
"""Takes what there is for each entry, or None where there can be none now: a full disk."""


class _Head:
    """A head of this node, what members' nodes signed of it, and who is being asked.

    `first` is the seq of its block's first entry, by which keys count. `split` has what members signed with another
    root. `answered` and `asking` are by the peers' URLs.
    """

    def __init__(self, own: Checkpoint, first: int) -> None:
        self.own = own
        self.first = first
        self.signed: dict[str, Checkpoint] = {}
        self.split: dict[str, Checkpoint] = {}
        self.answered: set[str] = set()
        self.asking: dict[str, asyncio.Task[None]] = {}


class Cosigners:
    """A node and its peers. `transport` carries requests to them; without it they get connections of its own.

    On these both show certificates under their registered keys: see `tls`, whose `credentials` are the node's own.
    """

    def __init__(
        self, node: Node, transport: "AsyncTransport | None" = None, credentials: "Credentials | None" = None
    ) -> None:
        self._node = node
        self._credentials = credentials
        self._own: AsyncConnections | None = None
        self._transport = transport
        if node.peers:
            self._carrier()
        self._heads: dict[int, _Head] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._telling: set[asyncio.Task[None]] = set()

    def wanted(self, k: int | None) -> int:
        """How many members `k` asks for. None: f + 1 of those that have nodes: one is honest where at most f are not.

        Raises `HansaError` `receipt.k` for more members than have nodes.
        """
        members = self._node.directory.cosigners()
        k = agreement.default_k(members) if k is None else k
        if k > len(members):
            raise HansaError("receipt.k", f"{k} are asked for, and {len(members)} have")
        return k

    async def receipts(self, seqs: Sequence[int], k: int) -> list[Cosigned]:
        """Receipts for each of these entries, all under one head, by `k` members, or by those there are at `WAIT_S`.

        Raises `HansaError` as `Reading.receipt`.
        """
        node, last = self._node, max(seqs)
        node.sign_checkpoint()
        node.reading.receipt(last)  # refuses what is no entry, or is not covered yet
        head = next((one for one in reversed(self._heads.values()) if self._serves(one, last, k)), None)
        if head is None:
            head = self._newest()
            await self._gather(head, k)
        signed = list(head.signed.items())[:k]
        members = [name for name, _ in signed]
        able = node.directory.cosigners() if len(signed) < k else []
        missing, split = [name for name in able if name not in head.signed], sorted(head.split)
        return [
            Cosigned([node.reading.receipt_under(seq, one) for _, one in signed], k, members, missing, split)
            for seq in seqs
        ]

    def begin(self, seqs: Sequence[int], k: int, told: Told) -> None:
        """The same for who does not wait here: `told` is called with what there is, unless all ends before."""
        telling = asyncio.get_running_loop().create_task(self._tell(seqs, k, told))
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)

    async def _tell(self, seqs: Sequence[int], k: int, told: Told) -> None:
        try:
            found = await self.receipts(seqs, k)
        except HansaError as error:
            log.warning("receipt.none", seqs=list(seqs), code=error.code)
            found = None
        told(found)

    async def close(self) -> None:
        """Gives up what is still asked, and lets the connections go."""
        asking = [*self._asking, *self._telling]
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        if self._own is not None:
            await self._own.aclose()

    def _carrier(self) -> "AsyncTransport":
        """What carries requests to peers."""
        if self._transport is None:
            from hansa.client.connections import AsyncConnections  # noqa: PLC0415 - as below
            from hansa.node.tls import Credentials, PeerCertificates  # noqa: PLC0415

            credentials = self._credentials or Credentials(self._node, ())
            self._transport = self._own = AsyncConnections(PeerCertificates(credentials))
        return self._transport

    def _serves(self, head: _Head, seq: int, k: int) -> bool:
        """Whether what is there already is enough, under keys that still count."""
        current = self._node.directory.checkpoint_keys
        found = head.signed.values()
        return head.own.size > seq and len(found) >= k and all(one.kid in current for one in found)

    def _newest(self) -> _Head:
        """The newest head of this node, which it has signed itself."""
        own = self._node.reading.checkpoint()
        head = self._heads.get(own.size)
        if head is None:
            head = self._heads[own.size] = _Head(own, self._node.reading.header_of(own.size - 1).seq)
            if len(self._heads) > HEADS_MAX:
                del self._heads[next(iter(self._heads))]
            with contextlib.suppress(HansaError):  # of a member that was removed
                self._take(head, own)
        return head

    async def _gather(self, head: _Head, k: int) -> None:
        """Has the peers asked that have not answered, and waits until `k` members have signed, or all is in vain.

        Who asks for the same head meanwhile waits for the same requests; they go on when an asker goes.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + WAIT_S
        if len(head.signed) < k:
            for peer in self._node.peers:
                if peer not in head.answered and peer not in head.asking and len(self._asking) < ASKED_MAX:
                    head.asking[peer] = loop.create_task(self._ask(peer, head))
                    self._asking.add(head.asking[peer])
        while len(head.signed) < k and head.asking and (left := end - loop.time()) > 0:
            await asyncio.wait(list(head.asking.values()), timeout=left, return_when=asyncio.FIRST_COMPLETED)

    async def _ask(self, peer: str, head: _Head) -> None:
        """Asks one peer for its checkpoint of a head; a peer that is behind waits until it has come so far."""
        from hansa.client.transport import carry_async  # noqa: PLC0415 - it takes a while to load, and few need it

        size = head.own.size
        query = {"at_least": size - 1}
        request = Request("GET", peer, f"/app/checkpoints/{size}", query, headers={"accept": COSE}, wait_s=WAIT_S)
        try:
            heard = await carry_async(self._carrier(), request)
            refused = heard if isinstance(heard, HansaError) else refusal(heard) if heard.status != 200 else None
            if refused is not None:
                log.info("cosigning.none", peer=address(peer), size=size, code=refused.code)
            elif isinstance(heard, Reply):
                self._take(head, receipt.read_bare(heard.body))
                head.answered.add(peer)
        except HansaError as error:
            log.warning("cosigning.passed_over", peer=address(peer), size=size, code=error.code, detail=error.detail)
        finally:
            self._asking.discard(head.asking.pop(peer))

    def _take(self, head: _Head, found: Checkpoint) -> None:
        """Counts a checkpoint for its member. Raises `HansaError` if it does not count, and for whom it does not.

        Another root under a key that counts is no mistake of the way: what both signed is logged, as the proof of it.
        """
        own, directory = head.own, self._node.directory
        if (found.ledger, found.size, found.told) != (own.ledger, own.size, own.told):
            raise HansaError("checkpoint.invalid", "it is of another ledger or size")
        span = directory.checkpoint_spans.get(found.kid)
        if span is None:
            raise HansaError(
                "receipt.key_unknown", f"the key {found.kid.hex()} is none of the ledger's checkpoint keys"
            )
        if not span.signs_from(head.first):
            raise HansaError("receipt.span", f"the key {found.kid.hex()} does not count at size {found.size}")
        if not checkpoint.verify(found, span.key):
            raise HansaError("checkpoint.invalid", f"{span.node} did not sign it, whose key it names")
        member = directory.nodes[span.node].member
        if directory.nodes[span.node].state == PENDING:
            raise HansaError("receipt.key_unknown", f"{span.node} of {member} is not trusted yet: it signs for nobody")
        if member not in directory.members:
            raise HansaError("receipt.key_unknown", f"{member}, whose node {span.node} is, was removed")
        if found.root != own.root:
            head.split[member] = found
            shown = receipt.bare(own).hex(), receipt.bare(found).hex()
            log.error("checkpoint.split", member=member, node=span.node, size=own.size, own=shown[0], theirs=shown[1])
        elif found.time != own.time:
            raise HansaError("checkpoint.invalid", f"{span.node} says another time of the same head")
        else:
            head.signed.setdefault(member, found)
