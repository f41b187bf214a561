"""Members and nodes of a cluster know each other by certificates of one authority, which are made anew in time."""

import asyncio
import time
from datetime import timedelta

import httpx2
import pytest
from tests.orderers import clusters
from tests.orderers.etcd.test_orderer import all_have, one_by_one, reason, running, same, state
from tests.orderers.replicas import until

from hansa.orderers import certificates
from hansa.orderers.etcd import orderer, tls


def now():
    return time.time_ns() // 1_000_000


@pytest.fixture
def secured(tmp_path, monkeypatch):
    """Makes the nodes of a cluster whose certificates come from one authority."""
    monkeypatch.setattr(orderer, "ENGINE_PATIENCE_S", 0.2)
    pair = certificates.authority("acme", now())
    (tmp_path / "ca.pem").write_bytes(pair.certificate)
    (tmp_path / "ca.key").write_bytes(pair.key)

    def make(names):
        def files(name):
            own = str(tmp_path / f"{name}.pem")
            return {"ca": f"{tmp_path}/ca.pem", "authority": f"{tmp_path}/ca.key", "certificate": own, "key": own}

        return clusters.nodes(tmp_path, names, scheme="https", each=files)

    return make


def test_a_cluster_works_through_renewals_and_nobody_without_a_certificate_is_answered(secured, tmp_path, monkeypatch):
    """Each certificate lives for two seconds; many are made meanwhile, and nothing that was sent is lost."""
    real = certificates.issue
    issued = []

    def issue(by, name, hosts, at):
        issued.append(name)
        return real(by, name, hosts, at, timedelta(seconds=2))

    monkeypatch.setattr(certificates, "issue", issue)
    monkeypatch.setattr(orderer, "RENEW_S", 0.1)

    async def scenario():
        async with running(secured("abc")) as nodes:
            began = time.monotonic()
            count = 0
            while len(issued) < 60 or time.monotonic() - began < 3:
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
            stranger = certificates.issue(certificates.authority("other", now()), "a", ["127.0.0.1"], now())
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
