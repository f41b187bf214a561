"""A year of certificates in a minute: lives of seconds, renewed under load, and then all of them expired."""

import datetime
import time
from typing import Final

from cryptography import x509

from hansa.node import ordering

from .network_faults import Seconds
from .network_load import Clients
from .network_nodes import Nodes

RENEWALS: Final = 365
"""Of each node."""
LIFE_S: Final = 15
RENEW_S: Final = 0.15
_LOOK_S: Final = 0.02
_SHORT: Final = f"""
from hansa.node import certificates
from hansa.orderers.etcd import orderer

certificates.LIFE_DAYS = {LIFE_S} / 86_400
orderer.RENEW_S = {RENEW_S}
"""


def year_of_renewals(nodes: Nodes, clients: Clients) -> Seconds:
    """No commit fails while certificates come and go; then all have expired while nothing ran, and it starts.

    Each node's certificate is looked at as it lies there, and used: all the time somebody new shows it to an engine.
    """
    nodes.stop(*nodes.names)
    for name in nodes.names:
        nodes.start_changed(name, _SHORT)
    nodes.until_healthy()
    clients.next()
    failed = clients.unknown, len(clients.refused)
    seen: dict[str, set[int]] = {name: set() for name in nodes.names}
    begun = shown = time.monotonic()
    while min(map(len, seen.values())) < RENEWALS:
        for name, serials in seen.items():
            serials.add(_certificate(nodes, name).serial_number)
        if time.monotonic() - shown > 1:
            nodes.leader()
            clients.next()
            shown = time.monotonic()
        time.sleep(_LOOK_S)
    took = time.monotonic() - begun
    assert (clients.unknown, len(clients.refused)) == failed, "a commit failed"
    nodes.stop(*nodes.names)
    while min(_certificate(nodes, name).not_valid_after_utc for name in nodes.names) > _now():
        time.sleep(0.1)
    while max(_certificate(nodes, name).not_valid_after_utc for name in nodes.names) > _now():
        time.sleep(0.1)
    cold = time.monotonic()
    nodes.start()
    nodes.until_healthy()
    clients.next()
    return {"renewals": took, "cold start": time.monotonic() - cold}


def _certificate(nodes: Nodes, name: str) -> x509.Certificate:
    path = nodes.folders[name].root / ordering.ENGINE / "certificate.pem"
    return x509.load_pem_x509_certificate(path.read_bytes())


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
