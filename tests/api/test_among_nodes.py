"""Nodes of several members over mutual TLS, by real connections: they sign for each other, and let no other in."""

import asyncio
import datetime
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog
from tests.node.consortium import TIME, Founded, _Order

from hansa.api import server
from hansa.api.server import Listening
from hansa.client import AsyncClient, certificates, transactions
from hansa.client import keys as key_files
from hansa.node import cosigning, peers, tls
from hansa.node.node import Node, open_node
from hansa.orderers import Batch, Replica
from hansa.store.files import Disk
from hansa.wire import cose
from hansa.wire.keys import PrivateKey
from hansa.wire.problems import HansaError

THREE = ("a-1", "b-1", "c-1")
LONG_AGO = datetime.datetime(2020, 6, 1, tzinfo=datetime.UTC)


class Asked(_Order):
    """An order whose engine answers, as CometBFT's does."""

    async def ask(self, route: str, query: dict[str, int]) -> bytes:
        return json.dumps({"route": route, "query": dict(query)}).encode()


class Apart(Founded):
    """Three nodes, each with its two ways in, that know of each other by https alone."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.orders: dict[str, Asked] = {}
        self.nodes: dict[str, Node] = {}
        self.plain = {node: server.bind("127.0.0.1", 0) for node in THREE}
        self.secured = {node: server.bind_any("127.0.0.1", 0) for node in THREE}
        self.urls = {node: server.url_of(self.secured[node], "https") for node in THREE}
        for node in THREE:
            peers.save(Disk(), self.folders[node], [url for other, url in self.urls.items() if other != node])
        self._position = 0

    async def run(self, play: Callable[["Apart"], Coroutine[Any, Any, None]]) -> None:
        """Has the nodes serve while a test plays."""
        ending, serving = asyncio.Event(), []
        for node in THREE:

            def make(replica: Replica, node: str = node) -> Asked:
                return self.orders.setdefault(node, Asked(replica))

            opened = self.nodes[node] = open_node(self.folders[node].root, orderer=make, reserve_bytes=0)
            listening = Listening(self.secured[node], ["127.0.0.1"])
            serve = server.serve(opened, self.plain[node], ending=ending, listening=listening)
            serving.append(asyncio.create_task(serve))
        try:
            await self.until(lambda: all(node.reading.tip.size for node in self.nodes.values()))
            await play(self)
        finally:
            ending.set()
            await asyncio.gather(*serving)

    async def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(5_000):
            if condition():
                return
            await asyncio.sleep(0.002)
        raise AssertionError("it did not come to that")

    async def order(self, envelope: bytes) -> int:
        """Orders a transaction for all; the seq of its entry."""
        self._position += 1
        size = self.nodes["a-1"].reading.tip.size
        for name, order in self.orders.items():
            order.batches.append(Batch(self._position, TIME + self._position, [envelope]))
            order.ready()
            await self.until(lambda name=name: self.nodes[name].reading.tip.size == size + 1)
        return size

    def envelope(self) -> bytes:
        key = self.members["acme"]
        return transactions.prepare(key, self.ledger, "nowhere", "nothing", {}, not_after=TIME + 600_000).envelope

    async def signed(self, k: int) -> httpx2.Response:
        """The receipts of a-1 for a new entry, asked for on its own machine."""
        seq = await self.order(self.envelope())
        async with httpx2.AsyncClient(timeout=30) as client:
            return await client.get(f"{server.url_of(self.plain['a-1'])}/app/receipts/{seq}", params={"k": k})

    def key(self, node: str, name: str = "node.pem") -> PrivateKey:
        """A node's own key."""
        return key_files.load(self.folders[node].keys / name)

    def governing(self, member: str, action: str, **arguments: Any) -> bytes:
        """What a member's governance key signs."""
        prepared = transactions.prepare(
            self.governance[member], self.ledger, "members", action, arguments,
            steps_max=200_000, not_after=TIME + 600_000, content_type=cose.GOVERNANCE,
        )  # fmt: skip
        return prepared.envelope


