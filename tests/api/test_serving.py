"""When those are told who wait for a node's beginning and its end."""

import asyncio
from pathlib import Path

from hansa.api import server
from hansa.node.create import Founder, create_ledger
from hansa.node.node import open_node
from hansa.store.files import Disk
from hansa.store.folder import Folder, is_locked


def test_that_it_ended_is_told_while_the_ledger_is_locked(tmp_path: Path) -> None:
    """Behind the lock comes the next node of the folder, or its removal: nothing may be written there any more."""
    folder = Folder(tmp_path / "ledger")
    create_ledger(Disk(), folder, "Ledger", [Founder("acme", "Acme")])
    told: list[tuple[str, bool]] = []

    async def serve() -> None:
        ending = asyncio.Event()

        def started() -> None:
            told.append(("started", is_locked(folder.lock)))
            ending.set()

        def ended() -> None:
            told.append(("ended", is_locked(folder.lock)))

        with server.bind("127.0.0.1", 0) as listener:
            node = open_node(folder.root, reserve_bytes=0)
            await server.serve(node, listener, started, ending, ended=ended)

    asyncio.run(serve())
    assert told == [("started", True), ("ended", True)]
    assert not is_locked(folder.lock)
