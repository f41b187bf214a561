"""A network on one machine: its members and their nodes, where each lies, and how many of them may fail.

`DIR/network.json` is the map of it, for the commands that start and stop the whole; no node reads it. Beside it lies a
folder for each member, `DIR/MEMBER`: in `keys` the member's own and its users' keys, and a folder for each node of the
member, a ledger like any other. Nothing in a member's folder is another member's but what the ledger shares: genesis.
Called by `cli`. It starts nothing and opens no ledger.
"""

import secrets
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from hansa.node import document, ordering, peers
from hansa.node import regions as regions_of
from hansa.node.certificates import make_authority
from hansa.node.create import Founder, Seat, begin, save_keys
from hansa.node.ordering import Ordering
from hansa.orderers.cometbft.home import make_keys
from hansa.orderers.cometbft.settings import CometSettings
from hansa.orderers.etcd.settings import EtcdMember, EtcdSettings, far_apart
from hansa.store.files import Files
from hansa.store.folder import Folder, new_folder
from hansa.wire import names
from hansa.wire.keys import PrivateKey, spki_of_ed25519
from hansa.wire.problems import HansaError

Topology: TypeAlias = Literal["dev", "single-member", "multi-member"]

VERSION: Final = 0
DEV: Final = "dev"
SINGLE_MEMBER: Final = "single-member"
MULTI_MEMBER: Final = "multi-member"
TOPOLOGIES: Final = (DEV, SINGLE_MEMBER, MULTI_MEMBER)
ORDERERS: Final[dict[Topology, ordering.Name]] = {
    DEV: ordering.SOLO,
    SINGLE_MEMBER: ordering.ETCD,
    MULTI_MEMBER: ordering.COMETBFT,
}
"""By what each topology orders."""
ETCD_NODES: Final = (3, 5)
"""Even numbers tolerate no more than the odd one below; more than five only makes each write wait for more."""
NODES_MAX: Final = 16
"""In one network on one machine."""
_HOST: Final = "127.0.0.1"
_AUTHORITY: Final = "keys/authority"
"""In a member's folder: what gives its nodes certificates, see `certificates`."""
_FILE: Final = "network.json"
_FILE_BYTES_MAX: Final = 1_000_000
"""Of the map; larger is something else."""
_PORTS: Final = range(20_000, 32_000)
"""Below those that systems give to outgoing connections, so that a port chosen today is free tomorrow."""

_PORTS_APART: Final = 10
"""The search begins at a multiple of this: round numbers are easier on people."""

_Port = Annotated[int, Meta(ge=1, le=65_535)]


class NodePlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A node: its id, which is its folder's name too, the port of its API, and those of its engine by their use.

    `retired`: it was ended for good, and is not started any more; its folder is kept. `tls`: the port at which other
    nodes reach it by mutual TLS; None where loopback without TLS does. `region`: where it stands, from 1. On one
    machine that is in name only.
    """

    id: str
    port: _Port
    engine_ports: dict[str, _Port] = {}
    retired: bool = False
    tls: _Port | None = None
    region: Annotated[int, Meta(ge=1)] = 1

    @property
    def url(self) -> str:
        """Where other nodes ask it."""
        return f"http://{_HOST}:{self.port}" if self.tls is None else f"https://{_HOST}:{self.tls}"


class MemberPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member; its id is its folder's name."""

    id: str
    name: str
    nodes: list[NodePlace]


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `network.json` holds. `ledger` is the id of the ledger that every node keeps, in hexadecimal.

    `joined`: the ledger has other members too, whose nodes lie with them.
    """

    version: Literal[0]
    name: str
    topology: Topology
    orderer: ordering.Name
    ledger: str
    members: Annotated[list[MemberPlace], Meta(min_length=1)]
    joined: bool = False

    def nodes(self) -> Iterator[tuple[MemberPlace, NodePlace]]:
        """Every node with its member, in order."""
        return ((member, node) for member in self.members for node in member.nodes)

    def with_node(self, member: str, place: NodePlace) -> "Network":
        """The same network in which a member has this node, in the place of the one of its id if there is one."""
        members: list[MemberPlace] = []
        for one in self.members:
            kept = [place if node.id == place.id else node for node in one.nodes]
            nodes = kept if one.id != member or place in kept else [*kept, place]
            members.append(msgspec.structs.replace(one, nodes=nodes))
        return msgspec.structs.replace(self, members=members)

    def tolerance(self) -> str:
        """How many may fail while the rest goes on, in words."""
        return tolerance(self.topology, len(self.members), max(len(member.nodes) for member in self.members))

    def placement(self) -> str:
        """Which nodes stand in which region, and what follows, in words; empty if all are in one."""
        return regions_of.said({node.id: node.region for _, node in self.nodes()}, self.goes_on_with)

    @property
    def is_wide(self) -> bool:
        """Whether nodes are far from each other."""
        return any(node.region > 1 for _, node in self.nodes())

    def goes_on_with(self, ready: int) -> bool:
        """Whether so many nodes are enough to order: more than half of them under etcd, than two thirds under CometBFT.

        Members have equal power and equally many nodes, so nodes can be counted for it.
        """
        count = sum(not node.retired for _, node in self.nodes())
        return 3 * ready > 2 * count if self.orderer == ordering.COMETBFT else 2 * ready > count


def shape_problems(topology: Topology, members: int, nodes: int, regions: int = 1) -> list[str]:
    """Why there is no such network of so many members with so many nodes each in so many regions; none if there is."""
    problems = regions_of.problems(nodes if topology == DEV else members * nodes, regions)
    if topology == DEV and nodes != 1:
        problems.append(f"{DEV} has one node, not {nodes}: it is one process that orders for itself")
    if topology == SINGLE_MEMBER and members != 1:
        problems.append(f"{SINGLE_MEMBER} has one member, not {members}: whoever runs etcd is trusted with the order")
    if topology == SINGLE_MEMBER and nodes not in ETCD_NODES:
        problems.append(f"{SINGLE_MEMBER} has 3 or 5 nodes, not {nodes}: other numbers tolerate no more failures")
    if topology == MULTI_MEMBER and members < 2:
        problems.append(f"{MULTI_MEMBER} has 2 members at least, not {members}")
    if topology == MULTI_MEMBER and members * nodes > NODES_MAX:
        problems.append(f"{members * nodes} nodes are more than one machine takes here: at most {NODES_MAX}")
    return problems


def tolerance(topology: Topology, members: int, nodes: int) -> str:
    """How many may fail while the rest goes on, in words: nodes under etcd, members, however bad, under CometBFT."""
    count = {DEV: 0, SINGLE_MEMBER: (nodes - 1) // 2, MULTI_MEMBER: (members - 1) // 3}[topology]
    if not count:
        return "tolerates no failure"
    if topology == SINGLE_MEMBER:
        return f"tolerates that {count} of {nodes} nodes {'fails' if count == 1 else 'fail'}"
    return f"tolerates that {count} of {members} members {'fails or lies' if count == 1 else 'fail or lie'}"


def tolerance_by(powers: Sequence[int]) -> str:
    """The same in words for members of these powers under CometBFT: so many fail as are together below a third."""
    found = sorted((power for power in powers if power), reverse=True)
    count = sum(3 * sum(found[: most + 1]) < sum(found) for most in range(len(found)))
    if not count:
        return "tolerates no failure"
    return f"tolerates that {count} of {len(found)} members {'fails or lies' if count == 1 else 'fail or lie'}"


def path_of(root: Path) -> Path:
    """Where a network's map lies."""
    return root / _FILE


def node_folder(root: Path, member: str, node: str) -> Folder:
    """The folder of one node."""
    return Folder(root / member / node)


def load(files: Files, root: Path) -> Network:
    """The network in a folder. Raises `HansaError`: `network.none`, `network.form`, `folder.access`."""
    path = path_of(root)
    if not path.is_file():
        raise HansaError("network.none", f"{root} holds no network")
    found = document.read(files, path, Network, _FILE_BYTES_MAX, "network.form")
    for what in (*(member.id for member in found.members), *(node.id for _, node in found.nodes())):
        if not names.is_member(what):  # it is the name of a folder
            raise HansaError("network.form", f"{path}: {what[:60]!a} is not a name")
    return found


def save(files: Files, root: Path, network: Network) -> None:
    """Writes the map of a network, whole and durable."""
    document.write(files, path_of(root), network)


def create(
    files: Files,
    root: Path,
    name: str,
    topology: Topology,
    founders: list[Founder],
    nodes: int,
    *,
    constitution: str,
    lock_ms: int,
    secured: bool = False,
    regions: int = 1,
) -> Network:
    """Makes a network in a new folder: genesis of everybody's public keys, and a folder for each member.

    `secured`: its nodes ask each other by mutual TLS, as between machines. All keys are made here, for members that are
    all tried out on one machine. Raises `HansaError`: `argument.value` with every problem of the shape,
    `network.taken`, and as `begin` and `new_folder`; it leaves nothing behind then.
    """
    problems = shape_problems(topology, len(founders), nodes, regions)
    if problems:
        raise HansaError("argument.value", "; ".join(problems), problems=problems)
    check_free(root)
    orderer = ORDERERS[topology]
    uses = ordering.PORTS[orderer]
    seated = [(founder, f"{founder.id}-{number}") for founder, number in _seats(topology, founders, nodes)]
    ports = iter(free_ports(len(seated) * (1 + len(uses) + secured), secrets.token_bytes(4)))
    places = {
        id: NodePlace(
            id,
            next(ports),
            {use: next(ports) for use in uses},
            tls=next(ports) if secured else None,
            region=regions_of.of_node(number, regions),
        )
        for number, (_, id) in enumerate(seated)
    }
    with new_folder(files, root) as new:
        seats = [_seat(files, new.root, founder.id, places[id], orderer) for founder, id in seated]
        begun = begin(name, founders, seats, constitution=constitution, lock_ms=lock_ms)
        own = {founder.id: [places[seat.id] for seat in seats if seat.member == founder.id] for founder in founders}
        members = [MemberPlace(founder.id, founder.name, own[founder.id]) for founder in founders]
        network = Network(VERSION, name, topology, orderer, begun.ledger.hex(), members)
        for member in network.members:
            keep_keys(files, new.root / member.id, begun.members[member.id])
        for member, node in network.nodes():
            folder = node_folder(new.root, member.id, node.id)
            keep_keys(files, folder.root, begun.nodes[node.id])
            folder.create(files, begun.document, begun.ledger)
        _save_orderings(files, new.root, network)
        save(files, new.root, network)
    return network