def play(root: Path, scene: Callable[[Apart], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(Apart(root).run(scene))


def members(answer: httpx2.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return sorted(answer.headers["hansa-members"].split(", "))


def test_nodes_sign_for_each_other_until_a_key_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cosigning, "WAIT_S", 3.0)

    async def scene(apart: Apart) -> None:
        assert members(await apart.signed(3)) == ["acme", "beta", "carl"]
        await apart.order(apart.governing("carl", "revoke_key", key=apart.key("c-1").kid))
        answer = await apart.signed(3)
        assert members(answer) == ["acme", "beta"]
        assert "carl" in answer.headers["hansa-missing"]

    play(tmp_path, scene)


def test_certificates_that_have_expired_warn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    issue = tls.issue
    monkeypatch.setattr(tls, "issue", lambda key, names: issue(key, names, LONG_AGO))

    async def scene(apart: Apart) -> None:
        with structlog.testing.capture_logs() as logs:
            assert members(await apart.signed(3)) == ["acme", "beta", "carl"]
        assert {one["node"] for one in logs if one["event"] == "tls.expired"} == {"a-1"}  # it asked, so it was met

    play(tmp_path, scene)


def test_the_engine_answers_nodes_alone(tmp_path: Path) -> None:
    async def scene(apart: Apart) -> None:
        path = f"{apart.urls['a-1']}/node/engine/commit?height=7"
        b = tls.Credentials(apart.nodes["b-1"], ())
        async with httpx2.AsyncClient(verify=b.client()) as client:
            named = {"sni_hostname": certificates.NODE_NAME}
            answer = await client.get(path, extensions=named)
            assert (answer.status_code, answer.json()) == (200, {"route": "commit", "query": {"height": 7}})
            for route, query in (("broadcast_tx_sync", "tx=00"), ("unsafe_dial_peers", ""), ("commit", "height=x")):
                answer = await client.get(f"{apart.urls['a-1']}/node/engine/{route}?{query}", extensions=named)
                assert answer.status_code in (400, 404), answer.text
        async with httpx2.AsyncClient(verify=certificates.by_keys([apart.key("a-1").public])) as stranger:
            answer = await stranger.get(path, extensions=named)
            assert (answer.status_code, answer.json()["code"]) == (401, "reader.token")

    play(tmp_path, scene)


def test_a_member_is_no_node_to_the_engine(tmp_path: Path) -> None:
    async def scene(apart: Apart) -> None:
        async with AsyncClient(apart.urls["a-1"], apart.members["beta"], apart.ledger.hex(), patient=False) as client:
            assert (await client.status()).ledger == apart.ledger.hex()
            with pytest.raises(HansaError) as caught:
                await client.get("/node/engine/status")
            assert caught.value.code == "reader.node"

    play(tmp_path, scene)


def test_a_retired_node_is_let_in_no_more(tmp_path: Path) -> None:
    async def scene(apart: Apart) -> None:
        path, named = f"{apart.urls['a-1']}/node/status", {"sni_hostname": certificates.NODE_NAME}
        async with httpx2.AsyncClient(verify=tls.Credentials(apart.nodes["c-1"], ()).client()) as client:
            assert (await client.get(path, extensions=named)).status_code == 200
            await apart.order(apart.governing("carl", "retire_own_node", node="c-1"))
            answer = await client.get(path, extensions=named)  # on the connection that it has
            assert (answer.status_code, answer.json()["code"]) == (401, "reader.token")
        context = certificates.by_keys([apart.key("a-1").public])
        file = tmp_path / "c.pem"
        file.write_bytes(tls.issue(apart.key("c-1"), ()))
        context.load_cert_chain(file)
        async with httpx2.AsyncClient(verify=context) as client:
            with pytest.raises(httpx2.TransportError):
                await client.get(path, extensions=named)
        async with AsyncClient(apart.urls["a-1"], apart.key("c-1"), apart.ledger.hex(), patient=False) as reader:
            with pytest.raises(HansaError) as caught:
                await reader.status()
            assert caught.value.code == "reader.unknown"

    play(tmp_path, scene)


def test_a_key_from_after_the_beginning_is_told_by_a_node_that_is_known(tmp_path: Path) -> None:
    async def scene(apart: Apart) -> None:
        new = key_files.generate("ed25519")
        key_files.save(new, apart.folders["b-1"].keys / "node-2.pem")
        common = {"owner_kind": "node", "owner": "b-1", "expires": None, "purpose": "node"}
        await apart.order(apart.governing("beta", "register_key", spki=new.public.spki, **common))
        await apart.until(lambda: apart.nodes["b-1"].own_key().kid == new.kid)
        acme, ledger = apart.members["acme"], apart.ledger.hex()
        async with AsyncClient(apart.urls["b-1"], acme, ledger, patient=False) as client:
            with pytest.raises(HansaError) as caught:
                await client.status()
            assert caught.value.code == "tls.unregistered"
        async with AsyncClient([apart.urls["a-1"], apart.urls["b-1"]], acme, ledger, patient=False) as client:
            found = await client.compare()
            assert (found.verdict, [head.node for head in found.heads]) == ("agree", ["a-1", "b-1"])

    play(tmp_path, scene)
