"""Real nodes with real engines under a few faults each; `make faults` has more of them, for longer."""

from collections.abc import Iterator

import pytest

from . import network_batches, network_faults
from .network_faults import Fault
from .network_load import Clients


@pytest.fixture(scope="module")
def cometbft(engines, tmp_path_factory) -> Iterator[Clients]:
    """Four members, a node each."""
    with network_faults.begun(tmp_path_factory.mktemp("cometbft") / "net", "multi-member") as clients:
        yield clients


@pytest.fixture(scope="module")
def etcd(engines, tmp_path_factory) -> Iterator[Clients]:
    """Three nodes of one member."""
    with network_faults.begun(tmp_path_factory.mktemp("etcd") / "net", "single-member") as clients:
        yield clients


def endures(clients: Clients, fault: Fault) -> None:
    assert network_faults.run(fault, clients)
    assert clients.check() == []


@pytest.mark.parametrize(
    "fault",
    [
        network_faults.state_wiped,
        network_faults.too_many_killed,
        network_faults.engine_killed,
        network_faults.node_frozen,
        network_faults.engine_wiped,
        network_batches.odd_signatures,
    ],
)
def test_four_members(cometbft: Clients, fault: Fault) -> None:
    endures(cometbft, fault)


@pytest.mark.parametrize(
    "fault", [network_faults.engine_wiped, network_faults.engine_killed, network_faults.too_many_killed]
)
def test_three_nodes_of_one(etcd: Clients, fault: Fault) -> None:
    endures(etcd, fault)
