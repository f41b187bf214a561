"""A node that comes to a ledger which others keep already, and the folder of a member that comes with it.

It is laid out as `network` lays out what it makes; the map of a member that joined by an invite names this member
alone, as the others' nodes lie with them. `cli` calls it; nothing here asks anybody. What must follow (answers of
nodes, votes) may take days, so each step can be taken again from what lies in the folder.
"""

import itertools
import secrets
from pathlib import Path
from typing import Final

import msgspec

from hansa.client import keys as key_files
from hansa.node import create, network, ordering, peers
from hansa.node.network import MemberPlace, Network, NodePlace
from hansa.node.ordering import Ordering
from hansa.orderers.cometbft.home import make_keys
from hansa.orderers.cometbft.settings import CometSettings
from hansa.store.files import Files, read_whole, replace, trouble_told
from hansa.store.folder import Folder, new_folder
from hansa.wire import genesis as wire_genesis
from hansa.wire import invite as wire_invite
from hansa.wire.invite import Invite, Node
from hansa.wire.keys import PrivateKey
from hansa.wire.limits import MEMBER_NAME_CHARS_MAX
from hansa.wire.problems import HansaError

INVITE: Final = "invite.cose"
"""In the folder: the invite that was accepted."""
ADMISSION: Final = "admission.json"
"""In the member's folder: the proposal by which members can admit it, with its public keys. Others send it."""


class Own(msgspec.Struct, frozen=True):
    """The keys that a member has itself, beside those of its nodes."""

    governance: PrivateKey
    transaction: PrivateKey


class Known(msgspec.Struct, frozen=True):
    """What a new node is told: the genesis document, the nodes to begin with, and whether distances are long."""

    genesis: bytes
    nodes: list[Node]
    wan: bool = False


def generated() -> Own:
    """New keys for a member."""
    return Own(key_files.generate(), key_files.generate())


def held(folder: Path) -> Own:
    """The keys in a folder that `hansa member key new FOLDER/` made. Raises `HansaError` as `client.keys.load`."""
    return Own(key_files.load(folder / "governance.pem"), key_files.load(folder / "transaction.pem"))


def settle(files: Files, root: Path, invite: Invite, envelope: bytes, genesis: bytes, own: Own, name: str) -> Network:
    """Lays out the folder of a member with its first node, whole or not at all; the map of it.

    `genesis` is the ledger's document, its digest checked; `name` what the member is called. Raises `HansaError`: as
    `network.check_free` and `new_folder`, `network.ports`.
    """
    network.check_free(root)
    member = invite.member
    place = _place(member, {one.id for one in invite.nodes})
    found = Network(
        network.VERSION,
        invite.name,
        network.MULTI_MEMBER,
        ordering.COMETBFT,
        invite.ledger.hex(),
        [MemberPlace(member, name, [place])],
        joined=True,
    )
    with new_folder(files, root) as new:
        members = {create.member_file(member): own.transaction, create.governance_file(member): own.governance}
        network.keep_keys(files, new.root / member, members)
        for path, key in members.items():
            replace(files, new.root / member / "keys" / path.with_suffix(".pub"), key.public.pem())
        known = Known(genesis, invite.nodes, invite.wan)
        _furnish(files, network.node_folder(new.root, member, place.id), place, known)
        replace(files, new.root / INVITE, envelope)
        replace(files, new.root / member / ADMISSION, admission(member, name, own))
        network.save(files, new.root, found)
    return found


def add(files: Files, root: Path, found: Network, member: str, known: Known, ids: set[str]) -> NodePlace:
    """Lays out another node of a member of a network on this machine, and has the map name it.

    `ids` are those of nodes that the ledger knows. Raises `HansaError`: as `new_folder`, `network.ports`.
    """
    place = _place(member, ids | {node.id for _, node in found.nodes()})
    with new_folder(files, network.node_folder(root, member, place.id).root) as new:
        _furnish(files, new, place, known)
    network.save(files, root, found.with_node(member, place))
    return place


def _place(member: str, known: set[str]) -> NodePlace:
    """A place for a new node: an id that none of the known ones is, and ports that are free."""
    uses = ordering.PORTS[ordering.COMETBFT]
    ports = iter(network.free_ports(1 + len(uses), secrets.token_bytes(4)))
    ends = (f"-{number}" for number in itertools.count(1))
    id = next(id for end in ends if (id := member[: MEMBER_NAME_CHARS_MAX - len(end)] + end) not in known)
    return NodePlace(id, next(ports), {use: next(ports) for use in uses})


def _furnish(files: Files, folder: Folder, place: NodePlace, known: Known) -> None:
    """A node's folder: its keys and its engine's, and where to begin. The ledger in it is copied later: see `joining`.

    Engines that genesis names where they are now need no mention: what is mentioned is let in whatever became of it.
    """
    made = {Path(name): key_files.generate("p256") for name in (create.NODE_KEY, create.CHECKPOINT_KEY)}
    network.keep_keys(files, folder.root, made)
    make_keys(folder.root / ordering.ENGINE)
    founding = {(node.peer, node.address) for node in wire_genesis.decode(known.genesis).nodes}
    others = [one for one in known.nodes if one.peer and one.address and (one.peer, one.address) not in founding]
    settings = CometSettings(
        node=place.id,
        home=ordering.ENGINE,
        listen=f"127.0.0.1:{place.engine_ports['peers']}",
        peers=[f"{one.peer}@{one.address}" for one in others],
        wan=known.wan,
    )
    made_ordering = Ordering(ordering.VERSION, place.id, ordering.COMETBFT, place.port, cometbft=settings)
    ordering.save(files, folder, made_ordering)
    peers.save(files, folder, peers.askable(one.url for one in known.nodes)[: peers.PEERS_MAX])


def accepted(files: Files, root: Path) -> Invite | None:
    """The invite that a folder was joined by; None if it was not. Raises `HansaError` `network.form`."""
    path = root / INVITE
    if not path.exists():
        return None
    with trouble_told(path):
        envelope = read_whole(files, path)
    try:
        return wire_invite.read(envelope)
    except HansaError as error:
        raise HansaError("network.form", f"{path}: {error.detail}") from None


def made(root: Path, found: Network) -> list[Path]:
    """The files that `settle` makes beside what a network has anyway."""
    return [root / INVITE, *(root / member.id / ADMISSION for member in found.members)] if found.joined else []


def admission(member: str, name: str, own: Own) -> bytes:
    """The proposal that admits a member with these keys, as `hansa proposal new` takes it: JSON, public keys only."""
    keys = [
        {"purpose": purpose, "pem": key.public.pem().decode()}
        for purpose, key in (("governance", own.governance), ("transaction", own.transaction))
    ]
    action = {"name": "set_member", "args": {"member_id": member, "name": name, "keys": keys}}
    proposal = {"title": f"{name[:60]} joins us", "actions": [action]}
    return msgspec.json.format(msgspec.json.encode(proposal)) + b"\n"
