"""Members and nodes of a cluster know each other by certificates of one authority, which are made anew in time."""

import asyncio
import gc
import ssl
import time
import warnings
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import httpx2
import msgspec
import pytest
from tests.orderers import authority, clusters
from tests.orderers.etcd.test_orderer import all_have, one_by_one, running, same
from tests.orderers.replicas import Node

from hansa.orderers.etcd import orderer, tls
from hansa.orderers.etcd import settings as settings_of
from hansa.orderers.etcd.gateway import Gateway, Unavailable
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


@contextmanager
def refused_connections():
    """A connection that the other side refuses after TLS 1.3 is up is left to the collector by the HTTP library."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()


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
            with refused_connections():
                stranger = httpx2.AsyncClient(verify=False)
                with pytest.raises((httpx2.TransportError, ssl.SSLError)):
                    await stranger.post(url, content='{"key": "AA=="}')
                await stranger.aclose()
                del stranger

        # All have expired now, and all nodes are down.
        await asyncio.sleep(2)
        async with running(nodes):
            await one_by_one(nodes[1], "after")
            await all_have(nodes, count + 1)

    asyncio.run(scenario())


def test_neither_side_takes_a_certificate_of_another_authority(secured, tmp_path):
    async def scenario():
        [node] = secured("a")
        other = authority.authority("other", now())
        pair = authority.issue(other, "a", ["127.0.0.1"], now(), timedelta(days=1))
        (tmp_path / "other.pem").write_bytes(other.certificate)
        (tmp_path / "other-a.pem").write_bytes(pair.certificate + pair.key)
        async with running([node]):
            await one_by_one(node, "entry")
            sound = node.orderer._settings
            strange = str(tmp_path / "other-a.pem")
            for changes in ({}, {"certificate": strange, "key": strange}, {"ca": str(tmp_path / "other.pem")}):
                settings = msgspec.structs.replace(sound, **changes)
                asking = Gateway(settings_of.endpoints(settings), tls.context(settings))
                if changes:
                    with refused_connections():
                        with pytest.raises(Unavailable):
                            await asking.read(b"k")
                        await asking.close()
                        del asking
                else:
                    await asking.read(b"k")
                    await asking.close()

    asyncio.run(scenario())


def test_files_that_are_no_certificates_are_refused(tmp_path, refused):
    [settings] = clusters.settings(tmp_path, "a", scheme="https", ca="/none", certificate="/none", key="/none")
    with refused("orderer.settings"):
        tls.context(settings)
    (tmp_path / "ca.pem").write_bytes(authority.authority("acme", now()).certificate)
    with refused("orderer.settings"):
        tls.context(msgspec.structs.replace(settings, ca=str(tmp_path / "ca.pem")))
