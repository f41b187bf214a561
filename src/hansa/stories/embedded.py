"""A node in this process, on a thread of its own, reached as any other: over HTTP, on loopback."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Final

import uvloop

from hansa.api import server
from hansa.client import Client
from hansa.node.node import open_node

RESERVE_BYTES: Final = 16 * 1024 * 1024
"""Free space that a story leaves: it writes less."""


@contextlib.contextmanager
def embedded(root: Path) -> Generator[Client, None, None]:
    """A client of a node over the ledger in `root`, stopped in the end. Raises what keeps it from going on."""
    begun: queue.SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Event] | None] = queue.SimpleQueue()
    failed: list[BaseException] = []
    with server.bind("127.0.0.1", 0) as listener:

        async def serve() -> None:
            ending = asyncio.Event()
            node = open_node(root, reserve_bytes=RESERVE_BYTES)
            await server.serve(node, listener, lambda: begun.put((asyncio.get_running_loop(), ending)), ending)

        def run() -> None:
            try:
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    runner.run(serve())
            except BaseException as error:  # it is raised where the story is told
                failed.append(error)
            finally:
                begun.put(None)

        thread = threading.Thread(target=run, name="node")
        thread.start()
        started = begun.get()
        try:
            if started is not None:
                with Client(server.url_of(listener)) as client:
                    yield client
        finally:
            if started is not None:
                loop, ending = started
                with contextlib.suppress(RuntimeError):  # its loop is closed: it ended by itself
                    loop.call_soon_threadsafe(ending.set)
            thread.join()
        if failed:
            raise failed[0]
