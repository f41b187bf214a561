"""What may befall a network while clients work, and how long until it serves them again.

Each fault takes a network that is whole and leaves it whole, and returns what was measured, in seconds. What has to
hold whatever happens, `Clients.check` says.
"""

import time
from collections.abc import Callable
from typing import TypeAlias

from hansa.cli.network_status import DEGRADED, HALTED, SILENT

from .network_load import Clients
from .network_nodes import Nodes

Seconds: TypeAlias = dict[str, float]
Fault: TypeAlias = Callable[[Nodes, Clients], Seconds]


def run(fault: Fault, clients: Clients) -> Seconds:
    """One, while clients ask all the time, in a network that is whole before and after."""
    clients.nodes.start()
    clients.nodes.until_healthy()
    with clients.asking():
        clients.next()
        told = fault(clients.nodes, clients)
        clients.nodes.until_healthy()
    return told


def leader_killed(nodes: Nodes, clients: Clients) -> Seconds:
    """The node whose turn it is, or which leads, dies with its engine; the rest goes on, and it comes back."""
    return _leader_lost(nodes, clients, lambda name: None)


def state_wiped(nodes: Nodes, clients: Clients) -> Seconds:
    """The same, but it comes back without its state, and rebuilds it from its journal."""
    return _leader_lost(nodes, clients, nodes.wipe_state)


def engine_wiped(nodes: Nodes, clients: Clients) -> Seconds:
    """The same, but it comes back with its ledger and an engine that remembers nothing."""
    return _leader_lost(nodes, clients, nodes.wipe_engine)


def _leader_lost(nodes: Nodes, clients: Clients, wipe: Callable[[str], None]) -> Seconds:
    name = nodes.leader()
    engine = nodes.engine(name)
    nodes.kill(name)
    went_on = clients.next(*nodes.others(name))
    state = nodes.until(lambda state: state.state == DEGRADED)
    assert name in state.sentence, state.sentence
    nodes.await_end(engine)
    wipe(name)
    nodes.start(name)
    return {"goes on": went_on, "back": clients.next(name)}


def too_many_killed(nodes: Nodes, clients: Clients) -> Seconds:
    """Without them nothing can be ordered. Both the command and the nodes that are left say so, and who is missing."""
    lost = nodes.names[-2:]
    left = nodes.names[:-2]
    begun = time.monotonic()
    nodes.kill(*lost)
    state = nodes.until(lambda state: state.state == HALTED)
    assert all(name in state.sentence for name in lost), state.sentence
    nodes.until(
        lambda state: all(
            node.order == HALTED and all(name in node.reason for name in lost)
            for node in state.nodes
            if node.id in left
        )
    )
    said = time.monotonic() - begun
    nodes.start(*lost)
    return {"says so": said, "resumes": clients.next()}


def engine_killed(nodes: Nodes, clients: Clients) -> Seconds:
    """The leader's engine dies and its node does not: the node starts it again."""
    name = nodes.leader()
    pid = nodes.pid(name)
    before = nodes.kill_engine(name)
    went_on = clients.next()
    nodes.until(lambda _: nodes.engine(name) not in (None, before))
    back = clients.next(name)
    assert nodes.pid(name) == pid
    return {"goes on": went_on, "back": back}


def node_frozen(nodes: Nodes, clients: Clients) -> Seconds:
    """A node keeps its connections and answers nothing for a while."""
    name = nodes.leader()
    with nodes.frozen(name):
        went_on = clients.next(*nodes.others(name))
        clients.next(*nodes.others(name))
    return {"goes on": went_on, "back": clients.next(name)}


def node_silent(nodes: Nodes, clients: Clients) -> Seconds:
    """The same, until it is told that it does not answer."""
    name = nodes.leader()
    begun = time.monotonic()
    with nodes.frozen(name):
        nodes.until(lambda state: any(node.id == name and node.state == SILENT for node in state.nodes))
        said = time.monotonic() - begun
    return {"says so": said, "back": clients.next(name)}
