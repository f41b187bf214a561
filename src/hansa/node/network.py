"""A network on one machine: its members and their nodes, where each lies, and how many of them may fail.

`DIR/network.json` is the map of it, for the commands that start and stop the whole; no node reads it. Beside it lies a
folder for each member, `DIR/MEMBER`: in `keys` the member's own and its users' keys, and a folder for each node of the
member, a ledger like any other. Nothing in a member's folder is another member's but what the ledger shares: genesis.
Called by `cli`. It starts nothing and opens no ledger.
"""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from hansa.node import ordering, peers
from hansa.node.certificates import make_authority
from hansa.node.create import Begun, Founder, Seat, begin, save_keys
from hansa.node.ordering import Ordering
from hansa.orderers.cometbft.home import make_keys
from hansa.orderers.cometbft.settings import CometSettings, Validator, split
from hansa.orderers.etcd.settings import EtcdMember, EtcdSettings
from hansa.store.files import Files, read_whole, replace, trouble_told
from hansa.store.folder import Folder, new_folder
from hansa.wire import genesis, names
from hansa.wire.genesis import Genesis
from hansa.wire.keys import PrivateKey
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
    """A node: its id, which is its folder's name too, the port of its API, and those of its engine by their use."""

    id: str
    port: _Port
    engine_ports: dict[str, _Port] = {}


class MemberPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member; its id is its folder's name."""

    id: str
    name: str
    nodes: list[NodePlace]


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `network.json` holds. `ledger` is the id of the ledger that every node keeps, in hexadecimal."""

    version: Literal[0]
    name: str
    topology: Topology
    orderer: ordering.Name
    ledger: str
    members: Annotated[list[MemberPlace], Meta(min_length=1)]

    def nodes(self) -> Iterator[tuple[MemberPlace, NodePlace]]:
        """Every node with its member, in order."""
        return ((member, node) for member in self.members for node in member.nodes)

    def tolerance(self) -> str:
        """How many may fail while the rest goes on, in words."""
        return tolerance(self.topology, len(self.members), max(len(member.nodes) for member in self.members))

    def goes_on_with(self, ready: int) -> bool:
        """Whether so many nodes are enough to order: more than half of them under etcd, than two thirds under CometBFT.

        Members have equal power and equally many nodes, so nodes can be counted for it.
        """
        count = sum(1 for _ in self.nodes())
        return 3 * ready > 2 * count if self.orderer == ordering.COMETBFT else 2 * ready > count


def shape_problems(topology: Topology, members: int, nodes: int) -> list[str]:
    """Why there is no such network of so many members with so many nodes each; none if there is."""
    problems: list[str] = []
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
    with trouble_told(path):
        data = read_whole(files, path)
    try:
        found = msgspec.json.decode(data[:_FILE_BYTES_MAX], type=Network)
    except (msgspec.DecodeError, RecursionError) as error:
        raise HansaError("network.form", f"{path}: {error}") from None
    for what in (*(member.id for member in found.members), *(node.id for _, node in found.nodes())):
        if not names.is_member(what):  # it is the name of a folder
            raise HansaError("network.form", f"{path}: {what[:60]!a} is not a name")
    return found


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
) -> Network:
    """Makes a network in a new folder: genesis of everybody's public keys, and a folder for each member.

    All keys are made here, for members that are all tried out on one machine. Raises `HansaError`: `argument.value`
    with every problem of the shape, `network.taken`, and as `begin` and `new_folder`; it leaves nothing behind then.
    """
    problems = shape_problems(topology, len(founders), nodes)
    if problems:
        raise HansaError("argument.value", "; ".join(problems), problems=problems)
    check_free(root)
    seats = [Seat(f"{founder.id}-{number}", founder.id) for founder, number in _seats(topology, founders, nodes)]
    begun = begin(name, founders, seats, constitution=constitution, lock_ms=lock_ms)
    orderer = ORDERERS[topology]
    uses = ordering.PORTS[orderer]
    ports = iter(free_ports(len(seats) * (1 + len(uses)), begun.ledger))
    places = {seat.id: NodePlace(seat.id, next(ports), {use: next(ports) for use in uses}) for seat in seats}
    network = Network(
        VERSION,
        name,
        topology,
        orderer,
        begun.ledger.hex(),
        [
            MemberPlace(founder.id, founder.name, [places[seat.id] for seat in seats if seat.member == founder.id])
            for founder in founders
        ],
    )
    with new_folder(files, root) as new:
        for member in network.members:
            _save_keys(files, new.root / member.id, begun.members[member.id])
        for member, node in network.nodes():
            folder = node_folder(new.root, member.id, node.id)
            _save_keys(files, folder.root, begun.nodes[node.id])
            folder.create(files, begun.document, begun.ledger)
        _save_orderings(files, new.root, network, begun)
        replace(files, path_of(new.root), msgspec.json.format(msgspec.json.encode(network)) + b"\n")
    return network


def _save_orderings(files: Files, root: Path, network: Network, begun: Begun) -> None:
    """Writes for each node by what it orders, with the keys that its engine needs, and who else there is."""
    document = genesis.decode(begun.document)
    places = list(network.nodes())
    members = _etcd_members(places) if network.orderer == ordering.ETCD else ()
    validators = _validators(root, network, document) if network.orderer == ordering.COMETBFT else []
    for member, node in places:
        others = [f"http://{_HOST}:{other.port}" for _, other in places if other is not node]
        if others:
            peers.save(files, node_folder(root, member.id, node.id), others[: peers.PEERS_MAX])
        made = Ordering(ordering.VERSION, node.id, network.orderer, node.port)
        if members:
            settings = EtcdSettings(name=node.id, members=members, token=network.ledger, home=ordering.ENGINE)
            made = msgspec.structs.replace(made, etcd=settings, authority=f"../{_AUTHORITY}")
        if validators:
            comet = CometSettings(node=node.id, home=ordering.ENGINE, time=document.time, validators=validators)
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


def _validators(root: Path, network: Network, document: Genesis) -> list[Validator]:
    """The validators of CometBFT, one for each node, whose keys are made in its folder. Power belongs to members."""
    weights = {member.id: member.weight for member in document.members}
    powers = split(weights, {member.id: [node.id for node in member.nodes] for member in network.members})
    found: list[Validator] = []
    for member, node in network.nodes():
        keys = make_keys(node_folder(root, member.id, node.id).root / ordering.ENGINE)
        address = f"{_HOST}:{node.engine_ports['peers']}"
        found.append(Validator(name=node.id, address=address, peer=keys.peer, key=keys.key, power=powers[node.id]))
    return found


def _save_keys(files: Files, folder: Path, keys: dict[Path, PrivateKey]) -> None:
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
