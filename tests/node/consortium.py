"""A ledger of several members with several nodes in one process: one order for all, and a wire between them.

Each node has the HTTP server of `hansa up` in front of it; `wire` carries requests to the URLs of all of them
without sockets. What is ordered, or submitted to one, goes to every node at once, or to those that a test names.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from tests.client.inprocess import exchanged, maker

from hansa.api.submit import Limits, SubmitProtocol
from hansa.client import keys as key_files
from hansa.client import transactions
from hansa.node import peers, shipped
from hansa.node.cosigning import Cosigners
from hansa.node.create import CHECKPOINT_KEY, NODE_KEY, SNAPSHOTS, members_source
from hansa.node.node import Node, open_node
from hansa.orderers import HEALTHY, Batch, Replica, Standing
from hansa.store.files import Disk
from hansa.store.folder import Folder, new_folder
from hansa.wire import cose, genesis
from hansa.wire.genesis import Genesis, Member
from hansa.wire.keys import PrivateKey

TIME = time.time_ns() // 1_000_000
"""When its ledgers begin: real nodes do not go on behind a time that is yet to come."""
_NOT_AFTER = TIME + 3_600_000
SEATS = (("a-1", "acme"), ("a-2", "acme"), ("b-1", "beta"), ("c-1", "carl"), ("d-1", "dora"))
"""Of each node, its id and its member: four members, so that one may be bad."""
_Result = TypeVar("_Result")


class _Order:
    """Gives a node the batches that the consortium orders."""

    name = "dictated"

    def __init__(self, _: Replica) -> None:
        self.batches: list[Batch] = []
        self.ready: Callable[[], None] = lambda: None
        self.submitted: Callable[[bytes], None] = lambda _: None

    def start(self, position: int, digest: bytes, ready: Callable[[], None]) -> None:
        self.ready = ready
        ready()

    def submit(self, lane: str, id: bytes, envelope: bytes, steps: int) -> None:
        self.submitted(envelope)

    def take(self) -> Batch | None:
        return self.batches.pop(0) if self.batches else None

    def applied(self, position: int, digest: bytes) -> None: ...

    def standing(self) -> Standing:
        return Standing(HEALTHY)

    async def stop(self) -> None: ...


class Founded:
    """The members' and nodes' keys of a new ledger, and a folder for each node below `root`."""

    def __init__(self, root: Path, snapshots: tuple[int, int] = SNAPSHOTS) -> None:
        self.members = {member: key_files.generate("ed25519") for _, member in SEATS}
        self.governance = {member: key_files.generate("ed25519") for member in self.members}
        self.checkpoint_keys = {node: key_files.generate("p256") for node, _ in SEATS}
        self.engine_keys = {node: key_files.generate("ed25519") for node, _ in SEATS}
        node_keys = {node: key_files.generate("p256") for node, _ in SEATS}
        self.document = genesis.encode(
            Genesis(
                version=0,
                name="Several",
                time=TIME,
                nonce=bytes(16),
                members=[
                    Member(
                        id=name,
                        name=name.title(),
                        keys=[key.public.spki],
                        governance_keys=[self.governance[name].public.spki],
                    )
                    for name, key in self.members.items()
                ],
                nodes=[
                    genesis.Node(
                        id=node,
                        member=member,
                        node_key=node_keys[node].public.spki,
                        checkpoint_key=self.checkpoint_keys[node].public.spki,
                        engine_key=self.engine_keys[node].public.spki,
                        peer=f"{number:040x}",
                    )
                    for number, (node, member) in enumerate(SEATS)
                ],
                limits=genesis.Limits(),
                members_contract=members_source(),
                constitution=shipped.constitution("majority"),
                constitution_lock=1_000,
                libraries=[(shipped.LIBRARY, shipped.library())],
                snapshot_entries=snapshots[0],
                snapshot_blocks=snapshots[1],
            )
        )
        self.ledger = genesis.ledger_id(self.document)
        self.folders = {node: Folder(root / node) for node, _ in SEATS}
        for node, folder in self.folders.items():
            with new_folder(Disk(), folder.root) as new:
                key_files.save(node_keys[node], new.keys / NODE_KEY)
                key_files.save(self.checkpoint_keys[node], new.keys / CHECKPOINT_KEY)
                new.create(Disk(), self.document, self.ledger)


class Consortium(Founded):
    """The nodes by id, each of a folder below `root`. Use it from one thread; `close` it."""

    def __init__(self, root: Path, snapshots: tuple[int, int] = SNAPSHOTS) -> None:
        super().__init__(root, snapshots)
        self.urls = {node: f"http://127.0.0.1:{port}" for port, (node, _) in enumerate(SEATS, 1_001)}
        for node, folder in self.folders.items():
            peers.save(Disk(), folder, [url for other, url in self.urls.items() if other != node])
        self.asked: list[str] = []
        """The URL of each request that a node got over the wire."""
        self.cut: set[str] = set()
        """Nodes that nobody reaches."""
        self.answers: dict[str, httpx2.Response] = {}
        """What is answered in a node's place."""
        self._position = 0
        self._runner = asyncio.Runner()
        self.run(self._start())

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return self._runner.run(work)

    async def _start(self) -> None:
        self.orders: dict[str, _Order] = {}
        self.nodes: dict[str, Node] = {}
        self.cosigners: dict[str, Cosigners] = {}
        mounts: dict[str, httpx2.AsyncBaseTransport] = {}
        self._limits = Limits(asyncio.get_running_loop(), 1_000)
        self.wire = httpx2.AsyncClient(mounts=mounts)
        for node, url in self.urls.items():

            def make(replica: Replica, node: str = node) -> _Order:
                return self.orders.setdefault(node, _Order(replica))

            opened = self.nodes[node] = open_node(self.folders[node].root, orderer=make, reserve_bytes=0)
            opened.start()
            self.cosigners[node] = Cosigners(opened, self.wire)
            self.orders[node].submitted = self._order_alone
            host = url.removeprefix("http://")
            mounts[url] = _Wire(self, node, maker(opened, self.cosigners[node], self._limits, host))
        await self.wire.aclose()
        self.wire = httpx2.AsyncClient(mounts=mounts)
        for made in self.cosigners.values():
            made._transport = self.wire  # pyright: ignore[reportPrivateUsage]
        await self.until(lambda: all(node.reading.tip.size for node in self.nodes.values()))

    async def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(5_000):
            if condition():
                return
            await asyncio.sleep(0.002)
        raise AssertionError("it did not come to that")

    def envelope(self, member: str = "acme") -> bytes:
        """A transaction that the rules refuse, which has its entry like any other."""
        key = self.members[member]
        return transactions.prepare(key, self.ledger, "nowhere", "nothing", {}, not_after=_NOT_AFTER).envelope

    def governing(self, member: str, action: str, **arguments: Any) -> bytes:
        """What a member's governance key signs."""
        prepared = transactions.prepare(
            self.governance[member],
            self.ledger,
            "members",
            action,
            arguments,
            steps_max=200_000,
            not_after=_NOT_AFTER,
            content_type=cose.GOVERNANCE,
        )
        return prepared.envelope

    async def order(self, *envelopes: bytes, to: Iterable[str] | None = None) -> int:
        """Orders a batch, by itself for every node, and waits for it; the seq of its last entry."""
        self._position += 1
        batch = Batch(self._position, TIME + self._position, list(envelopes))
        names = list(self.nodes if to is None else to)
        sizes = {name: self.nodes[name].reading.tip.size + len(envelopes) for name in names}
        self.deliver(batch, names)
        # One more where the block ends with the digest of a state.
        await self.until(lambda: all(self.nodes[name].reading.tip.size >= size for name, size in sizes.items()))
        return sizes[names[0]] - 1

    def _order_alone(self, envelope: bytes) -> None:
        """What a node was given is a batch of its own, for all."""
        self._position += 1
        self.deliver(Batch(self._position, TIME + self._position, [envelope]), self.nodes)

    def deliver(self, batch: Batch, names: Iterable[str]) -> None:
        for name in names:
            self.orders[name].batches.append(batch)
            self.orders[name].ready()

    def make_key(self, node: str) -> PrivateKey:
        """A next checkpoint key for a node, in its folder."""
        key = key_files.generate("p256")
        key_files.save(key, self.folders[node].keys / "checkpoint-2.pem")
        return key

    async def _stop(self) -> None:
        self._limits.stop()
        for node, opened in self.nodes.items():
            await self.cosigners[node].close()
            await opened.stop()
        await self.wire.aclose()

    def stop(self) -> None:
        """Ends the nodes in order; their folders are let go."""
        self.run(self._stop())

    def start(self) -> None:
        """Starts them again."""
        self.run(self._start())

    def close(self) -> None:
        self.stop()
        self._runner.close()


class _Wire(httpx2.AsyncBaseTransport):
    """The way to one node."""

    def __init__(self, consortium: Consortium, node: str, make: Callable[[], SubmitProtocol]) -> None:
        self._consortium, self._node, self._make = consortium, node, make

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._consortium.asked.append(str(request.url))
        if self._node in self._consortium.cut:
            raise httpx2.ConnectError("cut")
        if self._node in self._consortium.answers:
            return self._consortium.answers[self._node]
        return await exchanged(self._make(), request)
