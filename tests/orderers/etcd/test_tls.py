"""Members and nodes of a cluster know each other by certificates of one authority, which are made anew in time."""

import asyncio
import contextlib
import gc
import ssl
import time
import warnings
from functools import partial
from pathlib import Path

import httpx2
import msgspec
import pytest
from tests.orderers import clusters
from tests.orderers.etcd.test_orderer import all_have, one_by_one, running, same
from tests.orderers.replicas import Node

from hansa.node import certificates
from hansa.orderers.etcd import orderer, tls
from hansa.orderers.etcd import settings as settings_of
from hansa.orderers.etcd.gateway import Gateway, Unavailable
from hansa.orderers.etcd.orderer import Etcd
from hansa.store.files import Disk


@pytest.fixture
def secured(tmp_path, monkeypatch):
    """Makes the nodes of a cluster whose certificates come from one authority. `issued` has whom each was for."""
    monkeypatch.setattr(orderer, "ENGINE_PATIENCE_S", 0.2)
    certificates.make_authority(Disk(), tmp_path / "acme", "acme")

    def renew(settings):
        certificates.renew(Disk(), tmp_path / "acme", settings.name, Path(settings.certificate))
        make.issued.append(settings.name)

    def started(settings, replica):
        renew(settings)
        return Etcd(settings, clusters.binary(), replica, renew=partial(renew, settings))

    def files(name):
        own = str(tmp_path / f"{name}.pem")
        return {"ca": str(tmp_path / "acme" / certificates.AUTHORITY), "certificate": own, "key": own}

    def make(names):
        return [Node(partial(started, one)) for one in clusters.settings(tmp_path, names, scheme="https", each=files)]

    make.issued = []
    return make


def run(scenario):
    """A connection that the other side refuses after TLS 1.3 is up is left to the collector by the HTTP library."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        asyncio.run(scenario)
        gc.collect()


def test_a_cluster_works_through_renewals_and_nobody_without_a_certificate_is_answered(secured, monkeypatch):
    """Each certificate lives for two seconds; many are made meanwhile, and nothing that was sent is lost."""
    monkeypatch.setattr(certificates, "LIFE_DAYS", 2 / 86_400)
    monkeypatch.setattr(orderer, "RENEW_S", 0.1)

    async def scenario():
        async with running(secured("abc")) as nodes:
            began = time.monotonic()
            count = 0
            while len(secured.issued) < 60 or time.monotonic() - began < 3:
                await one_by_one(nodes[count % 3], f"entry {count}")
                count += 1
            await all_have(nodes, count)
            assert same(nodes)

            url = nodes[0].orderer._settings.own.clients + "/v3/kv/range"
            stranger = httpx2.AsyncClient(verify=False)
            with pytest.raises((httpx2.TransportError, ssl.SSLError)):
                await stranger.post(url, content='{"key": "AA=="}')
            await stranger.aclose()

        # All have expired now, and all nodes are down.
        await asyncio.sleep(2)
        async with running(nodes):
            await one_by_one(nodes[1], "after")
            await all_have(nodes, count + 1)

    run(scenario())


def test_neither_side_takes_a_certificate_of_another_authority(secured, tmp_path):
    async def scenario():
        [node] = secured("a")
        certificates.make_authority(Disk(), tmp_path / "other", "other")
        certificates.renew(Disk(), tmp_path / "other", "a", tmp_path / "other-a.pem")
        async with running([node]):
            await one_by_one(node, "entry")
            sound = node.orderer._settings
            strange = str(tmp_path / "other-a.pem")
            for changes in (
                {},
                {"certificate": strange, "key": strange},
                {"ca": str(tmp_path / "other" / certificates.AUTHORITY)},
            ):
                settings = msgspec.structs.replace(sound, **changes)
                asking = Gateway(settings_of.endpoints(settings), tls.context(settings))
                with pytest.raises(Unavailable) if changes else contextlib.nullcontext():
                    await asking.read(b"k")
                await asking.close()

    run(scenario())


def test_files_that_are_no_certificates_are_refused(tmp_path, refused):
    [settings] = clusters.settings(tmp_path, "a", scheme="https", ca="/none", certificate="/none", key="/none")
    with refused("orderer.settings"):
        tls.context(settings)
    certificates.make_authority(Disk(), tmp_path / "acme", "acme")
    with refused("orderer.settings"):
        tls.context(msgspec.structs.replace(settings, ca=str(tmp_path / "acme" / certificates.AUTHORITY)))
