"""Members and nodes of a cluster know each other by certificates of one authority, which are made anew in time."""

import asyncio
import time
from datetime import timedelta
from functools import partial

import httpx2
import pytest
from tests.orderers import authority, clusters
from tests.orderers.etcd.test_orderer import all_have, one_by_one, reason, running, same, state
from tests.orderers.replicas import Node, until

from hansa.orderers.etcd import orderer, tls
from hansa.orderers.etcd.orderer import Etcd
from hansa.store.files import Disk, replace


def now():
    return time.time_ns() // 1_000_000


@pytest.fixture
def secured(tmp_path, monkeypatch):
    """Makes the nodes of a cluster whose certificates come from one authority. `issued` has whom each was for."""
    monkeypatch.setattr(orderer, "ENGINE_PATIENCE_S", 0.2)
    by = authority.authority("acme", now())
    (tmp_path / "ca.pem").write_bytes(by.certificate)

    def renew(name, life):
        pair = authority.issue(by, name, ["127.0.0.1"], now(), life)
        replace(Disk(), tmp_path / f"{name}.pem", pair.certificate + pair.key)
        make.issued.append(name)

    def make(names, life=timedelta(days=1)):
        def files(name):
            return {
                "ca": f"{tmp_path}/ca.pem",
                "certificate": f"{tmp_path}/{name}.pem",
                "key": f"{tmp_path}/{name}.pem",
            }

        def started(settings, replica):
            renew(settings.name, life)
            return Etcd(settings, clusters.binary(), replica, renew=partial(renew, settings.name, life))

        return [Node(partial(started, one)) for one in clusters.settings(tmp_path, names, scheme="https", each=files)]

    make.issued = []
    return make


def test_a_cluster_works_through_renewals_and_nobody_without_a_certificate_is_answered(secured, monkeypatch):
    """Each certificate lives for two seconds; many are made meanwhile, and nothing that was sent is lost."""
    monkeypatch.setattr(orderer, "RENEW_S", 0.1)

    async def scenario():
        async with running(secured("abc", timedelta(seconds=2))) as nodes:
            began = time.monotonic()
            count = 0
            while len(secured.issued) < 60 or time.monotonic() - began < 3:
                await one_by_one(nodes[count % 3], f"entry {count}")
                count += 1
            await all_have(nodes, count)
            assert same(nodes)

            url = nodes[0].orderer._settings.own.clients + "/v3/kv/range"
            async with httpx2.AsyncClient(verify=False) as stranger:
                with pytest.raises(httpx2.TransportError):
                    await stranger.post(url, content='{"key": "AA=="}')

        # All have expired now, and all nodes are down.
        await asyncio.sleep(2)
        async with running(nodes):
            await one_by_one(nodes[1], "after")
            await all_have(nodes, count + 1)

    asyncio.run(scenario())


def test_a_certificate_of_another_authority_does_not_serve(secured, tmp_path):
    async def scenario():
        [node] = secured("a")
        async with running([node]):
            await one_by_one(node, "entry")
            stranger = authority.issue(authority.authority("other", now()), "a", ["127.0.0.1"], now())
            (tmp_path / "a.pem").write_bytes(stranger.certificate + stranger.key)
            tls.load(node.orderer._context, node.orderer._settings)
            await node.orderer._gateway._client.aclose()
            node.orderer._gateway = type(node.orderer._gateway)(
                [node.orderer._settings.own.clients], node.orderer._context
            )
            node.submit("in vain")
            await until(lambda: state(node) == "halted")
            assert "certificate" in reason(node).lower() or "ssl" in reason(node).lower()

    asyncio.run(scenario())
