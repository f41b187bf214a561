"""Three nodes of one ledger, each with its own folder, whose order comes out of one cluster of etcd."""

import asyncio
import shutil
from contextlib import asynccontextmanager
from functools import partial

import pytest
from tests.node.conftest import Ledger, Session, end_workers
from tests.orderers import clusters
from tests.orderers.replicas import until

from hansa.node.node import open_node
from hansa.orderers.etcd import orderer
from hansa.orderers.etcd.orderer import Etcd
from hansa.store import folder
from hansa.wire import entry
from hansa.wire.problems import HansaError


def begun(ledger, settings):
    """A running node of a ledger, and its keys; as if on a machine of its own, where no other signs with them."""
    home = ledger.root.parent / f"home of {ledger.root.name}"
    home.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder, "account_home", lambda: home)
        node = open_node(ledger.root, reserve_bytes=0, orderer=partial(Etcd, settings, clusters.binary()))
    node.start()
    return Session(node, ledger)


@asynccontextmanager
async def running(ledgers, settings):
    """Sessions with running nodes; a test may put another in the place of one that it stopped."""
    sessions = []
    try:
        sessions += map(begun, ledgers, settings)
        yield sessions
    finally:
        await asyncio.gather(*(session.node.stop() for session in sessions))
        for session in sessions:
            end_workers(session.node)


async def taken(session, prepared):
    """Submits to a node that has just begun; until its cluster answers it takes nothing, and says so."""
    while isinstance(answer := await session.submit(prepared), HansaError):
        assert answer.code == "orderer.halted"
        await asyncio.sleep(0.1)
    assert entry.decode_outcome(answer.outcome).status == "applied"


def test_all_nodes_execute_the_same_also_one_that_was_away(make_ledger, tmp_path, monkeypatch):
    monkeypatch.setattr(orderer, "ENGINE_PATIENCE_S", 0.2)
    first = make_ledger(deployed=False)
    ledgers = [first]
    for name in "bc":
        shutil.copytree(first.root, tmp_path / name)
        ledgers.append(Ledger(tmp_path / name, first.id))
    settings = clusters.settings(tmp_path / "engines", "abc")

    async def scenario():
        async with running(ledgers, settings) as sessions:
            a, b, c = sessions

            def size(session):
                return session.node.reading.tip.size

            async def together():
                await until(lambda: len({size(session) for session in sessions}) == 1)
                assert len({session.node.reading.tip.previous for session in sessions}) == 1

            await taken(a, first.deploy())
            await together()
            await asyncio.gather(taken(a, first.open("a")), taken(b, first.open("b")), taken(c, first.open("c")))

            both = first.add("a", 5)
            answers = await asyncio.gather(a.submit(both), b.submit(both), c.submit(both))
            assert len({answer.seq for answer in answers}) == 1
            assert {entry.decode_outcome(answer.outcome).status for answer in answers} == {"applied"}
            await together()

            await c.node.stop()
            end_workers(c.node)
            for amount in range(1, 11):
                await (a, b)[amount % 2].applied(first.add("b", amount))
            sessions[2] = c = begun(ledgers[2], settings[2])
            await until(lambda: size(c) == size(a))
            await taken(c, first.add("c", 3))
            await together()
            return size(a)

    assert asyncio.run(scenario()) == 1 + 1 + 3 + 1 + 10 + 1