def _seat(files: Files, root: Path, member: str, place: NodePlace, orderer: ordering.Name) -> Seat:
    """A node as genesis has it; an engine of CometBFT is known to others by keys, which are made in its folder."""
    url = place.url
    if orderer != ordering.COMETBFT:
        return Seat(place.id, member, url=url)
    folder = node_folder(root, member, place.id).root
    for made in (root / member, folder):
        files.make_folder(made)
    keys = make_keys(folder / ordering.ENGINE)
    return Seat(place.id, member, spki_of_ed25519(keys.key), keys.peer, f"{_HOST}:{place.engine_ports['peers']}", url)


def _save_orderings(files: Files, root: Path, network: Network) -> None:
    """Writes for each node by what it orders, with the keys that its engine needs, and who else there is."""
    places = list(network.nodes())
    members = _etcd_members(places) if network.orderer == ordering.ETCD else ()
    for member, node in places:
        others = [other.url for _, other in places if other is not node]
        if others:
            peers.save(files, node_folder(root, member.id, node.id), others[: peers.PEERS_MAX])
        made = Ordering(ordering.VERSION, node.id, network.orderer, node.port)
        if node.tls is not None:
            made = msgspec.structs.replace(made, listen=f"{_HOST}:{node.tls}")
        if members:
            settings = EtcdSettings(name=node.id, members=members, token=network.ledger, home=ordering.ENGINE)
            settings = far_apart(settings) if network.is_wide else settings
            made = msgspec.structs.replace(made, etcd=settings, authority=f"../{_AUTHORITY}")
        if network.orderer == ordering.COMETBFT:
            address = f"{_HOST}:{node.engine_ports['peers']}"
            comet = CometSettings(node=node.id, home=ordering.ENGINE, listen=address, wan=network.is_wide)
            made = msgspec.structs.replace(made, cometbft=comet)
        ordering.save(files, node_folder(root, member.id, node.id), made)
    if members:
        for member in network.members:
            make_authority(files, root / member.id / _AUTHORITY, member.id)


def _etcd_members(places: list[tuple[MemberPlace, NodePlace]]) -> tuple[EtcdMember, ...]:
    """The members of the cluster, one for each node."""
    return tuple(
        EtcdMember(node.id, *(f"https://{_HOST}:{node.engine_ports[use]}" for use in ("peers", "clients")))
        for _, node in places
    )


def keep_keys(files: Files, folder: Path, keys: dict[Path, PrivateKey]) -> None:
    """A new folder with a folder of keys in it, both for their owner alone."""
    files.make_folder(folder)
    files.make_folder(folder / "keys")
    save_keys(keys, folder / "keys")


def check_free(root: Path) -> None:
    """Raises `HansaError` (`network.taken`, or as `Folder.check_free`) unless a network can be made in a folder."""
    if path_of(root).exists():
        raise HansaError("network.taken", f"{root} already holds a network")
    Folder(root).check_free()


def _seats(topology: Topology, founders: list[Founder], nodes: int) -> Iterator[tuple[Founder, int]]:
    """Who runs which nodes: in `dev` the first founder runs the one for all."""
    for founder in founders[:1] if topology == DEV else founders:
        yield from ((founder, number) for number in range(1, nodes + 1))


def free_ports(count: int, seed: bytes) -> list[int]:
    """Ports of this machine's loopback address that nothing listens on now, one after the other where that is possible.

    Where the search begins follows from `seed`, so that networks that are stopped do not get each other's. Raises
    `HansaError` `network.ports` if there are not so many.
    """
    begin = int.from_bytes(seed[:4], "big") % len(_PORTS) // _PORTS_APART * _PORTS_APART
    found: list[int] = []
    for offset in range(len(_PORTS)):
        if len(found) == count:
            return found
        port = _PORTS[(begin + offset) % len(_PORTS)]
        if is_free(port):
            found.append(port)
    raise HansaError("network.ports", f"fewer than {count} ports of {_PORTS.start} to {_PORTS.stop - 1} are free")


def is_free(port: int) -> bool:
    """Whether nothing listens on a port of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True
