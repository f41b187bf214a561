"""`hansa network node`: nodes that come to a network on this machine and leave it, with all that it takes."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from hansa.cli import node_steps, processes
from hansa.cli.node_steps import Stage, start_options
from hansa.cli.output import Output
from hansa.client import readiness
from hansa.client.client import Client
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.node.network import MemberPlace, Network, NodePlace

OPEN: Final = "Open"
"""The state of a proposal that takes votes."""
ACCEPTED: Final = "Accepted"
"""That of one that was carried out, or is to be."""


@click.group()
def node() -> None:
    """Nodes of a network on this machine: another one for a member, or the end of one."""


@node.command()
@click.argument("root", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--member", required=True, metavar="ID", help="Whose node it is to be: a member whose folder is in DIR.")
@start_options
@click.pass_obj
def add(out: Output, root: Path, member: str, reserve_mb: int | None, engine_binary: Path | None) -> None:
    """Add a node to a member: make it, register it, start it, wait until it has everything, and have it trusted.

    Members vote on that: those whose keys lie in DIR say yes; if that is not enough, it is told who is asked. Run
    again, it goes on with a node that is not trusted yet.
    """
    from hansa.orderers import engines

    network = _load(root)
    found = node_steps.member_here(root, network, member)
    engines.find(network.orderer, engine_binary)
    urls = _running(root, network)
    ledger = bytes.fromhex(network.ledger)
    with Client(urls, ledger=network.ledger, patient=False) as others:
        known = readiness.node_records(others)
        place = _unfinished(found, known) or _made(root, network, member, known)
    own = f"http://127.0.0.1:{place.port}"
    stage = Stage(root, member, place, ledger, [url for url in urls if url != own] or urls)
    node_steps.register(out, stage)
    node_steps.copy(out, stage, 0)
    url = node_steps.start(out, stage, node_steps.options_of(reserve_mb, engine_binary))
    record = node_steps.say_ready(out, stage, url, None)
    todo: list[str] = []
    if record["state"] == node_steps.PENDING:
        todo = _vote(out, root, network, stage)
    if not todo:
        record = node_steps.await_power(stage, url)
    fields = {"folder": str(stage.folder.root), "node": record, "todo": todo}
    out.show(fields, lambda: "\n".join(todo) if todo else f"{place.id} votes, with a power of {record['power']}.")


def _unfinished(member: "MemberPlace", known: dict[str, dict[str, Any]]) -> "NodePlace | None":
    """A node of the member that was begun and is not trusted yet."""
    for place in member.nodes:
        if not place.retired and (place.id not in known or known[place.id]["state"] == node_steps.PENDING):
            return place
    return None


def _made(root: Path, network: "Network", member: str, known: dict[str, dict[str, Any]]) -> "NodePlace":
    from hansa.node import network as networks
    from hansa.node import newcomer, ordering
    from hansa.store.files import Disk, read_whole
    from hansa.wire import invite as wire

    of, one = next(network.nodes())
    folder = networks.node_folder(root, of.id, one.id)
    held = ordering.load(Disk(), folder)
    wan = held is not None and held.cometbft is not None and held.cometbft.wan
    trusted = [row for row in known.values() if row["state"] == readiness.TRUSTED]
    nodes = [wire.Node(**{name: row[name] for name in wire.Node.__struct_fields__}) for row in trusted]
    told = newcomer.Known(read_whole(Disk(), folder.genesis), nodes, wan)
    return newcomer.add(Disk(), root, network, member, told, {*known})


def _vote(out: Output, root: Path, network: "Network", stage: Stage) -> list[str]:
    """Proposes that a node is trusted, and has the members vote whose keys lie here; what is left to do, in lines."""
    keys = {one.id: root / one.id / "keys" / "governance" / f"{one.id}.pem" for one in network.members}
    held = {name: path for name, path in keys.items() if path.is_file()}
    proposal = {
        "title": f"{stage.node.id} of {stage.member} votes",
        "actions": [{"name": "trust_node", "args": {"node_id": stage.node.id}}],
    }
    with Client(stage.others, key=stage.key, ledger=stage.ledger.hex(), patient=False) as mine:
        id = mine.propose(proposal).id
        for name, path in held.items():
            if mine.proposal(id).state != OPEN:
                break
            with Client(stage.others, key=path, ledger=stage.ledger.hex(), patient=False) as theirs:
                theirs.vote(id, True)
            out.note(f"{name} votes yes")
        state = mine.proposal(id).state
    if state == ACCEPTED:
        return []
    at = shlex.quote(str(root))
    return [
        f"The keys here do not decide alone: the proposal {id} is {state}; other members must say yes.",
        f"Then come back: hansa network node add {at} --member {stage.member}",
    ]


@node.command()
@click.argument("root", type=click.Path(path_type=Path), metavar="DIR")
@click.argument("name", metavar="NODE")
@click.option("--yes", is_flag=True, help="Retire it without being asked.")
@click.pass_obj
def retire(out: Output, root: Path, name: str, yes: bool) -> None:
    """Retire a node for good, by its member's word, and stop it; its power goes to the member's other nodes.

    The other nodes' engines let it in no more, and its keys sign nothing that counts. Its folder stays.
    """
    from hansa.node import network as networks
    from hansa.store.files import Disk

    if out.json and not yes:
        raise HansaError("argument.value", "with --json nobody is asked", remedy="Give --yes, too.")
    network = _load(root)
    found = next((place for place in network.nodes() if place[1].id == name), None)
    if found is None:
        remedy = f"Its nodes are {', '.join(one.id for _, one in network.nodes())}."
        raise HansaError("argument.value", f"there is no node {name[:60]!a} in {root}", remedy=remedy)
    member, place = found
    if not yes:
        out.say(f"{name} of {member.id} is retired for good: it never comes back under this name or with its keys.")
        click.confirm("Retire it?", abort=True, err=True)
    running = _running(root, network)
    own = f"http://127.0.0.1:{place.port}"
    stage = Stage(root, member.id, place, bytes.fromhex(network.ledger), [u for u in running if u != own] or running)
    with stage.ask_others() as others:
        record = node_steps.record_of(others, name)
        if record is not None and record["state"] != node_steps.RETIRED:
            node_steps.govern(others, stage.key, "retire_own_node", {"node": name})
            out.note(f"{name} is retired on the ledger")
    if record is not None:
        node_steps.await_no_power(stage)
    networks.save(Disk(), root, network.with_node(member.id, msgspec.structs.replace(place, retired=True)))
    stopped = processes.stop(out, [stage.folder])
    told = f"{name} is retired, and has no power; its folder stays: {stage.folder.root}"
    out.show({"node": name, "member": member.id, "stopped": stopped, "folder": str(stage.folder.root)}, told)


def _load(root: Path) -> "Network":
    """The network in a folder, if nodes come and go there. Raises `HansaError`."""
    from hansa.node import network as networks
    from hansa.store.files import Disk

    found = networks.load(Disk(), root)
    if found.topology != networks.MULTI_MEMBER:
        remedy = "Only networks of many members, over CometBFT, take nodes and lose them yet."
        raise HansaError("argument.value", f"{root} is a network of the topology {found.topology}", remedy=remedy)
    return found


def _running(root: Path, network: "Network") -> list[str]:
    """The URLs of the nodes that run here. Raises `HansaError` `node.unreachable` if there is none."""
    from hansa.node import network as networks

    folders = [networks.node_folder(root, member.id, one.id) for member, one in network.nodes()]
    found = [process.url for folder in folders if (process := processes.find(folder)) is not None]
    urls = [url for url in found if url is not None]
    if not urls:
        at = shlex.quote(str(root))
        raise HansaError("node.unreachable", f"no node of {root} runs", remedy=f"Start them: `hansa network up {at}`.")
    return urls
