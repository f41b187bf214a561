"""`hansa network`: a whole network on this machine, made, started, looked at, stopped and removed by a command each.

The nodes are processes of their own, `hansa up` each; nothing of a network runs but those.
"""

import shlex
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from hansa.cli import network_node, output
from hansa.cli.network_invite import invite
from hansa.cli.network_join import join
from hansa.cli.new_ledger import LOCK_S, MEMBERS_MAX, New, check_name, equal_members, new_ledger, rules_of
from hansa.cli.node_steps import options_of, start_options
from hansa.cli.output import Output
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.cli.network_status import NetworkState, NodeState
    from hansa.node.network import MemberPlace, Network, NodePlace, Topology
    from hansa.store.folder import Folder

_UP_S: Final = 60
"""How long `up` waits for nodes to be ready."""
_MEMBERS: Final[dict["Topology", int]] = {"dev": 1, "single-member": 1, "multi-member": 4}
_NODES: Final[dict["Topology", int]] = {"dev": 1, "single-member": 3, "multi-member": 1}
"""What a topology has unless told otherwise; nodes are for each member."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _root_argument(command: _Command) -> _Command:
    return click.argument("root", type=click.Path(path_type=Path), metavar="DIR")(command)


def _nodes_argument(command: _Command) -> _Command:
    return click.argument("nodes", nargs=-1, metavar="[NODE]...")(command)


@click.group()
def network() -> None:
    """Networks of many nodes on this machine: every member with its own folder, keys, nodes and ports."""


network.add_command(invite)
network.add_command(join)
network.add_command(network_node.node)


@network.command()
@_root_argument
@click.option(
    "--topology",
    type=click.Choice(tuple(_MEMBERS)),
    required=True,
    help="dev: one node. single-member: one organisation's nodes over etcd. multi-member: organisations that distrust "
    "each other, over CometBFT.",
)
@click.option(
    "--members",
    type=click.IntRange(1, MEMBERS_MAX),
    help="So many equal sample members. By itself 4 for multi-member, else 1.",
)
@click.option("--nodes", type=click.IntRange(1), help="Nodes of each member. By itself 3 for single-member, else 1.")
@click.option(
    "--regions",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Spread the nodes over so many regions, none of which orders alone where that can be, and have the engines "
    "be patient between them. All still run on this machine.",
)
@click.option("--name", default="Sample network", show_default=True, help="The ledger's name.")
@click.option(
    "--constitution",
    metavar="NAME|FILE",
    help="What votes need: one that comes with Hansa, or a file. By itself majority; single for one member.",
)
@click.option(
    "--lock",
    metavar="DURATION",
    help=f"How long accepted changes of the constitution wait, such as 90s, 2h or 7d. By itself {LOCK_S}s, for trials.",
)
@click.option("--tls", is_flag=True, help="Its nodes ask each other by mutual TLS, as between machines.")
@click.option("--yes", is_flag=True, help="Make it without being asked.")
@click.pass_obj
def new(
    out: Output,
    root: Path,
    topology: "Topology",
    members: int | None,
    nodes: int | None,
    regions: int,
    name: str,
    constitution: str | None,
    lock: str | None,
    tls: bool,
    yes: bool,
) -> None:
    """Make a network in a new folder: keys, genesis, and a folder for each member and node. Nothing is started.

    All keys are made here, on one machine: that is for trials. Members who distrust each other make their own.
    """
    from hansa.node import network as networks
    from hansa.store.files import Disk

    _check_asked(out, yes)
    members = _MEMBERS[topology] if members is None else members
    nodes = _NODES[topology] if nodes is None else nodes
    networks.check_free(root)
    asked = _asked(topology, members, nodes, regions, name, constitution, lock)
    if not yes:
        out.say("\n".join(_plan(root, topology, nodes, name, asked)))
        click.confirm("\nMake it?", default=True, abort=True, err=True)
    made = networks.create(
        Disk(),
        root,
        name,
        topology,
        asked.founders,
        nodes,
        constitution=asked.constitution,
        lock_ms=asked.lock_ms,
        secured=tls,
        regions=regions,
    )
    fields = {**_fields(root, made), "constitution_lock_ms": asked.lock_ms}
    plan = _plan(root, topology, nodes, name, asked) if yes else []
    out.show(fields, lambda: "\n".join([*plan, *_made(root, made)]))


def _asked(
    topology: "Topology", members: int, nodes: int, regions: int, name: str, constitution: str | None, lock: str | None
) -> New:
    """What the ledger begins with. Raises `HansaError` `argument.value` with every problem of what is asked for."""
    from hansa.node import network as networks

    problems = networks.shape_problems(topology, members, nodes, regions)
    remedies: list[str] = []
    founders = equal_members(members)
    checks: list[Callable[[], object]] = [
        lambda: check_name(name),
        lambda: new_ledger(founders, constitution, None),
        lambda: new_ledger(founders, None, lock),
    ]
    for check in checks:
        try:
            check()
        except HansaError as error:
            problems.append(error.detail)
            remedies.append(error.remedy)
    if problems:
        raise HansaError("argument.value", "; ".join(problems), remedy=" ".join(remedies), problems=problems)
    return new_ledger(founders, constitution, lock)


def _plan(root: Path, topology: "Topology", nodes: int, name: str, asked: New) -> list[str]:
    from hansa.node import network as networks

    founders = asked.founders
    by = networks.ORDERERS[topology]
    of = "one node" if topology == networks.DEV else f"{len(founders) * nodes} nodes, {nodes} of each member"
    return [
        f"{output.shown(name)}, a network in {root}:",
        f"  members   {', '.join(founder.id for founder in founders)}",
        f"  nodes     {of}, ordered by {by}",
        f"  failures  {networks.tolerance(topology, len(founders), nodes)}",
        "\n            ".join([f"  rules     {rules_of(asked)[0]}", *rules_of(asked)[1:]]),
        f"            an accepted change of them waits {asked.lock_ms // 1000} s (--lock)",
    ]


def _made(root: Path, made: "Network") -> list[str]:
    first = made.members[0]
    member = shlex.quote(str(root / first.id))
    regions = [f"  regions   {made.placement()}"] if made.is_wide else []
    return [
        *regions,
        f"  ledger    {made.ledger}",
        "",
        f"Start it: hansa network up {shlex.quote(str(root))}",
        "Then each member uses its own node and its own keys:",
        f"  hansa status --data {member}",
        f"  hansa proposal new --action set_contract name=NAME source=FILE --as {first.id} --data {member}",
    ]


def _fields(root: Path, made: "Network") -> dict[str, Any]:
    """A network as machines see it: its map, with the folders."""
    import msgspec

    found: dict[str, Any] = msgspec.to_builtins(made)
    for member in found["members"]:
        member["folder"] = str(root.absolute() / member["id"])
        for node in member["nodes"]:
            node["folder"] = f"{member['folder']}/{node['id']}"
    facts = {"tolerance": made.tolerance(), "placement": made.placement()}
    return {"folder": str(root.absolute()), **facts, **found}


@network.command()
@_root_argument
@_nodes_argument
@start_options
@click.pass_obj
def up(out: Output, root: Path, nodes: tuple[str, ...], reserve_mb: int | None, engine_binary: Path | None) -> None:
    """Start the nodes that do not run, all or those named, and wait until each is ready.

    They go on in the background; what each writes goes into `node.log` in its folder.
    """
    from hansa.cli import processes
    from hansa.node import ordering
    from hansa.orderers import engines

    found, chosen = _chosen(root, nodes)
    if nodes and (retired := [node.id for _, node in chosen if node.retired]):
        raise HansaError("network.retired", f"{', '.join(retired)} is retired and comes back no more")
    chosen = [place for place in chosen if not place[1].retired]
    if found.orderer != ordering.SOLO:
        engines.find(found.orderer, engine_binary)
    starting = [place for place in chosen if processes.find(_folder(root, place)) is None]
    _check_ports(starting)
    options = options_of(reserve_mb, engine_binary)
    begun = {node.id: processes.start(_folder(root, (member, node)), options) for member, node in starting}
    if begun:
        out.note(f"{len(begun)} {'node' if len(begun) == 1 else 'nodes'} started")
    state = _await_ready(out, root, found, [node.id for _, node in chosen], begun)
    out.show({"started": sorted(begun), "network": state}, lambda: _up_text(out, root, found, state))


def _check_ports(places: "list[tuple[MemberPlace, NodePlace]]") -> None:
    """Raises `HansaError` `network.ports` with every port of these nodes that something listens on."""
    from hansa.node.network import is_free

    taken = [
        f"port {port} of {node.id} ({use})"
        for _, node in places
        for use, port in (
            ("its API", node.port),
            *((f"its engine's {use}", p) for use, p in node.engine_ports.items()),
            *([] if node.tls is None else [("TLS", node.tls)]),
        )
        if not is_free(port)
    ]
    if taken:
        raise HansaError("network.ports", f"taken: {', '.join(taken)}", problems=taken)


def _await_ready(out: Output, root: Path, found: "Network", chosen: list[str], begun: dict[str, int]) -> "NetworkState":
    """Waits until every one of these nodes is ready, or, where too few run to order anything, until it answers.

    If all run, each has found the others by then; for those that the ledger has retired nobody waits. Raises
    `HansaError` `network.start` with all nodes that are not so.
    """
    from hansa.cli import network_status, processes

    end = time.monotonic() + _UP_S
    told: set[str] = set()
    while True:
        state = network_status.look(root, found)
        nodes = [one for one in state.nodes if one.id in chosen and one.standing != network_status.RETIRED]
        own = [node for node in state.nodes if node.folder]
        running = sum(node.state != network_status.STOPPED for node in own)
        enough, alone = found.goes_on_with(running), running < len(own)
        fit = network_status.fit(enough=found.joined or enough, alone=found.joined or alone)
        for node in nodes:
            if fit(node) and node.id not in told:
                told.add(node.id)
                is_ready = node.state == network_status.READY
                out.note(f"{node.id} {f'is ready at {node.url}' if is_ready else 'waits for others'}")
        if all(map(fit, nodes)):
            return state
        ended = any(node.id in begun and processes.has_ended(begun[node.id]) for node in nodes)
        if ended or time.monotonic() > end or state.state == network_status.DIVERGED:
            raise _not_ready([node for node in nodes if not fit(node)])
        time.sleep(processes.LOOK_S)


def _not_ready(nodes: "list[NodeState]") -> HansaError:
    """Why these nodes are not ready, and where the log of each is."""
    from hansa.cli import network_status, processes
    from hansa.store.folder import Folder

    problems: list[str] = []
    for node in nodes:
        folder = Folder(Path(node.folder))
        said = processes.last_error(folder) if node.state == network_status.STOPPED else None
        problems.append(f"{node.id}: {said or node.reason}; its log is {folder.root / processes.LOG}")
    return HansaError("network.start", "; ".join(problems), problems=problems)


def _up_text(out: Output, root: Path, found: "Network", state: "NetworkState") -> str:
    at = shlex.quote(str(root))
    first = shlex.quote(str(root / state.nodes[0].member))
    wide = max(len(node.id) for node in state.nodes)
    return "\n".join(
        [
            out.style(f"{output.shown(found.name)}, ordered by {found.orderer}; {state.tolerance}", bold=True),
            *(f"  {node.id:{wide}}  {node.state:8}  {node.url}" for node in state.nodes),
            "",
            f"How it is: hansa network status {at}",
            f"A member's own node: hansa status --data {first}",
            f"Stop it: hansa network stop {at}",
        ]
    )


@network.command()
@_root_argument
@click.pass_obj
def status(out: Output, root: Path) -> int:
    """Show how every node is, with the size and root of its newest checkpoint, and what that means for the whole.

    Exits with 3 unless all nodes are ready and of one history.
    """
    from hansa.cli import network_status

    state: NetworkState = network_status.look(root, _load(root))
    out.show(state, lambda: network_status.text(out, state))
    return output.DONE if state.state == network_status.HEALTHY else output.UNHEALTHY


@network.command()
@_root_argument
@_nodes_argument
@click.option("-n", "--lines", type=click.IntRange(1, 1000), default=20, show_default=True, help="Of each node.")
@click.pass_obj
def logs(out: Output, root: Path, nodes: tuple[str, ...], lines: int) -> None:
    """Show the last lines of nodes' logs, and where their engines' logs are."""
    from hansa.cli import processes
    from hansa.node.ordering import ENGINE

    _, chosen = _chosen(root, nodes)
    found = [
        {
            "node": place[1].id,
            "file": str(_folder(root, place).root / processes.LOG),
            "engine": [str(path) for path in sorted((_folder(root, place).root / ENGINE).glob("*.log"))],
            "lines": processes.tail(_folder(root, place), lines),
        }
        for place in chosen
    ]
    out.show({"logs": found}, lambda: "\n".join(line for one in found for line in _log_lines(out, one)))


def _log_lines(out: Output, found: dict[str, Any]) -> list[str]:
    lines = [f"  {output.shown(line)}" for line in found["lines"]] or ["  nothing yet"]
    engine = [f"  its engine's log: {path}" for path in found["engine"]]
    return [out.style(f"{found['node']}  {found['file']}", bold=True), *lines, *engine]


@network.command()
@_root_argument
@_nodes_argument
@click.pass_obj
def stop(out: Output, root: Path, nodes: tuple[str, ...]) -> None:
    """Stop the nodes that run, all or those named, and wait until they have ended."""
    from hansa.cli import processes

    _, chosen = _chosen(root, nodes)
    stopped = processes.stop(out, [_folder(root, place) for place in chosen])
    text = f"Stopped: {', '.join(stopped)}." if stopped else "No node was running."
    out.show({"folder": str(root.absolute()), "stopped": stopped}, text)


@network.command()
@_root_argument
@click.option("--yes", is_flag=True, help="Remove it without being asked.")
@click.pass_obj
def destroy(out: Output, root: Path, yes: bool) -> None:
    """Stop a network and remove it: every node's folder and all keys. What else lies there stays."""
    from hansa.cli import processes
    from hansa.node import network as networks
    from hansa.node import newcomer
    from hansa.store.files import trouble_told

    _check_asked(out, yes)
    found = _load(root)
    chosen = list(found.nodes())
    if not yes:
        running = sum(processes.find(_folder(root, place)) is not None for place in chosen)
        held = f"{len(chosen)} nodes, of which {running} run, and all keys"
        out.say(f"{root} holds {output.shown(found.name)}: {held}.")
        click.confirm("Remove all that for good?", abort=True, err=True)
    processes.stop(out, [_folder(root, place) for place in chosen])
    with trouble_told(root):
        for path in newcomer.made(root, found):
            path.unlink(missing_ok=True)
        for member in found.members:
            for folder in (*(root / member.id / node.id for node in member.nodes), root / member.id / "keys"):
                if folder.is_dir() and not folder.is_symlink():
                    shutil.rmtree(folder)
            _remove_empty(root / member.id)
        networks.path_of(root).unlink()  # the last, so that a second run goes on where one was interrupted
        _remove_empty(root)
    left = sorted(str(path) for path in root.rglob("*") if path.is_file()) if root.exists() else []
    stays = f" What it did not make stays in {root}." if root.exists() else ""
    out.show({"folder": str(root.absolute()), "removed": True, "left": left}, f"Removed {root}.{stays}")


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _check_asked(out: Output, yes: bool) -> None:
    if out.json and not yes:
        raise HansaError("argument.value", "with --json nobody is asked", remedy="Give --yes, too.")


def _load(root: Path) -> "Network":
    from hansa.node import network as networks
    from hansa.store.files import Disk

    return networks.load(Disk(), root)


def _chosen(root: Path, nodes: tuple[str, ...]) -> "tuple[Network, list[tuple[MemberPlace, NodePlace]]]":
    """A network, and those of its nodes that are named, all if none is. Raises `HansaError` `argument.value`."""
    found = _load(root)
    places = list(found.nodes())
    known = [node.id for _, node in places]
    unknown = [name for name in nodes if name not in known]
    if unknown:
        told = f"there is no node {', '.join(f'{name[:60]!a}' for name in unknown)} in {root}"
        raise HansaError("argument.value", told, remedy=f"Its nodes are {', '.join(known)}.")
    return found, [place for place in places if not nodes or place[1].id in nodes]


def _folder(root: Path, place: "tuple[MemberPlace, NodePlace]") -> "Folder":
    from hansa.node import network as networks

    return networks.node_folder(root.absolute(), place[0].id, place[1].id)
