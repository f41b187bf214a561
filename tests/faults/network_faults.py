"""What may befall a network while clients work, and how long until it serves them again.

Each fault takes a network that is whole and leaves it whole, and returns what was measured, in seconds. What has to
hold whatever happens, `Clients.check` says.
"""

import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from hansa.cli.network_status import DEGRADED, HALTED, SILENT
from hansa.node.network import Topology
from hansa.store.folder import Folder

from .network_links import Links
from .network_load import Clients
from .network_nodes import PATIENCE_S, Nodes

Seconds: TypeAlias = dict[str, float]
Fault: TypeAlias = Callable[[Nodes, Clients], Seconds]

CUT_S = 60.0
"""How long nobody has a quorum."""
HELD_S = 10.0
"""How long nothing passes in one direction: shorter than an engine bears, which ends a connection then."""
FAR_S = 30.0
FLAPS = 10
WRITES = 10
"""So many blocks a node writes before it ends at the next."""
_ENDS = """
import itertools, os, signal
from hansa.store import journal

append, numbers = journal.Writer.append, itertools.count(1)

def ends(writer, blocks):
    if next(numbers) <= {writes}:
        return append(writer, blocks)
    if {written}:
        append(writer, blocks)
    os.kill(os.getpid(), signal.SIGKILL)

journal.Writer.append = ends
"""


@contextmanager
def begun(root: Path, topology: Topology) -> Iterator[Clients]:
    """A new network at work; it is ended whatever happens."""
    with at_work(Nodes(root, topology)) as clients:
        yield clients


@contextmanager
def at_work(nodes: Nodes) -> Iterator[Clients]:
    """The clients of a network that is started for them, and ended whatever happens."""
    try:
        nodes.start()
        nodes.until_healthy()
        clients = Clients(nodes)
        clients.begin()
        yield clients
    finally:
        nodes.end()


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


def ends_at_a_write(nodes: Nodes, clients: Clients) -> Seconds:
    """A node dies just before it makes a block durable, and then just after: between engine and ledger, both ways."""
    name = nodes.names[-1]
    told: Seconds = {}
    for when, written in (("before", False), ("after", True)):
        nodes.stop(name)
        process = nodes.start_changed(name, _ENDS.format(writes=WRITES, written=written))
        assert process.wait(PATIENCE_S) == -signal.SIGKILL, nodes.told(name)
        told[f"{when}: goes on"] = clients.next(*nodes.others(name))
        nodes.start(name)
        told[f"{when}: back"] = clients.next(name)
    return told


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


def minority_cut_off(nodes: Nodes, clients: Clients, links: Links) -> Seconds:
    """One node reaches nobody: it says so and refuses, the rest goes on, and it catches up when it is back."""
    name = nodes.names[1]
    begun = time.monotonic()
    links.split([name])
    went_on = clients.next(*nodes.others(name))
    nodes.until(lambda state: any(node.id == name and node.order == HALTED for node in state.nodes))
    said = time.monotonic() - begun
    links.heal()
    return {"goes on": went_on, "says so": said, "back": clients.next(name)}


def cut_in_halves(nodes: Nodes, clients: Clients, links: Links) -> Seconds:
    """Two and two: nobody can order anything, for a minute; all say so."""
    begun = time.monotonic()
    links.split(nodes.names[:2])
    nodes.until(lambda state: all(node.order == HALTED for node in state.nodes))
    said = time.monotonic() - begun
    before = len(clients.seqs)
    time.sleep(max(0.0, CUT_S - said))
    assert len(clients.seqs) == before, "something was acknowledged without a quorum"
    links.heal()
    return {"says so": said, "resumes": clients.next()}


def one_way(nodes: Nodes, clients: Clients, links: Links) -> Seconds:
    """A node hears all others and none hears it, and then the reverse."""
    name = nodes.names[2]
    told: Seconds = {}
    for what, held in (
        ("unheard: goes on", [(name, other) for other in nodes.others(name)]),
        ("deaf: goes on", [(other, name) for other in nodes.others(name)]),
    ):
        links.hold(*held)
        time.sleep(HELD_S / 2)
        half = time.monotonic()
        time.sleep(HELD_S / 2)
        assert not clients.served(name, half), "something went through where nothing can"
        told[what] = clients.next(*nodes.others(name))
        links.heal()
        told[what.replace("goes on", "back")] = clients.next(name)
    return told


def flapping(nodes: Nodes, clients: Clients, links: Links) -> Seconds:
    """Another node is cut off each second and comes back the next."""
    begun, before = time.monotonic(), len(clients.seqs)
    for turn in range(FLAPS):
        links.split([nodes.names[turn % len(nodes.names)]])
        time.sleep(1)
        links.heal()
        time.sleep(1)
    took, done = time.monotonic() - begun, len(clients.seqs) - before
    assert done, "no progress"
    return {"each": took / done, "back": clients.next()}


def far_apart(nodes: Nodes, clients: Clients, links: Links) -> Seconds:
    """300 ms to another node and back, and 5 % of what is sent is sent again later."""
    links.delay_s, links.lost = 0.15, 0.05
    begun, before = time.monotonic(), len(clients.seqs)
    time.sleep(FAR_S)
    took, done = time.monotonic() - begun, len(clients.seqs) - before
    links.delay_s = links.lost = 0.0
    assert done, "no progress"
    return {"each": took / done}


def votes_twice(nodes: Nodes, clients: Clients, links: Links) -> Seconds:
    """A member runs two engines with the keys of one, each known to others: that it votes twice becomes an entry.

    The honest nodes keep one history while it does, and go on when it stops.
    """
    name, known = nodes.names[3], nodes.names[2:3]
    voter = nodes.voter(name)
    nodes.stop(name)
    folder = Folder(nodes.root / "twin" / name)
    shutil.copytree(nodes.folders[name].root, folder.root)
    links.twin(name, folder, known)
    begun = time.monotonic()
    with nodes.twin(folder):
        nodes.start(name)
        nodes.until(lambda _: all(clients.evidence(other) for other in nodes.others(name)))
        proved = time.monotonic() - begun
        went_on = clients.next(*nodes.others(name))
    shutil.rmtree(folder.root.parent)
    links.heal()
    said = {other: clients.evidence(other) for other in nodes.others(name)}
    least = min(map(len, said.values()))
    assert all((one["voter"], one["node"]) == (voter, name) for found in said.values() for one in found), said
    assert len({tuple(one["id"] for one in found[:least]) for found in said.values()}) == 1, said
    return {"proved": proved, "goes on": went_on, "back": clients.next(name)}


COMETBFT = (
    leader_killed,
    state_wiped,
    engine_wiped,
    engine_killed,
    ends_at_a_write,
    node_frozen,
    node_silent,
    too_many_killed,
)
ETCD = COMETBFT
PARTITIONS = (minority_cut_off, cut_in_halves, one_way, flapping, far_apart)
