"""What lies between the engines of a network: every connection goes through here, and can be cut, held and slowed.

Each engine of CometBFT reaches each other one at a port of its own, from which bytes are passed on. A link that is
held keeps its connections and lets nothing through in one direction, like a network that drops packets; one that is
cut ends them too, and takes no new ones.
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import Coroutine, Iterable, Sequence
from itertools import permutations
from random import Random
from typing import Any

import msgspec

from hansa.node import network as networks
from hansa.node import ordering
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire import genesis

from .network_nodes import Nodes

_CHUNK = 64 * 1024
_LOOK_S = 0.02
_RESEND_S = 0.2
"""What a packet that was lost costs: it is sent again after about so long, and what is behind it waits."""


class Links:
    """Between all nodes. `held`: from whom to whom nothing passes; `delay_s`: how long each way takes; `lost`: which
    part of what passes is lost at first; `diverted`: where a link ends instead. All may be changed at any time."""

    def __init__(self, nodes: Nodes) -> None:
        self.held: set[tuple[str, str]] = set()
        self.cut: set[tuple[str, str]] = set()
        self.delay_s = 0.0
        self.lost = 0.0
        self.diverted: dict[tuple[str, str], str] = {}
        self._chance = Random(0)
        self._nodes = nodes
        first = nodes.folders[nodes.names[0]]
        self._founders = genesis.decode(first.genesis.read_bytes()).nodes
        self._connections: dict[asyncio.Task[None], tuple[str, str]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._servers: list[asyncio.Server] = []
        self._thread.start()
        self._do(self._lay())

    def hold(self, *links: tuple[str, str]) -> None:
        """Nothing passes from the first of each to the second."""
        self.held.update(links)

    def split(self, some: Iterable[str]) -> None:
        """Ends and refuses all connections between these and the rest."""
        some = set(some)
        self.cut.update(link for link in permutations(self._nodes.names, 2) if len(some.intersection(link)) == 1)
        self._do(self._end(self.cut))

    def twin(self, name: str, folder: Folder, known: Sequence[str]) -> None:
        """A second node with the keys of `name`: these others know it in the first one's place, and it knows only them.

        Neither may run yet. The node's settings in `folder` name the links of its own then, and where it listens.
        """
        found = ordering.load(Disk(), folder)
        assert found is not None
        assert found.cometbft is not None
        (port,) = networks.free_ports(1, os.urandom(4))
        listen = f"127.0.0.1:{port}"
        begin = f"{name} too"
        comet = msgspec.structs.replace(found.cometbft, listen=listen)
        ordering.save(Disk(), folder, msgspec.structs.replace(found, cometbft=comet, port=0))
        self._do(self._lay_for(begin, name, folder))
        strangers = [other for other in self._nodes.others(name) if other not in known]
        self.cut.update([(begin, other) for other in strangers] + [(name, other) for other in known])
        self.diverted.update({(other, name): listen for other in known})
        self._do(self._end({link for other in known for link in ((name, other), (other, name))}))

    def heal(self) -> None:
        """All is as it was."""
        self.held.clear()
        self.cut.clear()
        self._do(self._end(set(self.diverted)))
        self.diverted.clear()

    def close(self) -> None:
        """Ends all."""
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result()

    async def _lay(self) -> None:
        """A port for each pair, which each node's settings then name in place of the other's own."""
        for name in self._nodes.names:
            await self._lay_for(name, name, self._nodes.folders[name])

    async def _lay_for(self, begin: str, name: str, folder: Folder) -> None:
        """The links that begin at the node of a folder, whose name in the network is `name`."""
        made = ordering.load(Disk(), folder)
        assert made is not None
        assert made.cometbft is not None
        others = [each for each in self._founders if each.id != name]
        addresses = {each.id: await self._listen(begin, each.id, each.address) for each in others}
        comet = msgspec.structs.replace(made.cometbft, addresses=addresses)
        ordering.save(Disk(), folder, msgspec.structs.replace(made, cometbft=comet))

    async def _listen(self, begin: str, end: str, address: str) -> str:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._connections[task] = begin, end
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._carry(begin, end, address, reader, writer)
            writer.close()
            del self._connections[task]

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        self._servers.append(server)
        return "127.0.0.1:" + str(server.sockets[0].getsockname()[1])

    async def _carry(
        self, begin: str, end: str, address: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if (begin, end) in self.cut:
            return
        there, back = await asyncio.open_connection(*self.diverted.get((begin, end), address).split(":"))
        try:
            ways = [self._pass(begin, end, reader, back), self._pass(end, begin, there, writer)]
            tasks = [asyncio.create_task(way) for way in ways]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            back.close()

    async def _pass(self, begin: str, end: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """In one direction. What waits for its delay is bounded by how much can be under way in that time."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(1_000)

        async def give() -> None:
            while True:
                at, data = await under_way.get()
                await asyncio.sleep(max(0.0, at - self._loop.time()))
                while (begin, end) in self.held:  # noqa: ASYNC110 - another thread ends it
                    await asyncio.sleep(_LOOK_S)
                writer.write(data)
                await writer.drain()

        giving = asyncio.create_task(give())
        try:
            while data := await reader.read(_CHUNK):
                lost = _RESEND_S if self._chance.random() < self.lost else 0.0
                await under_way.put((self._loop.time() + self.delay_s + lost, data))
        finally:
            giving.cancel()
            await asyncio.gather(giving, return_exceptions=True)

    async def _end(self, links: set[tuple[str, str]]) -> None:
        ended = [task for task, link in self._connections.items() if link in links]
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        await self._end(set(self._connections.values()))
