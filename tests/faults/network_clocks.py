"""Clocks that are wrong, and a network that was idle for long.

Python's clock is moved, not the engines': they are programs of their own that ask the system. Nothing is moved to have
been idle: the network's genesis lies two hours back, and so does the last that its engine knows of the time.
"""

import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from hansa.client import keys, transactions
from hansa.node.network import Topology
from hansa.orderers import DEGRADED
from hansa.wire import entry

from .network_faults import Seconds
from .network_load import Clients
from .network_nodes import OWNER, PATIENCE_S, Nodes
from .server import Client

OFF_S: Final = 3_600
IDLE_S: Final = 7_200
NEAR_S: Final = 15
"""So near to the wall clock ledger time must be."""
_AHEAD: Final = """
import time

_now, _now_ns = time.time, time.time_ns
time.time, time.time_ns = lambda: _now() + {off}, lambda: _now_ns() + {off} * 10**9
"""
_ALARM: Final = '''"""Rings by itself."""

from hansa.contract import Contract, Duration, Record, Text, action, event, schedule


class Bell(Contract, version="1.0.0"):
    class Alarm(Record, key="name"):
        name: Text[1, 16]

    @action(by="member", creates="Alarm")
    def set(tx, alarm: Alarm, name: Text[1, 16]):
        """Rings in a second."""
        schedule(alarm, "ring", tx.time + Duration(seconds=1))

    @action(by="schedule")
    def ring(tx, alarm: Alarm):
        """Rings."""
        event("rang", name=alarm.name)
'''


def clock_off(nodes: Nodes, clients: Clients) -> Seconds:
    """One node's clock is an hour ahead, then an hour behind: the others go on, and ledger time stays right.

    The node takes part all the time. While its clock is ahead it refuses what it believes to have expired; while it is
    behind it serves its clients, whose batches others stamp where nodes stamp them.
    """
    name, told = nodes.names[1], {}
    for what, off_s in (("ahead", OFF_S), ("behind", -OFF_S)):
        nodes.stop(name)
        nodes.start_changed(name, _AHEAD.format(off=off_s))
        told[f"{what}: goes on"] = clients.next(*nodes.others(name))
        nodes.until(lambda state: all(node.state == "ready" for node in state.nodes))
        clients.next(*nodes.others(name))
        if off_s < 0:
            told["behind: served"] = clients.next(name)
        if nodes.network.orderer == "etcd":
            said = nodes.until(lambda state: any(node.id == name and node.order == DEGRADED for node in state.nodes))
            warnings = next(node.warnings for node in said.nodes if node.id == name)
            assert any("clock" in warning for warning in warnings), warnings
        _check_time(nodes)
        nodes.until(lambda state: len({node.entries for node in state.nodes if node.id != name}) == 1)
    nodes.stop(name)
    nodes.start(name)
    return {**told, "back": clients.next(name)}


def _check_time(nodes: Nodes) -> None:
    for name in nodes.names:
        with closing(Client(nodes.ports[name], PATIENCE_S)) as client:
            last = client.get("/node/status")["time"] / 1_000
            assert abs(last - time.time()) < NEAR_S + PATIENCE_S, f"{name}: ledger time is {last}"


def idle(root: Path, topology: Topology) -> Seconds:
    """After two idle hours a network takes a transaction at once, at the right time, and then rings by itself."""
    nodes = Nodes(root, topology, ago_s=IDLE_S)
    try:
        nodes.start()
        nodes.until_healthy()
        with closing(Client(nodes.ports[nodes.names[0]], PATIENCE_S)) as client:
            genesis = client.get("/app/entries/0")["time"] / 1_000
            assert time.time() - genesis >= IDLE_S
            begun = time.monotonic()
            asked = [("members", "deploy", {"name": "bell", "source": _ALARM}), ("bell", "set", {"name": "noon"})]
            for contract, action, arguments in asked:
                answer = _submit(nodes, client, contract, action, arguments)
                assert abs(answer["time"] / 1_000 - time.time()) < NEAR_S, answer
            took = time.monotonic() - begun
            rung = answer["seq"] + 1
            nodes.until(lambda state: all(node.entries > rung for node in state.nodes))
            found = client.get(f"/app/entries/{rung}")
            assert found["kind"] == entry.SCHEDULED
            assert found["decoded"]["events"][0]["name"] == "rang"
            late_s = (found["time"] - answer["time"]) / 1_000 - 1
            assert 0 <= late_s < NEAR_S, found
        return {"first two": took, "rang late by": late_s}
    finally:
        nodes.end()


def _submit(nodes: Nodes, client: Client, contract: str, action: str, arguments: dict[str, Any]) -> dict[str, Any]:
    key = keys.load(nodes.root / OWNER / "keys" / "members" / f"{OWNER}.pem")
    ledger = bytes.fromhex(nodes.network.ledger)
    prepared = transactions.prepare(key, ledger, contract, action, arguments, steps_max=100_000)
    status, answer = client.submit(prepared.envelope)
    assert (status, answer.get("status")) == (200, "applied"), answer
    return answer
